import PluginAPI

/// Training figures in sets of reference data.
enum TrainingRateStore {
    static let schema = [
        """
        CREATE TABLE training_rate (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), number INTEGER NOT NULL, area TEXT NOT NULL,
            item TEXT NOT NULL, effective_from TEXT NOT NULL, effective_to TEXT, value TEXT, grade TEXT NOT NULL,
            source TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (set_id, number)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "training_rate",
        [
            "set_id", "number", "area", "item", "effective_from", "effective_to", "value", "grade", "source",
            "note",
        ])
    private static let columns = "area, item, effective_from, effective_to, value, grade, source, note"
    private static let known = Statement(
        """
        SELECT \(columns), version FROM training_rate JOIN rate_set ON rate_set.set_id = training_rate.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, number
        """)
    private static let ofSet = Statement(
        "SELECT \(columns), 0 FROM training_rate WHERE set_id = ?1 ORDER BY number")

    static func add(_ rows: [TrainingRate], set: String, in transaction: any Transaction) throws {
        try insert.run(Array(rows.enumerated()), in: transaction) { row, values in
            let rate = row.element
            values += [
                .text(set), .integer(row.offset + 1), .text(rate.area), .text(rate.item.rawValue),
                .date(rate.from),
                .date(rate.to), .optional(rate.value?.description), .text(rate.grade), .text(rate.source),
                .text(rate.note),
            ]
        }
    }

    /// Approved figures in order of recording.
    static func rows(knownAt seq: Int64, _ reader: any Reader) throws -> [TrainingRate] {
        try reader.all(known, [.integer(seq)], rate)
    }

    static func rows(ofSet id: String, _ reader: any Reader) throws -> [TrainingRate] {
        try reader.all(ofSet, [.text(id)], rate)
    }

    private static func rate(_ row: any Row) throws -> TrainingRate {
        guard let item = TrainingRate.Item(rawValue: row.text(1)) else {
            throw PaymentsError.damaged("training rate")
        }
        return TrainingRate(
            area: row.text(0), item: item, from: try row.date(2), to: try row.optionalDate(3),
            value: row.optionalText(4).flatMap { ExactDecimal($0) }, grade: row.text(5), source: row.text(6),
            note: row.text(7), version: row.integer(8))
    }
}
