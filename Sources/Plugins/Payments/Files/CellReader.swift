import PluginAPI

/// Reads the cells of one row into typed values and notes each that is wrong, with its place and rule.
struct CellReader {
    let row: CSVTable.Row
    let columns: [String]
    var violations: ViolationCollector

    func cell(_ name: String) -> String { columns.firstIndex(of: name).map { row.cells[$0] } ?? "" }

    mutating func refuse(_ name: String, _ rule: String, _ message: String) {
        let column = (columns.firstIndex(of: name) ?? -1) + 1
        violations.add(rule, row: row.number, column: column, field: name, message)
    }

    private func shown(_ name: String) -> String { "\"\(cell(name).prefix(40))\"" }

    mutating func practice(_ name: String, _ rule: String) -> ODSCode? {
        guard let code = ODSCode(cell(name)), code.looksLikePractice else {
            refuse(name, rule, "\(shown(name)) is no practice code: one letter and five digits")
            return nil
        }
        return code
    }

    /// An ODS code, or `nil` when the cell is empty (and may be) or wrong.
    mutating func code(_ name: String, _ rule: String, mayBeEmpty: Bool) -> ODSCode? {
        let text = cell(name)
        if text.isEmpty, mayBeEmpty { return nil }
        guard let code = ODSCode(text) else {
            refuse(name, rule, "\(shown(name)) is no ODS code: 3 to 12 of A-Z and 0-9")
            return nil
        }
        return code
    }

    /// A day from 1990 to 2100, or `nil` when the cell is empty (and may be) or wrong.
    mutating func date(_ name: String, _ rule: String, mayBeEmpty: Bool = false) -> CalendarDate? {
        let text = cell(name)
        if text.isEmpty, mayBeEmpty { return nil }
        guard let date = CalendarDate(iso8601: text), SupportedDays.contains(date) else {
            refuse(name, rule, "\(shown(name)) is no day YYYY-MM-DD from 1990 to 2100")
            return nil
        }
        return date
    }

    /// `Y` or `N`; empty = N.
    mutating func flag(_ name: String, _ rule: String) -> Bool {
        switch cell(name) {
        case "Y": return true
        case "N", "": return false
        default:
            refuse(name, rule, "\(shown(name)) is neither Y nor N")
            return false
        }
    }

    /// A decimal that is not negative, in units of 10^-scale; empty = `nil`.
    mutating func decimal(
        _ name: String, _ rule: String, scale: UInt8, upTo most: Int64, mayBeEmpty: Bool
    ) -> Int64? {
        let text = cell(name)
        if text.isEmpty, mayBeEmpty { return nil }
        guard let value = ExactDecimal(text, maximumScale: scale)?.scaled(to: scale), value >= 0,
            value <= most
        else {
            let limit = ExactDecimal(mantissa: most, scale: scale).trimmed()
            refuse(
                name, rule, "\(shown(name)) is no number from 0 to \(limit) with at most \(scale) decimals")
            return nil
        }
        return value
    }
}

/// Days that the system reckons with.
enum SupportedDays {
    static let first = CalendarDate(year: 1990, month: 1, day: 1) ?? CalendarDate(daysSince1970: 0)
    static let last = CalendarDate(year: 2100, month: 12, day: 31) ?? CalendarDate(daysSince1970: 0)

    static func contains(_ day: CalendarDate) -> Bool { day >= first && day <= last }
}
