import CqrsContract
import PluginAPI
import SwiftProtobuf
import Tabular

/// The reports of 10.7: rows on screen and the same rows as CSV (REP-1).
struct LocalReports {
    typealias Cells = [String]

    let context: PluginContext
    let today: CalendarDate
    /// Whose claims: a provider's, or those of a commissioner.
    let organisation: String
    let isProvider: Bool
    let service: String
    let reader: any Reader

    struct Table {
        var columns: [String]
        var rows: [Cells] = []
    }

    func run(_ name: Pcs_Cqrs_V1_LocalReportName, claim: String) throws -> Table {
        switch name {
        case .claims: try claims()
        case .components: try components()
        case .participation: try participation()
        case .evidence: try evidence()
        case .pcse: try pcse()
        case .audit: try audit(claim)
        case .paymentsAndAccruals where !isProvider: try payments()
        case .budget where !isProvider: try budget()
        case .bulk where !isProvider: try bulk()
        default: throw Failure.field("name", "10.7", "There is no such report for this organisation.")
        }
    }

    private func records() throws -> [LocalClaimStore.Record] {
        let all =
            try isProvider
            ? LocalClaimStore.of(provider: organisation, reader)
            : LocalClaimStore.of(commissioner: organisation, reader)
        return all.filter { service.isEmpty || $0.service == service }
    }

    private func lines() throws -> [LocalReportStore.Line] {
        try LocalReportStore.lines(of: organisation, asProvider: isProvider, reader)
            .filter { $0.state.isLive && (service.isEmpty || $0.line.service == service) }
    }

    private func pounds(_ pence: Int64) -> String { Money(pence: pence).description }
    private func minute(_ instant: Instant) -> String {
        let moment = LondonTime.moment(at: instant)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(moment.day) \(two(moment.minute / 60)):\(two(moment.minute % 60))"
    }
    private func day(_ instant: Instant) -> String { LondonTime.day(at: instant).description }

    // MARK: Claims

    /// By status and age.
    private func claims() throws -> Table {
        var table = Table(columns: [
            "state", "age_days", "claim_id", "service_id", "provider_code", "window_id", "amount_pounds",
            "band",
            "submitted_on", "late", "approved_on", "paid_on",
        ])
        table.rows = try records().map { record in
            let since = record.submittedOn.map { String(today.daysSince1970 - $0.daysSince1970) } ?? ""
            return [
                record.state.name, since, record.id, record.service, record.provider, record.window,
                pounds(record.pence), record.submittedOn == nil ? "" : "\(record.band)",
                record.submittedOn?.description ?? "", record.isLate ? "Y" : "N",
                record.approvedOn?.description ?? "",
                record.paidOn?.description ?? "",
            ]
        }.sorted { ($0[0], $0[2]) < ($1[0], $1[2]) }
        return table
    }

    /// Quantity, pounds, and how much of each yearly cap is used.
    private func components() throws -> Table {
        var table = Table(columns: [
            "service_id", "component_id", "provider_code", "financial_year", "claims", "quantity",
            "amount_pounds", "cap",
            "cap_limit", "percent_of_cap",
        ])
        struct Key: Hashable { var service, component, provider, year: String }
        var sums: [Key: (claims: Set<Int64>, thousandths: Int64, pence: Int64, day: CalendarDate)] = [:]
        for line in try lines() where line.state.counts {
            let key = Key(
                service: line.line.service, component: line.line.component, provider: line.provider,
                year: FinancialYear(containing: line.line.activity).description)
            sums[key, default: ([], 0, 0, line.line.activity)].claims.insert(line.claim)
            sums[key]?.thousandths += line.line.quantity.thousandths
            sums[key]?.pence += line.line.pence
        }
        var schemes: [String: LocalScheme] = [:]
        var lists = LocalLists()
        for (key, sum) in sums {
            if schemes[key.service] == nil {
                schemes[key.service] = try LocalSchemeStore.present(key.service, reader)?.scheme
            }
            let row: Cells = [
                key.service, key.component, key.provider, key.year, String(sum.claims.count),
                LocalQuantity(thousandths: sum.thousandths).description, pounds(sum.pence),
            ]
            guard let component = schemes[key.service]?.component(key.component) else { continue }
            var usage: [Cells] = []
            for cap in component.caps where cap.kind.rawValue >= LocalCapKind.quantityAYear.rawValue {
                var capping = LocalCapping(
                    provider: key.provider, service: key.service, component: component, day: sum.day)
                if cap.kind == .perMilleOfList {
                    capping.list = try lists.patients(of: key.provider, on: sum.day, reader)
                }
                guard let allowance = capping.allowance(cap, LocalUsage()) else { continue }
                let used = allowance.isValue ? sum.pence : sum.thousandths
                usage.append([
                    cap.kind.name, allowance.text(allowance.limit),
                    allowance.limit == 0 ? "" : percent(used, of: allowance.limit),
                ])
            }
            for cap in usage.isEmpty ? [["", "", ""]] : usage { table.rows.append(row + cap) }
        }
        table.rows.sort { $0.lexicographicallyPrecedes($1) }
        return table
    }

    /// To one decimal.
    private func percent(_ part: Int64, of whole: Int64) -> String {
        let tenths = (try? Rounding.quotient(Int128(part) * 1_000, Int128(whole))) ?? 0
        return ExactDecimal(mantissa: tenths, scale: 1).description
    }

    /// By pay code and month of activity: paid, approved and not paid, claimed and not approved.
    private func payments() throws -> Table {
        var table = Table(columns: [
            "pay_code", "month", "paid_pounds", "approved_pounds", "accrued_pounds", "total_pounds",
        ])
        struct Key: Hashable { var code, month: String }
        var sums: [Key: (paid: Int64, approved: Int64, accrued: Int64)] = [:]
        var codes: [String: String] = [:]
        for line in try lines() where line.state.counts {
            let service = line.line.service
            if codes[service] == nil {
                codes[service] = try LocalSchemeStore.present(service, reader)?.scheme.payCode ?? ""
            }
            let key = Key(
                code: codes[service] ?? "", month: YearMonth(containing: line.line.activity).description)
            var sum = sums[key] ?? (0, 0, 0)
            switch line.state {
            case .paid: sum.paid += line.line.pence
            case .approved, .sentToPCSE, .inPaymentFile, .paymentFailed: sum.approved += line.line.pence
            default: sum.accrued += line.line.pence
            }
            sums[key] = sum
        }
        for (key, sum) in sums.sorted(by: { ($0.key.code, $0.key.month) < ($1.key.code, $1.key.month) }) {
            table.rows.append([
                key.code, key.month, pounds(sum.paid), pounds(sum.approved), pounds(sum.accrued),
                pounds(sum.paid + sum.approved + sum.accrued),
            ])
        }
        return table
    }

    // MARK: Contracts and evidence

    private func participation() throws -> Table {
        var table = Table(columns: [
            "service_id", "service_name", "participation_only", "contract_id", "contract_name",
            "provider_code", "kind",
            "provider_group", "state", "start_on", "end_on", "bulk_agreed", "answered_on", "reason",
        ])
        let contracts =
            try isProvider
            ? LocalContractStore.parts(ofProvider: organisation, reader).compactMap {
                try LocalContractStore.contract($0.contract, reader)
            } : LocalContractStore.of(commissioner: organisation, reader)
        for contract in contracts {
            let parts = try LocalContractStore.parts(of: contract.id, reader)
                .filter { !isProvider || $0.provider == organisation }
            for id in contract.items.keys.sorted() where service.isEmpty || id == service {
                let scheme = try LocalSchemeStore.present(id, reader)?.scheme
                for part in parts {
                    table.rows.append([
                        id, scheme?.name ?? "", scheme?.isParticipationOnly ?? false ? "Y" : "N", contract.id,
                        contract.name,
                        part.provider, part.kind.group, part.group, "\(part.state)",
                        contract.start.description,
                        Swift.min(contract.end, part.endedOn ?? contract.end).description,
                        part.isBulkAgreed ? "Y" : "N",
                        part.answeredAt.map(day) ?? "", part.reason,
                    ])
                }
            }
        }
        return table
    }

    private func evidence() throws -> Table {
        var table = Table(columns: [
            "claim_id", "provider_code", "kind", "document_id", "file_name", "rows", "sha256", "attached_on",
            "identifiers_confirmed",
        ])
        for record in try records() {
            for item in try LocalEvidenceStore.of(claim: record.number, reader) {
                table.rows.append([
                    record.id, record.provider, item.isBacking ? "backing data" : "document", item.document,
                    item.fileName,
                    item.isBacking ? String(item.rows) : "", item.sha256, day(item.at),
                    item.noIdentifiers.isEmpty ? "N" : "Y",
                ])
            }
        }
        return table
    }

    // MARK: Money

    /// Forecast: what is claimed so far, spread over the months that it covers, for all months of the year.
    private func budget() throws -> Table {
        var table = Table(columns: [
            "service_id", "service_name", "financial_year", "budget_pounds", "committed_pounds",
            "waiting_pounds",
            "left_pounds", "forecast_pounds",
        ])
        struct Sum {
            var committed: Int64 = 0, waiting: Int64 = 0,
                last = YearMonth(containing: CalendarDate(daysSince1970: 0))
        }
        var sums: [String: Sum] = [:]
        for line in try lines() where line.state.counts {
            let key = line.line.service + " " + FinancialYear(containing: line.line.activity).description
            var sum = sums[key] ?? Sum()
            switch line.state {
            case .submitted, .tier1Approved, .queried, .bulkReview: sum.waiting += line.line.pence
            default: sum.committed += line.line.pence
            }
            sum.last = Swift.max(sum.last, YearMonth(containing: line.line.activity))
            sums[key] = sum
        }
        let budgets = Dictionary(
            try LocalSchemeStore.budgets(of: organisation, reader).map {
                ($0.service + " " + $0.year, $0.pence)
            },
            uniquingKeysWith: { $1 })
        for key in Set(sums.keys).union(budgets.keys).sorted() {
            let parts = key.split(separator: " ").map(String.init)
            guard parts.count == 2, service.isEmpty || parts[0] == service,
                let year = FinancialYear(parts[1]),
                let scheme = try LocalSchemeStore.present(parts[0], reader)?.scheme
            else { continue }
            let sum = sums[key] ?? Sum()
            let first = YearMonth(containing: Swift.max(year.firstDay, scheme.start))
            let months = YearMonth(containing: Swift.min(year.lastDay, scheme.end)).months(since: first) + 1
            let elapsed = Swift.max(1, sum.last.months(since: first) + 1)
            let claimed = Int128(sum.committed + sum.waiting)
            let forecast = (try? Rounding.quotient(claimed * Int128(months), Int128(elapsed))) ?? 0
            let bound = budgets[key]
            table.rows.append([
                parts[0], scheme.name, parts[1], bound.map(pounds) ?? "", pounds(sum.committed),
                pounds(sum.waiting),
                bound.map { pounds($0 - sum.committed) } ?? "", pounds(forecast),
            ])
        }
        return table
    }

    private func bulk() throws -> Table {
        var table = Table(columns: [
            "bulk_id", "service_id", "file_name", "sha256", "state", "rows", "claims", "rejected_rows",
            "amount_pounds",
            "uploaded_by", "uploaded_on", "reviewed_by", "reviewed_on", "reason",
        ])
        for bulk in try LocalBulkStore.of(commissioner: organisation, reader)
        where service.isEmpty || bulk.service == service {
            table.rows.append([
                bulk.id, bulk.service, bulk.fileName, bulk.sha256, "\(bulk.state)", String(bulk.rows),
                String(bulk.claims),
                String(bulk.rejectedRows), pounds(bulk.pence), bulk.uploadedBy, day(bulk.uploadedAt),
                bulk.reviewedBy,
                bulk.reviewedAt.map(day) ?? "", bulk.reason,
            ])
        }
        return table
    }

    /// Request, sendings and answer (10.6).
    private func pcse() throws -> Table {
        var table = Table(columns: [
            "instruction_id", "claim_id", "provider_code", "payee_code", "pay_code", "amount_pounds", "state",
            "attempts",
            "last_sent_on", "operator_told", "agency_reference", "response", "paid_on",
        ])
        for record in try records() where record.route == .pcse && record.approvedOn != nil {
            for instruction in try InstructionStore.of(claim: record.id, reader) {
                let sending = try LocalPaymentStore.sendings(of: instruction.id, reader)
                table.rows.append([
                    instruction.id, record.id, record.provider, instruction.payee, instruction.payCode,
                    pounds(instruction.pence), "\(instruction.state)", String(sending.attempts),
                    sending.attempts == 0 ? "" : day(sending.lastAt), sending.isEscalated ? "Y" : "N",
                    instruction.agencyReference, instruction.refusalReason,
                    instruction.paidOn?.description ?? "",
                ])
            }
        }
        return table
    }

    private func audit(_ claim: String) throws -> Table {
        var table = Table(columns: [
            "claim_id", "number", "at", "by", "acting_for", "from", "to", "reason", "figures_sha256",
        ])
        guard let record = try LocalClaimStore.record(claim, reader),
            (isProvider ? record.provider : record.commissioner) == organisation
        else { throw Failure(CqrsReasons.localClaimUnknown) }
        for (index, step) in try LocalClaimStore.steps(of: record, reader).enumerated() {
            table.rows.append([
                record.id, String(index + 1), minute(step.at), step.by, step.actingFor,
                LocalClaimState(rawValue: step.from)?.name ?? "",
                LocalClaimState(rawValue: step.to)?.name ?? "", step.reason,
                step.figures,
            ])
        }
        return table
    }
}

extension LocalClaimHandlers {
    func runLocalReport(_ request: Pcs_Cqrs_V1_RunLocalReportRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalReport
    {
        guard request.providerCode.isEmpty != request.commissionerCode.isEmpty else {
            throw Failure.field(
                "commissioner_code", "10.7", "Name the organisation that asks: one of the two.")
        }
        let table = try context.store.read { reader in
            try LocalReports(
                context: context, today: call.today,
                organisation: request.providerCode.isEmpty ? request.commissionerCode : request.providerCode,
                isProvider: !request.providerCode.isEmpty, service: request.serviceID, reader: reader
            ).run(request.name, claim: request.claimID)
        }
        var writer = CSVWriter()
        writer.append(table.columns.map { .plain($0) })
        for row in table.rows { writer.append(row.map { .text($0) }) }
        return .with {
            $0.columns = table.columns
            $0.rows = table.rows.map { cells in .with { $0.cells = cells } }
            $0.csv = .init(writer.bytes)
            $0.asOf = Google_Protobuf_Timestamp(call.now)
        }
    }
}
