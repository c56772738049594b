import PluginAPI

/// Where a proposal of populations or of a payee stands. Numbers are stored and follow
/// `pcs.payments.v1.NetworkProposalState`.
enum NetworkProposalState: Int64, Sendable {
    case proposed = 1
    case approved = 2
    case returned = 3
}

/// Populations of networks that were loaded, and who decided about them. The rows stay in the file that was kept until
/// they are in force (`NetworkStore`).
enum PopulationProposalStore {
    static let schema = [
        """
        CREATE TABLE network_population_proposal (
            load_id TEXT PRIMARY KEY NOT NULL, financial_year TEXT NOT NULL, state INTEGER NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), sha256 TEXT NOT NULL, networks INTEGER NOT NULL,
            changed INTEGER NOT NULL, added INTEGER NOT NULL, registered INTEGER NOT NULL,
            adjusted_hundredths INTEGER NOT NULL, loaded_by TEXT NOT NULL, loaded_at INTEGER NOT NULL,
            decided_by TEXT NOT NULL, decided_at INTEGER, decision_reason TEXT NOT NULL
        ) STRICT
        """
    ]

    struct Proposal: Hashable, Sendable {
        var load: NetworkStore.Load
        var state = NetworkProposalState.proposed
        var evidenceID: String
        // The control totals.
        var registered: Int64
        var adjustedHundredths: Int64
        var loadedBy: String
        var decidedBy = ""
        var decisionReason = ""
    }

    private static let columns = """
        load_id, financial_year, state, evidence_id, sha256, networks, changed, added, registered,
        adjusted_hundredths, loaded_by, decided_by, decision_reason
        """
    private static let insert = Statement(
        """
        INSERT INTO network_population_proposal (\(columns), loaded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        """)
    private static let decide = Statement(
        """
        UPDATE network_population_proposal SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5
        WHERE load_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM network_population_proposal WHERE load_id = ?1")
    private static let byHash = Statement(
        """
        SELECT \(columns) FROM network_population_proposal
        WHERE financial_year = ?1 AND sha256 = ?2 AND state = 1 ORDER BY load_id LIMIT 1
        """)

    static func add(_ proposal: Proposal, in transaction: any Transaction) throws {
        let load = proposal.load
        try transaction.run(
            insert,
            [
                .text(load.id), .text(load.year.description), .integer(proposal.state.rawValue),
                .text(proposal.evidenceID), .text(load.sha256), .integer(load.networks), .integer(load.changed),
                .integer(load.added), .integer(proposal.registered), .integer(proposal.adjustedHundredths),
                .text(proposal.loadedBy), .text(proposal.decidedBy), .text(proposal.decisionReason),
                .instant(transaction.now),
            ])
    }

    static func saveDecision(_ proposal: Proposal, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(proposal.load.id), .integer(proposal.state.rawValue), .text(proposal.decidedBy),
                .instant(transaction.now), .text(proposal.decisionReason),
            ])
    }

    static func proposal(_ id: String, _ reader: any Reader) throws -> Proposal? {
        try reader.first(byID, [.text(id)], proposal)
    }

    /// The same file for the same year that nobody has decided about.
    static func waiting(_ year: FinancialYear, sha256: String, _ reader: any Reader) throws -> Proposal? {
        try reader.first(byHash, [.text(year.description), .text(sha256)], proposal)
    }

    private static func proposal(_ row: any Row) throws -> Proposal {
        guard let year = FinancialYear(row.text(1)), let state = NetworkProposalState(rawValue: row.integer(2)) else {
            throw PaymentsError.damaged("populations " + row.text(0))
        }
        return Proposal(
            load: .init(
                id: row.text(0), year: year, sha256: row.text(4), networks: row.integer(5),
                changed: row.integer(6), added: row.integer(7)),
            state: state, evidenceID: row.text(3), registered: row.integer(8), adjustedHundredths: row.integer(9),
            loadedBy: row.text(10), decidedBy: row.text(11), decisionReason: row.text(12))
    }
}
