public import SwiftProtobuf

/// A value in a row. Money is integer pence, days are `YYYY-MM-DD` text, moments are integer microseconds: there are no
/// floating-point columns.
public enum StoredValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    public static func integer(_ value: Int) -> StoredValue { .integer(Int64(value)) }
    public static func optional(_ value: Int64?) -> StoredValue { value.map { .integer($0) } ?? .null }
    public static func optional(_ value: String?) -> StoredValue { value.map { .text($0) } ?? .null }
    public static func date(_ value: CalendarDate) -> StoredValue { .text(value.description) }
    public static func date(_ value: CalendarDate?) -> StoredValue { value.map { .text($0.description) } ?? .null }
    public static func instant(_ value: Instant) -> StoredValue { .integer(value.microsecondsSince1970) }
}

/// A named SQL statement. Keep them as static constants beside the code that uses them: each connection prepares it
/// once. Parameters are `?1`, `?2`...; columns are listed, never `*`; only what SQLite and PostgreSQL share.
public struct Statement: Hashable, Sendable {
    public let sql: String
    public init(_ sql: String) { self.sql = sql }
    public static func == (left: Statement, right: Statement) -> Bool { left.sql == right.sql }
    public func hash(into hasher: inout Hasher) { hasher.combine(sql) }
}

/// One row of a result; columns count from 0. Valid only inside the closure that receives it.
public protocol Row {
    func isNull(_ column: Int) -> Bool
    /// 0 for NULL.
    func integer(_ column: Int) -> Int64
    /// Empty for NULL.
    func text(_ column: Int) -> String
    /// Empty for NULL.
    func blob(_ column: Int) -> [UInt8]
}

extension Row {
    public func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }
    public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    /// Throws `StoredValueError` when the text is not a day.
    public func date(_ column: Int) throws -> CalendarDate {
        guard let date = CalendarDate(iso8601: text(column)) else {
            throw StoredValueError(message: "column \(column) holds no day")
        }
        return date
    }
    public func optionalDate(_ column: Int) throws -> CalendarDate? { isNull(column) ? nil : try date(column) }
    public func instant(_ column: Int) -> Instant { Instant(microsecondsSince1970: integer(column)) }
    public func bool(_ column: Int) -> Bool { integer(column) != 0 }
}

/// A stored value is not what the code that reads it expects: a fault of ours, never of a caller.
public struct StoredValueError: Error, Sendable {
    public let message: String
    public init(message: String) { self.message = message }
}

/// Reads on one snapshot.
public protocol Reader {
    func forEach(_ statement: Statement, _ values: [StoredValue], _ body: (any Row) throws -> Void) throws
}

extension Reader {
    public func all<T>(
        _ statement: Statement, _ values: [StoredValue] = [], _ map: (any Row) throws -> T
    ) throws -> [T] {
        var result: [T] = []
        try forEach(statement, values) { result.append(try map($0)) }
        return result
    }

    /// The first row, or `nil`. Use with statements that find at most one.
    public func first<T>(
        _ statement: Statement, _ values: [StoredValue] = [], _ map: (any Row) throws -> T
    ) throws -> T? {
        var result: T?
        try forEach(statement, values) { row in if result == nil { result = try map(row) } }
        return result
    }
}

/// Reads and writes in one transaction. What SQL alone can do.
public protocol SQLTransaction: Reader {
    /// Changes with every transaction of the engine, and whenever something in one is undone: of what was written under
    /// another epoch nobody knows whether it is still there.
    var epoch: UInt64 { get }
    /// Runs a statement that changes rows; returns how many.
    @discardableResult
    func run(_ statement: Statement, _ values: [StoredValue]) throws -> Int
}

/// A plugin's transaction: SQL, and with it events and audit notes that commit or vanish together with the rows.
public protocol Transaction: SQLTransaction {
    var now: Instant { get }
    /// A new identifier: 26 characters, sortable by time of making (ULID).
    func newIdentifier() -> String
    /// Publishes an event of this plugin. `key` orders: events of one key arrive in order of publishing.
    func publish<Event: Message>(_ event: Event, key: String) throws
    /// Says what the change touched, for the audit chain. May be called several times; without it the row names only
    /// the method.
    func audit(_ note: AuditNote)
}

/// What one audited change touched.
public struct AuditNote: Hashable, Sendable {
    /// The record, for example `run/2019-04`.
    public let object: String
    /// ODS code of the organisation affected; empty = none in particular.
    public let organisation: String
    /// What was done, in words and figures. No secrets.
    public let detail: String
    public init(object: String, organisation: String = "", detail: String) {
        self.object = object
        self.organisation = organisation
        self.detail = detail
    }
}

/// A plugin's own database.
public protocol Store: Sendable {
    /// Reads on a snapshot, on the calling thread; point reads take microseconds and may run on an event loop.
    func read<T>(_ body: (any Reader) throws -> T) throws -> T

    /// Writes outside a call: for scheduled jobs and start-up. Handlers use `CallContext.commit`. Returns when durable.
    /// - Parameter actor: who does it, for the audit chain, for example `job/calendar`.
    func write<T: Sendable>(actor: String, _ body: @escaping @Sendable (any Transaction) throws -> T) async throws -> T
}

/// One step of a schema. Statements run in order, in one transaction.
public struct Migration: Sendable {
    /// 1, 2, 3 ...
    public let version: Int
    public let name: String
    public let statements: [String]
    public init(version: Int, name: String, statements: [String]) {
        self.version = version
        self.name = name
        self.statements = statements
    }
}
