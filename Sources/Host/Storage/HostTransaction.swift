import PluginAPI
import SwiftProtobuf

/// A plugin's transaction: SQL on its own tables, and what the Host adds to it. Lives as long as one body
/// runs.
final class HostTransaction: Transaction {
    let now: Instant
    private let sql: any SQLTransaction
    private let identifiers: IdentifierMaker
    private(set) var notes: [AuditNote] = []
    private(set) var hasPublished = false
    /// Whether anything ran that can change rows.
    private(set) var hasChanged = false

    init(_ sql: any SQLTransaction, now: Instant, identifiers: IdentifierMaker) {
        self.sql = sql
        self.now = now
        self.identifiers = identifiers
    }

    var epoch: UInt64 { sql.epoch }

    func forEach(_ statement: Statement, _ values: [StoredValue], _ body: (any Row) throws -> Void) throws {
        let first = statement.sql.utf8.first { $0 > 0x20 }
        if first != UInt8(ascii: "S"), first != UInt8(ascii: "s") { try willChange(statement) }
        try sql.forEach(statement, values, body)
    }

    @discardableResult
    func run(_ statement: Statement, _ values: [StoredValue]) throws -> Int {
        try willChange(statement)
        return try sql.run(statement, values)
    }

    /// The Host's own tables change through the Host only: audit rows are added, never touched.
    private func willChange(_ statement: Statement) throws {
        hasChanged = true
        if HostTransaction.namesSystemTable(statement.sql) {
            throw StorageError.unusable(
                message: "a plugin's statement names a table of the Host: \(statement.sql)")
        }
    }

    private static func namesSystemTable(_ sql: String) -> Bool {
        var text = sql
        return text.withUTF8 { bytes in
            guard bytes.count > 4 else { return false }
            for index in 0..<(bytes.count - 3)
            where bytes[index] | 0x20 == 0x70 && bytes[index + 1] | 0x20 == 0x63
                && bytes[index + 2] | 0x20 == 0x73
                && bytes[index + 3] == 0x5F
            {
                return true
            }
            return false
        }
    }

    func newIdentifier() -> String { identifiers.next(at: now) }

    func publish<Event: Message>(_ event: Event, key: String) throws {
        let payload: [UInt8] = try event.serializedBytes()
        try sql.run(
            HostTransaction.publish,
            [.text(Event.protoMessageName), .text(key), .blob(payload), .instant(now)])
        hasPublished = true
        hasChanged = true
    }

    func audit(_ note: AuditNote) { notes.append(note) }

    private static let publish = Statement(
        "INSERT INTO pcs_outbox (event_type, event_key, payload, occurred_at) VALUES (?1, ?2, ?3, ?4)")
}
