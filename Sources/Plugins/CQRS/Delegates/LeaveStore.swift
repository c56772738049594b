import PluginAPI

/// Who of those that declare is away from when to when, and who stands in (R4).
enum LeaveStore {
    struct Leave: Sendable {
        var id: String
        var organisation: String
        var person: String
        var delegate: String
        var from: CalendarDate
        /// Last day.
        var to: CalendarDate
        var by: String
        var at: Instant
        var isEnded = false

        func covers(_ day: CalendarDate) -> Bool { !isEnded && from <= day && day <= to }
    }

    private static let columns = """
        leave_id, organisation_code, person_id, delegate_id, first_day, last_day, recorded_by, recorded_at, ended_at
        """
    private static let insert = Statement(
        """
        INSERT INTO declarer_leave
            (leave_id, organisation_code, person_id, delegate_id, first_day, last_day, recorded_by, recorded_at, ended_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '')
        """)
    private static let end = Statement(
        "UPDATE declarer_leave SET ended_by = ?2, ended_at = ?3 WHERE leave_id = ?1 AND ended_at IS NULL")
    private static let byID = Statement("SELECT \(columns) FROM declarer_leave WHERE leave_id = ?1")
    private static let fromDay = Statement(
        """
        SELECT \(columns) FROM declarer_leave
        WHERE organisation_code = ?1 AND last_day >= ?2 AND ended_at IS NULL ORDER BY first_day, leave_id
        """)

    private static let firstDay = Statement(
        "SELECT \(columns) FROM declarer_leave WHERE first_day = ?1 AND ended_at IS NULL ORDER BY leave_id")

    static func beginning(on day: CalendarDate, _ reader: any Reader) throws -> [Leave] {
        try reader.all(firstDay, [.date(day)], leave)
    }

    static func add(_ leave: Leave, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(leave.id), .text(leave.organisation), .text(leave.person), .text(leave.delegate),
                .date(leave.from),
                .date(leave.to), .text(leave.by), .instant(leave.at),
            ])
    }

    static func end(_ id: String, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(end, [.text(id), .text(actor), .instant(transaction.now)])
    }

    static func leave(_ id: String, _ reader: any Reader) throws -> Leave? {
        try reader.first(byID, [.text(id)], leave)
    }

    /// Of a day and later.
    static func upcoming(at organisation: String, from day: CalendarDate, _ reader: any Reader) throws
        -> [Leave]
    {
        try reader.all(fromDay, [.text(organisation), .date(day)], leave)
    }

    static func current(at organisation: String, on day: CalendarDate, _ reader: any Reader) throws -> [Leave]
    {
        try upcoming(at: organisation, from: day, reader).filter { $0.covers(day) }
    }

    private static func leave(_ row: any Row) throws -> Leave {
        Leave(
            id: row.text(0), organisation: row.text(1), person: row.text(2), delegate: row.text(3),
            from: try row.date(4),
            to: try row.date(5), by: row.text(6), at: row.instant(7), isEnded: !row.isNull(8))
    }
}
