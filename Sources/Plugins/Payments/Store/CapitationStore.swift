import PluginAPI

/// Lists by quarter and practice: only ever added to; for each practice the figures recorded last hold.
enum CapitationStore {
    struct Load: Sendable {
        var seq: Int64
        var id: String
        var quarterDay: CalendarDate
        var evidenceID: String
        var practices: Int64 = 0
        var registered: Int64 = 0
        var weightedHundredths: Int64 = 0
        var changed: Int64 = 0
        var added: Int64 = 0
    }

    private static let insertLoad = Statement(
        """
        INSERT INTO capitation_load
            (seq, load_id, quarter_day, evidence_id, practices, registered, weighted_hundredths, changed, added)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let insert = BulkInsert(
        into: "capitation",
        ["quarter_day", "practice_code", "seq", "registered", "weighted_hundredths", "london"],
        rowsAtOnce: 64)
    private static let ofQuarter = Statement(
        """
        SELECT practice_code, seq, registered, weighted_hundredths, london FROM capitation
        WHERE quarter_day = ?1 AND seq <= ?2 ORDER BY practice_code, seq
        """)
    private static let ofPractice = Statement(
        """
        SELECT capitation.seq, registered, weighted_hundredths, london, recorded_at
        FROM capitation JOIN input ON input.seq = capitation.seq
        WHERE quarter_day = ?1 AND practice_code = ?2 ORDER BY capitation.seq DESC
        """)
    private static let loads = Statement(
        """
        SELECT seq, load_id, quarter_day, evidence_id, practices, registered, weighted_hundredths, changed, added
        FROM capitation_load ORDER BY seq
        """)
    private static let lastOfQuarter = Statement(
        """
        SELECT seq, load_id, quarter_day, evidence_id, practices, registered, weighted_hundredths, changed, added
        FROM capitation_load WHERE quarter_day = ?1 ORDER BY seq DESC LIMIT 1
        """)

    static func add(_ load: Load, _ rows: [CapitationFile.Row], in transaction: any Transaction) throws {
        try transaction.run(
            insertLoad,
            [
                .integer(load.seq), .text(load.id), .date(load.quarterDay), .text(load.evidenceID),
                .integer(load.practices), .integer(load.registered), .integer(load.weightedHundredths),
                .integer(load.changed), .integer(load.added),
            ])
        let quarterDay = StoredValue.date(load.quarterDay)
        try insert.run(rows, in: transaction) { row, values in
            values += [
                quarterDay, .text(row.practice.value), .integer(load.seq), .integer(row.registered),
                .integer(row.weightedHundredths), .integer(row.london),
            ]
        }
    }

    /// Lists of these quarters as known at an input number.
    static func lists(
        of quarters: Set<Quarter>, knownAt seq: Int64, _ reader: any Reader
    ) throws -> ListTable {
        var table = ListTable()
        for quarter in quarters.sorted() {
            // In order of recording, so that the last one stays.
            try reader.forEach(ofQuarter, [.date(quarter.quarterDay), .integer(seq)]) { row in
                guard let practice = ODSCode(row.text(0)) else { return }
                table.set(
                    PatientLists(
                        registered: row.integer(2), weightedHundredths: row.integer(3),
                        london: row.integer(4),
                        version: row.integer(1)),
                    of: practice, in: quarter)
            }
        }
        return table
    }

    /// All figures recorded for a practice and quarter, newest first, with when.
    static func history(
        of practice: ODSCode, in quarter: Quarter, _ reader: any Reader
    ) throws -> [(PatientLists, Instant)] {
        try reader.all(ofPractice, [.date(quarter.quarterDay), .text(practice.value)]) {
            (
                PatientLists(
                    registered: $0.integer(1), weightedHundredths: $0.integer(2), london: $0.integer(3),
                    version: $0.integer(0)), $0.instant(4)
            )
        }
    }

    private static func load(_ row: any Row) throws -> Load {
        Load(
            seq: row.integer(0), id: row.text(1), quarterDay: try row.date(2), evidenceID: row.text(3),
            practices: row.integer(4), registered: row.integer(5), weightedHundredths: row.integer(6),
            changed: row.integer(7), added: row.integer(8))
    }

    static func loads(_ reader: any Reader) throws -> [Load] { try reader.all(loads, [], load) }

    static func lastLoad(of quarter: Quarter, _ reader: any Reader) throws -> Load? {
        try reader.first(lastOfQuarter, [.date(quarter.quarterDay)], load)
    }
}
