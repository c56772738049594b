import PluginAPI

/// Proposed contract revisions and what became of them.
enum RevisionStore {
    /// Tasks, lists and the roll-back of a case look revisions up by these.
    static let indexes = [
        "CREATE INDEX contract_revision_by_practice ON contract_revision (practice_code, revision_id)",
        "CREATE INDEX contract_revision_by_proposer ON contract_revision (proposed_by)",
        "CREATE INDEX contract_revision_by_state ON contract_revision (state, revision_id)",
    ]

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
        /// The terms as proposed, an encoded `pcs.payments.v1.ContractTerms`; of an end only the payee of what still
        /// comes.
        var terms: [UInt8]
        var reason: String
        var proposedBy: String
        var decidedBy = ""
        var decisionReason = ""
        var version: Int64 = 0
        var proposedAt = Instant(microsecondsSince1970: 0)
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
        decision_reason, version, proposed_at
        """
    private static let byID = Statement("SELECT \(columns) FROM contract_revision WHERE revision_id = ?1")
    private static let byProposer = Statement(
        """
        SELECT \(columns) FROM contract_revision WHERE practice_code = ?1 AND proposed_by = ?2
        ORDER BY proposed_at, revision_id
        """)
    private static let ofProposer = Statement(
        "SELECT \(columns) FROM contract_revision WHERE proposed_by = ?1 ORDER BY proposed_at, revision_id")
    private static let inState = Statement(
        """
        SELECT \(columns) FROM contract_revision WHERE state = ?1 AND revision_id > ?2 ORDER BY revision_id LIMIT ?3
        """)
    private static let ofPracticeInState = Statement(
        "SELECT \(columns) FROM contract_revision WHERE practice_code = ?1 AND state = ?2 ORDER BY revision_id")
    private static let approvedEnds = Statement(
        "SELECT practice_code, effective_from FROM contract_revision WHERE state = 2 AND ended = 1")

    /// The day from which an approved revision says that there is no contract.
    struct End: Hashable, Sendable {
        var practice: ODSCode
        var from: CalendarDate
    }

    static func ends(_ reader: any Reader) throws -> Set<End> {
        var found: Set<End> = []
        try reader.forEach(approvedEnds, []) { row in
            if let practice = ODSCode(row.text(0)) { found.insert(End(practice: practice, from: try row.date(1))) }
        }
        return found
    }

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

    /// What somebody has proposed for any practice, oldest first.
    static func revisions(proposedBy proposer: String, _ reader: any Reader) throws -> [Revision] {
        try reader.all(ofProposer, [.text(proposer)], revision)
    }

    static func revisions(of practice: ODSCode, in state: State, _ reader: any Reader) throws -> [Revision] {
        try reader.all(ofPracticeInState, [.text(practice.value), .integer(state.rawValue)], revision)
    }

    /// The next ones in a state, oldest first.
    static func page(in state: State, after id: String, limit: Int, _ reader: any Reader) throws -> [Revision] {
        try reader.all(inState, [.integer(state.rawValue), .text(id), .integer(limit)], revision)
    }

    private static func revision(_ row: any Row) throws -> Revision {
        guard let practice = ODSCode(row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw StoredValueError(message: "revision \(row.text(0)) is not as it was written")
        }
        return Revision(
            id: row.text(0), practice: practice, state: state, from: try row.date(3),
            to: try row.optionalDate(4), endsContract: row.bool(5), terms: row.blob(6), reason: row.text(7),
            proposedBy: row.text(8), decidedBy: row.text(9), decisionReason: row.text(10), version: row.integer(11),
            proposedAt: row.instant(12))
    }
}
