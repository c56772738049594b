package import Accounting
package import PluginAPI

/// Takes typed values out of the rows of a table and notes each that is wrong, with its place and rule.
///
/// ```swift
/// var reader = RowReader(table, violations: violations)
/// while reader.next() {
///     let month = reader.date("month", "CV005")
///     let pence = reader.decimal("amount", "CV005", scale: 2, in: -limit...limit)
///     …
/// }
/// guard reader.violations.isEmpty else { throw reader.violations.failure(…) }
/// ```
///
/// An area adds the values that are its own in an extension: `guard let value = …(cell(name)) else { refuse(…) }`.
package struct RowReader: Sendable {
    package let table: Table
    package private(set) var violations: ViolationList
    private let columnOf: [String: Int]
    private var row = -1
    private var firstLineOf: [String: Int] = [:]

    /// - Parameter columns: names of the columns by position, when they are not the header's. Of two with one name the
    ///   first counts; an empty name leaves a column out.
    package init(_ table: Table, columns: [String]? = nil, violations: ViolationList) {
        self.table = table
        self.violations = violations
        let names = columns ?? table.header
        columnOf = Dictionary(
            names.enumerated().lazy.filter { !$0.element.isEmpty }.map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Goes to the next row; `false` behind the last.
    package mutating func next() -> Bool {
        row += 1
        return row < table.rowCount
    }

    /// Line of the row in the file, the first being 1.
    package var line: Int { table.line(row) }

    /// The cell as it is; empty when there is no such column.
    package func cell(_ name: String) -> String { columnOf[name].map { table.text(row, $0) } ?? "" }

    package func isEmpty(_ name: String) -> Bool { columnOf[name].map { table.isEmpty(row, $0) } ?? true }

    /// The cell as a message may show it.
    package func shown(_ name: String) -> String { "\"\(cell(name).prefix(40))\"" }

    package mutating func refuse(_ name: String, _ rule: String, _ message: String) {
        refuse(name, rule, line: line, message)
    }

    /// Notes what is wrong with a row that was read before.
    package mutating func refuse(_ name: String, _ rule: String, line: Int, _ message: String) {
        violations.add(
            rule, row: line, column: (columnOf[name] ?? -1) + 1, field: name, message)
    }

    /// Refuses the second row with the same key.
    ///
    /// - Returns: whether this is the first.
    @discardableResult
    package mutating func requireUnique(_ key: String, _ name: String, _ rule: String) -> Bool {
        if let first = firstLineOf[key] {
            refuse(name, rule, "\(key) is also in line \(first)")
            return false
        }
        firstLineOf[key] = line
        return true
    }

    /// An ODS code; `nil` when the cell is empty (and may be) or wrong.
    package mutating func code(_ name: String, _ rule: String, mayBeEmpty: Bool = false) -> ODSCode? {
        if mayBeEmpty, isEmpty(name) { return nil }
        guard let code = ODSCode(cell(name)) else {
            refuse(name, rule, "\(shown(name)) is no ODS code: 3 to 12 of A-Z and 0-9")
            return nil
        }
        return code
    }

    /// A day, written `YYYY-MM-DD`, or in a workbook also as a day of its calendar; `nil` when the cell is empty (and
    /// may be) or wrong.
    package mutating func date(
        _ name: String, _ rule: String, in days: ClosedRange<CalendarDate>, mayBeEmpty: Bool = false
    ) -> CalendarDate? {
        if mayBeEmpty, isEmpty(name) { return nil }
        let text = cell(name)
        var day = CalendarDate(iso8601: text)
        if day == nil, let serialDays = table.serialDays, text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            day = Int(text).flatMap(serialDays.day)
        }
        guard let day, days.contains(day) else {
            refuse(
                name, rule,
                "\(shown(name)) is no day YYYY-MM-DD from \(days.lowerBound) to \(days.upperBound)")
            return nil
        }
        return day
    }

    /// `Y` or `N`; empty = N.
    package mutating func flag(_ name: String, _ rule: String) -> Bool {
        switch cell(name) {
        case "Y": return true
        case "N", "": return false
        default:
            refuse(name, rule, "\(shown(name)) is neither Y nor N")
            return false
        }
    }

    /// A decimal in units of 10^-scale; `nil` when the cell is empty (and may be) or wrong.
    package mutating func decimal(
        _ name: String, _ rule: String, scale: UInt8, in range: ClosedRange<Int64>, mayBeEmpty: Bool = false
    ) -> Int64? {
        if mayBeEmpty, isEmpty(name) { return nil }
        guard let value = ExactDecimal(cell(name), maximumScale: scale)?.scaled(to: scale),
            range.contains(value)
        else {
            let least = ExactDecimal(mantissa: range.lowerBound, scale: scale).trimmed()
            let most = ExactDecimal(mantissa: range.upperBound, scale: scale).trimmed()
            refuse(
                name, rule,
                "\(shown(name)) is no number from \(least) to \(most) with at most \(scale) decimals")
            return nil
        }
        return value
    }
}
