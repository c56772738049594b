import PluginAPI

/// Legal holds, and destructions by two people.
enum RetentionStore {
    struct Hold: Hashable, Sendable {
        var number: Int64
        var placedBy: String
        var isLifted: Bool
    }
    struct Destruction: Hashable, Sendable {
        /// Numbers follow `pcs.documents.v1.DestructionState`.
        enum State: Int64, Sendable {
            case proposed = 1
            case done = 2
            case refused = 3
        }
        var id: String
        var state: State
        var reason: String
        var proposedBy: String
        var decidedBy: String
        var documents: [String]
    }

    private static let insertHold = Statement(
        "INSERT INTO hold (document_id, number, placed_by, placed_at, reason) VALUES (?1, ?2, ?3, ?4, ?5)")
    private static let lift = Statement(
        """
        UPDATE hold SET lifted_by = ?3, lifted_at = ?4, lift_reason = ?5 WHERE document_id = ?1 AND number = ?2
        """)
    private static let holdsOf = Statement(
        "SELECT number, placed_by, lifted_at FROM hold WHERE document_id = ?1 ORDER BY number")
    private static let insertDestruction = Statement(
        """
        INSERT INTO destruction (destruction_id, state, reason, proposed_by, proposed_at) VALUES (?1, 1, ?2, ?3, ?4)
        """)
    private static let insertItem = Statement(
        "INSERT INTO destruction_item (destruction_id, document_id) VALUES (?1, ?2)")
    private static let destructionByID = Statement(
        "SELECT state, reason, proposed_by, decided_by FROM destruction WHERE destruction_id = ?1")
    private static let items = Statement(
        "SELECT document_id FROM destruction_item WHERE destruction_id = ?1 ORDER BY document_id")
    private static let decide = Statement(
        """
        UPDATE destruction SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5
        WHERE destruction_id = ?1
        """)

    static func holds(on id: String, _ reader: any Reader) throws -> [Hold] {
        try reader.all(holdsOf, [.text(id)]) {
            Hold(number: $0.integer(0), placedBy: $0.text(1), isLifted: !$0.isNull(2))
        }
    }

    static func isHeld(_ id: String, _ reader: any Reader) throws -> Bool {
        try holds(on: id, reader).contains { !$0.isLifted }
    }

    static func place(on id: String, by actor: String, reason: String, in transaction: any Transaction) throws
    {
        let number = try holds(on: id, transaction).count + 1
        try transaction.run(
            insertHold,
            [.text(id), .integer(number), .text(actor), .instant(transaction.now), .text(reason)])
    }

    static func lift(
        _ hold: Hold, on id: String, by actor: String, reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            lift,
            [.text(id), .integer(hold.number), .text(actor), .instant(transaction.now), .text(reason)])
    }

    static func propose(_ destruction: Destruction, in transaction: any Transaction) throws {
        try transaction.run(
            insertDestruction,
            [
                .text(destruction.id), .text(destruction.reason), .text(destruction.proposedBy),
                .instant(transaction.now),
            ])
        for id in destruction.documents {
            try transaction.run(insertItem, [.text(destruction.id), .text(id)])
        }
    }

    static func destruction(_ id: String, _ reader: any Reader) throws -> Destruction? {
        let documents = try reader.all(items, [.text(id)]) { $0.text(0) }
        return try reader.first(destructionByID, [.text(id)]) { row in
            guard let state = Destruction.State(rawValue: row.integer(0)) else {
                throw StoredValueError(message: "destruction \(id) is not as it was written")
            }
            return Destruction(
                id: id, state: state, reason: row.text(1), proposedBy: row.text(2), decidedBy: row.text(3),
                documents: documents)
        }
    }

    static func decide(
        _ destruction: Destruction, reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            decide,
            [
                .text(destruction.id), .integer(destruction.state.rawValue), .text(destruction.decidedBy),
                .instant(transaction.now), .text(reason),
            ])
    }
}
