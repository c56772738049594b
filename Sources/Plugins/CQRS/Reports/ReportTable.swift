import PluginAPI

/// A column of a report. Columns of pounds do not exist for who may not see pounds (REP-2).
struct ReportColumn: Hashable, Sendable {
    var name: String
    var isPounds = false

    static func list(_ names: String) -> [ReportColumn] {
        names.split(whereSeparator: { $0 == " " || $0.isNewline }).map { name in
            name.hasPrefix("£")
                ? ReportColumn(name: String(name.dropFirst()), isPounds: true) : .init(name: String(name))
        }
    }
}

/// Rows under columns: what a report is, before it becomes rows on a screen, CSV or JSON (REP-1).
struct ReportTable: Sendable {
    let columns: [ReportColumn]
    private(set) var rows: [[String]] = []

    init(_ columns: [ReportColumn]) { self.columns = columns }

    /// One cell a column, in their order.
    mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells)
    }

    func withoutPounds() -> ReportTable {
        let kept = columns.indices.filter { !columns[$0].isPounds }
        var table = ReportTable(kept.map { columns[$0] })
        table.rows = rows.map { row in kept.map { row[$0] } }
        return table
    }
}

/// Cells as text: ISO dates, exact decimals, `yes` or nothing.
enum Cell {
    static func day(_ day: CalendarDate?) -> String { day?.description ?? "" }
    static func pounds(_ pence: Int64) -> String { Money(pence: pence).description }
    static func yes(_ flag: Bool) -> String { flag ? "yes" : "" }

    /// In UTC, to the second.
    static func moment(_ instant: Instant?) -> String {
        guard let instant else { return "" }
        let seconds = instant.microsecondsSince1970 / 1_000_000
        let day = CalendarDate(daysSince1970: Int32(clamping: seconds / 86_400))
        return "\(day)T\(clock(seconds % 86_400))Z"
    }

    static func clock(_ secondsOfDay: Int64) -> String {
        [secondsOfDay / 3_600, secondsOfDay / 60 % 60, secondsOfDay % 60]
            .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
