package import PluginAPI

/// What became of a delivery.
package enum DeliveryOutcome: Hashable, Sendable {
    /// It took effect now.
    case delivered
    /// It had taken effect before; nothing was done.
    case alreadyDelivered
    /// An earlier event of its key is parked; it waits behind it.
    case waitsBehind
}

/// An event that has not taken effect although the inbox is past it.
package struct HeldEvent: Hashable, Sendable {
    package var publisher: String
    package var sequence: Int64
    package var type: String
    package var key: String
    /// 0 for one that waits behind another of its key.
    package var attempts: Int
    package var failure: String
    package var parkedAt: Instant
    /// Sequence of the first event of the key that is held; its own when it is that one.
    package var head: Int64
}

/// A subscription's handler failed on this event of a batch; nothing of the batch took effect.
struct DeliveryFault: Error {
    let index: Int
    let cause: any Error
}

/// Receiving events. The position of a type and the held events tell together what has taken effect, and they
/// change in the transaction of the effect: that is what makes a delivery that is repeated do nothing.
extension HostStore {
    package typealias EventHandler = @Sendable (EventEnvelope, [UInt8], any Transaction) throws -> Void

    /// Delivers one event.
    package func deliver(
        _ event: OutboxEvent, from publisher: String, to handle: @escaping EventHandler
    ) async throws -> DeliveryOutcome {
        do {
            let outcomes = try await deliver(
                [event], upTo: [event.type: event.sequence], from: publisher, to: [event.type: handle])
            return outcomes[0]
        } catch let fault as DeliveryFault {
            throw fault.cause
        }
    }

    /// Delivers a run of events of one publisher, in order, in one transaction.
    /// - Parameter positions: up to where each type has been dealt with once the batch is.
    /// - Throws: `DeliveryFault` when a handler fails; then nothing of the batch took effect.
    func deliver(
        _ events: [OutboxEvent], upTo positions: [String: Int64], from publisher: String,
        to handlers: [String: EventHandler]
    ) async throws -> [DeliveryOutcome] {
        try await effect { [self] sql in
            let before = try HostStore.positions(of: publisher, in: sql)
            var outcomes: [DeliveryOutcome] = []
            var head: AuditChain.Head?
            var hasPublished = false
            for (index, event) in events.enumerated() {
                guard event.sequence > before[event.type] ?? 0, let handle = handlers[event.type] else {
                    outcomes.append(.alreadyDelivered)
                    continue
                }
                if try HostStore.isHeld(event.key, of: publisher, in: sql) {
                    try HostStore.hold(event, of: publisher, attempts: 0, failure: "", at: clock.now, in: sql)
                    outcomes.append(.waitsBehind)
                    continue
                }
                do {
                    let transaction = begin(sql)
                    try handle(event.envelope(publisher: publisher), event.payload, transaction)
                    head =
                        try finish(
                            transaction, HostStore.act(of: event, from: publisher), always: false, in: sql)
                        ?? head
                    hasPublished = hasPublished || transaction.hasPublished
                } catch {
                    throw DeliveryFault(index: index, cause: error)
                }
                outcomes.append(.delivered)
            }
            for (type, position) in positions where position > before[type] ?? 0 {
                try HostStore.setPosition(publisher, type, position, in: sql)
            }
            return Effect(value: outcomes, head: head, hasPublished: hasPublished)
        }
    }

    /// Puts an event aside that failed at its first delivery; later ones of its key will wait behind it.
    func hold(_ event: OutboxEvent, from publisher: String, failure: String) async throws {
        try await effect { [self] sql in
            if event.sequence > (try HostStore.positions(of: publisher, in: sql)[event.type] ?? 0) {
                // Its key may have come to be held since it was tried: then it has not had its turn.
                let waits = try HostStore.isHeld(event.key, of: publisher, in: sql)
                try HostStore.hold(
                    event, of: publisher, attempts: waits ? 0 : 1, failure: waits ? "" : failure,
                    at: clock.now, in: sql)
                try HostStore.setPosition(publisher, event.type, event.sequence, in: sql)
            }
            return Effect(value: (), head: nil, hasPublished: false)
        }
    }

    /// Delivers an event that is held and the first of its key.
    func deliverHeld(
        _ event: OutboxEvent, from publisher: String, to handle: @escaping EventHandler
    ) async throws -> DeliveryOutcome {
        try await effect { [self] sql in
            let gone = try sql.run(HostStore.removeHeld, [.text(publisher), .integer(event.sequence)]) == 0
            if gone { return Effect(value: .alreadyDelivered, head: nil, hasPublished: false) }
            let transaction = begin(sql)
            try handle(event.envelope(publisher: publisher), event.payload, transaction)
            let act = HostStore.act(of: event, from: publisher)
            let head = try finish(transaction, act, always: false, in: sql)
            return Effect(value: .delivered, head: head, hasPublished: transaction.hasPublished)
        }
    }

    /// Counts one more failed attempt of a held event; returns how many there have been.
    func countAttempt(_ sequence: Int64, from publisher: String, failure: String) async throws -> Int {
        try await effect { [self] sql in
            let values: [StoredValue] = [
                .text(publisher), .integer(sequence), .text(failure), .instant(clock.now),
            ]
            let attempts = try sql.first(HostStore.addAttempt, values) { Int($0.integer(0)) } ?? 0
            return Effect(value: attempts, head: nil, hasPublished: false)
        }
    }

    private static func act(of event: OutboxEvent, from publisher: String) -> AuditedAct {
        AuditedAct(actor: "event/\(publisher)/\(event.type)/\(event.sequence)")
    }

    // MARK: Asking

    /// Up to where events of a type have been dealt with.
    package func position(of publisher: String, type: String) throws -> Int64 {
        try positions(of: publisher)[type] ?? 0
    }

    package func positions(of publisher: String) throws -> [String: Int64] {
        try read { try HostStore.positions(of: publisher, in: $0) }
    }

    /// All held events, in order.
    package func heldEvents() throws -> [HeldEvent] {
        try read { reader in
            var heads: [String: Int64] = [:]
            return try reader.all(HostStore.selectHeld) { row in
                let publisher = row.text(0)
                let key = row.text(3)
                let head = heads[publisher + "\n" + key] ?? row.integer(1)
                heads[publisher + "\n" + key] = head
                return HeldEvent(
                    publisher: publisher, sequence: row.integer(1), type: row.text(2), key: key,
                    attempts: Int(row.integer(4)), failure: row.text(5), parkedAt: row.instant(6), head: head)
            }
        }
    }

    /// The first held event of a key, or `nil` when none is held.
    func firstHeld(_ key: String, of publisher: String) throws -> (sequence: Int64, attempts: Int)? {
        try read { reader in
            try reader.first(HostStore.selectFirst, [.text(publisher), .text(key)]) { row in
                (sequence: row.integer(0), attempts: Int(row.integer(1)))
            }
        }
    }

    private static func positions(of publisher: String, in reader: any Reader) throws -> [String: Int64] {
        var result: [String: Int64] = [:]
        try reader.forEach(selectPositions, [.text(publisher)]) { result[$0.text(0)] = $0.integer(1) }
        return result
    }

    private static func isHeld(_ key: String, of publisher: String, in reader: any Reader) throws -> Bool {
        try reader.first(selectFirst, [.text(publisher), .text(key)]) { _ in true } ?? false
    }

    private static func hold(
        _ event: OutboxEvent, of publisher: String, attempts: Int, failure: String, at: Instant,
        in sql: any SQLTransaction
    ) throws {
        try sql.run(
            insertHeld,
            [
                .text(publisher), .integer(event.sequence), .text(event.type), .text(event.key),
                .integer(attempts),
                .text(failure), .instant(at),
            ])
    }

    private static func setPosition(
        _ publisher: String, _ type: String, _ position: Int64, in sql: any SQLTransaction
    ) throws {
        try sql.run(upsertPosition, [.text(publisher), .text(type), .integer(position)])
    }

    // MARK: SQL

    private static let selectPositions = Statement(
        "SELECT event_type, position FROM pcs_inbox WHERE publisher = ?1")
    private static let upsertPosition = Statement(
        """
        INSERT INTO pcs_inbox (publisher, event_type, position) VALUES (?1, ?2, ?3)
        ON CONFLICT (publisher, event_type) DO UPDATE SET position = excluded.position
        """)
    private static let insertHeld = Statement(
        """
        INSERT INTO pcs_parked (publisher, sequence, event_type, event_key, attempts, failure, parked_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let removeHeld = Statement("DELETE FROM pcs_parked WHERE publisher = ?1 AND sequence = ?2")
    private static let addAttempt = Statement(
        """
        UPDATE pcs_parked SET attempts = attempts + 1, failure = ?3, parked_at = ?4
        WHERE publisher = ?1 AND sequence = ?2 RETURNING attempts
        """)
    private static let selectFirst = Statement(
        """
        SELECT sequence, attempts FROM pcs_parked WHERE publisher = ?1 AND event_key = ?2
        ORDER BY sequence LIMIT 1
        """)
    private static let selectHeld = Statement(
        """
        SELECT publisher, sequence, event_type, event_key, attempts, failure, parked_at FROM pcs_parked
        ORDER BY publisher, sequence
        """)
}
