import PluginAPI

/// Bands of dispensing in sets of reference data.
enum DispensingBandStore {
    static let schema = [
        """
        CREATE TABLE dispensing_band (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), number INTEGER NOT NULL, scale TEXT NOT NULL,
            effective_from TEXT NOT NULL, effective_to TEXT, lower_bound INTEGER NOT NULL, upper_bound INTEGER,
            value TEXT, grade TEXT NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (set_id, number)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "dispensing_band",
        [
            "set_id", "number", "scale", "effective_from", "effective_to", "lower_bound", "upper_bound",
            "value",
            "grade", "source", "note",
        ])
    private static let columns =
        "scale, effective_from, effective_to, lower_bound, upper_bound, value, grade, source, note"
    private static let known = Statement(
        """
        SELECT \(columns), version FROM dispensing_band JOIN rate_set ON rate_set.set_id = dispensing_band.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, number
        """)
    private static let ofSet = Statement(
        "SELECT \(columns), 0 FROM dispensing_band WHERE set_id = ?1 ORDER BY number")

    static func add(_ rows: [DispensingBand], set: String, in transaction: any Transaction) throws {
        try insert.run(Array(rows.enumerated()), in: transaction) { row, values in
            let band = row.element
            values += [
                .text(set), .integer(row.offset + 1), .text(band.scale.rawValue), .date(band.from),
                .date(band.to),
                .integer(band.lower), .optional(band.upper), .optional(band.value?.description),
                .text(band.grade),
                .text(band.source), .text(band.note),
            ]
        }
    }

    /// Approved bands in order of recording.
    static func rows(knownAt seq: Int64, _ reader: any Reader) throws -> [DispensingBand] {
        try reader.all(known, [.integer(seq)], band)
    }

    static func rows(ofSet id: String, _ reader: any Reader) throws -> [DispensingBand] {
        try reader.all(ofSet, [.text(id)], band)
    }

    private static func band(_ row: any Row) throws -> DispensingBand {
        guard let scale = DispensingBand.Scale(rawValue: row.text(0)) else {
            throw PaymentsError.damaged("dispensing band")
        }
        return DispensingBand(
            scale: scale, from: try row.date(1), to: try row.optionalDate(2), lower: row.integer(3),
            upper: row.optionalInteger(4), value: row.optionalText(5).flatMap { ExactDecimal($0) },
            grade: row.text(6),
            source: row.text(7), note: row.text(8), version: row.integer(9))
    }
}
