import PluginAPI

/// The population figures of a run, chosen by rule for its date: each with the row it came from (POP-1).
struct PopulationTable {
    private var lists: [String: ProviderBases.Figure] = [:]
    private var prevalenceLists: [String: ProviderBases.Figure] = [:]
    private var weighted: [String: ProviderBases.Figure] = [:]
    private var adjusted: [String: ProviderBases.Figure] = [:]
    private var beds: [String: ProviderBases.Figure] = [:]
    private let needsLists: Bool
    private let date: CalendarDate

    init(
        _ definition: ServiceDefinition, _ key: IndicatorValuesFile.Key, _ figures: NationalFigures,
        _ reader: any Reader
    ) throws {
        date = key.date
        let bases = Set(definition.tariffs.map(\.base))
        let isPoints = definition.method == .qof || definition.method == .networkPoints
        needsLists = isPoints
        // Figures older than a year and a quarter are not this year's.
        let earliest = key.date.adding(days: -456)
        func load(_ base: PopulationBase, upTo day: CalendarDate) throws -> [String: ProviderBases.Figure] {
            try ReferenceStore.populations(base, upTo: day, notBefore: earliest, reader)
        }
        if isPoints {
            lists = try load(.crp, upTo: PopulationTable.snapshotDay(key.date, figures))
            prevalenceLists = try load(.crp, upTo: key.date)
            return
        }
        // A month is paid on the figures of its first day.
        let day = YearMonth(containing: key.date).firstDay
        if bases.contains(.crp) { lists = try load(.crp, upTo: day) }
        if bases.contains(.wpls) { weighted = try load(.wpls, upTo: day) }
        if bases.contains(.pcnAdjusted) { adjusted = try load(.pcnAdjusted, upTo: day) }
        if bases.contains(.careHomeBeds) { beds = try load(.careHomeBeds, upTo: key.date) }
    }

    /// cqrs.md 6.3, 16.2: the list at the start of the final quarter; a setting, because no public rule says so.
    private static func snapshotDay(_ date: CalendarDate, _ figures: NationalFigures) -> CalendarDate {
        let year = FinancialYear(containing: date)
        let months =
            figures.optionalFigure("crp_snapshot_months_before_year_end", "", on: date)?.value.scaled(to: 0)
            ?? 3
        let day = YearMonth(containing: year.lastDay).adding(months: 1 - Int(months)).firstDay
        return min(day, date)
    }

    /// - Parameter members: of a network; their lists are added where the network has none of its own.
    func bases(of code: String, members: [String]) throws -> ProviderBases {
        var bases = ProviderBases()
        bases.list = figure(lists, code, members)
        bases.prevalenceList = figure(prevalenceLists, code, members)
        bases.weighted = figure(weighted, code, members)
        bases.adjusted = adjusted[code]
        bases.beds = figure(beds, code, members)
        if needsLists, bases.list == nil || bases.prevalenceList == nil {
            throw CQRSError.populationMissing(.crp, code, date)
        }
        return bases
    }

    private func figure(_ table: [String: ProviderBases.Figure], _ code: String, _ members: [String])
        -> ProviderBases.Figure?
    {
        if let own = table[code] { return own }
        guard members != [code], !members.isEmpty else { return nil }
        var sum: Int64 = 0
        var scale: UInt8 = 0
        var found: [ProviderBases.Figure] = []
        for member in members {
            guard let figure = table[member] else { return nil }
            found.append(figure)
            scale = max(scale, figure.value.scale)
        }
        for figure in found { sum += figure.value.scaled(to: scale) ?? 0 }
        guard let last = found.map(\.asOf).max() else { return nil }
        return ProviderBases.Figure(
            rowID: found.map(\.rowID).max() ?? 0, value: ExactDecimal(mantissa: sum, scale: scale),
            asOf: last,
            source: "sum of \(members.count) members")
    }
}
