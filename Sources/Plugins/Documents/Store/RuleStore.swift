import PluginAPI

/// Sets of reference data: proposed, approved, kept.
enum RuleStore {
    /// Numbers follow `pcs.documents.v1.RuleTable`.
    enum Table: Int64, CaseIterable, Sendable {
        case kinds = 1
        case settings = 2
    }
    /// Numbers follow `pcs.documents.v1.RuleSetState`.
    enum State: Int64, Sendable {
        case proposed = 1
        case approved = 2
        case refused = 3
    }
    struct RuleSet: Hashable, Sendable {
        var id: String
        var table: Table
        var state: State
        var fileName: String
        var sha256: String
        var rows: Int64
        var reason: String
        var proposedBy: String
        var decidedBy = ""
        var decidedAt: Instant?
    }

    private static let columns =
        "set_id, rule_table, state, file_name, sha256, row_count, reason, proposed_by, decided_by, decided_at"
    private static let insert = Statement(
        """
        INSERT INTO rule_set
        (set_id, rule_table, state, file_name, sha256, row_count, reason, proposed_by, proposed_at, body)
        VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let decide = Statement(
        """
        UPDATE rule_set SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5 WHERE set_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM rule_set WHERE set_id = ?1")
    private static let all = Statement("SELECT \(columns) FROM rule_set ORDER BY set_id")
    private static let inForce = Statement(
        """
        SELECT body FROM rule_set WHERE rule_table = ?1 AND state = 2 ORDER BY decided_at DESC, set_id DESC LIMIT 1
        """)

    private static func set(_ row: any Row) throws -> RuleSet {
        guard let table = Table(rawValue: row.integer(1)), let state = State(rawValue: row.integer(2)) else {
            throw StoredValueError(message: "rule set \(row.text(0)) is not as it was written")
        }
        return RuleSet(
            id: row.text(0), table: table, state: state, fileName: row.text(3), sha256: row.text(4),
            rows: row.integer(5), reason: row.text(6), proposedBy: row.text(7), decidedBy: row.text(8),
            decidedAt: row.isNull(9) ? nil : row.instant(9))
    }

    static func propose(_ set: RuleSet, _ body: [UInt8], in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(set.id), .integer(set.table.rawValue), .text(set.fileName), .text(set.sha256),
                .integer(set.rows), .text(set.reason), .text(set.proposedBy), .instant(transaction.now),
                .blob(body),
            ])
    }

    static func decide(_ set: RuleSet, reason: String, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(set.id), .integer(set.state.rawValue), .text(set.decidedBy), .instant(transaction.now),
                .text(reason),
            ])
    }

    static func set(_ id: String, _ reader: any Reader) throws -> RuleSet? {
        try reader.first(byID, [.text(id)], set)
    }

    static func sets(_ reader: any Reader) throws -> [RuleSet] { try reader.all(all, [], set) }

    private static func body(_ table: Table, _ reader: any Reader) throws -> [UInt8] {
        try reader.first(inForce, [.integer(table.rawValue)]) { $0.blob(0) } ?? []
    }

    /// The rules in force. A set is approved only when it can be read, so it can.
    static func rules(_ reader: any Reader) throws -> DocumentRules {
        let kinds = RuleFiles.readKinds(try body(.kinds, reader))
        let settings = RuleFiles.readSettings(try body(.settings, reader))
        guard kinds.violations.isEmpty, let row = settings.row else {
            throw StoredValueError(message: "the rules for documents are not as they were approved")
        }
        return DocumentRules(kinds: kinds.rows, settings: row)
    }
}
