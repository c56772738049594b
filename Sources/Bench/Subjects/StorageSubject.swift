import Foundation
import Host
import HostContract
import Logging
import PluginAPI
import StorageSQLite

/// Our store on its own: writes with idempotency key and audit row, as the host commits them for a call.
final class StorageSubject: Sendable {
    static let insertNote = "INSERT INTO bench_note (text, written_by, written_at) VALUES (?1, ?2, ?3)"
    static let digest = [UInt8](repeating: 0x5A, count: 32)
    static let detail = "wrote a note of 48 characters"

    private static let migrations = [
        Migration(
            version: 1, name: "notes",
            statements: [
                """
                CREATE TABLE bench_note (
                    number INTEGER PRIMARY KEY, text TEXT NOT NULL, written_by TEXT NOT NULL,
                    written_at INTEGER NOT NULL
                ) STRICT
                """,
                "CREATE INDEX bench_note_by_writer ON bench_note (written_by, written_at)",
            ])
    ]
    private static let insert = Statement(insertNote)

    private let store: HostStore

    /// Makes a new database in the folder.
    init(folder: String) async throws {
        let database = try SQLiteEngine(folder: folder).open("bench")
        var logger = Logger(label: "bench")
        logger.logLevel = .warning
        store = HostStore(database: database, clock: SystemClock(), logger: logger)
        _ = try await store.migrate(StorageSubject.migrations)
    }

    func close() async { await store.close() }

    static func act(number: Int64) -> AuditedAct {
        AuditedAct(
            personID: nil, clientID: "bench", actingFor: "PCS",
            method: "pcs.host.v1.DiagnosticsService/WriteNote",
            correlationID: "01K00000000000000000000000", requestDigest: digest)
    }

    /// Rises with time, as a caller's own numbers do.
    static func key(number: Int64) -> String { "bench-" + String(1_000_000_000 + number) }

    /// One durable write; returns when it is.
    func write(number: Int64) async throws {
        let act = StorageSubject.act(number: number)
        let claim = IdempotencyClaim(
            subject: "bench", method: act.method, key: StorageSubject.key(number: number),
            requestHash: StorageSubject.digest)
        let committed = try await store.commit(act, key: claim) { transaction in
            try transaction.run(
                StorageSubject.insert,
                [.text(LoadBodies.noteText), .text("bench"), .instant(transaction.now)])
            transaction.audit(AuditNote(object: "note/\(number)", detail: StorageSubject.detail))
            var reply = Pcs_Host_V1_WriteNoteReply()
            reply.noteNumber = number
            return reply
        }
        guard !committed.replayed else { throw BenchError("a new key was taken for a used one") }
    }

    /// Rows of notes, keys and audit must agree after a run; throws when they do not.
    func check(writes: Int64) throws {
        let counts = try store.read { reader in
            try ["bench_note", "pcs_idempotency", "pcs_audit"].map { table in
                try reader.first(Statement("SELECT count(*) FROM \(table)")) { $0.integer(0) } ?? 0
            }
        }
        guard counts.allSatisfy({ $0 == writes }) else {
            throw BenchError("after \(writes) writes there are \(counts) notes, keys and audit rows")
        }
    }
}
