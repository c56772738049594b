import PluginAPI

/// The capitation upload: one row a practice, for one quarter. Rules CAP01 to CAP04.
enum CapitationFile {
    static let columns = ["practice_code", "registered_patients", "weighted_patients", "london_patients"]

    struct Row: Hashable, Sendable {
        var practice: ODSCode
        var registered: Int64
        var weightedHundredths: Int64
        var london: Int64
    }

    /// Rows by practice code.
    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationCollector) {
        let table = CSVTable(bytes, columns: columns)
        var violations = table.violations
        var rows: [Row] = []
        rows.reserveCapacity(table.rows.count)
        var lineOf: [ODSCode: Int] = [:]
        for row in table.rows {
            var reader = CellReader(row: row, columns: columns, violations: violations)
            let read = lists(&reader)
            if let practice = read?.practice, let line = lineOf.updateValue(row.number, forKey: practice) {
                reader.refuse("practice_code", "CAP01", "\(practice) is also in line \(line)")
            }
            violations = reader.violations
            if let read { rows.append(read) }
        }
        rows.sort { $0.practice < $1.practice }
        return (rows, violations)
    }

    private static func lists(_ reader: inout CellReader) -> Row? {
        let most = PatientLists.largest
        let practice = reader.practice("practice_code", "CAP01")
        let registered = reader.decimal(
            "registered_patients", "CAP02", scale: 0, upTo: most, mayBeEmpty: false)
        let weighted = reader.decimal(
            "weighted_patients", "CAP03", scale: 2, upTo: most * 100, mayBeEmpty: false)
        let london = reader.decimal("london_patients", "CAP04", scale: 0, upTo: most, mayBeEmpty: true) ?? 0
        guard let practice, let registered, let weighted else { return nil }
        if london > registered {
            reader.refuse("london_patients", "CAP04", "more London patients than registered patients")
        }
        return Row(practice: practice, registered: registered, weightedHundredths: weighted, london: london)
    }
}
