import PluginAPI
import Synchronization

/// Read connections, each lent to one reading closure at a time. Borrowing never waits: when all are lent,
/// one more is opened, and those beyond the number kept are closed when they come back.
final class ReaderPool: Sendable {
    private struct State {
        var idle: [SQLiteConnection] = []
        var lent = 0
        var isClosed = false
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let path: String
    private let kept: Int
    private let state = Mutex(State())

    init(path: String, kept: Int) {
        self.path = path
        self.kept = kept
    }

    /// Runs `body` in one read transaction: all its statements see the snapshot of the first one.
    func read<T>(_ body: (any Reader) throws -> T) throws -> T {
        let connection = try borrow()
        defer { giveBack(connection) }
        try connection.control(.begin)
        defer {
            connection.endLease()
            if !connection.isIdle, (try? connection.control(.commit)) == nil {
                try? connection.control(.rollback)
            }
        }
        return try body(SQLiteReader(connection))
    }

    /// A connection outside any transaction, for checks.
    func withConnection<T>(_ body: (SQLiteConnection) throws -> T) throws -> T {
        let connection = try borrow()
        defer { giveBack(connection) }
        return try body(connection)
    }

    private func borrow() throws -> SQLiteConnection {
        let known: SQLiteConnection? = try state.withLock { state in
            if state.isClosed { throw StorageError.closed }
            state.lent += 1
            return state.idle.popLast()
        }
        if let known { return known }
        do {
            return try ReaderPool.open(path)
        } catch {
            settle(nil)
            throw error
        }
    }

    static func open(_ path: String) throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, mode: .reader)
        try connection.execute("PRAGMA query_only = ON")
        return connection
    }

    private func giveBack(_ connection: SQLiteConnection) { settle(connection) }

    private func settle(_ connection: SQLiteConnection?) {
        let (surplus, waiters) = state.withLock {
            state -> (SQLiteConnection?, [CheckedContinuation<Void, Never>]) in
            state.lent -= 1
            guard state.isClosed || state.idle.count >= kept else {
                if let connection { state.idle.append(connection) }
                return (nil, [])
            }
            guard state.isClosed, state.lent == 0 else { return (connection, []) }
            defer { state.closeWaiters = [] }
            return (connection, state.closeWaiters)
        }
        surplus?.close()
        for waiter in waiters { waiter.resume() }
    }

    /// Refuses further reads and returns when those running have ended.
    func close() async {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        for connection in idle { connection.close() }
        await withCheckedContinuation { caller in
            let isDone = state.withLock { state in
                if state.lent == 0 { return true }
                state.closeWaiters.append(caller)
                return false
            }
            if isDone { caller.resume() }
        }
    }
}
