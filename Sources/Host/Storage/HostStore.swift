package import Logging
package import PluginAPI
package import SwiftProtobuf
import Synchronization

/// What a commit came to.
package struct Committed<Reply: Sendable>: Sendable {
    package var reply: Reply
    /// The key had been used before: nothing was done now, and `reply` is what was stored then.
    package var replayed: Bool
}

/// The Host's view of one database: a plugin's tables, and the system tables `pcs_*` in the same file. To a
/// plugin it is its `Store`.
package final class HostStore: Store, Sendable {
    package let name: String
    let clock: any HostClock
    let logger: Logger
    let chain: AuditChain
    private let identifiers = IdentifierMaker()
    private let current: Mutex<any Database>
    private let wake = Mutex<Wake?>(nil)

    /// Whom to wake after a commit that published events. A function bare in a `Mutex` would be wrapped once more at
    /// each access, so that the thousandth call went through a thousand wrappers.
    private struct Wake {
        let call: @Sendable () -> Void
    }

    package init(database: any Database, clock: any HostClock, logger: Logger) {
        name = database.name
        chain = AuditChain(name: database.name)
        current = Mutex(database)
        self.clock = clock
        self.logger = logger
    }

    package var database: any Database { current.withLock { $0 } }
    package var statistics: StoreStatistics { database.statistics }

    /// Puts a database of the same name, opened again after a restore, in the place of the closed one.
    package func exchange(_ database: any Database) {
        current.withLock { $0 = database }
        chain.forget()
    }

    /// Waits for queued writes and closes the file.
    package func close() async { await database.close() }

    // MARK: Reading and writing

    package func read<T>(_ body: (any Reader) throws -> T) throws -> T { try database.read(body) }

    package func write<T: Sendable>(
        actor: String, _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await effect { [self] sql in
            let transaction = begin(sql)
            let value = try body(transaction)
            let head = try finish(transaction, AuditedAct(actor: actor), always: false, in: sql)
            return Effect(value: value, head: head, hasPublished: transaction.hasPublished)
        }
    }

    /// Runs `body` and makes its effect, the key with the reply, the events and the audit rows durable in one
    /// transaction. When the key was used before for the same request, `body` does not run.
    ///
    /// - Throws: what `body` throws; `IDEMPOTENCY_KEY_REUSED`; `StorageError`. Nothing has happened then.
    package nonisolated(nonsending) func commit<Reply: Message & Sendable>(
        _ act: AuditedAct, key: IdempotencyClaim?,
        _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Committed<Reply> {
        try await effect { [self] sql in
            // Asked here, behind every earlier write: two calls with one key cannot both find it unused.
            if let key, let stored = try Idempotency.find(key, in: sql) {
                let reply = try Reply(serializedBytes: stored.reply)
                return Effect(value: Committed(reply: reply, replayed: true), head: nil, hasPublished: false)
            }
            let transaction = begin(sql)
            let reply = try body(transaction)
            let head = try finish(transaction, act, always: true, in: sql)
            if let key {
                let bytes: [UInt8] = try reply.serializedBytes()
                try Idempotency.keep(key, reply: bytes, at: transaction.now, in: sql)
            }
            return Effect(
                value: Committed(reply: reply, replayed: false), head: head,
                hasPublished: transaction.hasPublished)
        }
    }

    /// Writes an audit row for something that has no effect of its own: a refusal, or a sensitive read.
    package func record(_ act: AuditedAct, outcome: AuditOutcome, detail: String) async throws {
        try await effect { [self] sql in
            let note = AuditNote(object: "", detail: detail)
            let head = try chain.append(act, outcome: outcome, notes: [note], at: clock.now, in: sql)
            return Effect(value: (), head: head, hasPublished: false)
        }
    }

    // MARK: Audit

    /// Rows from `sequence` on, oldest first.
    /// - Parameter organisation: only rows that concern it.
    package func auditRows(from sequence: Int64, limit: Int, organisation: String? = nil) throws -> [AuditRow]
    {
        try read { reader in
            var values: [StoredValue] = [.integer(sequence), .integer(limit)]
            guard let organisation, !organisation.isEmpty else {
                return try reader.all(AuditChain.all, values, AuditChain.row)
            }
            values.append(.text(organisation))
            return try reader.all(AuditChain.ofOrganisation, values, AuditChain.row)
        }
    }

    /// Walks the chain from its first row and computes each hash again.
    package func verifyAudit() throws -> AuditVerification { try read { try chain.verify(in: $0) } }

    // MARK: Events

    /// Calls `wake` after each durable commit that published events. It must return fast.
    package func onPublish(_ wake: @escaping @Sendable () -> Void) {
        self.wake.withLock { $0 = Wake(call: wake) }
    }

    // MARK: One transaction

    /// A body's result, and what has to be known after the sync.
    struct Effect<Value: Sendable>: Sendable {
        var value: Value
        var head: AuditChain.Head?
        var hasPublished: Bool
    }

    func begin(_ sql: any SQLTransaction) -> HostTransaction {
        HostTransaction(sql, now: clock.now, identifiers: identifiers)
    }

    /// Writes the audit rows of what `transaction` did.
    /// - Parameter always: also when it changed nothing. A job that finds nothing to do leaves no row.
    func finish(
        _ transaction: HostTransaction, _ act: AuditedAct, always: Bool, in sql: any SQLTransaction
    ) throws -> AuditChain.Head? {
        guard always || transaction.hasChanged || !transaction.notes.isEmpty else { return nil }
        return try chain.append(act, outcome: .done, notes: transaction.notes, at: transaction.now, in: sql)
    }

    nonisolated(nonsending) func effect<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Effect<Value>
    ) async throws -> Value {
        let effect = try await database.write(body)
        if let head = effect.head { chain.acknowledge(head) }
        if effect.hasPublished, let wake = wake.withLock({ $0 }) { wake.call() }
        return effect.value
    }
}
