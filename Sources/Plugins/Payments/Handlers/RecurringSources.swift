import PluginAPI

/// Reads every source of recurring lines for the months of a calculation. A new kind of recurring payment adds one line
/// here.
struct RecurringSources {
    /// The run's own month and the past ones that are looked at again.
    let months: [YearMonth]
    /// Number of the last input that counts.
    let snapshot: Int64
    let rates: RateTable
    let lists: ListTable
    let timelines: [ContractTimeline]
    /// The network of a practice in a month; `nil` = none.
    let network: @Sendable (ODSCode, YearMonth) -> ODSCode?
    /// Bands and figures that are only proposed, on top of the approved ones: for the preview of what they change.
    var proposed: ReferenceStore.Content?

    func read(_ reader: any Reader) throws -> [any RecurringLines] {
        var sources: [any RecurringLines] = []
        sources.append(
            VariationLines(try VariationStore.schedules(knownAt: snapshot, reader), timelines: timelines))
        let levies = try LevyStore.book(knownAt: snapshot, reader)
        sources.append(
            OphthalmicLines(
                totals: try OphthalmicRuns.totals(months: months, knownAt: snapshot, reader), rates: rates,
                book: levies))
        sources.append(try AspirationLines.read(knownAt: snapshot, timelines: timelines, reader))
        let rents = RentBook(try RentStore.determinations(knownAt: snapshot, reader))
        if !rents.isEmpty { sources.append(RentLines(rents, rates: rates, timelines: timelines)) }
        sources += try networks(reader)
        sources += try dispensing(reader)
        sources += try training(reader)
        sources.append(LevyLines(levies, months: months, lists: lists, timelines: timelines))
        return sources
    }

    private func dispensing(_ reader: any Reader) throws -> [any RecurringLines] {
        guard let first = months.min(), let last = months.max() else { return [] }
        let data = try DispensingStore.data(
            from: first.adding(months: -Arrears.mostMonths), to: last, knownAt: snapshot, reader)
        guard !data.isEmpty else { return [] }
        var bands = try DispensingBandStore.rows(knownAt: snapshot, reader)
        if case .dispensingBands(let rows) = proposed { bands += rows }
        return [try DispensingLines(data, bands: DispensingBands(bands), rates: rates)]
    }

    private func training(_ reader: any Reader) throws -> [any RecurringLines] {
        var figures = try TrainingRateStore.rows(knownAt: snapshot, reader)
        if case .trainingRates(let rows) = proposed { figures += rows }
        return [
            TrainingLines(
                try TrainingStore.placements(knownAt: snapshot, reader), figures: TrainingRates(figures), rates: rates,
                timelines: timelines),
            RetentionLines(
                try TrainingStore.memberships(knownAt: snapshot, reader), rates: rates, timelines: timelines),
        ]
    }

    private func networks(_ reader: any Reader) throws -> [any RecurringLines] {
        let own = months.filter(rates.paysNetworks)
        guard !own.isEmpty else { return [] }
        var participants: [YearMonth: Set<ODSCode>] = [:]
        for month in own {
            // Membership can outlast the contract in the register; without a contract there is nobody to pay (C9).
            participants[month] = Set(
                timelines.lazy.filter { $0.isInForce(in: month) }.map(\.practice)
                    .filter { network($0, month) != nil })
        }
        return [
            NetworkLines(
                months: Set(own), sizes: try NetworkStore.sizes(knownAt: snapshot, reader),
                beds: try NetworkStore.beds(knownAt: snapshot, reader), rates: rates),
            ParticipationLines(lists: lists, rates: rates, participants: participants),
        ]
    }
}

extension PayeeProfile {
    /// What the register says of a payee without a contract; `nil` when it does not know the code.
    ///
    /// - Parameters:
    ///   - payees: nominated payees of networks, by first day.
    ///   - paymentDate: decides which of them receives the money.
    init?(
        _ code: ODSCode, on day: CalendarDate, paidOn paymentDate: CalendarDate,
        _ organisations: any OrganisationDirectory, payees: [ODSCode: [NetworkStore.Payee]]
    ) {
        guard let entry = organisations.organisation(code, at: day) else { return nil }
        let kind: PayeeKind =
            switch entry.kind {
            case .practice: .practice
            case .pcn: .network
            case .pharmacy: .pharmacy
            default: .other
            }
        self.init(
            kind: kind, name: entry.name, commissioner: organisations.commissioner(of: code, at: day)?.value ?? "",
            region: organisations.region(of: code, at: day)?.value ?? "",
            payee: payees[code]?.last { $0.from <= paymentDate }?.payee ?? code)
    }
}
