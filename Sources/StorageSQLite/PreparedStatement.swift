import CSQLite
import PluginAPI

/// A statement that one connection has prepared.
final class PreparedStatement {
    let handle: OpaquePointer
    let parameterCount: Int
    /// While rows of it are being read; a second use at the same time needs a statement of its own.
    var isBusy = false

    /// Prepares exactly one statement; text behind it is refused, so that nothing of it is silently left out.
    init(_ sql: String, on connection: OpaquePointer, lasting: Bool) throws {
        var sql = sql
        var prepared: OpaquePointer?
        let hasTail = try sql.withUTF8 { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { text in
                var tail: UnsafePointer<CChar>?
                let flags = lasting ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
                let code = sqlite3_prepare_v3(
                    connection, text.baseAddress, Int32(text.count), flags, &prepared, &tail)
                guard code == SQLITE_OK else { throw SQLiteError.last(of: connection) }
                guard let tail, let start = text.baseAddress else { return false }
                return text[(tail - start)...].contains { $0 > 0x20 && $0 != 0x3B }
            }
        }
        guard let prepared else {
            throw StorageError.engine(code: SQLITE_MISUSE, message: "the statement is empty")
        }
        if hasTail {
            sqlite3_finalize(prepared)
            throw StorageError.engine(code: SQLITE_MISUSE, message: "the text holds more than one statement")
        }
        handle = prepared
        parameterCount = Int(sqlite3_bind_parameter_count(prepared))
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ values: [StoredValue]) throws {
        guard values.count == parameterCount else {
            throw StorageError.engine(
                code: SQLITE_RANGE,
                message: "the statement takes \(parameterCount) values, \(values.count) given")
        }
        var index: Int32 = 0
        for value in values {
            index += 1
            let code = bind(value, at: index)
            if code != SQLITE_OK { throw SQLiteError.last(of: sqlite3_db_handle(handle)) }
        }
    }

    private func bind(_ text: UnsafeBufferPointer<UInt8>, at index: Int32) -> Int32 {
        // A null pointer would bind NULL instead of empty text.
        guard let start = text.baseAddress, !text.isEmpty else {
            return pcs_sqlite_bind_text(handle, index, "", 0)
        }
        guard text.count <= Int32.max else { return SQLITE_TOOBIG }
        return start.withMemoryRebound(to: CChar.self, capacity: text.count) {
            pcs_sqlite_bind_text(handle, index, $0, Int32(text.count))
        }
    }

    private func bind(_ value: StoredValue, at index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, index)
        case .integer(let number): return sqlite3_bind_int64(handle, index, number)
        case .text(let text):
            // Without a copy of the string, as nearly all are stored as UTF-8.
            if let code = text.utf8.withContiguousStorageIfAvailable({ bind($0, at: index) }) { return code }
            var text = text
            return text.withUTF8 { bind($0, at: index) }
        case .blob(let blob):
            return blob.withUnsafeBytes { bytes in
                guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, index, 0) }
                guard bytes.count <= Int32.max else { return SQLITE_TOOBIG }
                return pcs_sqlite_bind_blob(handle, index, bytes.baseAddress, Int32(bytes.count))
            }
        }
    }
}

/// The current row of a statement.
struct SQLiteRow: Row {
    let statement: OpaquePointer

    func isNull(_ column: Int) -> Bool { sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL }

    func integer(_ column: Int) -> Int64 { sqlite3_column_int64(statement, Int32(column)) }

    func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(statement, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func blob(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
