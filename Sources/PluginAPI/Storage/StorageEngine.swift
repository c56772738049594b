/// Opens databases. The Host stands on this; plugins see only `Store`. Implementations pass the compatibility suite of
/// the PluginTestKit.
public protocol StorageEngine: Sendable {
    /// Opens the database `name`, creating it when new. Recovers by itself from a crash.
    func open(_ name: String) throws -> any Database
    /// Names of the databases that exist.
    func existing() throws -> [String]
    /// Copies `databases` as of one common moment into `folder`, while they are in use: no write that had been
    /// acknowledged is missing from any copy, and no effect is in one copy without what went before it in another.
    /// Returns the file names, by database name.
    func backup(_ databases: [any Database], to folder: String) async throws -> [String: String]
    /// An engine over the databases in another folder, for verifying a backup.
    func engine(in folder: String) throws -> any StorageEngine
    /// Puts the copy of database `name` in `folder` in the place of the present one, which must be closed.
    func restore(_ name: String, from folder: String) throws
}

/// One open database with one writer and many readers.
public protocol Database: Sendable {
    var name: String { get }
    /// Reads on a snapshot, synchronously, on the calling thread.
    func read<T>(_ body: (any Reader) throws -> T) throws -> T
    /// Queues `body` for the writer. Bodies that wait together share one sync; each runs in a savepoint of its own, so
    /// one that throws rolls back alone. Returns after the sync. Throws `StorageError.overloaded` when the queue is
    /// full. `body` may be run again when the group has to be repeated.
    nonisolated(nonsending) func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T
    /// Checks pages, foreign keys and types; returns what is wrong, nothing when sound.
    func check() throws -> [String]
    /// Waits for queued writes and closes. Safe to call twice.
    func close() async
    var statistics: StoreStatistics { get }
}

public struct StoreStatistics: Sendable, Hashable {
    public var bytes: Int64
    public var writes: Int64
    public var commits: Int64
    public var queueLength: Int
    public init(bytes: Int64, writes: Int64, commits: Int64, queueLength: Int) {
        self.bytes = bytes
        self.writes = writes
        self.commits = commits
        self.queueLength = queueLength
    }
}

public enum StorageError: Error, Sendable, Hashable {
    /// The writer's queue is full; nothing was started.
    case overloaded
    case closed
    /// The engine refused: code and text of the driver, for the log only.
    case engine(code: Int32, message: String)
    /// A constraint refused the row (unique, foreign key, check, not null).
    case constraint(message: String)
    /// The file is not usable as it is: wrong durability setting, newer schema, damaged.
    case unusable(message: String)
}
