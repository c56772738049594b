public import Logging
public import SwiftProtobuf

/// Everything a handler knows about the call it serves, beside the request: who calls, until when, and the one door
/// through which it changes state (`commit`).
public struct CallContext: Sendable {
    public let caller: Caller
    // Two references and nothing else: a context is copied several times a call, and most handlers ask for little of it.
    private let host: any CallHost

    public var method: MethodDescriptor { host.method }
    /// When the caller gives up. The Host ends the call then; long handlers check `isExpired` between steps.
    public var deadline: Instant { host.deadline }
    /// Ties the call's audit, log and reply together.
    public var correlationID: String { host.correlationID }
    /// W3C `traceparent` as received; empty when none came.
    public var traceParent: String { host.traceParent }

    /// Names the call in what it logs.
    public var logger: Logger {
        // Made when asked for: most calls log nothing, and a logger with a name of its own costs as much as a gate.
        var logger = host.logger
        logger[metadataKey: "correlation"] = .string(correlationID)
        return logger
    }

    public init(caller: Caller, host: any CallHost) {
        self.caller = caller
        self.host = host
    }

    /// The Host's clock.
    public var now: Instant { host.clock.now }
    /// Today in England.
    public var today: CalendarDate { host.clock.today }
    public var isExpired: Bool { now >= deadline }

    /// Makes the call's effect: runs `body` in one transaction of the plugin's store, and in the same transaction keeps
    /// the reply under the caller's idempotency key, the events that `body` publishes, and the audit row.
    ///
    /// Call it once, last. When the key has been used before for the same request, `body` does not run and the stored
    /// reply is returned; for another request it throws `IDEMPOTENCY_KEY_REUSED`. Returns only when all of it is
    /// durable. `body` may be run again and must have no effect outside the transaction; when it throws, nothing
    /// happened.
    public nonisolated(nonsending) func commit<Reply: Message & Sendable>(
        _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Reply {
        try await host.commit(self, body)
    }

    /// Same as `call.caller.responsible == other` refused: throws `SECOND_PERSON_REQUIRED` naming `step`.
    public func requireOtherPerson(than other: String, step: String) throws {
        try host.requireOtherPerson(self, than: other, step: step)
    }
}

/// The Host's side of one call, behind its `CallContext`.
public protocol CallHost: Sendable {
    var method: MethodDescriptor { get }
    var deadline: Instant { get }
    var correlationID: String { get }
    var traceParent: String { get }
    /// Of the plugin; it does not name the call.
    var logger: Logger { get }
    var clock: any HostClock { get }
    nonisolated(nonsending) func commit<Reply: Message & Sendable>(
        _ call: CallContext, _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Reply
    func requireOtherPerson(_ call: CallContext, than other: String, step: String) throws
}
