import PluginAPI

/// Bounds of amounts by paycode, in the sets of the reference data.
enum AmountBoundStore {
    static let schema = [
        """
        CREATE TABLE amount_bound (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), paycode INTEGER NOT NULL, effective_from TEXT NOT NULL,
            effective_to TEXT, minimum_pence INTEGER NOT NULL, maximum_pence INTEGER NOT NULL, grade TEXT NOT NULL,
            source TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (set_id, paycode, effective_from)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "amount_bound",
        [
            "set_id", "paycode", "effective_from", "effective_to", "minimum_pence", "maximum_pence", "grade",
            "source",
            "note",
        ])
    private static let known = Statement(
        """
        SELECT paycode, effective_from, effective_to, minimum_pence, maximum_pence, grade, source, note, version
        FROM amount_bound JOIN rate_set ON rate_set.set_id = amount_bound.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, paycode, effective_from
        """)

    static func add(_ rows: [AmountBound], to setID: String, in transaction: any Transaction) throws {
        try insert.run(rows, in: transaction) { row, values in
            values += [
                .text(setID), .integer(Int64(row.paycode.rawValue)), .date(row.from), .date(row.to),
                .integer(row.minimumPence), .integer(row.maximumPence), .text(row.grade), .text(row.source),
                .text(row.note),
            ]
        }
    }

    /// Those of each paycode in the last approved set that names it.
    static func bounds(knownAt seq: Int64, _ reader: any Reader) throws -> [Paycode: [AmountBound]] {
        var found: [Paycode: (version: Int64, bounds: [AmountBound])] = [:]
        try reader.forEach(known, [.integer(seq)]) { row in
            guard let paycode = Paycode(rawValue: UInt8(clamping: row.integer(0))) else { return }
            let version = row.integer(8)
            if found[paycode]?.version != version { found[paycode] = (version, []) }
            found[paycode]?.bounds.append(
                AmountBound(
                    paycode: paycode, from: try row.date(1), to: try row.optionalDate(2),
                    minimumPence: row.integer(3), maximumPence: row.integer(4), grade: row.text(5),
                    source: row.text(6), note: row.text(7)))
        }
        return found.mapValues(\.bounds)
    }
}
