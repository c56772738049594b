import CommonContract
import PluginAPI

/// Lists of readers, one after the other: a new one replaces the one before, which stays as history.
enum ReaderStore {
    struct List: Hashable, Sendable {
        var version: Int64
        var record: RecordKey
        var readers: [Stored]
        var retainUntil: CalendarDate?
        var statedBy: String
        var from: Instant
    }
    struct Stored: Hashable, Sendable {
        /// Number of the role in the contract.
        var role: Int64
        var organisation: String
    }

    private static let insertList = Statement(
        """
        INSERT INTO reader_list
        (document_id, version, record_area, record_kind, record_id, record_organisation, retain_until, stated_by, from_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let insertReader = Statement(
        "INSERT INTO reader (document_id, version, number, role, organisation) VALUES (?1, ?2, ?3, ?4, ?5)")
    private static let lists = Statement(
        """
        SELECT version, record_area, record_kind, record_id, record_organisation, retain_until, stated_by, from_at
        FROM reader_list WHERE document_id = ?1 ORDER BY version DESC
        """)
    private static let readers = Statement(
        "SELECT role, organisation FROM reader WHERE document_id = ?1 AND version = ?2 ORDER BY number")

    static func add(_ list: List, to id: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertList,
            [
                .text(id), .integer(list.version), .text(list.record.area), .text(list.record.kind),
                .text(list.record.id), .text(list.record.organisation), .date(list.retainUntil),
                .text(list.statedBy), .instant(list.from),
            ])
        for (number, reader) in list.readers.enumerated() {
            try transaction.run(
                insertReader,
                [
                    .text(id), .integer(list.version), .integer(number), .integer(reader.role),
                    .text(reader.organisation),
                ])
        }
        try DocumentStore.setVersion(list.version, of: id, in: transaction)
    }

    /// Newest first.
    static func lists(of id: String, _ reader: any Reader) throws -> [List] {
        var result = try reader.all(lists, [.text(id)]) { row in
            List(
                version: row.integer(0),
                record: RecordKey(
                    area: row.text(1), kind: row.text(2), id: row.text(3), organisation: row.text(4)),
                readers: [], retainUntil: try row.optionalDate(5), statedBy: row.text(6), from: row.instant(7)
            )
        }
        for index in result.indices {
            result[index].readers = try reader.all(readers, [.text(id), .integer(result[index].version)]) {
                Stored(role: $0.integer(0), organisation: $0.text(1))
            }
        }
        return result
    }
}

extension ReaderStore.Stored {
    private static let rolesByNumber: [Int64: Role] = {
        let byName = Dictionary(
            Roles.all.map { ($0.name.lowercased().filter { $0 != "_" }, $0) },
            uniquingKeysWith: { first, _ in first })
        return Dictionary(
            Pcs_Access_V1_Role.allCases.compactMap { role in
                byName["\(role)".lowercased()].map { (Int64(role.rawValue), $0) }
            }, uniquingKeysWith: { first, _ in first })
    }()

    /// `nil` for a role that this system does not know: nobody has it.
    var reader: DocumentAccess.Reader? {
        Self.rolesByNumber[role].map { DocumentAccess.Reader(role: $0, organisation: organisation) }
    }
}
