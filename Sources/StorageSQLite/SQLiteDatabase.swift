import Dispatch
import PluginAPI
import Synchronization

/// One SQLite file with its writer, its readers and its checkpoints.
final class SQLiteDatabase: Database {
    let name: String
    let path: String
    private let writer: Writer
    private let readers: ReaderPool
    private let checkpointer: Checkpointer
    private let connection: SQLiteConnection
    /// Tells the engine, once, that the file is free again.
    private let onClose: Mutex<Ending?>

    private struct Ending {
        let call: @Sendable () -> Void
    }

    init(
        name: String, path: String, queueLimit: Int, readersKept: Int, queue: DispatchQueue,
        onClose: @escaping @Sendable () -> Void
    ) throws {
        self.name = name
        self.path = path
        connection = try SQLiteDatabase.openWriter(path, name: name)
        checkpointer = Checkpointer(path: path, queue: queue)
        readers = ReaderPool(path: path, kept: readersKept)
        writer = Writer(
            name: name, connection: connection, checkpointer: checkpointer, queueLimit: queueLimit)
        self.onClose = Mutex(Ending(call: onClose))
    }

    deinit { writer.requestClose() }

    /// Settings that durability and correctness hang on are read back: a setting that did not take is a
    /// refusal.
    private static func openWriter(_ path: String, name: String) throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, mode: .writer, creating: true)
        let settings: [(name: String, value: String, reads: String)] = [
            ("journal_mode", "WAL", "wal"), ("synchronous", "FULL", "2"), ("foreign_keys", "ON", "1"),
            ("fullfsync", "ON", "1"), ("journal_size_limit", "33554432", "33554432"),
            ("temp_store", "MEMORY", "2"),
            ("cache_size", "-8192", "-8192"), ("trusted_schema", "OFF", "0"),
        ]
        for setting in settings {
            try connection.execute("PRAGMA \(setting.name) = \(setting.value)")
            let reads = try connection.texts("PRAGMA \(setting.name)").first
            guard reads == setting.reads else {
                throw StorageError.unusable(
                    message:
                        "database \(name): \(setting.name) reads \(reads ?? "nothing"), must be \(setting.reads)"
                )
            }
        }
        return connection
    }

    func read<T>(_ body: (any Reader) throws -> T) throws -> T { try readers.read(body) }

    nonisolated(nonsending) func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { caller in
            writer.submit(TypedWriteJob(caller, body))
        }
    }

    func check() throws -> [String] {
        try readers.withConnection { connection in
            let pages = try connection.texts("PRAGMA integrity_check").filter { $0 != "ok" }
            let keys = try connection.texts(
                "SELECT \"table\" || ' row ' || ifnull(rowid, '?') FROM pragma_foreign_key_check")
            return pages + keys.map { "a foreign key of \($0) finds no row" }
        }
    }

    var statistics: StoreStatistics {
        let counts = writer.statistics
        return StoreStatistics(
            bytes: Files.size(path) + Files.size(path + "-wal"), writes: counts.writes,
            commits: counts.commits,
            queueLength: counts.queue)
    }

    func close() async {
        await writer.close()
        await readers.close()
        await checkpointer.close()
        let ending = onClose.withLock { ending in
            defer { ending = nil }
            return ending
        }
        guard let ending else { return }
        // The last connection moves the whole log into the file and removes it.
        connection.close()
        ending.call()
    }

    // MARK: For backups

    func pause() async { await writer.pause() }

    func proceed() { writer.proceed() }

    /// A connection with a read transaction whose snapshot is the present state.
    func pin(_ connection: SQLiteConnection) throws {
        try connection.control(.begin)
        _ = try connection.texts("SELECT count(*) FROM sqlite_schema")
    }
}
