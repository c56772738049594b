import PluginAPI

/// Windows of services, and extensions of them for one provider.
enum LocalWindowStore {
    private static let columns =
        "window_id, service_id, activity_from, activity_to, opens_on, closes_on, late_until"
    private static let insert = Statement(
        """
        INSERT INTO local_window (\(columns), set_by, set_at, withdrawn_by, withdrawn_at, withdrawn_reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', NULL, '')
        """)
    private static let withdraw = Statement(
        "UPDATE local_window SET withdrawn_by = ?2, withdrawn_at = ?3, withdrawn_reason = ?4 WHERE window_id = ?1"
    )
    private static let byID = Statement(
        "SELECT \(columns) FROM local_window WHERE window_id = ?1 AND withdrawn_at IS NULL")
    private static let byService = Statement(
        """
        SELECT \(columns) FROM local_window WHERE service_id = ?1 AND withdrawn_at IS NULL
        ORDER BY activity_from, window_id
        """)
    private static let insertExtension = Statement(
        """
        INSERT INTO local_window_extension (number, window_id, provider_code, open_until, reason, set_by, set_at)
        SELECT COALESCE(MAX(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6 FROM local_window_extension
        """)
    private static let extensionsOf = Statement(
        "SELECT open_until FROM local_window_extension WHERE window_id = ?1 AND provider_code = ?2 ORDER BY number"
    )

    static func add(_ window: LocalWindow, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(window.id), .text(window.service), .date(window.activityFrom), .date(window.activityTo),
                .date(window.opens), .date(window.closes), .date(window.lateUntil), .text(actor),
                .instant(transaction.now),
            ])
    }

    static func withdraw(_ id: String, reason: String, by actor: String, in transaction: any Transaction)
        throws
    {
        try transaction.run(withdraw, [.text(id), .text(actor), .instant(transaction.now), .text(reason)])
    }

    static func window(_ id: String, _ reader: any Reader) throws -> LocalWindow? {
        try reader.first(byID, [.text(id)], window)
    }

    static func windows(of service: String, _ reader: any Reader) throws -> [LocalWindow] {
        try reader.all(byService, [.text(service)], window)
    }

    static func extend(
        _ id: String, _ provider: String, until day: CalendarDate, reason: String, by actor: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertExtension,
            [.text(id), .text(provider), .date(day), .text(reason), .text(actor), .instant(transaction.now)])
    }

    /// The last one holds.
    static func extendedUntil(_ id: String, _ provider: String, _ reader: any Reader) throws -> CalendarDate?
    {
        try reader.all(extensionsOf, [.text(id), .text(provider)]) { try $0.date(0) }.last
    }

    private static func window(_ row: any Row) throws -> LocalWindow {
        LocalWindow(
            id: row.text(0), service: row.text(1), activityFrom: try row.date(2), activityTo: try row.date(3),
            opens: try row.date(4), closes: try row.date(5), lateUntil: try row.optionalDate(6))
    }
}
