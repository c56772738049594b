import PluginAPI

/// Proposals to close an ended contract, and what became of them.
enum ContractClosingStore {
    static let schema = [
        """
        CREATE TABLE contract_closing (
            closing_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, last_day TEXT NOT NULL,
            state INTEGER NOT NULL, final_statement_id TEXT NOT NULL, reason TEXT NOT NULL, proposed_by TEXT NOT NULL,
            proposed_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER, decision_reason TEXT NOT NULL,
            seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX contract_closing_by_practice ON contract_closing (practice_code, closing_id)",
    ]

    struct Closing: Hashable, Sendable {
        var id: String
        var practice: ODSCode
        var lastDay: CalendarDate
        var state = ProposalState.proposed
        /// For example `2026-08-1/A81001`.
        var finalStatementID: String
        var reason: String
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        /// Number of the input from which it holds.
        var seq: Int64?
    }

    private static let columns = """
        closing_id, practice_code, last_day, state, final_statement_id, reason, proposed_by, proposed_at, decided_by,
        decision_reason, seq
        """
    private static let insert = Statement(
        """
        INSERT INTO contract_closing (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """)
    private static let decide = Statement(
        """
        UPDATE contract_closing
        SET state = ?2, final_statement_id = ?3, decided_by = ?4, decided_at = ?5, decision_reason = ?6, seq = ?7
        WHERE closing_id = ?1 AND state = 1
        """)
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM contract_closing WHERE practice_code = ?1 ORDER BY closing_id")
    private static let inForce = Statement(
        "SELECT \(columns) FROM contract_closing WHERE seq <= ?1 ORDER BY seq")

    static func add(_ closing: Closing, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(closing.id), .text(closing.practice.value), .date(closing.lastDay),
                .integer(closing.state.rawValue), .text(closing.finalStatementID), .text(closing.reason),
                .text(closing.proposedBy), .instant(closing.proposedAt), .text(""), .text(""),
                .optional(closing.seq),
            ])
    }

    static func saveDecision(_ closing: Closing, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(closing.id), .integer(closing.state.rawValue), .text(closing.finalStatementID),
                .text(closing.decidedBy), .instant(transaction.now), .text(closing.decisionReason),
                .optional(closing.seq),
            ])
    }

    /// Oldest first.
    static func closings(of practice: ODSCode, _ reader: any Reader) throws -> [Closing] {
        try reader.all(ofPractice, [.text(practice.value)], closing)
    }

    /// The last approved closing of each practice, as known at an input number.
    static func approved(knownAt seq: Int64, _ reader: any Reader) throws -> [ODSCode: Closing] {
        Dictionary(
            try reader.all(inForce, [.integer(seq)], closing).map { ($0.practice, $0) },
            uniquingKeysWith: { _, later in later })
    }

    private static func closing(_ row: any Row) throws -> Closing {
        guard let practice = ODSCode(row.text(1)), let state = ProposalState(rawValue: row.integer(3)) else {
            throw PaymentsError.damaged("closing " + row.text(0))
        }
        return Closing(
            id: row.text(0), practice: practice, lastDay: try row.date(2), state: state,
            finalStatementID: row.text(4), reason: row.text(5), proposedBy: row.text(6),
            proposedAt: row.instant(7), decidedBy: row.text(8), decisionReason: row.text(9),
            seq: row.optionalInteger(10))
    }
}
