import CSQLite
import PluginAPI

/// One connection of libsqlite3 with its prepared statements. One thread uses it at a time: the writer's own,
/// or the one that has borrowed it from the pool. That, and nothing in here, makes it safe to hand from
/// thread to thread.
final class SQLiteConnection: @unchecked Sendable {
    enum Mode { case writer, reader }

    private static let configured: Void = { _ = pcs_sqlite_configure() }()

    private let handle: OpaquePointer
    private var statements = StatementCache()
    private var controls: [PreparedStatement?] = Array(repeating: nil, count: Control.allCases.count)
    private var isClosed = false
    /// Counts the leases: a reader or transaction kept beyond its closure finds another number and is
    /// refused.
    private(set) var lease: UInt64 = 0
    /// Counts what begins and what is undone.
    private(set) var epoch: UInt64 = 0

    /// - Throws: `StorageError.unusable` when the file cannot be opened or is no database.
    init(path: String, mode: Mode, creating: Bool = false) throws {
        _ = SQLiteConnection.configured
        let access =
            switch mode {
            case .writer: SQLITE_OPEN_READWRITE | (creating ? SQLITE_OPEN_CREATE : 0)
            case .reader: SQLITE_OPEN_READONLY
            }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let failure = SQLiteError.last(of: opened, doing: "open")
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        sqlite3_busy_timeout(opened, 5_000)
        _ = pcs_sqlite_set_defensive(opened)
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        statements.removeAll()
        controls = []
        sqlite3_close_v2(handle)
    }

    // MARK: Statements

    /// Runs `sql` outside the cache: settings and transaction control of the engine itself.
    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw SQLiteError.last(of: handle, doing: sql)
        }
    }

    /// First column of each row, as text: for settings and checks.
    func texts(_ sql: String) throws -> [String] {
        let statement = try PreparedStatement(sql, on: handle, lasting: false)
        var result: [String] = []
        try step(statement) { result.append($0.text(0)) }
        return result
    }

    func forEach(_ statement: Statement, _ values: [StoredValue], _ body: (any Row) throws -> Void) throws {
        let prepared = try borrow(statement)
        defer { giveBack(prepared) }
        try prepared.bind(values)
        try step(prepared, body)
    }

    func run(_ statement: Statement, _ values: [StoredValue]) throws -> Int {
        let prepared = try borrow(statement)
        defer { giveBack(prepared) }
        try prepared.bind(values)
        // The library's count stays that of an earlier statement when this one cannot change rows.
        let before = sqlite3_total_changes64(handle)
        try step(prepared) { _ in }
        return sqlite3_total_changes64(handle) == before ? 0 : Int(sqlite3_changes64(handle))
    }

    private func step(_ prepared: PreparedStatement, _ body: (any Row) throws -> Void) throws {
        let row = SQLiteRow(statement: prepared.handle)
        while true {
            switch sqlite3_step(prepared.handle) {
            case SQLITE_ROW: try body(row)
            case SQLITE_DONE: return
            default: throw SQLiteError.last(of: handle)
            }
        }
    }

    private func borrow(_ statement: Statement) throws -> PreparedStatement {
        if let known = statements.find(statement) {
            if !known.isBusy {
                known.isBusy = true
                return known
            }
            // Read inside its own result: a second one for this use only.
            return try PreparedStatement(statement.sql, on: handle, lasting: false)
        }
        try SQLiteConnection.refuseControl(statement.sql)
        let prepared = try PreparedStatement(statement.sql, on: handle, lasting: true)
        statements.add(prepared, for: statement)
        prepared.isBusy = true
        return prepared
    }

    private func giveBack(_ prepared: PreparedStatement) {
        sqlite3_reset(prepared.handle)
        prepared.isBusy = false
    }

    private static let control: Set<String> = [
        "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "PRAGMA", "VACUUM",
    ]

    /// A body that ended or settled a transaction by itself would take its neighbours in the group with it.
    private static func refuseControl(_ sql: String) throws {
        let word = sql.drop { $0.isWhitespace }.prefix { $0.isLetter }.uppercased()
        if control.contains(word) {
            throw StorageError.engine(code: SQLITE_AUTH, message: "\(word) belongs to the engine")
        }
    }

    // MARK: Transactions

    /// False while a transaction is open.
    var isIdle: Bool { sqlite3_get_autocommit(handle) != 0 }

    func endLease() { lease &+= 1 }

    enum Control: Int, CaseIterable {
        case begin, beginImmediate, commit, rollback, savepoint, release, rollbackToSavepoint

        var sql: String {
            switch self {
            case .begin: "BEGIN"
            case .beginImmediate: "BEGIN IMMEDIATE"
            case .commit: "COMMIT"
            case .rollback: "ROLLBACK"
            case .savepoint: "SAVEPOINT body"
            case .release: "RELEASE body"
            case .rollbackToSavepoint: "ROLLBACK TO body"
            }
        }
    }

    func control(_ control: Control) throws {
        switch control {
        case .begin, .beginImmediate, .rollback, .rollbackToSavepoint: epoch &+= 1
        case .commit, .savepoint, .release: break
        }
        let prepared: PreparedStatement
        if let known = controls[control.rawValue] {
            prepared = known
        } else {
            prepared = try PreparedStatement(control.sql, on: handle, lasting: true)
            controls[control.rawValue] = prepared
        }
        let code = sqlite3_step(prepared.handle)
        let failure = code == SQLITE_DONE ? nil : SQLiteError.last(of: handle, doing: control.sql)
        sqlite3_reset(prepared.handle)
        if let failure { throw failure }
    }

    // MARK: The log

    /// Moves what it can from the log into the file without waiting for anybody.
    /// - Returns: false when another checkpoint is at work.
    func checkpoint() throws -> Bool {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        if code & 0xFF == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else { throw SQLiteError.last(of: handle, doing: "checkpoint") }
        return true
    }

    /// Calls `hook` on the connection's thread after each commit with the number of frames in the log, in
    /// place of the library's own checkpoint. `context` must outlive the connection.
    func onCommit(
        _ context: UnsafeMutableRawPointer,
        _ hook:
            @escaping @convention(c) (
                UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, Int32
            ) -> Int32
    ) {
        sqlite3_wal_hook(handle, hook, context)
    }

    /// Copies all pages, as this connection's open transaction sees them, to a new file.
    func copyPages(to path: String) throws {
        let target = try SQLiteConnection(path: path, mode: .writer, creating: true)
        defer { target.close() }
        // The copy is flushed once, as a whole, by the caller.
        try target.execute("PRAGMA synchronous = OFF")
        guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw SQLiteError.last(of: target.handle, doing: "backup")
        }
        var code = SQLITE_OK
        while code == SQLITE_OK { code = sqlite3_backup_step(backup, 1_024) }
        let finished = sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, finished == SQLITE_OK else {
            throw SQLiteError.last(of: target.handle, doing: "backup")
        }
    }
}

/// What a read body sees of its connection, for as long as it has it.
struct SQLiteReader: Reader {
    let connection: SQLiteConnection
    let lease: UInt64

    init(_ connection: SQLiteConnection) {
        self.connection = connection
        self.lease = connection.lease
    }

    func forEach(_ statement: Statement, _ values: [StoredValue], _ body: (any Row) throws -> Void) throws {
        guard lease == connection.lease else { throw StorageError.closed }
        try connection.forEach(statement, values, body)
    }
}

/// What a write body sees of the writer's connection, for as long as its savepoint is open.
struct SQLiteTransaction: SQLTransaction {
    let connection: SQLiteConnection
    let lease: UInt64
    var epoch: UInt64 { connection.epoch }

    init(_ connection: SQLiteConnection) {
        self.connection = connection
        self.lease = connection.lease
    }

    func forEach(_ statement: Statement, _ values: [StoredValue], _ body: (any Row) throws -> Void) throws {
        try checkOpen()
        try connection.forEach(statement, values, body)
    }

    @discardableResult
    func run(_ statement: Statement, _ values: [StoredValue]) throws -> Int {
        try checkOpen()
        return try connection.run(statement, values)
    }

    /// A full disk or a failed page ends the whole transaction. A body that goes on nevertheless would commit
    /// each of its further statements by itself.
    private func checkOpen() throws {
        guard lease == connection.lease, !connection.isIdle else { throw StorageError.closed }
    }
}
