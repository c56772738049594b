import PluginAPI

/// Files of dispensing data and what they say: only ever added to; of one practice, month and kind what was authorised
/// last holds.
enum DispensingStore {
    static let schema = [
        """
        CREATE TABLE dispensing_load (
            number INTEGER PRIMARY KEY, load_id TEXT NOT NULL UNIQUE, month TEXT NOT NULL, state INTEGER NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            rows INTEGER NOT NULL, practices INTEGER NOT NULL, prescriptions INTEGER NOT NULL,
            basic_price_pence INTEGER NOT NULL, charges_pence INTEGER NOT NULL, changed INTEGER NOT NULL,
            loaded_by TEXT NOT NULL, loaded_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER,
            decision_reason TEXT NOT NULL, seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX dispensing_load_by_month ON dispensing_load (month, number)",
        """
        CREATE TABLE dispensing_row (
            load_id TEXT NOT NULL REFERENCES dispensing_load (load_id), practice_code TEXT NOT NULL,
            kind INTEGER NOT NULL, prescriptions INTEGER NOT NULL, practitioners INTEGER NOT NULL,
            basic_price_pence INTEGER NOT NULL, vat_base_pence INTEGER NOT NULL, charges_pence INTEGER NOT NULL,
            PRIMARY KEY (load_id, practice_code, kind)
        ) STRICT
        """,
        "CREATE INDEX dispensing_row_by_practice ON dispensing_row (practice_code)",
    ]

    /// Numbers are stored and follow `pcs.payments.v1.DispensingLoadState`.
    enum State: Int64 {
        case loaded = 1
        case authorised = 2
        case returned = 3
    }

    struct Load: Hashable, Sendable {
        var id: String
        var month: YearMonth
        var state: State
        var evidenceID = ""
        var fileName: String
        var sha256: String
        var rows: Int64
        var practices: Int64
        var prescriptions: Int64
        /// The control total.
        var basicPricePence: Int64
        var chargesPence: Int64
        /// Rows that change what an earlier file said.
        var changed: Int64
        var loadedBy: String
        var loadedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        /// Input number from which it holds.
        var seq: Int64?
    }

    private static let columns = """
        load_id, month, state, evidence_id, file_name, sha256, rows, practices, prescriptions, basic_price_pence,
        charges_pence, changed, loaded_by, loaded_at, decided_by, decision_reason
        """
    private static let insertLoad = Statement(
        """
        INSERT INTO dispensing_load (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        """)
    private static let decide = Statement(
        """
        UPDATE dispensing_load SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE load_id = ?1
        """)
    private static let loadByID = Statement("SELECT \(columns), seq FROM dispensing_load WHERE load_id = ?1")
    private static let allLoads = Statement(
        "SELECT \(columns), seq FROM dispensing_load ORDER BY number DESC")
    private static let insertRows = BulkInsert(
        into: "dispensing_row",
        [
            "load_id", "practice_code", "kind", "prescriptions", "practitioners", "basic_price_pence",
            "vat_base_pence",
            "charges_pence",
        ])
    private static let rowColumns = """
        practice_code, month, kind, dispensing_row.prescriptions, practitioners, dispensing_row.basic_price_pence,
        vat_base_pence, dispensing_row.charges_pence, dispensing_row.load_id, seq
        """
    private static let knownRows = Statement(
        """
        SELECT \(rowColumns)
        FROM dispensing_row JOIN dispensing_load ON dispensing_load.load_id = dispensing_row.load_id
        WHERE seq IS NOT NULL AND seq <= ?1 AND month >= ?2 AND month <= ?3 ORDER BY seq, practice_code, kind
        """)
    private static let rowsOfPractice = Statement(
        """
        SELECT \(rowColumns)
        FROM dispensing_row JOIN dispensing_load ON dispensing_load.load_id = dispensing_row.load_id
        WHERE practice_code = ?1 AND month = ?2 AND seq IS NOT NULL ORDER BY seq DESC, kind
        """)

    private static let waitingNaming = Statement(
        """
        SELECT DISTINCT dispensing_load.load_id FROM dispensing_row
            JOIN dispensing_load ON dispensing_load.load_id = dispensing_row.load_id
        WHERE practice_code = ?1 AND state = 1 ORDER BY dispensing_load.load_id
        """)

    /// Files that wait to be authorised and have a row of the practice.
    static func waiting(naming practice: ODSCode, _ reader: any Reader) throws -> [Load] {
        try reader.all(waitingNaming, [.text(practice.value)]) { $0.text(0) }.compactMap { try load($0, reader) }
    }

    static func add(_ load: Load, _ rows: [DispensingData], in transaction: any Transaction) throws {
        try transaction.run(
            insertLoad,
            [
                .text(load.id), .text(load.month.description), .integer(load.state.rawValue),
                .text(load.evidenceID),
                .text(load.fileName), .text(load.sha256), .integer(load.rows), .integer(load.practices),
                .integer(load.prescriptions), .integer(load.basicPricePence), .integer(load.chargesPence),
                .integer(load.changed), .text(load.loadedBy), .instant(load.loadedAt), .text(load.decidedBy),
                .text(load.decisionReason),
            ])
        try insertRows.run(rows, in: transaction) { row, values in
            values += [
                .text(load.id), .text(row.practice.value), .integer(row.kind.rawValue),
                .integer(row.prescriptions),
                .integer(row.practitioners), .integer(row.basicPricePence), .integer(row.vatBasePence),
                .integer(row.chargesPence),
            ]
        }
    }

    static func saveDecision(_ load: Load, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(load.id), .integer(load.state.rawValue), .text(load.decidedBy),
                .instant(transaction.now),
                .text(load.decisionReason), .optional(load.seq),
            ])
    }

    static func load(_ id: String, _ reader: any Reader) throws -> Load? {
        try reader.first(loadByID, [.text(id)], load)
    }

    /// Newest first.
    static func loads(_ reader: any Reader) throws -> [Load] { try reader.all(allLoads, [], load) }

    /// What holds for months of dispensing, by practice and kind.
    static func data(
        from first: YearMonth, to last: YearMonth, knownAt seq: Int64, _ reader: any Reader
    ) throws -> [DispensingData] {
        struct Key: Hashable {
            var practice: ODSCode
            var month: YearMonth
            var kind: DispensingData.Kind
        }
        var found: [Key: DispensingData] = [:]
        let bounds: [StoredValue] = [.integer(seq), .text(first.description), .text(last.description)]
        // In order of recording, so that the last one stays.
        for row in try reader.all(knownRows, bounds, data) {
            found[Key(practice: row.practice, month: row.month, kind: row.kind)] = row
        }
        return found.values.sorted {
            ($0.practice, $0.month, $0.kind.rawValue) < ($1.practice, $1.month, $1.kind.rawValue)
        }
    }

    /// Everything authorised for a practice and month, newest first.
    static func history(of practice: ODSCode, in month: YearMonth, _ reader: any Reader) throws
        -> [DispensingData]
    {
        try reader.all(rowsOfPractice, [.text(practice.value), .text(month.description)], data)
    }

    private static func load(_ row: any Row) throws -> Load {
        guard let month = YearMonth(iso8601: row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw PaymentsError.damaged("dispensing file " + row.text(0))
        }
        return Load(
            id: row.text(0), month: month, state: state, evidenceID: row.text(3), fileName: row.text(4),
            sha256: row.text(5), rows: row.integer(6), practices: row.integer(7),
            prescriptions: row.integer(8),
            basicPricePence: row.integer(9), chargesPence: row.integer(10), changed: row.integer(11),
            loadedBy: row.text(12), loadedAt: row.instant(13), decidedBy: row.text(14),
            decisionReason: row.text(15),
            seq: row.optionalInteger(16))
    }

    private static func data(_ row: any Row) throws -> DispensingData {
        guard let practice = ODSCode(row.text(0)), let month = YearMonth(iso8601: row.text(1)),
            let kind = DispensingData.Kind(rawValue: row.integer(2))
        else { throw PaymentsError.damaged("dispensing data") }
        return DispensingData(
            practice: practice, month: month, kind: kind, prescriptions: row.integer(3),
            practitioners: row.integer(4),
            basicPricePence: row.integer(5), vatBasePence: row.integer(6), chargesPence: row.integer(7),
            loadID: row.text(8), version: row.integer(9))
    }
}
