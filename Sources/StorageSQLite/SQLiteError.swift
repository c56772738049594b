import CSQLite
import PluginAPI

/// Turns the result codes of libsqlite3 into the storage interface's errors.
enum SQLiteError {
    /// What the connection says about its last call. Ask before the statement is reset.
    static func last(of connection: OpaquePointer?, doing: String? = nil) -> StorageError {
        let code = sqlite3_extended_errcode(connection)
        let text = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "out of memory"
        return make(code: code, message: doing.map { "\($0): \(text)" } ?? text)
    }

    static func make(code: Int32, message: String) -> StorageError {
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: .constraint(message: message)
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN: .unusable(message: message)
        default: .engine(code: code, message: message)
        }
    }
}
