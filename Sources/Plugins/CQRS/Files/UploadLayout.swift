import PluginAPI
import Tabular

extension TableLayout {
    /// Files that people upload: rules UP01 to UP06, at most 200,000 rows.
    static func upload(_ header: Header) -> TableLayout {
        var limits = TableLimits()
        limits.rows = 200_000
        return TableLayout(
            header, origin: .person, limits: limits,
            rules: TableRules(
                encoding: "UP01", quoting: "UP04", columnCount: "UP03", header: "UP02", limit: "UP06",
                control: "UP04", notEmpty: "UP05"))
    }
}

extension RowReader {
    /// Reads an uploaded file under the header expected, exactly and in this order.
    init(upload bytes: [UInt8], columns: [String], violations: ViolationList = ViolationList()) {
        var violations = violations
        let table = Table.read(csv: bytes, layout: .upload(.exact(columns)), into: &violations)
        self.init(table, columns: columns, violations: violations)
    }

    /// A day that the system reckons with, or `nil` when the cell is empty (and may be) or wrong.
    mutating func day(_ name: String, _ rule: String, mayBeEmpty: Bool = false) -> CalendarDate? {
        date(name, rule, in: SupportedDays.all, mayBeEmpty: mayBeEmpty)
    }

    /// One of the words of an enumeration.
    mutating func word<Value: CaseIterable>(_ name: String, _ rule: String, _ type: Value.Type) -> Value? {
        let text = cell(name)
        if let value = type.allCases.first(where: { "\($0)" == text }) { return value }
        let words = type.allCases.map { "\($0)" }.joined(separator: ", ")
        refuse(name, rule, "\(shown(name)) is none of \(words)")
        return nil
    }

    /// A decimal of any number of decimals up to `decimals`, at least zero.
    mutating func exact(_ name: String, _ rule: String, decimals: UInt8, mayBeEmpty: Bool = false)
        -> ExactDecimal?
    {
        if mayBeEmpty, isEmpty(name) { return nil }
        guard let value = ExactDecimal(cell(name), maximumScale: decimals), value.mantissa >= 0,
            value.mantissa <= 100_000_000_000_000
        else {
            refuse(name, rule, "\(shown(name)) is no plain decimal with at most \(decimals) decimals")
            return nil
        }
        return value
    }

    mutating func text(_ name: String, _ rule: String, in length: ClosedRange<Int>) -> String {
        let value = cell(name)
        if !length.contains(value.count) {
            refuse(name, rule, "\(name) has \(length.lowerBound) to \(length.upperBound) characters")
        }
        return value
    }
}

/// Days that the system reckons with: 1990 to 2100.
enum SupportedDays {
    private static let first = CalendarDate(year: 1990, month: 1, day: 1) ?? CalendarDate(daysSince1970: 0)
    private static let last = CalendarDate(year: 2100, month: 12, day: 31) ?? CalendarDate(daysSince1970: 0)
    static let all = first...last
}
