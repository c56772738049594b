import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular

extension OphthalmicHandlers {
    func code(_ text: String) throws -> ODSCode {
        guard let code = ODSCode(text) else {
            throw Failure.field(
                "contractor_code", "payments 1", "An ODS code has 3 to 12 capital letters and digits.")
        }
        return code
    }

    func find(_ contractor: ODSCode, _ reference: String, _ reader: any Reader) throws
        -> OphthalmicStore.Claim
    {
        guard let claim = try OphthalmicStore.claim(contractor, reference, reader) else {
            throw Failure(PaymentsReasons.ophthalmicClaimUnknown)
        }
        return claim
    }

    func require(_ states: [OphthalmicStore.State], _ claim: OphthalmicStore.Claim) throws {
        guard !states.contains(claim.state) else { return }
        throw Failure(
            PaymentsReasons.ophthalmicClaimStateWrong,
            "Claim \(claim.reference) is \(claim.state.name); this needs one that is "
                + states.map(\.name).joined(separator: " or ") + ".")
    }

    func note(_ claim: OphthalmicStore.Claim, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(
                object: "ophthalmic-claim/\(claim.contractor)/\(claim.reference)",
                organisation: claim.contractor.value, detail: detail))
    }

    func message(_ claim: OphthalmicStore.Claim, _ reader: any Reader) throws
        -> Pcs_Payments_V1_OphthalmicClaim
    {
        try message(
            claim, OphthalmicRuns(reader), try ReferenceStore.rates(knownAt: .max, reader), reader)
    }

    private func message(
        _ claim: OphthalmicStore.Claim, _ runs: OphthalmicRuns, _ rates: RateTable, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_OphthalmicClaim {
        let contents = try Pcs_Payments_V1_OphthalmicClaimContents(serializedBytes: claim.contents)
        let run = claim.seq.flatMap { runs.run(of: $0) }
        let parts = claim.seq == nil ? [] : GOSEntitlement.of(GOSClaim(contents), place: claim.place)
        let submitted = try claim.batch.flatMap { try OphthalmicStore.submitted($0, reader) }
        let history = try OphthalmicStore.history(claim, reader)
        return .with {
            $0.contractorCode = claim.contractor.value
            $0.contents = contents
            $0.state = state(of: claim, run)
            $0.version = Int32(clamping: claim.version)
            $0.codes = claim.codes.map(\.code)
            $0.messages = claim.codes.map { $0.message(of: GOSClaim(contents), ClaimDeadline(rates: rates)) }
            if let submitted {
                $0.submittedBy = submitted.by
                $0.submittedAt = Google_Protobuf_Timestamp(submitted.at)
            }
            $0.runID = run?.id ?? ""
            $0.amountPence = parts.reduce(0) { $0 + (OphthalmicMonth.group($1, rates)?.pence ?? 0) }
            $0.recoveryReason = claim.recoveryReason ?? ""
            $0.history = history
        }
    }

    private func state(
        of claim: OphthalmicStore.Claim, _ run: RunRecord?
    ) -> Pcs_Payments_V1_OphthalmicClaimState {
        switch claim.state {
        case .draft: .draft
        case .signed: .signed
        case .rejected: .rejected
        case .recovered: .recovered
        case .accepted:
            switch run?.state {
            case nil: .accepted
            case .approved?: .inRun
            default: .paid
            }
        }
    }

    func getOphthalmicClaim(
        _ request: Pcs_Payments_V1_OphthalmicClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_OphthalmicClaim {
        let contractor = try code(request.contractorCode)
        return try context.store.read { try message(try find(contractor, request.reference, $0), $0) }
    }

    func listOphthalmicClaims(
        _ request: Pcs_Payments_V1_ListOphthalmicClaimsRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_OphthalmicClaim>, _ call: CallContext
    ) async throws {
        let contractor = try code(request.contractorCode)
        var last = ""
        while true {
            let after = last
            let page = try context.store.read { reader in
                let runs = try OphthalmicRuns(reader)
                let rates = try ReferenceStore.rates(knownAt: .max, reader)
                return try OphthalmicStore.claims(of: contractor, after: after, reader)
                    .map { try message($0, runs, rates, reader) }
            }
            for message in page where request.state == .unspecified || message.state == request.state {
                try await reply.send(message)
            }
            guard let end = page.last else { return }
            last = end.contents.reference
        }
    }

    static let exportColumns = [
        "reference", "form", "performedOn", "patient", "performer", "voucherType", "fee", "amount",
        "lineOrigin",
    ]

    /// One row for each fee of each claim that the month pays or takes back.
    func exportOphthalmicClaims(
        _ request: Pcs_Payments_V1_ExportOphthalmicClaimsRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_OphthalmicClaimsChunk>, _ call: CallContext
    ) async throws {
        let contractor = try code(request.contractorCode)
        var fields = RequestFields()
        let month = fields.month(request.month)
        try fields.finish()
        guard let month else { throw Failure(HostReasons.fieldInvalid) }
        var writer = CSVWriter()
        writer.append(OphthalmicHandlers.exportColumns.map { .plain($0) })
        var last: String? = ""
        while let after = last {
            let page: [(reference: String, rows: [[CSVWriter.Cell]])] = try context.store.read { reader in
                let latest = try InputLog.latest(reader)
                guard let span = try OphthalmicRuns(reader).span(of: month, snapshot: latest) else {
                    return []
                }
                let rates = try ReferenceStore.rates(knownAt: .max, reader)
                return try OphthalmicStore.claims(of: contractor, after: after, reader).map { claim in
                    (claim.reference, try rows(claim, span, rates, onlyOf: request.lineOrigin))
                }
            }
            for claim in page { for row in claim.rows { writer.append(row) } }
            last = page.last?.reference
            let bytes = writer.take()
            if !bytes.isEmpty {
                try await reply.send(Pcs_Payments_V1_OphthalmicClaimsChunk.with { $0.data = .init(bytes) })
            }
        }
    }

    private func rows(
        _ claim: OphthalmicStore.Claim, _ span: (after: Int64, upTo: Int64), _ rates: RateTable,
        onlyOf origin: String
    ) throws -> [[CSVWriter.Cell]] {
        func isIn(_ seq: Int64?) -> Bool { seq.map { $0 > span.after && $0 <= span.upTo } ?? false }
        guard isIn(claim.seq) || isIn(claim.recoveredSeq) else { return [] }
        let contents = GOSClaim(try Pcs_Payments_V1_OphthalmicClaimContents(serializedBytes: claim.contents))
        var parts = isIn(claim.seq) ? GOSEntitlement.of(contents, place: claim.place) : []
        if isIn(claim.recoveredSeq) {
            parts += GOSEntitlement.of(contents, place: claim.place).map { $0.recovered }
        }
        return parts.compactMap { part in
            guard let found = OphthalmicMonth.group(part, rates) else { return nil }
            guard origin.isEmpty || found.group.origin == origin else { return nil }
            let amount = Money(pence: part.isRecovery ? -found.pence : found.pence)
            let initials = [contents.forenames, contents.surname].compactMap(\.first).map { "\($0)." }
                .joined()
            return [
                .text(claim.reference), .plain(part.form.name), .plain(part.day.description), .text(initials),
                .text(contents.performer), .plain(contents.voucher?.letter ?? ""),
                .plain(part.fee.rate.rawValue),
                .plain(amount.description), .plain(found.group.origin),
            ]
        }
    }
}

extension GOSEntitlement {
    /// The same, taken back.
    var recovered: GOSEntitlement {
        var part = self
        part.isRecovery = true
        return part
    }
}
