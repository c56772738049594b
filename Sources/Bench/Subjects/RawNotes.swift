import CSQLite
import Crypto
import Foundation
import Host

/// What a write costs without our store: one transaction each, straight on SQLite, the same rows in the same tables.
final class RawNotes {
    /// What a write does beside its three rows.
    enum Work {
        /// All that ours does: asks whether the key was used, reads the head of the audit chain and hashes the new row.
        case same
        /// Nothing: the key is not looked for, and bytes of the right length stand for the hash.
        case rowsOnly
    }

    private let connection: OpaquePointer
    private var statements: [OpaquePointer] = []
    private var number: Int64 = 0

    /// Opens a file that a store has made, so that tables and indexes are the same.
    init(path: String) throws {
        var opened: OpaquePointer?
        guard sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK, let opened else {
            throw BenchError("cannot open \(path)")
        }
        connection = opened
        sqlite3_exec(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", nil, nil, nil)
        guard try pragma("synchronous") == "2", try pragma("journal_mode") == "wal" else {
            throw BenchError("\(path) is not durable: the comparison would be worth nothing")
        }
        statements = try [
            "BEGIN IMMEDIATE",
            StorageSubject.insertNote,
            """
            INSERT INTO pcs_idempotency (idempotency_key, subject, method, request_hash, reply, recorded_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """,
            """
            INSERT INTO pcs_audit (sequence, recorded_at, person_id, client_id, acting_for, method, object,
                organisation_code, outcome, detail, correlation_id, request_digest, hash)
            VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7, 'done', ?8, ?9, ?10, ?11)
            """,
            "COMMIT",
            """
            SELECT request_hash, reply, recorded_at FROM pcs_idempotency
            WHERE idempotency_key = ?1 AND subject = ?2 AND method = ?3
            """,
            "SELECT sequence, hash FROM pcs_audit ORDER BY sequence DESC LIMIT 1",
        ].map(prepare)
    }

    deinit {
        for statement in statements { sqlite3_finalize(statement) }
        sqlite3_close(connection)
    }

    /// One durable write.
    func write(_ work: Work) throws {
        number += 1
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        let act = StorageSubject.act(number: number)
        try step(0)
        if work == .same { try askForKey(act) }
        bind(1, 1, LoadBodies.noteText)
        bind(1, 2, act.clientID ?? "")
        sqlite3_bind_int64(statements[1], 3, now)
        try step(1)
        bind(2, 1, StorageSubject.key(number: number))
        bind(2, 2, act.clientID ?? "")
        bind(2, 3, act.method)
        bind(2, 4, StorageSubject.digest)
        bind(2, 5, [0x08, 0x01])
        sqlite3_bind_int64(statements[2], 6, now)
        try step(2)
        sqlite3_bind_int64(statements[3], 1, number)
        sqlite3_bind_int64(statements[3], 2, now)
        bind(3, 3, act.clientID ?? "")
        bind(3, 4, act.actingFor)
        bind(3, 5, act.method)
        bind(3, 6, "note/\(number)")
        bind(3, 7, "")
        bind(3, 8, StorageSubject.detail)
        bind(3, 9, act.correlationID)
        bind(3, 10, StorageSubject.digest)
        bind(3, 11, work == .same ? try chainHash(act, now) : StorageSubject.digest)
        try step(3)
        try step(4)
    }

    private func askForKey(_ act: AuditedAct) throws {
        bind(5, 1, StorageSubject.key(number: number))
        bind(5, 2, act.clientID ?? "")
        bind(5, 3, act.method)
        try step(5)
    }

    /// SHA-256 over the hash of the row before and the columns of this one, each with its length.
    private func chainHash(_ act: AuditedAct, _ now: Int64) throws -> [UInt8] {
        defer { sqlite3_reset(statements[6]) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(320)
        if sqlite3_step(statements[6]) == SQLITE_ROW, let before = sqlite3_column_blob(statements[6], 1) {
            bytes.append(
                contentsOf: UnsafeRawBufferPointer(
                    start: before, count: Int(sqlite3_column_bytes(statements[6], 1))))
        }
        for figure in [number, now] { withUnsafeBytes(of: figure.bigEndian) { bytes.append(contentsOf: $0) } }
        let texts = [
            act.clientID ?? "", act.actingFor, act.method, "note/\(number)", "", "done", StorageSubject.detail,
            act.correlationID,
        ]
        for text in texts {
            withUnsafeBytes(of: UInt32(text.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(contentsOf: act.requestDigest)
        return Array(SHA256.hash(data: bytes))
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(connection, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw BenchError("SQLite does not take \(sql): \(String(cString: sqlite3_errmsg(connection)))")
        }
        return statement
    }

    private func step(_ index: Int) throws {
        defer { sqlite3_reset(statements[index]) }
        guard sqlite3_step(statements[index]) == SQLITE_DONE else {
            throw BenchError("a raw write failed: \(String(cString: sqlite3_errmsg(connection)))")
        }
    }

    private func bind(_ index: Int, _ parameter: Int32, _ text: String) {
        _ = pcs_sqlite_bind_text(statements[index], parameter, text, Int32(text.utf8.count))
    }

    private func bind(_ index: Int, _ parameter: Int32, _ bytes: [UInt8]) {
        _ = pcs_sqlite_bind_blob(statements[index], parameter, bytes, Int32(bytes.count))
    }

    private func pragma(_ name: String) throws -> String {
        let statement = try prepare("PRAGMA \(name)")
        defer { sqlite3_finalize(statement) }
        guard sqlite3_step(statement) == SQLITE_ROW, let text = sqlite3_column_text(statement, 0) else {
            throw BenchError("SQLite does not tell \(name)")
        }
        return String(cString: text)
    }
}
