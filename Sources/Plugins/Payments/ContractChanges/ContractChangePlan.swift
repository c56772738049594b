import HostContract
import PaymentsContract
import PluginAPI

/// What a request would record, decided before anything is written; throws with every rule that it breaks.
struct ContractChangePlan: Sendable {
    struct Stop: Sendable {
        var payment: VariationStore.Stored
        var because: String
    }

    let kind: ContractChangeKind
    let from: CalendarDate
    private(set) var fromKind: ContractKind?
    private(set) var toKind: ContractKind?
    private(set) var records: [ContractStore.NewRecord] = []
    private(set) var stops: [Stop] = []
    private(set) var carried: [VariationStore.Stored] = []
    /// The change or stop taken back, and the payments that it had stopped.
    private(set) var reversed: ContractChangeStore.Change?
    private(set) var lifted: [String] = []

    var month: YearMonth { YearMonth(containing: from) }

    init(
        _ contents: Pcs_Payments_V1_ContractChangeContents, of practice: ODSCode, today: CalendarDate,
        _ reader: any Reader
    ) throws {
        var fields = RequestFields()
        fields.reason(contents.reason, field: "contents.reason")
        let day = fields.date(
            contents.effectiveFrom, isSet: contents.hasEffectiveFrom, field: "contents.effective_from",
            mayBeEmpty: false)
        guard let kind = ContractChangeKind(rawValue: Int64(contents.kind.rawValue)), let day else {
            if ContractChangeKind(rawValue: Int64(contents.kind.rawValue)) == nil {
                fields.refuse(
                    "contents.kind", "2.4", "Say whether it is a change of type, a stop or a reversal.")
            }
            try fields.finish()
            throw Failure(HostReasons.fieldInvalid)
        }
        self.kind = kind
        from = day
        if day.day != 1 {
            fields.refuse(
                "contents.effective_from", "2.4", "A change takes effect on the first day of a month.")
        }
        if kind != .type, contents.hasTerms || contents.hasValidTo {
            fields.refuse("contents.terms", "2.4", "Only a change of type has new terms.")
        }
        if kind == .reversal, !contents.stopVariationIds.isEmpty {
            fields.refuse("contents.stop_variation_ids", "2.4", "A reversal stops nothing.")
        }
        let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
        let before = timeline.span(at: day) ?? timeline.span(at: day.adding(days: -1))
        fromKind = before?.terms.payment.kind
        switch kind {
        case .type: try planType(contents, timeline, &fields)
        case .stop: toKind = fromKind
        case .reversal: try planReversal(contents.reversesChangeID, timeline, &fields, reader)
        }
        if kind != .reversal {
            try planStops(Set(contents.stopVariationIds), of: practice, &fields, reader)
            try checkCutOff(contents, today: today, &fields, reader)
        }
        try fields.finish()
    }

    /// Closes the old contract and begins the new one; what was known of later days no longer holds.
    private mutating func planType(
        _ contents: Pcs_Payments_V1_ContractChangeContents, _ timeline: ContractTimeline,
        _ fields: inout RequestFields
    ) throws {
        guard let before = timeline.span(at: from) ?? timeline.span(at: from.adding(days: -1)) else {
            throw Failure(
                PaymentsReasons.contractUnknown, "\(timeline.practice) has no contract on \(from).")
        }
        guard contents.hasTerms else {
            fields.refuse("contents.terms", "2.4", "A change of type needs the new contract's terms.")
            return
        }
        let end = fields.date(contents.validTo, isSet: contents.hasValidTo, field: "contents.valid_to")
        guard let terms = contents.terms.terms(practice: timeline.practice, before: before.terms, &fields)
        else { return }
        toKind = terms.payment.kind
        if terms.payment.kind == before.terms.payment.kind {
            fields.refuse(
                "contents.terms.contract_type", "2.4",
                "The contract is \(terms.payment.kind.name) already: revise it instead (ReviseContract).")
        }
        if let end, end <= from || terms.payment.kind != .apms {
            fields.refuse("contents.valid_to", "2.1", "Only an APMS contract ends, and after it begins.")
        }
        var cut = before
        cut.to = from
        let found =
            ContractRules.breaches(in: terms, to: end)
            + ContractRules.breaches(changing: cut, to: terms, on: from)
        for breach in found {
            let field = breach.field == "valid_from" ? "effective_from" : breach.field
            let isOutside = field == "effective_from" || field == "valid_to"
            fields.refuse("contents." + (isOutside ? "" : "terms.") + field, breach.rule, breach.message)
        }
        records = [ContractStore.NewRecord(practice: timeline.practice, from: from, to: end, terms: terms)]
        if let end {
            records.append(
                ContractStore.NewRecord(practice: timeline.practice, from: end, to: nil, terms: nil))
        }
    }

    /// Every monthly payment still due: named ones stop, so do those whose paycode the new type does not know; the
    /// others go on under the new type's code.
    private mutating func planStops(
        _ named: Set<String>, of practice: ODSCode, _ fields: inout RequestFields, _ reader: any Reader
    ) throws {
        let due = try VariationStore.schedules(knownAt: .max, reader).filter { stored in
            stored.row.practice == practice && (stored.row.last.map { $0 >= month } ?? true)
                && (stored.stoppedFrom.map { $0 > month } ?? true)
        }
        for id in named.subtracting(due.map(\.id)).sorted() {
            fields.refuse(
                "contents.stop_variation_ids", "2.4",
                "\(id.prefix(40)) is no monthly payment of \(practice) that is due in \(month) or later.")
        }
        if kind == .stop, named.isEmpty {
            fields.refuse(
                "contents.stop_variation_ids", "2.4", "A stop instruction names the payments to stop.")
        }
        for stored in due {
            if named.contains(stored.id) {
                stops.append(Stop(payment: stored, because: "named"))
            } else if kind == .type, let toKind {
                if VariationPaycodes.shipped.kinds(stored.row.paycode).contains(toKind) {
                    carried.append(stored)
                } else {
                    stops.append(
                        Stop(
                            payment: stored,
                            because: "2.4: \(stored.row.paycode.code) is not for a \(toKind.name) contract"))
                }
            }
        }
    }

    /// Stops come so many working days before the payment of their first month (payments.md 2.3).
    private func checkCutOff(
        _ contents: Pcs_Payments_V1_ContractChangeContents, today: CalendarDate,
        _ fields: inout RequestFields,
        _ reader: any Reader
    ) throws {
        guard !stops.isEmpty, !contents.acceptRecovery else { return }
        let last = try StopCutOff.day(for: month, reader)
        guard today > last else { return }
        fields.refuse(
            "contents.accept_recovery", "2.3",
            "Stops for \(month) were to come by \(last): its payment may still go out. Choose a later month, or accept "
                + "that it is recovered.")
    }

    private mutating func planReversal(
        _ id: String, _ timeline: ContractTimeline, _ fields: inout RequestFields, _ reader: any Reader
    ) throws {
        guard let change = try ContractChangeStore.change(id, reader), change.practice == timeline.practice,
            change.stage == .approved, let seq = change.seq,
            let contents = try? Pcs_Payments_V1_ContractChangeContents(serializedBytes: change.contents),
            contents.kind == .type || contents.kind == .stop
        else {
            fields.refuse(
                "contents.reverses_change_id", "2.4", "Name an approved change of type or stop of the practice.")
            return
        }
        if contents.effectiveFrom.calendarDate != from {
            fields.refuse(
                "contents.effective_from", "2.4",
                "A reversal takes effect on the day of the change that it reverses.")
        }
        reversed = change
        lifted = try ContractChangeStore.payments(of: change.id, reader).filter { !$0.because.isEmpty }
            .map(\.variationID)
        toKind = change.fromKind
        guard contents.kind == .type else { return }
        guard
            try ContractStore.history(of: timeline.practice, reader).last?.0.version == change.contractVersion
        else {
            fields.refuse(
                "contents.reverses_change_id", "2.4",
                "The contract has changed since: ask for a change of type instead.")
            return
        }
        let earlier = try ContractStore.timeline(of: timeline.practice, knownAt: seq - 1, reader)
        records = [ContractStore.NewRecord(practice: timeline.practice, from: from, to: nil, terms: nil)]
        for span in earlier.spans where span.to.map({ $0 > from }) ?? true {
            records.append(
                ContractStore.NewRecord(
                    practice: timeline.practice, from: max(span.from, from), to: span.to, terms: span.terms))
        }
    }
}

/// Until when a month's payments can be stopped.
enum StopCutOff {
    static func day(for month: YearMonth, _ reader: any Reader) throws -> CalendarDate {
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let days = try ReferenceStore.workingDays(knownAt: .max, reader)
        let run = try RunStore.runs(reader).last { $0.month == month && $0.state != .aborted }
        return try refusing {
            let payment = try run?.paymentDate ?? RunHandlers.dates(month, nil, reader).payment
            let count = Int(try rates.whole(.stopInstructionWorkingDays, at: month.firstDay))
            return try days.stepping(back: count, from: payment)
        }
    }
}
