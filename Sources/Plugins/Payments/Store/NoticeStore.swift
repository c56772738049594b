import PluginAPI

/// Closures of practices that were announced, by the register of organisations or by a case. A notice that no longer
/// holds is withdrawn by another record.
enum NoticeStore {
    static let withdrawals = [
        """
        CREATE TABLE closing_notice_withdrawal (
            practice_code TEXT NOT NULL, sequence INTEGER NOT NULL, reason TEXT NOT NULL, withdrawn_at INTEGER NOT NULL,
            PRIMARY KEY (practice_code, sequence)
        ) STRICT
        """
    ]

    private static let insert = Statement(
        """
        INSERT INTO closing_notice (practice_code, sequence, effective_on, received_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (practice_code, sequence) DO NOTHING
        """)
    private static let standing = """
        FROM closing_notice WHERE NOT EXISTS (
            SELECT 1 FROM closing_notice_withdrawal
            WHERE closing_notice_withdrawal.practice_code = closing_notice.practice_code
                AND closing_notice_withdrawal.sequence = closing_notice.sequence)
        """
    private static let all = Statement(
        "SELECT practice_code, MIN(effective_on) \(standing) GROUP BY practice_code")
    private static let ofPractice = Statement("SELECT sequence \(standing) AND practice_code = ?1")
    private static let insertWithdrawal = Statement(
        """
        INSERT INTO closing_notice_withdrawal (practice_code, sequence, reason, withdrawn_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (practice_code, sequence) DO NOTHING
        """)

    static func add(
        practice: ODSCode, sequence: Int64, effectiveOn: CalendarDate, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insert,
            [.text(practice.value), .integer(sequence), .date(effectiveOn), .instant(transaction.now)])
    }

    /// A practice that was reopened is no longer closing: none of its notices holds.
    static func withdraw(practice: ODSCode, reason: String, in transaction: any Transaction) throws {
        for sequence in try transaction.all(ofPractice, [.text(practice.value)], { $0.integer(0) }) {
            _ = try withdraw(practice: practice, sequence: sequence, reason: reason, in: transaction)
        }
    }

    /// Whether the notice held until now.
    static func withdraw(
        practice: ODSCode, sequence: Int64, reason: String, in transaction: any Transaction
    ) throws -> Bool {
        let standing = try transaction.all(ofPractice, [.text(practice.value)]) { $0.integer(0) }
        guard standing.contains(sequence) else { return false }
        try transaction.run(
            insertWithdrawal,
            [.text(practice.value), .integer(sequence), .text(reason), .instant(transaction.now)])
        return true
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
