import PluginAPI

/// Loads of contract files, by their evidence.
enum ContractLoadStore {
    struct Load: Sendable {
        var id: String
        var evidenceID: String
        var rows: Int64 = 0
        var practices: Int64 = 0
        var added: Int64 = 0
        var changed: Int64 = 0
        var unchanged: Int64 = 0
        var pendingReferences: Int64 = 0
    }

    private static let insert = Statement(
        """
        INSERT INTO contract_load
            (load_id, seq, evidence_id, rows, practices, added, changed, unchanged, pending_references)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let byHash = Statement(
        """
        SELECT load_id, contract_load.evidence_id, rows, practices, added, changed, unchanged, pending_references
        FROM contract_load JOIN evidence ON evidence.evidence_id = contract_load.evidence_id
        WHERE evidence.kind = 'contracts' AND evidence.sha256 = ?1
        """)

    static func add(_ load: Load, seq: Int64?, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(load.id), .optional(seq), .text(load.evidenceID), .integer(load.rows),
                .integer(load.practices), .integer(load.added), .integer(load.changed),
                .integer(load.unchanged),
                .integer(load.pendingReferences),
            ])
    }

    static func load(withHash sha256: String, _ reader: any Reader) throws -> Load? {
        try reader.first(byHash, [.text(sha256)]) {
            Load(
                id: $0.text(0), evidenceID: $0.text(1), rows: $0.integer(2), practices: $0.integer(3),
                added: $0.integer(4), changed: $0.integer(5), unchanged: $0.integer(6),
                pendingReferences: $0.integer(7))
        }
    }
}
