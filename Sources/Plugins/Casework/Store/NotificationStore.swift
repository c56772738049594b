import PluginAPI

/// How somebody wants to be told. Raw values as in the contract and in rows.
enum NotificationMode: Int64, Sendable { case atOnce = 1, dailyDigest, off }

struct NotificationChoice: Hashable, Sendable {
    var person: String
    var tasks = NotificationMode.atOnce
    var messages = NotificationMode.atOnce
}

/// What the mail system is to send: a title, no personal data.
struct NotificationRecord: Hashable, Sendable {
    enum Kind: Int64, Sendable { case task = 1, message }
    var position: Int64 = 0
    var kind: Kind
    var role = ""
    var organisation = ""
    var person = ""
    var title: String
    var isMandatory = false
    var raisedAt: Instant
}

enum NotificationStore {
    private static let insert = Statement(
        """
        INSERT INTO notification (position, kind, role, organisation, person, title, mandatory, raised_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let after = Statement(
        """
        SELECT position, kind, role, organisation, person, title, mandatory, raised_at FROM notification
        WHERE position > ?1 ORDER BY position LIMIT ?2
        """)
    private static let choice = Statement(
        "SELECT person, tasks, messages FROM notification_preference WHERE person = ?1")
    private static let choices = Statement(
        "SELECT person, tasks, messages FROM notification_preference WHERE person > ?1 ORDER BY person LIMIT ?2"
    )
    private static let save = Statement(
        """
        INSERT INTO notification_preference (person, tasks, messages, changed_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (person) DO UPDATE SET tasks = ?2, messages = ?3, changed_at = ?4
        """)

    static func add(_ notification: NotificationRecord, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .integer(try CounterStore.next(in: transaction)), .integer(notification.kind.rawValue),
                .text(notification.role), .text(notification.organisation), .text(notification.person),
                .text(notification.title), .flag(notification.isMandatory), .instant(notification.raisedAt),
            ])
    }

    static func list(after position: Int64, limit: Int, _ reader: any Reader) throws -> [NotificationRecord] {
        try reader.all(after, [.integer(position), .integer(limit)]) { row in
            NotificationRecord(
                position: row.integer(0), kind: NotificationRecord.Kind(rawValue: row.integer(1)) ?? .message,
                role: row.text(2), organisation: row.text(3), person: row.text(4), title: row.text(5),
                isMandatory: row.bool(6), raisedAt: row.instant(7))
        }
    }

    static func choice(of person: String, _ reader: any Reader) throws -> NotificationChoice {
        try reader.first(choice, [.text(person)], read) ?? NotificationChoice(person: person)
    }

    static func choices(after person: String, limit: Int, _ reader: any Reader) throws -> [NotificationChoice]
    {
        try reader.all(choices, [.text(person), .integer(limit)], read)
    }

    static func save(_ choice: NotificationChoice, in transaction: any Transaction) throws {
        try transaction.run(
            save,
            [
                .text(choice.person), .integer(choice.tasks.rawValue), .integer(choice.messages.rawValue),
                .instant(transaction.now),
            ])
    }

    private static func read(_ row: any Row) -> NotificationChoice {
        NotificationChoice(
            person: row.text(0), tasks: NotificationMode(rawValue: row.integer(1)) ?? .atOnce,
            messages: NotificationMode(rawValue: row.integer(2)) ?? .atOnce)
    }
}
