package import PluginAPI

/// An event as its publisher keeps it, for good.
package struct OutboxEvent: Hashable, Sendable {
    package var sequence: Int64
    package var type: String
    package var key: String
    package var payload: [UInt8]
    package var occurredAt: Instant

    package init(sequence: Int64, type: String, key: String, payload: [UInt8], occurredAt: Instant) {
        self.sequence = sequence
        self.type = type
        self.key = key
        self.payload = payload
        self.occurredAt = occurredAt
    }

    func envelope(publisher: String) -> EventEnvelope {
        EventEnvelope(publisher: publisher, sequence: sequence, type: type, key: key, occurredAt: occurredAt)
    }
}

extension HostStore {
    /// Events behind `sequence`, in the order of publishing.
    package func outbox(after sequence: Int64, limit: Int) throws -> [OutboxEvent] {
        try read { reader in
            try reader.all(HostStore.selectOutbox, [.integer(sequence), .integer(limit)], HostStore.event)
        }
    }

    /// The event with this sequence, or `nil`.
    package func outboxEvent(_ sequence: Int64) throws -> OutboxEvent? {
        try read { try $0.first(HostStore.selectEvent, [.integer(sequence)], HostStore.event) }
    }

    /// Sequence of the last event published; 0 when there is none.
    package func outboxHead() throws -> Int64 {
        try read { try $0.first(HostStore.selectHead) { $0.integer(0) } } ?? 0
    }

    /// How many events of a type lie behind `sequence`.
    package func outboxCount(of type: String, after sequence: Int64) throws -> Int64 {
        try read { try $0.first(HostStore.countOutbox, [.integer(sequence), .text(type)]) { $0.integer(0) } }
            ?? 0
    }

    private static func event(_ row: any Row) -> OutboxEvent {
        OutboxEvent(
            sequence: row.integer(0), type: row.text(1), key: row.text(2), payload: row.blob(3),
            occurredAt: row.instant(4))
    }

    private static let selectOutbox = Statement(
        """
        SELECT sequence, event_type, event_key, payload, occurred_at FROM pcs_outbox
        WHERE sequence > ?1 ORDER BY sequence LIMIT ?2
        """)
    private static let selectEvent = Statement(
        "SELECT sequence, event_type, event_key, payload, occurred_at FROM pcs_outbox WHERE sequence = ?1")
    private static let selectHead = Statement("SELECT coalesce(max(sequence), 0) FROM pcs_outbox")
    private static let countOutbox = Statement(
        "SELECT count(*) FROM pcs_outbox WHERE sequence > ?1 AND event_type = ?2")
}
