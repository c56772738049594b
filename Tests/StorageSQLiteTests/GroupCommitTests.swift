import CSQLite
import Foundation
import PluginAPI
import StorageSQLite
import Testing

@Suite("Group commit")
struct GroupCommitTests {
    static let table = Statement(
        "CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY, note TEXT) STRICT")
    static let insert = Statement("INSERT INTO item (number, note) VALUES (?1, ?2)")
    static let count = Statement("SELECT count(*), coalesce(max(number), 0) FROM item")

    static func open(_ folder: String, _ name: String = "store", queueLimit: Int = 4_096) async throws
        -> any Database
    {
        let database = try SQLiteEngine(folder: folder, queueLimit: queueLimit).open(name)
        try await database.write { _ = try $0.run(table, []) }
        return database
    }

    @Test("writes that wait together share commits")
    func shared() async throws {
        let folder = try TemporaryFolder()
        let database = try await Self.open(folder.path)
        let before = database.statistics
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<64 {
                group.addTask {
                    for step in 0..<50 {
                        try? await database.write {
                            _ = try $0.run(Self.insert, [.integer(worker * 1_000 + step), .text("note")])
                        }
                    }
                }
            }
        }
        let after = database.statistics
        #expect(after.writes - before.writes == 3_200)
        #expect(after.commits - before.commits < 1_600)
        #expect(try database.read { try $0.first(Self.count) { $0.integer(0) } } == 3_200)
        await database.close()
    }

    @Test("the writer's file is in WAL mode and survives a log far beyond the checkpoint threshold")
    func checkpoints() async throws {
        let folder = try TemporaryFolder()
        let database = try await Self.open(folder.path)
        let note = String(repeating: "x", count: 3_000)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask {
                    for step in 0..<1_000 {
                        try? await database.write {
                            _ = try $0.run(Self.insert, [.integer(worker * 1_000 + step), .text(note)])
                        }
                    }
                }
            }
        }
        let log =
            try FileManager.default.attributesOfItem(atPath: folder.path + "/store.sqlite-wal")[.size] as? Int
        // 16,000 rows of 3 kB are 48 MB and more of frames; the log must have started again several times.
        #expect((log ?? 0) < 40_000_000)
        #expect(try database.check() == [])
        await database.close()
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/store.sqlite-wal"))
        let again = try await Self.open(folder.path)
        #expect(try again.read { try $0.first(Self.count) { $0.integer(0) } } == 16_000)
        await again.close()
    }

    @Test("a file that is no database is refused, and left as it is")
    func noDatabase() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/store.sqlite"
        let bytes = Data("This is a letter, not a database. ".utf8) + Data(repeating: 7, count: 8_000)
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: StorageError.self) { _ = try SQLiteEngine(folder: folder.path).open("store") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    }

    @Test("a torn page is found by the check")
    func tornPage() async throws {
        let folder = try TemporaryFolder()
        var database = try await Self.open(folder.path)
        for number in 1...400 {
            try await database.write {
                _ = try $0.run(Self.insert, [.integer(number), .text(String(repeating: "y", count: 200))])
            }
        }
        await database.close()
        let path = folder.path + "/store.sqlite"
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: 4_096 * 4 + 3)
        try file.write(contentsOf: Data(repeating: 0xFF, count: 64))
        try file.close()
        database = try SQLiteEngine(folder: folder.path).open("store")
        let found = (try? database.check()) ?? ["the check could not even read it"]
        #expect(!found.isEmpty)
        await database.close()
    }

    @Test("another process's connection sees FULL synchronous data at once")
    func visible() async throws {
        let folder = try TemporaryFolder()
        let database = try await Self.open(folder.path)
        try await database.write { _ = try $0.run(Self.insert, [.integer(1), .text("a")]) }
        var raw: OpaquePointer?
        #expect(sqlite3_open_v2(folder.path + "/store.sqlite", &raw, SQLITE_OPEN_READONLY, nil) == SQLITE_OK)
        var statement: OpaquePointer?
        sqlite3_prepare_v2(raw, "SELECT count(*) FROM item", -1, &statement, nil)
        #expect(sqlite3_step(statement) == SQLITE_ROW)
        #expect(sqlite3_column_int64(statement, 0) == 1)
        sqlite3_finalize(statement)
        sqlite3_close(raw)
        await database.close()
    }
}
