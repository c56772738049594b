import Foundation
import Host
import Logging
import PluginAPI
import StorageSQLite
import Synchronization

/// A clock that a test sets.
final class SetClock: HostClock, Sendable {
    private let time = Mutex<Int64>(1_780_000_000_000_000)

    var now: Instant { Instant(microsecondsSince1970: time.withLock { $0 }) }
    var today: CalendarDate { CalendarDate(daysSince1970: Int32(time.withLock { $0 } / 86_400_000_000)) }

    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
}

/// A folder with an engine, for tests of stores, events and backups.
final class StorageWorkbench: Sendable {
    let root: String
    let engine: SQLiteEngine
    let clock = SetClock()
    let logger: Logger

    init() throws {
        root = NSTemporaryDirectory() + "pcs-host-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        engine = SQLiteEngine(folder: root + "/data")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    static let migrations = [
        Migration(
            version: 1, name: "items",
            statements: [
                "CREATE TABLE item (number INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE) STRICT",
                "CREATE TABLE tally (name TEXT PRIMARY KEY, amount INTEGER NOT NULL) STRICT",
            ])
    ]
    static let insert = Statement("INSERT INTO item (number, label) VALUES (?1, ?2)")
    static let count = Statement("SELECT count(*) FROM item")

    func store(_ name: String = "store") async throws -> HostStore {
        let store = HostStore(database: try engine.open(name), clock: clock, logger: logger)
        _ = try await store.migrate(Self.migrations)
        return store
    }

    static func act(_ method: String = "test/Method") -> AuditedAct {
        AuditedAct(
            personID: "person-1", clientID: "client-1", actingFor: "A81001", method: method,
            correlationID: "c-1")
    }

    static func claim(_ key: String, request: UInt8 = 1) -> IdempotencyClaim {
        IdempotencyClaim(
            subject: "client-1", method: "test/Method", key: key,
            requestHash: Array(repeating: request, count: 32))
    }

    static func items(_ store: HostStore) throws -> Int {
        try store.read { try $0.first(count) { Int($0.integer(0)) } } ?? -1
    }
}

struct Refused: Error, Equatable {}
