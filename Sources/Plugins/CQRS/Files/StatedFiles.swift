import PluginAPI
import Tabular

extension RowReader {
    /// Reads a program's file under the header expected.
    init(extract bytes: [UInt8], columns: [String]) {
        var violations = ViolationList()
        var limits = TableLimits()
        limits.bytes = 256 << 20
        let layout = TableLayout(
            .exact(columns), origin: .system, limits: limits,
            rules: TableRules(
                encoding: "EXT01", quoting: "EXT01", columnCount: "EXT01", header: "EXT01", limit: "EXT01",
                control: "EXT01", notEmpty: "EXT01"))
        let table = Table.read(csv: bytes, layout: layout, into: &violations)
        self.init(table, columns: columns, violations: violations)
    }

    /// A day written `yyyymmdd`.
    mutating func compactDay(_ name: String, _ rule: String, mayBeEmpty: Bool = false) -> CalendarDate? {
        if mayBeEmpty, isEmpty(name) { return nil }
        guard let day = CalendarDate(compact: cell(name)), SupportedDays.all.contains(day) else {
            refuse(name, rule, "\(shown(name)) is no day yyyymmdd")
            return nil
        }
        return day
    }
}

/// The achieved points file of cqrs.md 5.4: points as another system states them.
enum AchievedPointsFile {
    static let columns = ["QUALITY_SERVICE", "ORG_CODE", "ACH_DATE", "IND_CODE", "POINTS", "APPROVED"]

    struct Row: Hashable, Sendable {
        var service: String
        var provider: ODSCode
        var date: CalendarDate
        var indicator: String
        /// `nil` = none stated.
        var points: Points?
        var isApproved: Bool
    }

    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(extract: bytes, columns: columns)
        var rows: [Row] = []
        rows.reserveCapacity(reader.table.rowCount)
        while reader.next() {
            let provider = reader.code("ORG_CODE", "EXT02")
            let date = reader.compactDay("ACH_DATE", "DAT-1")
            let points = reader.decimal(
                "POINTS", "DAT-9", scale: 2, in: 0...IndicatorScore.mostPoints, mayBeEmpty: true)
            guard let provider, let date else { continue }
            let (service, indicator) = (reader.cell("QUALITY_SERVICE"), reader.cell("IND_CODE"))
            reader.requireUnique("\(service) \(provider) \(date) \(indicator)", "IND_CODE", "DAT-14")
            rows.append(
                Row(
                    service: service, provider: provider, date: date, indicator: indicator,
                    points: points.map { Points(hundredths: $0) },
                    isApproved: reader.cell("APPROVED") == "Approved"))
        }
        return (rows, reader.violations)
    }
}

/// The participation list of cqrs.md 5.4.
enum ParticipationListFile {
    static let columns = [
        "QUALITY_SERVICE", "SP_ORG_CODE", "SP_ORG_NAME", "CO_ORG_CODE", "PART_ST_DT", "PART_ED_DT",
    ]

    struct Row: Hashable, Sendable {
        var service: String
        var provider: ODSCode
        var commissioner: String
        var start: CalendarDate
        var end: CalendarDate?
        var line: Int
    }

    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(extract: bytes, columns: columns)
        var rows: [Row] = []
        while reader.next() {
            let provider = reader.code("SP_ORG_CODE", "EXT02")
            let start = reader.compactDay("PART_ST_DT", "DAT-1")
            let end = reader.compactDay("PART_ED_DT", "DAT-1", mayBeEmpty: true)
            if let start, let end, end < start {
                reader.refuse("PART_ED_DT", "EXT03", "it ends before it starts")
            }
            guard let provider, let start else { continue }
            let service = reader.cell("QUALITY_SERVICE")
            reader.requireUnique("\(service) \(provider)", "SP_ORG_CODE", "DAT-14")
            rows.append(
                Row(
                    service: service, provider: provider, commissioner: reader.cell("CO_ORG_CODE"),
                    start: start, end: end,
                    line: reader.line))
        }
        return (rows, reader.violations)
    }
}
