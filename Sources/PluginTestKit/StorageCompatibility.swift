import Foundation
public import PluginAPI

/// What every storage engine must do before the Host may stand on it. Give it a way to make an engine over a
/// folder, and run every check:
///
/// ```swift
/// @Test("SQLite is a storage engine", arguments: StorageCompatibility.checks)
/// func compatible(_ check: StorageCompatibility.Check) async throws {
///     try await check.run(StorageCompatibility { SQLiteEngine(folder: $0) })
/// }
/// ```
///
/// A check throws a `Fault` that says what was expected; it needs no test library.
public struct StorageCompatibility: Sendable {
    public struct Fault: Error, CustomStringConvertible {
        public let description: String
    }

    public struct Check: Sendable, CustomStringConvertible {
        public let description: String
        let body: @Sendable (StorageCompatibility, Bench) async throws -> Void

        /// Runs the check in a new folder, which is removed afterwards.
        public func run(_ suite: StorageCompatibility) async throws {
            let bench = try Bench(suite)
            defer { bench.remove() }
            try await body(suite, bench)
        }
    }

    let makeEngine: @Sendable (_ folder: String) throws -> any StorageEngine

    /// - Parameter makeEngine: a new engine over a folder, which need not exist yet.
    public init(_ makeEngine: @escaping @Sendable (_ folder: String) throws -> any StorageEngine) {
        self.makeEngine = makeEngine
    }

    public static let checks: [Check] = values + transactions + lifeCycle + backups

    /// A folder of its own, an engine over it, and the statements that the checks share.
    final class Bench: Sendable {
        let root: String
        let engine: any StorageEngine

        init(_ suite: StorageCompatibility) throws {
            root = NSTemporaryDirectory() + "pcs-storage-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            engine = try suite.makeEngine(root + "/data")
        }

        func remove() { try? FileManager.default.removeItem(atPath: root) }

        func open(_ name: String = "store") async throws -> any Database {
            let database = try engine.open(name)
            try await database.write { transaction in
                for statement in Bench.tables { try transaction.run(statement, []) }
            }
            return database
        }

        static let tables = [
            Statement(
                """
                CREATE TABLE IF NOT EXISTS item (
                    number INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, note TEXT, content BLOB
                ) STRICT
                """),
            Statement(
                """
                CREATE TABLE IF NOT EXISTS part (
                    number INTEGER PRIMARY KEY,
                    item INTEGER NOT NULL REFERENCES item (number) DEFERRABLE INITIALLY DEFERRED
                ) STRICT
                """),
        ]
        static let insert = Statement("INSERT INTO item (number, label) VALUES (?1, ?2)")
        static let insertPart = Statement("INSERT INTO part (number, item) VALUES (?1, ?2)")
        static let count = Statement("SELECT count(*), coalesce(max(number), 0) FROM item")
        static let numbers = Statement("SELECT number FROM item ORDER BY number")

        static func add(_ number: Int, to database: any Database) async throws {
            try await database.write { _ = try $0.run(insert, [.integer(number), .text("item \(number)")]) }
        }
        static func count(_ database: any Database) throws -> Int {
            try database.read { try count($0) }
        }
        static func count(_ reader: any Reader) throws -> Int {
            try reader.first(count) { Int($0.integer(0)) } ?? -1
        }
        static func highest(_ database: any Database) throws -> Int {
            try database.read { try $0.first(count) { Int($0.integer(1)) } ?? -1 }
        }
    }

    /// Holds the writer in a body until opened, so that later writes gather into one group.
    final class Gate: Sendable {
        private let entered = DispatchSemaphore(value: 0)
        private let opened = DispatchSemaphore(value: 0)

        func hold(_ database: any Database) async -> Task<Void, any Error> {
            let task = Task {
                try await database.write { [entered, opened] _ in
                    entered.signal()
                    opened.wait()
                }
            }
            await withCheckedContinuation { caller in
                DispatchQueue.global().async {
                    self.entered.wait()
                    caller.resume()
                }
            }
            return task
        }

        func open() { opened.signal() }
    }

    struct Refused: Error {}

    static func expect(_ holds: Bool, _ what: @autoclosure () throws -> String) throws {
        if !holds { throw Fault(description: try what()) }
    }

    /// The error that `body` throws.
    static func failure(
        _ what: String, _ body: () async throws -> Void
    ) async throws -> any Error {
        do { try await body() } catch { return error }
        throw Fault(description: "\(what) was not refused")
    }
}
