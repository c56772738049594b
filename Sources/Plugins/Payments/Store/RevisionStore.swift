import PluginAPI

/// Proposed contract revisions and what became of them.
enum RevisionStore {
    enum State: Int64 {
        case proposed = 1
        case approved = 2
        case returned = 3
    }

    struct Revision: Sendable {
        var id: String
        var practice: ODSCode
        var state: State
        var from: CalendarDate
        var to: CalendarDate?
        var endsContract: Bool
        /// The terms as proposed, an encoded `pcs.payments.v1.ContractTerms`.
        var terms: [UInt8]
        var reason: String
        var proposedBy: String
        var decidedBy = ""
        var decisionReason = ""
        var version: Int64 = 0
    }

    private static let insert = Statement(
        """
        INSERT INTO contract_revision
            (revision_id, practice_code, state, effective_from, effective_to, ended, terms, reason, proposed_by,
             proposed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """)
    private static let decide = Statement(
        """
        UPDATE contract_revision
        SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, version = ?6 WHERE revision_id = ?1
        """)
    private static let columns = """
        revision_id, practice_code, state, effective_from, effective_to, ended, terms, reason, proposed_by, decided_by,
        decision_reason, version
        """
    private static let byID = Statement("SELECT \(columns) FROM contract_revision WHERE revision_id = ?1")
    private static let byProposer = Statement(
        """
        SELECT \(columns) FROM contract_revision WHERE practice_code = ?1 AND proposed_by = ?2
        ORDER BY proposed_at, revision_id
        """)

    static func add(_ revision: Revision, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(revision.id), .text(revision.practice.value), .integer(revision.state.rawValue),
                .date(revision.from), .date(revision.to), .integer(revision.endsContract ? 1 : 0),
                .blob(revision.terms), .text(revision.reason), .text(revision.proposedBy),
                .instant(transaction.now),
            ])
    }

    static func saveDecision(_ revision: Revision, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(revision.id), .integer(revision.state.rawValue), .text(revision.decidedBy),
                .instant(transaction.now), .text(revision.decisionReason), .integer(revision.version),
            ])
    }

    static func revision(_ id: String, _ reader: any Reader) throws -> Revision? {
        try reader.first(byID, [.text(id)], revision)
    }

    /// What somebody has proposed for a practice, oldest first.
    static func revisions(of practice: ODSCode, proposedBy proposer: String, _ reader: any Reader) throws -> [Revision] {
        try reader.all(byProposer, [.text(practice.value), .text(proposer)], revision)
    }

    private static func revision(_ row: any Row) throws -> Revision {
        guard let practice = ODSCode(row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw StoredValueError(message: "revision \(row.text(0)) is not as it was written")
        }
        return Revision(
            id: row.text(0), practice: practice, state: state, from: try row.date(3),
            to: try row.optionalDate(4), endsContract: row.bool(5), terms: row.blob(6), reason: row.text(7),
            proposedBy: row.text(8), decidedBy: row.text(9), decisionReason: row.text(10), version: row.integer(11))
    }
}
