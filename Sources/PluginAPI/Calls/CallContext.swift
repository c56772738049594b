public import Logging
public import SwiftProtobuf

/// Everything a handler knows about the call it serves, beside the request: who calls, until when, and the one door
/// through which it changes state (`commit`).
public struct CallContext: Sendable {
    public let method: MethodDescriptor
    public let caller: Caller
    /// When the caller gives up. The Host ends the call then; long handlers check `isExpired` between steps.
    public let deadline: Instant
    /// Ties the call's audit, log and reply together.
    public let correlationID: String
    /// W3C `traceparent` as received; empty when none came.
    public let traceParent: String
    private let plainLogger: Logger
    private let host: any CallHost

    /// Names the call in what it logs.
    public var logger: Logger {
        // Made when asked for: most calls log nothing, and a logger with a name of its own costs as much as a gate.
        var logger = plainLogger
        logger[metadataKey: "correlation"] = .string(correlationID)
        return logger
    }

    public init(
        method: MethodDescriptor, caller: Caller, deadline: Instant, correlationID: String, traceParent: String,
        logger: Logger, host: any CallHost
    ) {
        self.method = method
        self.caller = caller
        self.deadline = deadline
        self.correlationID = correlationID
        self.traceParent = traceParent
        plainLogger = logger
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

/// The Host's side of `CallContext`.
public protocol CallHost: Sendable {
    var clock: any HostClock { get }
    nonisolated(nonsending) func commit<Reply: Message & Sendable>(
        _ call: CallContext, _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Reply
    func requireOtherPerson(_ call: CallContext, than other: String, step: String) throws
}
