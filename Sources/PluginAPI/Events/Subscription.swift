public import SwiftProtobuf

/// An event as it was published.
public struct EventEnvelope: Hashable, Sendable {
    /// Name of the plugin that published it, or `host`.
    public let publisher: String
    /// Position in the publisher's outbox; unique there, rising.
    public let sequence: Int64
    public let type: String
    public let key: String
    public let occurredAt: Instant

    public init(publisher: String, sequence: Int64, type: String, key: String, occurredAt: Instant) {
        self.publisher = publisher
        self.sequence = sequence
        self.type = type
        self.key = key
        self.occurredAt = occurredAt
    }
}

/// A plugin's wish to receive one type of event from one publisher.
///
/// The handler runs in a transaction of the receiver's store, together with the inbox row that makes a second delivery
/// do nothing: each event takes effect exactly once. It must not wait for anything. When it throws, the event is tried
/// again and then parked for an operator; later events of the same key wait behind it.
public struct Subscription: Sendable {
    public let publisher: String
    public let eventType: String
    public let handle: @Sendable (EventEnvelope, [UInt8], any Transaction) throws -> Void

    public init<Event: Message & Sendable>(
        to type: Event.Type, from publisher: String,
        _ handle: @escaping @Sendable (Event, EventEnvelope, any Transaction) throws -> Void
    ) {
        self.publisher = publisher
        self.eventType = Event.protoMessageName
        self.handle = { envelope, bytes, transaction in
            try handle(try Event(serializedBytes: bytes), envelope, transaction)
        }
    }
}
