import PluginAPI

/// Checklists: proposed, approved, kept; and closings that the register announced.
enum ChecklistStore {
    enum State: Int64, Sendable {
        case proposed = 1
        case approved = 2
        case refused = 3
    }
    struct Set: Hashable, Sendable {
        var id: String
        var state: State
        var sha256: String
        var rows: Int64
        var reason: String
        var proposedBy: String
        var decidedBy = ""
    }

    private static let insert = Statement(
        """
        INSERT INTO checklist (set_id, state, sha256, row_count, reason, proposed_by, proposed_at, body)
        VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let decide = Statement(
        """
        UPDATE checklist SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5 WHERE set_id = ?1
        """)
    private static let columns = "set_id, state, sha256, row_count, reason, proposed_by, decided_by"
    private static let byID = Statement("SELECT \(columns) FROM checklist WHERE set_id = ?1")
    private static let all = Statement("SELECT \(columns) FROM checklist ORDER BY set_id")
    private static let bodyOf = Statement("SELECT body FROM checklist WHERE set_id = ?1")
    private static let inForce = Statement(
        "SELECT set_id FROM checklist WHERE state = 2 ORDER BY decided_at DESC, set_id DESC LIMIT 1")
    private static let insertClosing = Statement(
        """
        INSERT INTO register_closing (practice_code, sequence, effective_on, load_id) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO NOTHING
        """)
    private static let closing = Statement(
        """
        SELECT effective_on, load_id FROM register_closing WHERE practice_code = ?1 ORDER BY sequence DESC LIMIT 1
        """)
    private static let deleteClosings = Statement("DELETE FROM register_closing WHERE practice_code = ?1")

    private static func set(_ row: any Row) throws -> Set {
        guard let state = State(rawValue: row.integer(1)) else {
            throw StoredValueError(message: "checklist \(row.text(0)) is not as it was written")
        }
        return Set(
            id: row.text(0), state: state, sha256: row.text(2), rows: row.integer(3), reason: row.text(4),
            proposedBy: row.text(5), decidedBy: row.text(6))
    }

    static func propose(_ set: Set, _ body: [UInt8], in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(set.id), .text(set.sha256), .integer(set.rows), .text(set.reason),
                .text(set.proposedBy),
                .instant(transaction.now), .blob(body),
            ])
    }

    static func decide(_ set: Set, reason: String, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(set.id), .integer(set.state.rawValue), .text(set.decidedBy), .instant(transaction.now),
                .text(reason),
            ])
    }

    static func set(_ id: String, _ reader: any Reader) throws -> Set? {
        try reader.first(byID, [.text(id)], set)
    }
    static func sets(_ reader: any Reader) throws -> [Set] { try reader.all(all, [], set) }

    static func inForce(_ reader: any Reader) throws -> String {
        try reader.first(inForce, []) { $0.text(0) } ?? ""
    }

    /// A set is approved only when it can be read, so it can.
    static func rows(of id: String, _ reader: any Reader) throws -> [ChecklistRow] {
        let body = try reader.first(bodyOf, [.text(id)]) { $0.blob(0) } ?? []
        let (rows, violations) = ChecklistFile.read(body)
        guard violations.isEmpty else {
            throw StoredValueError(message: "checklist \(id) is not as it was approved")
        }
        return rows
    }

    static func addClosing(
        of practice: String, sequence: Int64, on day: CalendarDate, load: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertClosing, [.text(practice), .integer(sequence), .date(day), .text(load)])
    }

    static func dropClosings(of practice: String, in transaction: any Transaction) throws {
        try transaction.run(deleteClosings, [.text(practice)])
    }

    /// The closing that the register announced last.
    static func closing(of practice: String, _ reader: any Reader) throws -> (on: CalendarDate, load: String)?
    {
        try reader.first(closing, [.text(practice)]) { (try $0.date(0), $0.text(1)) }
    }
}
