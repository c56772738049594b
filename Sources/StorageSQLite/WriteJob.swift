import PluginAPI

/// A body that waits for the writer, and the caller that waits for it. Types are erased here, so that bodies
/// of every result share one queue.
class WriteJob {
    /// Why this body alone did not take effect.
    fileprivate(set) var failure: (any Error)?

    /// Runs the body; keeps its result or failure. May be called again when the group is repeated.
    func execute(_ transaction: SQLiteTransaction) {}

    /// Ends the job: with `error` for the whole group, or else with what `execute` kept.
    func finish(_ error: (any Error)?) {}
}

/// A body with its result type. Belongs to the queue's lock, then to the writer's thread, which also ends it.
final class TypedWriteJob<Value: Sendable>: WriteJob {
    private let body: @Sendable (any SQLTransaction) throws -> Value
    private let caller: UnsafeContinuation<Value, any Error>
    private var value: Value?

    init(
        _ caller: UnsafeContinuation<Value, any Error>,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Value
    ) {
        self.caller = caller
        self.body = body
    }

    override func execute(_ transaction: SQLiteTransaction) {
        failure = nil
        do {
            value = try body(transaction)
        } catch {
            value = nil
            failure = error
        }
    }

    override func finish(_ error: (any Error)?) {
        if let error = error ?? failure {
            caller.resume(throwing: error)
        } else if let value {
            caller.resume(returning: value)
        } else {
            caller.resume(throwing: StorageError.closed)
        }
    }
}
