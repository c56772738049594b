import PluginAPI

/// Maxima of additional roles in sets of reference data.
enum RoleMaximumStore {
    static let schema = [
        """
        CREATE TABLE additional_role_maximum (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), number INTEGER NOT NULL, role TEXT NOT NULL,
            area TEXT NOT NULL, effective_from TEXT NOT NULL, effective_to TEXT, annual TEXT, grade TEXT NOT NULL,
            source TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (set_id, number)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "additional_role_maximum",
        [
            "set_id", "number", "role", "area", "effective_from", "effective_to", "annual", "grade", "source",
            "note",
        ])
    private static let columns = "role, area, effective_from, effective_to, annual, grade, source, note"
    private static let known = Statement(
        """
        SELECT \(columns), version FROM additional_role_maximum
        JOIN rate_set ON rate_set.set_id = additional_role_maximum.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, number
        """)
    private static let ofSet = Statement(
        "SELECT \(columns), 0 FROM additional_role_maximum WHERE set_id = ?1 ORDER BY number")

    static func add(_ rows: [RoleMaximum], set: String, in transaction: any Transaction) throws {
        try insert.run(Array(rows.enumerated()), in: transaction) { row, values in
            let maximum = row.element
            values += [
                .text(set), .integer(row.offset + 1), .text(maximum.role), .text(maximum.area),
                .date(maximum.from), .date(maximum.to), .optional(maximum.annual?.description),
                .text(maximum.grade), .text(maximum.source), .text(maximum.note),
            ]
        }
    }

    /// Approved maxima in order of recording.
    static func rows(knownAt seq: Int64, _ reader: any Reader) throws -> [RoleMaximum] {
        try reader.all(known, [.integer(seq)], maximum)
    }

    static func rows(ofSet id: String, _ reader: any Reader) throws -> [RoleMaximum] {
        try reader.all(ofSet, [.text(id)], maximum)
    }

    private static func maximum(_ row: any Row) throws -> RoleMaximum {
        RoleMaximum(
            role: row.text(0), area: row.text(1), from: try row.date(2), to: try row.optionalDate(3),
            annual: row.optionalText(4).flatMap { ExactDecimal($0) }, grade: row.text(5), source: row.text(6),
            note: row.text(7), version: row.integer(8))
    }
}
