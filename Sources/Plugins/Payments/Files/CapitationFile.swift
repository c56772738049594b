import PluginAPI
import Tabular

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
    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [Row] = []
        rows.reserveCapacity(reader.table.rowCount)
        while reader.next() {
            guard let read = lists(&reader) else { continue }
            reader.requireUnique(read.practice.value, "practice_code", "CAP01")
            rows.append(read)
        }
        rows.sort { $0.practice < $1.practice }
        return (rows, reader.violations)
    }

    private static func lists(_ reader: inout RowReader) -> Row? {
        let most = PatientLists.largest
        let practice = reader.practice("practice_code", "CAP01")
        let registered = reader.decimal(
            "registered_patients", "CAP02", scale: 0, in: 0...most, mayBeEmpty: false)
        let weighted = reader.decimal(
            "weighted_patients", "CAP03", scale: 2, in: 0...most * 100, mayBeEmpty: false)
        let london = reader.decimal("london_patients", "CAP04", scale: 0, in: 0...most, mayBeEmpty: true) ?? 0
        guard let practice, let registered, let weighted else { return nil }
        if london > registered {
            reader.refuse("london_patients", "CAP04", "more London patients than registered patients")
        }
        return Row(practice: practice, registered: registered, weightedHundredths: weighted, london: london)
    }
}
