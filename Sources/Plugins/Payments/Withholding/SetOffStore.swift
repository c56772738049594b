import PluginAPI

/// Debts set off against what payees are paid, as proposed and decided.
enum SetOffStore {
    static let schema = [
        """
        CREATE TABLE set_off (
            set_off_id TEXT PRIMARY KEY NOT NULL, payee_code TEXT NOT NULL, state INTEGER NOT NULL,
            contents BLOB NOT NULL, proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT,
            decided_at INTEGER, decision_reason TEXT
        ) STRICT
        """,
        "CREATE INDEX set_off_by_payee ON set_off (payee_code, set_off_id)",
    ]

    /// Numbers are stored and follow `pcs.payments.v1.SetOffState`.
    enum State: Int64, Sendable {
        case proposed = 1
        case returned = 2
        case approved = 3
    }

    struct SetOff: Hashable, Sendable {
        var id: String
        var payee: ODSCode
        var state: State
        /// As proposed, an encoded `pcs.payments.v1.ProposeSetOffRequest`.
        var contents: [UInt8]
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decidedAt: Instant?
        var decisionReason = ""
    }

    private static let columns = """
        set_off_id, payee_code, state, contents, proposed_by, proposed_at, decided_by, decided_at, decision_reason
        """
    private static let insert = Statement(
        """
        INSERT INTO set_off (set_off_id, payee_code, state, contents, proposed_by, proposed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let decide = Statement(
        """
        UPDATE set_off SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5 WHERE set_off_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM set_off WHERE set_off_id = ?1")
    private static let ofPayee = Statement(
        "SELECT \(columns) FROM set_off WHERE payee_code = ?1 ORDER BY set_off_id")
    /// By items in published runs.
    private static let recovered = Statement(
        """
        SELECT COALESCE(SUM(payable_item.pence), 0) FROM payable_item
            JOIN payable_item_run ON payable_item_run.item_id = payable_item.item_id
            JOIN run ON run.run_id = payable_item_run.run_id
        WHERE payable_item.payee_code = ?1 AND payable_item.natural_key LIKE ?2 AND run.state IN (5, 6, 7)
        """)

    static func key(_ id: String) -> String { "set-off/" + id }

    static func add(_ setOff: SetOff, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(setOff.id), .text(setOff.payee.value), .integer(setOff.state.rawValue),
                .blob(setOff.contents), .text(setOff.proposedBy), .instant(setOff.proposedAt),
            ])
    }

    static func saveDecision(_ setOff: SetOff, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(setOff.id), .integer(setOff.state.rawValue), .text(setOff.decidedBy),
                .optional(setOff.decidedAt?.microsecondsSince1970), .text(setOff.decisionReason),
            ])
    }

    static func setOff(_ id: String, _ reader: any Reader) throws -> SetOff? {
        try reader.first(byID, [.text(id)], setOff)
    }

    static func setOffs(of payee: ODSCode, _ reader: any Reader) throws -> [SetOff] {
        try reader.all(ofPayee, [.text(payee.value)], setOff)
    }

    static func recovered(_ setOff: SetOff, _ reader: any Reader) throws -> Int64 {
        try reader.first(recovered, [.text(setOff.payee.value), .text(key(setOff.id) + "/%")]) {
            -$0.integer(0)
        } ?? 0
    }

    private static func setOff(_ row: any Row) throws -> SetOff {
        guard let payee = ODSCode(row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw PaymentsError.damaged("set-off " + row.text(0))
        }
        return SetOff(
            id: row.text(0), payee: payee, state: state, contents: row.blob(3), proposedBy: row.text(4),
            proposedAt: row.instant(5), decidedBy: row.text(6),
            decidedAt: row.isNull(7) ? nil : row.instant(7),
            decisionReason: row.text(8))
    }
}
