import PluginAPI

/// National figures as dated rows, and the rules by which one is chosen for a day (GEN-5, R1).
struct NationalFigures: Sendable {
    struct Row: Hashable, Sendable {
        var version: Int64
        var name: String
        var group: String
        var from: CalendarDate
        /// Last day; `nil` = open.
        var to: CalendarDate?
        var value: ExactDecimal
        var confidence: Confidence
        var source: String
        var note: String

        var figure: Figure {
            Figure(value: value, version: version, source: source, asOf: from)
        }
    }

    /// A figure with where it came from.
    struct Figure: Hashable, Sendable {
        var value: ExactDecimal
        var version: Int64
        var source: String
        var asOf: CalendarDate
    }

    private var rows: [String: [Row]] = [:]

    init(_ rows: [Row]) {
        for row in rows { self.rows[row.name, default: []].append(row) }
        for name in self.rows.keys { self.rows[name]?.sort { $0.version < $1.version } }
    }

    func rows(named name: String) -> [Row] { rows[name] ?? [] }

    /// The row that holds on a day; of several the one recorded last.
    func figure(_ name: String, _ group: String, on day: CalendarDate) throws(CQRSError) -> Figure {
        guard let figure = optionalFigure(name, group, on: day) else {
            throw .constantMissing(name, group, day)
        }
        return figure
    }

    func optionalFigure(_ name: String, _ group: String, on day: CalendarDate) -> Figure? {
        rows[name]?.last { $0.group == group && $0.from <= day && ($0.to.map { day <= $0 } ?? true) }?.figure
    }

    /// The figure that describes exactly this day (a list size).
    func snapshot(_ name: String, _ group: String, of day: CalendarDate) throws(CQRSError) -> Figure {
        guard let row = rows[name]?.last(where: { $0.group == group && $0.from == day }) else {
            throw .constantMissing(name, group, day)
        }
        return row.figure
    }

    /// cqrs.md 6.3: the national average is the one at 1 January before the year starts. Taking the January within the
    /// year was a real, nationwide error (R1, S55).
    func averageListSize(_ scheme: String, for year: FinancialYear) throws(CQRSError) -> Figure {
        let day = CalendarDate(year: year.startYear, month: 1, day: 1) ?? year.firstDay
        return try snapshot("average_list_size", scheme, of: day)
    }
}

/// What the rules cannot go on without.
enum CQRSError: Error, Hashable, Sendable {
    case constantMissing(String, String, CalendarDate)
    case populationMissing(PopulationBase, String, CalendarDate)
    case tariffMissing(String, CalendarDate)
    case amountOutOfRange(String)
    case damaged(String)
}
