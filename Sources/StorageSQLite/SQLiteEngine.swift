import CSQLite
import Dispatch
package import PluginAPI
import Synchronization

/// The embedded engine: a SQLite file per database in one folder, with group commit.
///
/// Durability: `write` returns after the write-ahead log has been flushed to the disk (`synchronous = FULL`,
/// read back at open). After a crash, opening a file takes over what its log holds; nothing else is needed.
///
/// One process owns the folder while any database in it is open, and one `Database` each file.
package final class SQLiteEngine: StorageEngine {
    package static let queueLimit = 4_096

    private struct State {
        var open: Set<String> = []
        var lock: FolderLock?
    }

    let folder: String
    private let queueLimit: Int
    private let readersKept: Int
    private let state = Mutex(State())
    /// Checkpoints and backups: work that waits for the disk, away from callers' threads.
    let background = DispatchQueue(label: "pcs.storage", qos: .utility, attributes: .concurrent)

    /// Has no effect on the disk until a database is opened.
    /// - Parameter queueLimit: writes that may wait for a database's writer before `StorageError.overloaded`.
    /// - Parameter readersKept: idle read connections kept a database; more are opened when more threads read
    ///   at once.
    package init(folder: String, queueLimit: Int = SQLiteEngine.queueLimit, readersKept: Int = 8) {
        self.folder = folder
        self.queueLimit = queueLimit
        self.readersKept = readersKept
    }

    package func open(_ name: String) throws -> any Database {
        let path = try path(of: name)
        try state.withLock { state in
            if state.lock == nil {
                try Files.createFolder(folder)
                state.lock = try FolderLock(folder: folder)
            }
            guard state.open.insert(name).inserted else {
                throw StorageError.unusable(message: "database \(name) is open already")
            }
        }
        do {
            let isNew = !Files.exists(path)
            let database = try SQLiteDatabase(
                name: name, path: path, queueLimit: queueLimit, readersKept: readersKept,
                queue: DispatchQueue(label: "pcs.storage.\(name)", qos: .utility)
            ) { [weak self] in self?.release(name) }
            // Else a crash could take the file's name, and with it what was acknowledged.
            if isNew { try Files.sync(folder) }
            return database
        } catch {
            release(name)
            throw error
        }
    }

    private func release(_ name: String) {
        state.withLock { state in
            state.open.remove(name)
            if state.open.isEmpty { state.lock = nil }
        }
    }

    func isOpen(_ name: String) -> Bool { state.withLock { $0.open.contains(name) } }

    package func existing() throws -> [String] {
        try Files.names(in: folder).filter { $0.hasSuffix(SQLiteEngine.suffix) }
            .map { String($0.dropLast(SQLiteEngine.suffix.count)) }
            .filter(SQLiteEngine.isName)
    }

    package func engine(in folder: String) throws -> any StorageEngine {
        SQLiteEngine(folder: folder, queueLimit: queueLimit, readersKept: 1)
    }

    // MARK: Names

    static let suffix = ".sqlite"

    /// Lower-case letters, digits, `-` and `_`, 1 to 64: it becomes a file name.
    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
            }
    }

    func path(of name: String) throws -> String {
        guard SQLiteEngine.isName(name) else {
            throw StorageError.unusable(message: "\(name) is no name for a database")
        }
        return folder + "/" + name + SQLiteEngine.suffix
    }
}
