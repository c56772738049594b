import PluginAPI

/// A message in the portal as stored.
struct MessageRecord: Hashable, Sendable {
    var id: String
    var area: String
    /// Unique within the area.
    var key: String
    /// To everybody with this role at this organisation, or else to the person.
    var role = ""
    var organisation = ""
    var person = ""
    var title: String
    var body: String
    var record = RecordPointer()
    var isMandatory = false
    var documents: [String] = []
    var postedAt: Instant
}

/// To whom messages are shown: a role at an organisation, or a person.
struct MessageAudience: Hashable, Sendable {
    var organisation = ""
    var role = ""
    var person = ""
}

enum MessageStore {
    private static let columns = """
        m.message_id, m.area, m.message_key, m.role, m.organisation, m.person, m.title, m.body, m.record_area,
        m.record_kind, m.record_id, m.record_organisation, m.class, m.documents, m.posted_at
        """
    private static let byID = Statement("SELECT \(columns) FROM message m WHERE m.message_id = ?1")
    private static let insert = Statement(
        """
        INSERT INTO message (message_id, area, message_key, role, organisation, person, title, body, record_area,
            record_kind, record_id, record_organisation, class, documents, posted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT (area, message_key) DO NOTHING
        """)
    private static let insertAudience = Statement(
        """
        INSERT INTO message_audience (organisation, role, person, position, message_id, class)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let audienceOf = Statement(
        "SELECT organisation, role, person FROM message_audience WHERE message_id = ?1")
    private static let newest = Statement(
        """
        SELECT \(columns), a.position,
            EXISTS (SELECT 1 FROM message_receipt r WHERE r.message_id = a.message_id AND r.person = ?4)
        FROM message_audience a JOIN message m ON m.message_id = a.message_id
        WHERE a.organisation = ?1 AND a.role = ?2 AND a.person = ?3 AND a.position < ?5
            AND (?6 = 0 OR NOT EXISTS (
                SELECT 1 FROM message_receipt r WHERE r.message_id = a.message_id AND r.person = ?4))
        ORDER BY a.position DESC LIMIT ?7
        """)
    private static let arrivals = Statement(
        """
        SELECT \(columns), a.position,
            EXISTS (SELECT 1 FROM message_receipt r WHERE r.message_id = a.message_id AND r.person = ?4)
        FROM message_audience a JOIN message m ON m.message_id = a.message_id
        WHERE a.organisation = ?1 AND a.role = ?2 AND a.person = ?3 AND a.position > ?5
        ORDER BY a.position LIMIT ?6
        """)
    private static let unread = Statement(
        """
        SELECT a.message_id, a.class FROM message_audience a
        WHERE a.organisation = ?1 AND a.role = ?2 AND a.person = ?3 AND NOT EXISTS (
            SELECT 1 FROM message_receipt r WHERE r.message_id = a.message_id AND r.person = ?4)
        """)
    private static let receipts = Statement(
        "SELECT person, read_at FROM message_receipt WHERE message_id = ?1 ORDER BY read_at, person")
    private static let insertReceipt = Statement(
        """
        INSERT INTO message_receipt (message_id, person, read_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (message_id, person) DO NOTHING
        """)

    typealias Seen = (message: MessageRecord, position: Int64, isRead: Bool)

    static func message(_ id: String, _ reader: any Reader) throws -> MessageRecord? {
        try reader.first(byID, [.text(id)], read)
    }

    static func audience(of id: String, _ reader: any Reader) throws -> [MessageAudience] {
        try reader.all(audienceOf, [.text(id)]) {
            MessageAudience(organisation: $0.text(0), role: $0.text(1), person: $0.text(2))
        }
    }

    static func newest(
        _ audience: MessageAudience, reader person: String, before: Int64, unreadOnly: Bool, limit: Int,
        _ reader: any Reader
    ) throws -> [Seen] {
        try reader.all(
            newest,
            [
                .text(audience.organisation), .text(audience.role), .text(audience.person), .text(person),
                .integer(before), .flag(unreadOnly), .integer(limit),
            ], seen)
    }

    static func arrivals(
        _ audience: MessageAudience, reader person: String, after: Int64, limit: Int, _ reader: any Reader
    ) throws -> [Seen] {
        try reader.all(
            arrivals,
            [
                .text(audience.organisation), .text(audience.role), .text(audience.person), .text(person),
                .integer(after), .integer(limit),
            ], seen)
    }

    /// Identifiers of what the person has not read, with whether it is mandatory.
    static func unread(
        _ audience: MessageAudience, reader person: String, _ reader: any Reader
    ) throws -> [(id: String, isMandatory: Bool)] {
        try reader.all(
            unread,
            [.text(audience.organisation), .text(audience.role), .text(audience.person), .text(person)]
        ) { ($0.text(0), $0.integer(1) == 2) }
    }

    static func receipts(of id: String, _ reader: any Reader) throws -> [(person: String, at: Instant)] {
        try reader.all(receipts, [.text(id)]) { ($0.text(0), $0.instant(1)) }
    }

    /// `false` when there is one with this key: nothing is posted twice.
    static func add(
        _ message: MessageRecord, to audiences: [MessageAudience], in transaction: any Transaction
    ) throws -> Bool {
        let isNew = try transaction.run(
            insert,
            [
                .text(message.id), .text(message.area), .text(message.key), .text(message.role),
                .text(message.organisation), .text(message.person), .text(message.title), .text(message.body),
                .text(message.record.area), .text(message.record.kind), .text(message.record.id),
                .text(message.record.organisation), .integer(message.isMandatory ? 2 : 1),
                StoredList.text(message.documents), .instant(message.postedAt),
            ])
        guard isNew > 0 else { return false }
        for audience in audiences {
            try transaction.run(
                insertAudience,
                [
                    .text(audience.organisation), .text(audience.role), .text(audience.person),
                    .integer(try CounterStore.next(in: transaction)), .text(message.id),
                    .integer(message.isMandatory ? 2 : 1),
                ])
        }
        return true
    }

    static func markRead(_ id: String, by person: String, in transaction: any Transaction) throws {
        try transaction.run(insertReceipt, [.text(id), .text(person), .instant(transaction.now)])
    }

    private static func seen(_ row: any Row) throws -> Seen { (try read(row), row.integer(15), row.bool(16)) }

    private static func read(_ row: any Row) throws -> MessageRecord {
        MessageRecord(
            id: row.text(0), area: row.text(1), key: row.text(2), role: row.text(3),
            organisation: row.text(4),
            person: row.text(5), title: row.text(6), body: row.text(7),
            record: RecordPointer(
                area: row.text(8), kind: row.text(9), id: row.text(10), organisation: row.text(11)),
            isMandatory: row.integer(12) == 2, documents: StoredList.list(row.text(13)),
            postedAt: row.instant(14))
    }
}
