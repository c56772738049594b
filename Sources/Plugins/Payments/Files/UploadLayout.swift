import PluginAPI
import Tabular

extension TableLayout {
    /// Files that people upload: rules UP01 to UP06, at most 100,000 rows and 10,000 bytes a cell.
    static func upload(_ header: Header) -> TableLayout {
        var limits = TableLimits()
        limits.rows = 100_000
        limits.cellBytes = 10_000
        return TableLayout(
            header, origin: .person, limits: limits,
            rules: TableRules(
                encoding: "UP01", quoting: "UP04", columnCount: "UP03", header: "UP02", limit: "UP06",
                control: "UP04", notEmpty: "UP05"))
    }
}

extension RowReader {
    /// Reads an uploaded file under the header expected, exactly and in this order.
    init(upload bytes: [UInt8], columns: [String]) {
        var violations = ViolationList()
        let table = Table.read(csv: bytes, layout: .upload(.exact(columns)), into: &violations)
        self.init(table, columns: columns, violations: violations)
    }

    mutating func practice(_ name: String, _ rule: String) -> ODSCode? {
        guard let code = ODSCode(cell(name)), code.looksLikePractice else {
            refuse(name, rule, "\(shown(name)) is no practice code: one letter and five digits")
            return nil
        }
        return code
    }

    /// A day that the system reckons with, or `nil` when the cell is empty (and may be) or wrong.
    mutating func date(_ name: String, _ rule: String, mayBeEmpty: Bool = false) -> CalendarDate? {
        date(name, rule, in: SupportedDays.all, mayBeEmpty: mayBeEmpty)
    }
}

extension RowReader {
    /// What each row of reference data says of itself. Rules REF02, REF05 and REF06.
    mutating func referenceFields() -> (
        from: CalendarDate?, to: CalendarDate?, texts: (grade: String, source: String, note: String)
    ) {
        let from = date("effective_from", "REF02")
        let to = date("effective_to", "REF02", mayBeEmpty: true)
        if let from, let to, to <= from {
            refuse(
                "effective_to", "REF02", "effective_to is the first day after, so it is after effective_from")
        }
        let texts = (grade: cell("grade"), source: cell("source"), note: cell("note"))
        if !RateFile.grades.contains(texts.grade) {
            refuse("grade", "REF05", "the grade is P, S, D, R or X (payments.md 0)")
        }
        if texts.source.count > 200 || texts.note.count > 500 {
            refuse("source", "REF06", "a source has at most 200 characters, a note 500")
        }
        return (from, to, texts)
    }
}

/// Days that the system reckons with: 1990 to 2100.
enum SupportedDays {
    static let first = CalendarDate(year: 1990, month: 1, day: 1) ?? CalendarDate(daysSince1970: 0)
    static let last = CalendarDate(year: 2100, month: 12, day: 31) ?? CalendarDate(daysSince1970: 0)
    static let all = first...last

    static func contains(_ day: CalendarDate) -> Bool { all.contains(day) }
}
