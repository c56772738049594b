import PluginAPI
import Tabular

/// A reference data file that ships with the plugin is damaged: a fault of the release.
struct ReferenceFileFault: Error, CustomStringConvertible {
    let file: String
    let violations: [Violation]
    var description: String {
        "\(file): "
            + violations.prefix(3).map { "row \($0.row) \($0.field): \($0.message)" }.joined(separator: "; ")
    }
}

/// Reads a file of reference data; all that is wrong is told at once.
struct ReferenceFile {
    let name: String
    let bytes: [UInt8]

    /// Calls `row` for each row under the header expected.
    func rows<Value>(_ columns: [String], _ row: (inout RowReader) -> Value?) throws -> [Value] {
        var violations = ViolationList()
        var layout = TableLayout(.exact(columns), origin: .person)
        layout.limits.rows = 10_000
        let table = Table.read(csv: bytes, layout: layout, into: &violations)
        var reader = RowReader(table, columns: columns, violations: violations)
        var values: [Value] = []
        while reader.next() {
            if let value = row(&reader) { values.append(value) }
        }
        guard reader.violations.isEmpty else {
            throw ReferenceFileFault(file: name, violations: reader.violations.listed)
        }
        return values
    }
}

extension RowReader {
    mutating func day(_ name: String, mayBeEmpty: Bool = false) -> CalendarDate? {
        if mayBeEmpty, isEmpty(name) { return nil }
        guard let day = CalendarDate(iso8601: cell(name)) else {
            refuse(name, "CR01", "\(shown(name)) is no day")
            return nil
        }
        return day
    }

    mutating func number(_ name: String) -> Int? {
        guard let number = Int(cell(name)), number >= 0 else {
            refuse(name, "CR02", "\(shown(name)) is no number")
            return nil
        }
        return number
    }

    func list(_ name: String) -> [String] { cell(name).split(separator: ";").map(String.init) }
}
