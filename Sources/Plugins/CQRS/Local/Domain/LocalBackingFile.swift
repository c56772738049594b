import PluginAPI
import Tabular

/// A service's own table of aggregates (LOC-10): typed columns, and totals that are quantities claimed.
struct LocalBackingFile: Sendable {
    var rows = 0
    /// Thousandths by component.
    var totals: [String: Int64] = [:]

    static func read(_ bytes: [UInt8], _ columns: [LocalBackingColumn]) -> (
        file: LocalBackingFile, violations: ViolationList
    ) {
        var reader = RowReader(upload: bytes, columns: columns.map(\.name))
        var file = LocalBackingFile()
        for column in columns where !column.component.isEmpty { file.totals[column.component] = 0 }
        while reader.next() {
            file.rows += 1
            for column in columns { file.take(column, &reader) }
        }
        return (file, reader.violations)
    }

    private mutating func take(_ column: LocalBackingColumn, _ reader: inout RowReader) {
        switch column.type {
        case .text: _ = reader.text(column.name, "LOC-10", in: 0...200)
        case .date: _ = reader.day(column.name, "LOC-10", mayBeEmpty: true)
        case .whole, .decimal:
            guard let value = reader.exact(column.name, "LOC-10", decimals: column.type == .whole ? 0 : 3),
                let thousandths = value.scaled(to: 3), thousandths <= LocalQuantity.most.thousandths
            else { return }
            if !column.component.isEmpty { totals[column.component, default: 0] += thousandths }
        }
    }
}
