import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// What approving a proposed set would change, before anybody approves it (payments.md 13 C10).
extension ReferenceDataHandlers {
    func previewRates(
        _ request: Pcs_Payments_V1_PreviewRatesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RateImpact {
        guard (0...1_000).contains(request.limit) else {
            throw Failure.field("limit", "REF09", "At most 1,000 lines are listed.")
        }
        let limit = request.limit == 0 ? 100 : Int(request.limit)
        let impact = try context.store.read { reader in
            guard let set = try ReferenceStore.rateSet(request.setID, reader) else {
                throw Failure(HostReasons.notFound, "There is no such set.")
            }
            guard set.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            let content = try ReferenceStore.content(of: set, reader)
            return try refusing { try RateImpactReading(content, context, reader).impact() }
        }
        return message(request.setID, impact, limit: limit)
    }

    private func message(_ setID: String, _ impact: RateImpact, limit: Int) -> Pcs_Payments_V1_RateImpact {
        let lines = impact.sorted
        let byMonth = Dictionary(grouping: lines, by: \.month)
        return .with { message in
            message.setID = setID
            message.months = byMonth.keys.sorted().map { month in
                let held = byMonth[month] ?? []
                return .with {
                    $0.month = Pcs_Common_V1_Month(month)
                    ($0.payees, $0.lines) = (Int64(Set(held.map(\.payee)).count), Int64(held.count))
                    $0.oldPence = held.reduce(0) { $0 + $1.oldPence }
                    $0.newPence = held.reduce(0) { $0 + $1.newPence }
                    $0.deltaPence = held.reduce(0) { $0 + $1.deltaPence }
                }
            }
            message.lines = lines.prefix(limit).map { line in
                .with {
                    $0.month = Pcs_Common_V1_Month(line.month)
                    ($0.payeeCode, $0.paycode) = (line.payee.value, line.paycode.code)
                    ($0.oldPence, $0.newPence, $0.deltaPence) = (
                        line.oldPence, line.newPence, line.deltaPence
                    )
                    $0.claimID = line.claimID
                }
            }
            (message.lineCount, message.payees) = (Int64(lines.count), Int64(Set(lines.map(\.payee)).count))
            message.oldPence = lines.reduce(0) { $0 + $1.oldPence }
            message.newPence = lines.reduce(0) { $0 + $1.newPence }
            message.deltaPence = lines.reduce(0) { $0 + $1.deltaPence }
        }
    }
}

/// Calculates months already paid twice: by what is approved, and with the proposed set on top.
private struct RateImpactReading {
    let content: ReferenceStore.Content
    let context: PluginContext
    let reader: any Reader
    private let before: RateTable
    private let after: RateTable

    init(_ content: ReferenceStore.Content, _ context: PluginContext, _ reader: any Reader) throws {
        self.content = content
        self.context = context
        self.reader = reader
        let approved = try ReferenceStore.ratesWithSets(knownAt: .max, reader).map(\.0)
        before = RateTable(approved)
        if case .rates(let proposed) = content {
            after = RateTable(approved + proposed)
        } else {
            after = before
        }
    }

    func impact() throws -> RateImpact {
        var impact = RateImpact()
        let paid = try RunStore.runs(reader).filter(\.state.isPublished).map(\.month).sorted()
        guard let last = paid.last else { return impact }
        let earliest = last.adding(months: 1 - RunInputs.retroMonths)
        let affected = paid.filter { month in
            month >= earliest && content.spans.contains { $0.touches(month) }
        }
        if !affected.isEmpty { try addLines(affected, next: last.adding(months: 1), to: &impact) }
        try addClaims(to: &impact)
        return impact
    }

    private func addLines(_ months: [YearMonth], next: YearMonth, to impact: inout RateImpact) throws {
        let timelines = try ContractStore.timelines(knownAt: .max, reader)
        let quarters = Set(
            months.flatMap { [Quarter(containing: $0), Quarter(containing: $0).previous] })
        let lists = try CapitationStore.lists(of: quarters, knownAt: .max, reader)
        func sources(_ rates: RateTable, _ proposed: ReferenceStore.Content?) throws -> [any RecurringLines] {
            try RecurringSources(
                months: months + [next], snapshot: .max, rates: rates, lists: lists, timelines: timelines,
                network: { [organisations = context.organisations] in organisations.pcn(of: $0, at: $1.firstDay) },
                proposed: proposed
            ).read(reader)
        }
        let (old, new) = (try sources(before, nil), try sources(after, content))
        let known = Dictionary(timelines.map { ($0.practice, $0) }, uniquingKeysWith: { first, _ in first })
        for month in months {
            let calculators = (
                MonthCalculator(month: month, lists: lists, rates: before),
                MonthCalculator(month: month, lists: lists, rates: after)
            )
            var payees = Set(known.keys)
            for source in old + new { payees.formUnion(source.payees(in: month)) }
            for payee in payees.sorted() {
                let timeline = known[payee] ?? ContractTimeline(practice: payee, records: [])
                var lines = (
                    try calculators.0.calculate(timeline).lines, try calculators.1.calculate(timeline).lines
                )
                for source in old { lines.0 += try source.lines(for: payee, in: month) }
                for source in new { lines.1 += try source.lines(for: payee, in: month) }
                try impact.compare(payee, month, before: lines.0, after: lines.1)
            }
        }
    }

    /// Paid claims that the rules would assess otherwise. Nothing is recalculated by itself: the commissioner decides.
    private func addClaims(to impact: inout RateImpact) throws {
        guard case .rates(let rows) = content else { return }
        let handlers = ClaimHandlers(context: context)
        for claim in try ClaimStore.assessed(reader) {
            let isTouched = rows.contains { $0.from <= claim.to && ($0.to.map { $0 > claim.from } ?? true) }
            guard isTouched, !claim.itemID.isEmpty,
                try PayableItemStore.paidRun(of: claim.itemID, reader) != nil
            else {
                continue
            }
            let old = try handlers.assess(claim, rates: before, reader).reduce(0) { $0 + $1.payablePence }
            let new = try handlers.assess(claim, rates: after, reader).reduce(0) { $0 + $1.payablePence }
            guard old != new else { continue }
            // What a commissioner made smaller stays smaller.
            let due = claim.approvedPence < old ? Swift.min(claim.approvedPence, new) : new
            impact.add(
                RateImpact.Line(
                    month: YearMonth(containing: claim.from), payee: claim.practice,
                    paycode: try handlers.paycode(of: claim, reader).family,
                    oldPence: claim.approvedPence, newPence: due, claimID: claim.id))
        }
    }
}
