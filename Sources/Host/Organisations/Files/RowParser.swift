import PluginAPI
import Tabular

/// Reads typed values out of the rows of a document and notes what breaks a rule. One value, one function.
struct RowParser {
    let document: Table
    var violations: ViolationList
    var result = ParsedSnapshot()
    private var seen: [String: Int] = [:]

    init(document: Table, violations: ViolationList) {
        self.document = document
        self.violations = violations
        result.rows = document.rowCount
    }

    /// Code of a column that must hold one. Columns count from 1, as in the data's documentation.
    mutating func code(_ row: Int, _ column: Int, _ field: String, _ form: CodeForm = .any) -> ODSCode? {
        guard let code = optionalCode(row, column, field, form) else {
            if document.isEmpty(row, column - 1) { add(.required, row, column, field, "a code is required") }
            return nil
        }
        if code == OrganisationRegister.operatorCode || LocalOrganisations.isLocal(code) {
            add(.reserved, row, column, field, "\(code) is this system's own code and in no ODS file")
            return nil
        }
        return code
    }

    mutating func optionalCode(_ row: Int, _ column: Int, _ field: String, _ form: CodeForm = .any)
        -> ODSCode?
    {
        guard !document.isEmpty(row, column - 1) else { return nil }
        let text = document.text(row, column - 1)
        guard let code = ODSCode(text), form.matches(code) else {
            add(
                .codeForm, row, column, field, "'\(text.prefix(40))' is not a code of the form: \(form.words)"
            )
            return nil
        }
        return code
    }

    /// Codes joined by `|`.
    mutating func codes(_ row: Int, _ column: Int, _ field: String) -> [ODSCode] {
        guard !document.isEmpty(row, column - 1) else { return [] }
        return document.text(row, column - 1).split(separator: "|", omittingEmptySubsequences: false)
            .compactMap { text in
                guard let code = ODSCode(text) else {
                    add(
                        .codeForm, row, column, field,
                        "'\(text.prefix(40))' is not a code of the form: \(CodeForm.any.words)")
                    return nil
                }
                return code
            }
    }

    mutating func required(_ row: Int, _ column: Int, _ field: String) -> String {
        let text = document.text(row, column - 1)
        if text.allSatisfy({ $0 == " " }) { add(.required, row, column, field, "a value is required") }
        return text
    }

    func text(_ row: Int, _ column: Int) -> String { document.text(row, column - 1) }

    /// Columns that hold the address above the postcode.
    func address(_ row: Int, lines: ClosedRange<Int>, postcode: Int) -> StatedAddress {
        StatedAddress(lines: lines.map { text(row, $0) }, postcode: text(row, postcode))
    }

    /// `YYYYMMDD`; `nil` when empty.
    mutating func compactDay(_ row: Int, _ column: Int, _ field: String) -> CalendarDate? {
        guard !document.isEmpty(row, column - 1) else { return nil }
        let text = document.text(row, column - 1)
        guard let day = CalendarDate(compact: text) else {
            add(.realDay, row, column, field, "'\(text.prefix(20))' is not a day written YYYYMMDD")
            return nil
        }
        return CalendarDate.filler == day ? nil : day
    }

    /// `YYYY-MM-DD`; `nil` when empty.
    mutating func isoDay(_ row: Int, _ column: Int, _ field: String) -> CalendarDate? {
        guard !document.isEmpty(row, column - 1) else { return nil }
        let text = document.text(row, column - 1)
        guard let day = CalendarDate(iso8601: text) else {
            add(.realDay, row, column, field, "'\(text.prefix(20))' is not a day written YYYY-MM-DD")
            return nil
        }
        return CalendarDate.filler == day ? nil : day
    }

    /// Status by the three vocabularies in use (identity-and-organisations.md 2.5).
    mutating func status(_ row: Int, _ column: Int) -> OrganisationStatus? {
        let text = document.text(row, column - 1)
        switch text {
        case "A", "ACTIVE", "Active": return .active
        case "C", "INACTIVE", "Inactive": return .inactive
        case "D", "DORMANT", "Dormant": return .dormant
        case "P", "PROPOSED", "Proposed": return .proposed
        default:
            add(.vocabulary, row, column, "status", "'\(text.prefix(40))' is not a status")
            return nil
        }
    }

    mutating func requireOrder(
        _ row: Int, _ column: Int, _ field: String, start: CalendarDate?, end: CalendarDate?
    ) {
        guard let start, let end, end < start else { return }
        add(.endAfterStart, row, column, field, "\(end) is before \(start)")
    }

    /// Notes a key; refuses its second use.
    mutating func claim(_ key: String, _ row: Int, _ column: Int, _ field: String) -> Bool {
        if let first = seen.updateValue(document.line(row), forKey: key) {
            seen[key] = first
            add(.unique, row, column, field, "\(key) is already in row \(first)")
            return false
        }
        return true
    }

    mutating func keep(_ organisation: StatedOrganisation, _ row: Int) {
        result.organisations.append(organisation)
        result.organisationLines.append(document.line(row))
    }

    mutating func add(_ rule: FileRule, _ row: Int, _ column: Int, _ field: String, _ message: String) {
        violations.add(rule, row: document.line(row), column: column, field: field, message)
    }
}

extension CalendarDate {
    /// `1900-01-01` fills a column where the day is unknown.
    fileprivate static let filler = CalendarDate(year: 1900, month: 1, day: 1)
}
