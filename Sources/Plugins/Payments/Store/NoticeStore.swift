import PluginAPI

/// Closures of practices that the register of organisations announced.
enum NoticeStore {
    private static let insert = Statement(
        """
        INSERT INTO closing_notice (practice_code, sequence, effective_on, received_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (practice_code, sequence) DO NOTHING
        """)
    private static let all = Statement(
        "SELECT practice_code, MIN(effective_on) FROM closing_notice GROUP BY practice_code")
    private static let delete = Statement("DELETE FROM closing_notice WHERE practice_code = ?1")

    static func add(
        practice: ODSCode, sequence: Int64, effectiveOn: CalendarDate, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insert,
            [.text(practice.value), .integer(sequence), .date(effectiveOn), .instant(transaction.now)])
    }

    /// A practice that was reopened is no longer closing.
    static func withdraw(practice: ODSCode, in transaction: any Transaction) throws {
        try transaction.run(delete, [.text(practice.value)])
    }

    /// First day announced, by practice.
    static func notices(_ reader: any Reader) throws -> [ODSCode: CalendarDate] {
        var result: [ODSCode: CalendarDate] = [:]
        try reader.forEach(all, []) { row in
            if let practice = ODSCode(row.text(0)) { result[practice] = try row.date(1) }
        }
        return result
    }
}
