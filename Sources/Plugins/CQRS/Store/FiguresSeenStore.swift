import PluginAPI

/// Who saw which figures, and what was confirmed and unlocked for entry.
enum FiguresSeenStore {
    private static let next = Statement("SELECT COALESCE(MAX(number), 0) + 1 FROM figures_seen")
    private static let insert = Statement(
        """
        INSERT INTO figures_seen
            (number, service_code, achievement_date, provider_code, figures_sha256, seen_by, acting_for, seen_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let confirmed = Statement(
        """
        SELECT MAX(seq) FROM default_confirmation
        WHERE service_code = ?1 AND achievement_date = ?2 AND provider_code = ?3
        """)
    private static let confirm = Statement(
        """
        INSERT INTO default_confirmation (service_code, achievement_date, provider_code, seq, confirmed_by, confirmed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING
        """)
    private static let unlockedUntil = Statement(
        """
        SELECT MAX(open_until) FROM entry_unlock
        WHERE service_code = ?1 AND achievement_date = ?2 AND provider_code = ?3
        """)
    private static let nextUnlock = Statement(
        """
        SELECT COALESCE(MAX(number), 0) + 1 FROM entry_unlock
        WHERE service_code = ?1 AND achievement_date = ?2 AND provider_code = ?3
        """)
    private static let unlock = Statement(
        """
        INSERT INTO entry_unlock
            (service_code, achievement_date, provider_code, number, open_until, unlocked_by, unlocked_at, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)

    private static func values(_ key: IndicatorValuesFile.Key, _ provider: String) -> [StoredValue] {
        [.text(key.service), .date(key.date), .text(provider)]
    }

    static func add(
        _ key: IndicatorValuesFile.Key, provider: String, hash: String, by actor: String, actingFor: String,
        in transaction: any Transaction
    ) throws {
        let number = try transaction.first(next) { $0.integer(0) } ?? 1
        try transaction.run(
            insert,
            [.integer(number)] + values(key, provider)
                + [.text(hash), .text(actor), .text(actingFor), .instant(transaction.now)])
    }

    /// Number of the last submission whose defaults were confirmed; 0 = none.
    static func confirmedUpTo(_ key: IndicatorValuesFile.Key, provider: String, _ reader: any Reader) throws
        -> Int64
    {
        try reader.first(confirmed, values(key, provider)) { $0.integer(0) } ?? 0
    }

    static func confirm(
        _ key: IndicatorValuesFile.Key, provider: String, upTo seq: Int64, by actor: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            confirm, values(key, provider) + [.integer(seq), .text(actor), .instant(transaction.now)])
    }

    static func unlockedUntil(_ key: IndicatorValuesFile.Key, provider: String, _ reader: any Reader) throws
        -> CalendarDate?
    {
        try reader.first(unlockedUntil, values(key, provider)) { try $0.optionalDate(0) } ?? nil
    }

    static func unlock(
        _ key: IndicatorValuesFile.Key, provider: String, until day: CalendarDate, reason: String,
        by actor: String,
        in transaction: any Transaction
    ) throws {
        let number = try transaction.first(nextUnlock, values(key, provider)) { $0.integer(0) } ?? 1
        try transaction.run(
            unlock,
            values(key, provider)
                + [.integer(number), .date(day), .text(actor), .instant(transaction.now), .text(reason)])
    }
}
