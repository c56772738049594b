import PluginAPI
import Tabular

/// A coefficient as given.
struct FormulaRow: Hashable, Sendable {
    var cell: FormulaCell
    /// `nil` = parameter.
    var value: ExactDecimal?
    var grade: String
    var source: String
}

/// Coefficients as a file. Rules FOR01 to FOR04.
enum FormulaFile {
    static let columns = ["component", "cell", "value", "grade", "source"]

    static func read(_ bytes: [UInt8], _ version: FormulaVersion) -> (
        rows: [FormulaRow], violations: ViolationList
    ) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [FormulaRow] = []
        let cells = Set(version.cells)
        while reader.next() {
            var value: ExactDecimal?
            if !reader.isEmpty("value") {
                value = ExactDecimal(reader.cell("value"), maximumScale: 6)
                if !(value?.scaled(to: 6).map { (0...1_000_000_000).contains($0) } ?? false) {
                    reader.refuse("value", "FOR02", "a coefficient is from 0 to 1000 with at most 6 decimals")
                }
            }
            if !RateFile.grades.contains(reader.cell("grade")) {
                reader.refuse("grade", "FOR03", "the grade is P, S, D, R or X (payments.md 0)")
            }
            if reader.cell("source").count > 200 {
                reader.refuse("source", "FOR03", "a source has at most 200 characters")
            }
            guard let component = FormulaComponent(rawValue: reader.cell("component")),
                cells.contains(FormulaCell(component: component, name: reader.cell("cell")))
            else {
                reader.refuse(
                    "cell", "FOR01",
                    "\(version.rawValue) has no cell \(reader.cell("component")) \(reader.cell("cell"))")
                continue
            }
            let cell = FormulaCell(component: component, name: reader.cell("cell"))
            reader.requireUnique(cell.description, "cell", "FOR01")
            rows.append(
                FormulaRow(
                    cell: cell, value: value, grade: reader.cell("grade"), source: reader.cell("source")))
        }
        let given = Set(rows.map(\.cell))
        for cell in version.cells where !given.contains(cell) {
            reader.refuse(
                "cell", "FOR04", line: 1, "the set lacks \(cell); leave its value empty if it is not known")
        }
        return (rows, reader.violations)
    }
}

/// A quarter's inputs, one row a practice. Rules ALL01 to ALL06.
enum AllocationInputFile {
    static let columns: [String] =
        ["practice_code"] + AllocationInput.cellNames.map { $0.lowercased() }
        + [
            "care_home_residents", "new_registrations", "london_patients", "slli", "smr65", "staff_index",
            "distance_km", "density_per_km2",
        ]

    /// Rows by practice code.
    static func read(_ bytes: [UInt8]) -> (rows: [AllocationInput], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [AllocationInput] = []
        rows.reserveCapacity(reader.table.rowCount)
        while reader.next() {
            guard let row = row(&reader) else { continue }
            reader.requireUnique(row.practice.value, "practice_code", "ALL01")
            rows.append(row)
        }
        rows.sort { $0.practice < $1.practice }
        return (rows, reader.violations)
    }

    private static func row(_ reader: inout RowReader) -> AllocationInput? {
        let practice = reader.practice("practice_code", "ALL01")
        let most = PatientLists.largest
        let cells = AllocationInput.cellNames.map {
            reader.decimal($0.lowercased(), "ALL02", scale: 0, in: 0...most)
        }
        let counts = ["care_home_residents", "new_registrations", "london_patients"].map {
            reader.decimal($0, "ALL03", scale: 0, in: 0...most)
        }
        let million: Int64 = 1_000_000
        let illness = reader.decimal("slli", "ALL04", scale: 6, in: 0...1_000 * million)
        let mortality = reader.decimal("smr65", "ALL04", scale: 6, in: 0...1_000 * million)
        let staff = reader.decimal("staff_index", "ALL05", scale: 6, in: 10_000...10 * million)
        // Logarithms are taken of both: nothing is no distance.
        let distance = reader.decimal("distance_km", "ALL06", scale: 6, in: 1_000...1_000 * million)
        let density = reader.decimal("density_per_km2", "ALL06", scale: 6, in: 1_000...1_000_000 * million)
        let known = cells.compactMap { $0 }
        let parts = counts.compactMap { $0 }
        guard let practice, known.count == cells.count, parts.count == counts.count, let illness,
            let mortality,
            let staff, let distance, let density
        else { return nil }
        let input = AllocationInput(
            practice: practice, cells: known, homeResidents: parts[0], newRegistrations: parts[1],
            london: parts[2],
            illness: illness, mortality: mortality, staffIndex: staff, distance: distance, density: density)
        guard (1...most).contains(input.registered) else {
            reader.refuse(
                "practice_code", "ALL02", "the cells add up to \(input.registered): 1 to \(most) is a list")
            return nil
        }
        for (name, part) in zip(["care_home_residents", "new_registrations", "london_patients"], parts)
        where part > input.registered {
            reader.refuse(name, "ALL03", "\(part) of \(input.registered) registered patients")
        }
        return input
    }
}
