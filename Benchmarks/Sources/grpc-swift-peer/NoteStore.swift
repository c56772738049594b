import Foundation
import GRDB

/// Notes and their audit rows in SQLite through GRDB's pool, one transaction a write, durable. The rows are those of our
/// host's `WriteNote`, with a plainer audit row.
struct NoteStore: Sendable {
    private let pool: DatabasePool

    init(path: String) throws {
        var configuration = Configuration()
        configuration.maximumReaderCount = 8
        pool = try DatabasePool(path: path, configuration: configuration)
        // GRDB sets synchronous to NORMAL when it turns the journal to WAL, whatever `prepareDatabase` did before: a
        // write would then not be durable when it is answered, and the comparison would be worth nothing.
        let level = try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            return try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        guard level == 2 else {
            throw DatabaseError(message: "synchronous reads back as \(level ?? -1), not FULL")
        }
        try pool.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS note (
                        number INTEGER PRIMARY KEY, text TEXT NOT NULL, written_by TEXT NOT NULL,
                        written_at INTEGER NOT NULL) STRICT;
                    CREATE TABLE IF NOT EXISTS audit (
                        sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, caller TEXT NOT NULL, method TEXT NOT NULL,
                        object TEXT NOT NULL) STRICT;
                    """)
        }
    }

    func write(text: String, by caller: String) async throws -> Int64 {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        return try await pool.write { database in
            let note = try database.cachedStatement(
                sql: "INSERT INTO note (text, written_by, written_at) VALUES (?, ?, ?)")
            try note.execute(arguments: [text, caller, now])
            let number = database.lastInsertedRowID
            let audit = try database.cachedStatement(
                sql: "INSERT INTO audit (at, caller, method, object) VALUES (?, ?, ?, ?)")
            try audit.execute(arguments: [now, caller, "WriteNote", "note/\(number)"])
            return number
        }
    }

    func text(of number: Int64) async throws -> String? {
        try await pool.read { database in
            let statement = try database.cachedStatement(sql: "SELECT text FROM note WHERE number = ?")
            return try String.fetchOne(statement, arguments: [number])
        }
    }
}
