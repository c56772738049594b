import PluginAPI

/// Payees of networks as proposed, with the declaration that they rest on and who decided. What is approved is in force in
/// `NetworkStore`. Only ever added to, but for the decision.
enum PayeeProposalStore {
    static let schema = [
        """
        CREATE TABLE network_payee_proposal (
            proposal_id TEXT PRIMARY KEY NOT NULL, pcn_code TEXT NOT NULL, payee_code TEXT NOT NULL,
            effective_from TEXT NOT NULL, state INTEGER NOT NULL, declaration_id TEXT NOT NULL,
            verified_by TEXT NOT NULL, reason TEXT NOT NULL, proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL,
            decided_by TEXT NOT NULL, decided_at INTEGER, decision_reason TEXT NOT NULL,
            seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX network_payee_proposal_by_network ON network_payee_proposal (pcn_code, proposal_id)",
    ]

    struct Proposal: Hashable, Sendable {
        var id: String
        var network: ODSCode
        var payee: ODSCode
        var from: CalendarDate
        var state = NetworkProposalState.proposed
        var declarationID: String
        var verifiedBy: String
        var reason: String
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        /// Input number from which it holds.
        var seq: Int64?
    }

    private static let columns = """
        proposal_id, pcn_code, payee_code, effective_from, state, declaration_id, verified_by, reason, proposed_by,
        proposed_at, decided_by, decision_reason
        """
    private static let insert = Statement(
        """
        INSERT INTO network_payee_proposal (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """)
    private static let decide = Statement(
        """
        UPDATE network_payee_proposal SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE proposal_id = ?1
        """)
    private static let byID = Statement(
        "SELECT \(columns), seq FROM network_payee_proposal WHERE proposal_id = ?1")
    private static let ofNetwork = Statement(
        "SELECT \(columns), seq FROM network_payee_proposal WHERE pcn_code = ?1 ORDER BY proposal_id DESC")

    static func add(_ proposal: Proposal, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(proposal.id), .text(proposal.network.value), .text(proposal.payee.value),
                .date(proposal.from), .integer(proposal.state.rawValue), .text(proposal.declarationID),
                .text(proposal.verifiedBy), .text(proposal.reason), .text(proposal.proposedBy),
                .instant(proposal.proposedAt), .text(proposal.decidedBy), .text(proposal.decisionReason),
            ])
    }

    static func saveDecision(_ proposal: Proposal, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(proposal.id), .integer(proposal.state.rawValue), .text(proposal.decidedBy),
                .instant(transaction.now), .text(proposal.decisionReason), .optional(proposal.seq),
            ])
    }

    static func proposal(_ id: String, _ reader: any Reader) throws -> Proposal? {
        try reader.first(byID, [.text(id)], proposal)
    }

    /// Newest first.
    static func proposals(of network: ODSCode, _ reader: any Reader) throws -> [Proposal] {
        try reader.all(ofNetwork, [.text(network.value)], proposal)
    }

    private static func proposal(_ row: any Row) throws -> Proposal {
        guard let network = ODSCode(row.text(1)), let payee = ODSCode(row.text(2)),
            let state = NetworkProposalState(rawValue: row.integer(4))
        else { throw PaymentsError.damaged("payee proposed " + row.text(0)) }
        return Proposal(
            id: row.text(0), network: network, payee: payee, from: try row.date(3), state: state,
            declarationID: row.text(5), verifiedBy: row.text(6), reason: row.text(7), proposedBy: row.text(8),
            proposedAt: row.instant(9), decidedBy: row.text(10), decisionReason: row.text(11),
            seq: row.optionalInteger(12))
    }
}
