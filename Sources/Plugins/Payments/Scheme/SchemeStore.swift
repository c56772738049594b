import PluginAPI
import Tabular

/// Adjusted patients of practices under the reimbursement scheme: only ever added to; what was put in force last holds.
enum SchemeStore {
    static let schema = [
        """
        CREATE TABLE scheme_population_load (
            number INTEGER PRIMARY KEY, load_id TEXT NOT NULL UNIQUE, financial_year TEXT NOT NULL,
            state INTEGER NOT NULL, evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), sha256 TEXT NOT NULL,
            practices INTEGER NOT NULL, adjusted_hundredths INTEGER NOT NULL, loaded_by TEXT NOT NULL,
            decided_by TEXT NOT NULL, decided_at INTEGER, decision_reason TEXT NOT NULL,
            seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        """
        CREATE TABLE scheme_population (
            load_id TEXT NOT NULL REFERENCES scheme_population_load (load_id), practice_code TEXT NOT NULL,
            adjusted_hundredths INTEGER NOT NULL, PRIMARY KEY (load_id, practice_code)
        ) STRICT
        """,
        "CREATE INDEX scheme_population_by_practice ON scheme_population (practice_code)",
    ]

    enum State: Int64 {
        case proposed = 1
        case approved = 2
        case returned = 3

        var name: String {
            switch self {
            case .proposed: "PROPOSED"
            case .approved: "APPROVED"
            case .returned: "RETURNED"
            }
        }
    }

    struct Load: Hashable, Sendable {
        var id: String
        var year: FinancialYear
        var state = State.proposed
        var evidenceID: String
        var sha256: String
        var practices: Int64
        var adjustedHundredths: Int64
        var loadedBy: String
        var decidedBy = ""
        var decisionReason = ""
        /// Input number from which it holds.
        var seq: Int64?
    }

    struct Population: Hashable, Sendable {
        var practice: ODSCode
        var adjustedHundredths: Int64
    }

    private static let columns = """
        load_id, financial_year, state, evidence_id, sha256, practices, adjusted_hundredths, loaded_by, decided_by,
        decision_reason
        """
    private static let insertLoad = Statement(
        """
        INSERT INTO scheme_population_load (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """)
    private static let insertRows = BulkInsert(
        into: "scheme_population", ["load_id", "practice_code", "adjusted_hundredths"])
    private static let decide = Statement(
        """
        UPDATE scheme_population_load SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE load_id = ?1
        """)
    private static let byID = Statement(
        "SELECT \(columns), seq FROM scheme_population_load WHERE load_id = ?1")
    private static let byHash = Statement(
        """
        SELECT \(columns), seq FROM scheme_population_load
        WHERE financial_year = ?1 AND sha256 = ?2 AND state <> 3 ORDER BY number DESC LIMIT 1
        """)
    private static let inForce = Statement(
        """
        SELECT scheme_population.adjusted_hundredths FROM scheme_population
        JOIN scheme_population_load ON scheme_population_load.load_id = scheme_population.load_id
        WHERE practice_code = ?1 AND financial_year = ?2 AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1
        """)

    static func add(_ load: Load, _ rows: [Population], in transaction: any Transaction) throws {
        try transaction.run(
            insertLoad,
            [
                .text(load.id), .text(load.year.description), .integer(load.state.rawValue),
                .text(load.evidenceID),
                .text(load.sha256), .integer(load.practices), .integer(load.adjustedHundredths),
                .text(load.loadedBy),
                .text(load.decidedBy), .text(load.decisionReason),
            ])
        try insertRows.run(rows, in: transaction) { row, values in
            values += [.text(load.id), .text(row.practice.value), .integer(row.adjustedHundredths)]
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
        try reader.first(byID, [.text(id)], load)
    }

    static func load(_ year: FinancialYear, sha256: String, _ reader: any Reader) throws -> Load? {
        try reader.first(byHash, [.text(year.description), .text(sha256)], load)
    }

    /// Adjusted patients in hundredths; `nil` = none in force.
    static func adjusted(_ practice: ODSCode, _ year: FinancialYear, _ reader: any Reader) throws -> Int64? {
        try reader.first(inForce, [.text(practice.value), .text(year.description)]) { $0.integer(0) }
    }

    private static func load(_ row: any Row) throws -> Load {
        guard let year = FinancialYear(row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw PaymentsError.damaged("populations " + row.text(0))
        }
        return Load(
            id: row.text(0), year: year, state: state, evidenceID: row.text(3), sha256: row.text(4),
            practices: row.integer(5), adjustedHundredths: row.integer(6), loadedBy: row.text(7),
            decidedBy: row.text(8), decisionReason: row.text(9), seq: row.optionalInteger(10))
    }
}

/// Adjusted patients of practices as a file. Rules SCP01 and SCP02.
enum SchemePopulationFile {
    static let columns = ["practice_code", "adjusted_patients"]

    static func read(
        _ bytes: [UInt8], isPractice: (ODSCode) -> Bool
    ) -> (rows: [SchemeStore.Population], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [SchemeStore.Population] = []
        while reader.next() {
            let practice = reader.practice("practice_code", "SCP01")
            if let practice {
                reader.requireUnique(practice.value, "practice_code", "SCP01")
                if !isPractice(practice) {
                    reader.refuse("practice_code", "SCP01", "\(practice) has no contract in the year")
                }
            }
            let adjusted = reader.decimal(
                "adjusted_patients", "SCP02", scale: 2, in: 0...PatientLists.largest * 100, mayBeEmpty: false)
            guard let practice, let adjusted else { continue }
            rows.append(SchemeStore.Population(practice: practice, adjustedHundredths: adjusted))
        }
        rows.sort { $0.practice < $1.practice }
        return (rows, reader.violations)
    }
}
