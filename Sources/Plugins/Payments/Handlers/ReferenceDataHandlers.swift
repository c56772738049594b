import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import Tabular
import SwiftProtobuf

/// Rates, bank holidays and paycodes: proposed by one person, approved by another.
struct ReferenceDataHandlers: Pcs_Payments_V1_ReferenceDataService {
    let context: PluginContext

    func proposeRates(
        _ requests: RequestStream<Pcs_Payments_V1_ProposeRatesRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RateSet {
        let first = requests.first
        var fields = RequestFields()
        fields.reason(first.reason)
        let kind =
            first.kind == .unspecified ? .rates : ReferenceStore.Kind(rawValue: Int64(first.kind.rawValue))
        if kind == nil { fields.refuse("kind", "REF09", "The kind of reference data is not known.") }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let isFile = !file.bytes.isEmpty
        if isFile == !first.rates.isEmpty { fields.refuse("rates", "REF09", "Give either a file or rates.") }
        if !first.rates.isEmpty, kind != .rates {
            fields.refuse("rates", "REF09", "Only rates can be given as rows.")
        }
        try fields.finish()
        guard let kind else { throw Failure(HostReasons.fieldInvalid) }
        let content =
            isFile ? try ReferenceDataHandlers.read(file.bytes, kind) : .rates(try rates(first.rates))
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            let evidence =
                isFile ? try EvidenceStore.keep(file, kind: .reference, by: actor, in: transaction) : nil
            let set = ReferenceStore.RateSet(
                id: transaction.newIdentifier(), kind: kind, state: .proposed, reason: first.reason,
                rows: Int64(content.count), proposedBy: actor, proposedAt: transaction.now,
                fileName: file.name,
                sha256: isFile ? file.sha256 : "", evidenceID: evidence)
            try ReferenceStore.propose(set, content, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "rate-set/\(set.id)", detail: "proposed, \(content.count) rows: \(first.reason)"))
            return try message(set, affectedBy: content, transaction)
        }
    }

    static func read(_ bytes: [UInt8], _ kind: ReferenceStore.Kind) throws -> ReferenceStore.Content {
        let (content, violations): (ReferenceStore.Content, ViolationList)
        switch kind {
        case .rates:
            let read = RateFile.read(bytes)
            (content, violations) = (.rates(read.rows), read.violations)
        case .bankHolidays:
            let read = BankHolidayFile.read(bytes)
            (content, violations) = (.bankHolidays(read.rows), read.violations)
        case .paycodes:
            let read = PaycodeFile.read(bytes)
            (content, violations) = (.paycodes(read.rows), read.violations)
        case .dispensingBands:
            let read = DispensingBandFile.read(bytes)
            (content, violations) = (.dispensingBands(read.rows), read.violations)
        case .trainingRates:
            let read = TrainingRateFile.read(bytes)
            (content, violations) = (.trainingRates(read.rows), read.violations)
        case .additionalRoles:
            let read = RoleMaximumFile.read(bytes)
            (content, violations) = (.additionalRoles(read.rows), read.violations)
        case .amountBounds:
            let read = AmountBoundFile.read(bytes)
            (content, violations) = (.amountBounds(read.rows), read.violations)
        case .claimPaycodes:
            let read = ClaimPaycodeFile.read(bytes)
            (content, violations) = (.claimPaycodes(read.rows), read.violations)
        case .guaranteedUse:
            let read = GuaranteedUseFile.read(bytes)
            (content, violations) = (.guaranteedUse(read.rows), read.violations)
        }
        guard violations.isEmpty else { throw Failure.file(violations) }
        return content
    }

    private func rates(_ messages: [Pcs_Payments_V1_RateRow]) throws -> [RateRow] {
        var fields = RequestFields()
        var rows: [RateRow] = []
        for (index, message) in messages.enumerated() {
            let place = "rates[\(index)]."
            let from = fields.date(
                message.effectiveFrom, isSet: message.hasEffectiveFrom, field: place + "effective_from",
                mayBeEmpty: false)
            let to = fields.date(
                message.effectiveTo, isSet: message.hasEffectiveTo, field: place + "effective_to")
            let value = message.value.isEmpty ? nil : ExactDecimal(message.value, maximumScale: 6)
            if !message.value.isEmpty, value == nil {
                fields.refuse(place + "value", "REF03", "A value is a plain decimal with at most 6 decimals.")
            }
            guard let unit = RateUnit(rawValue: Int64(message.unit.rawValue)) else {
                fields.refuse(place + "unit", "REF04", "The unit is pounds, percent, days or count.")
                continue
            }
            guard let from else { continue }
            let (row, breaches) = RateFile.check(
                .init(
                    name: message.name, from: from, to: to, value: value, unit: unit, grade: message.grade,
                    source: message.source, note: message.note))
            for breach in breaches { fields.refuse(place + breach.field, breach.rule, breach.message) }
            if let row { rows.append(row) }
        }
        try fields.finish()
        return rows
    }

    func approveRates(
        _ request: Pcs_Payments_V1_ApproveRatesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RateSet {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var set = try ReferenceStore.rateSet(request.setID, transaction) else {
                throw Failure(HostReasons.notFound, "There is no such set.")
            }
            guard set.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            let actor = call.caller.responsible
            try call.requireOtherPerson(than: set.proposedBy, step: "deciding reference data")
            set.state = request.approve ? .approved : .returned
            set.decidedBy = actor
            set.decisionReason = request.reason
            let content = try ReferenceStore.content(of: set, transaction)
            if request.approve { set.version = try record(set, content, by: actor, in: transaction) }
            try ReferenceStore.saveDecision(set, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "rate-set/\(set.id)",
                    detail: request.approve
                        ? "approved as version \(set.version ?? 0)" : "returned: \(request.reason)"))
            return try message(set, affectedBy: content, transaction)
        }
    }

    private func record(
        _ set: ReferenceStore.RateSet, _ content: ReferenceStore.Content, by actor: String,
        in transaction: any Transaction
    ) throws -> Int64 {
        let spans = content.spans
        let to = spans.contains { $0.to == nil } ? nil : spans.compactMap(\.to).max()
        // A claim is paid up to three quarters of a year after the day that sets its fee (payments.md 10.2).
        if case .rates(let rows) = content, rows.contains(where: { $0.name.isOphthalmicFee }) {
            _ = try InputLog.record(
                .ophthalmic, from: rows.map(\.from).min(), to: to?.adding(days: 275), by: actor,
                detail: "fees of rate set \(set.id)", in: transaction)
        }
        return try InputLog.record(
            set.kind.inputKind, from: spans.map(\.from).min(), to: to, by: actor, detail: "rate set \(set.id)",
            in: transaction)
    }

    func listRates(
        _ request: Pcs_Payments_V1_ListRatesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListRatesResponse {
        var fields = RequestFields()
        let day = fields.date(request.at, isSet: request.hasAt, field: "at")
        if !request.name.isEmpty, RateName(rawValue: request.name) == nil {
            fields.refuse("name", "REF01", "There is no rate \"\(request.name.prefix(40))\".")
        }
        try fields.finish()
        let all = try context.store.read { try ReferenceStore.ratesWithSets(knownAt: .max, $0) }
        var listed: [Pcs_Payments_V1_RateVersion] = []
        for (index, entry) in all.enumerated() {
            let row = entry.0
            if !request.name.isEmpty, row.name.rawValue != request.name { continue }
            if let day, !row.contains(day) { continue }
            let later = all[(index + 1)...].lazy.map(\.0).filter { $0.name == row.name }
            let isSuperseded =
                day.map { day in later.contains { $0.contains(day) } } ?? row.isCovered(by: Array(later))
            if isSuperseded, !request.includeSuperseded { continue }
            listed.append(
                .with {
                    $0.rate = Pcs_Payments_V1_RateRow(row)
                    $0.setID = entry.setID
                    $0.version = row.version
                    $0.superseded = isSuperseded
                })
        }
        let ordered = listed.sorted { $0.rate.name < $1.rate.name }
        return .with { $0.rates = ordered }
    }

    func listPaycodes(
        _ request: Pcs_Payments_V1_ListPaycodesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListPaycodesResponse {
        var fields = RequestFields()
        let day = fields.date(request.at, isSet: request.hasAt, field: "at") ?? call.today
        try fields.finish()
        let (book, claims) = try context.store.read {
            (
                try ReferenceStore.paycodes(knownAt: .max, $0), try ClaimPaycodeStore.paycodes($0)
            )
        }
        return .with { response in
            response.paycodes = Paycode.allCases.compactMap { book.entry($0) }.map { entry in
                .with {
                    ($0.paycode, $0.description_p, $0.sign) = (entry.code, entry.description, entry.sign)
                    ($0.heading, $0.externalCode) = (entry.heading, entry.externalCode)
                }
            }
            response.claimPaycodes = ClaimKind.allCases.flatMap { kind in
                [ContractKind.gms, .pms, .apms].compactMap { claims.row(kind, $0, on: day) }
            }.compactMap { row in
                row.paycode.map { paycode in
                    .with {
                        ($0.claimType, $0.contractType) = (row.kind.name, row.contract.name)
                        ($0.paycode, $0.version) = (paycode.code, row.version)
                        $0.effectiveFrom = Pcs_Common_V1_Date(row.from)
                    }
                }
            }
        }
    }

    func listRateSets(
        _ request: Pcs_Payments_V1_ListRateSetsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListRateSetsResponse {
        let sets = try context.store.read { try ReferenceStore.rateSets($0) }
        return .with { $0.sets = sets.map { message($0, firstAffected: nil) } }
    }

    private func message(
        _ set: ReferenceStore.RateSet, affectedBy content: ReferenceStore.Content, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_RateSet {
        let spans = content.spans
        let paid = try RunStore.runs(reader).filter(\.state.isPublished).map(\.month)
        let affected = paid.first { month in spans.contains { $0.touches(month) } }
        return message(set, firstAffected: affected)
    }

    private func message(_ set: ReferenceStore.RateSet, firstAffected: YearMonth?) -> Pcs_Payments_V1_RateSet
    {
        .with {
            $0.setID = set.id
            $0.kind = Pcs_Payments_V1_ReferenceKind(rawValue: Int(set.kind.rawValue)) ?? .unspecified
            $0.state = Pcs_Payments_V1_RateSetState(rawValue: Int(set.state.rawValue)) ?? .unspecified
            $0.reason = set.reason
            $0.rows = set.rows
            $0.proposedBy = set.proposedBy
            $0.proposedAt = Google_Protobuf_Timestamp(set.proposedAt)
            $0.decidedBy = set.decidedBy
            $0.decisionReason = set.decisionReason
            $0.fileName = set.fileName
            $0.sha256 = set.sha256
            $0.version = set.version ?? 0
            if let firstAffected { $0.firstPaidMonthAffected = Pcs_Common_V1_Month(firstAffected) }
        }
    }
}

extension RateRow {
    /// Whether later rows together speak about every day of this one.
    func isCovered(by later: [RateRow]) -> Bool {
        var open = from
        for row in later.sorted(by: { $0.from < $1.from }) where row.from <= open {
            guard let end = row.to else { return true }
            open = max(open, end)
        }
        return to.map { open >= $0 } ?? false
    }
}

extension Pcs_Payments_V1_RateRow {
    init(_ row: RateRow) {
        self.init()
        name = row.name.rawValue
        effectiveFrom = Pcs_Common_V1_Date(row.from)
        if let to = row.to { effectiveTo = Pcs_Common_V1_Date(to) }
        value = row.value?.description ?? ""
        unit = Pcs_Payments_V1_RateUnit(rawValue: Int(row.name.unit.rawValue)) ?? .unspecified
        grade = row.grade
        source = row.source
        note = row.note
    }
}
