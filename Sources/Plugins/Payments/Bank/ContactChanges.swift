import PluginAPI

/// Addresses of organisations that changed, as the register told: with a change of bank details near by, a risk
/// (payments.md 12.5). Telephone numbers and e-mail addresses the register does not tell.
enum ContactChanges {
    static let schema = [
        """
        CREATE TABLE contact_change (
            organisation_code TEXT NOT NULL, sequence INTEGER NOT NULL, effective_on TEXT NOT NULL,
            received_at INTEGER NOT NULL, PRIMARY KEY (organisation_code, sequence)
        ) STRICT
        """
    ]

    private static let insert = Statement(
        """
        INSERT INTO contact_change (organisation_code, sequence, effective_on, received_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (organisation_code, sequence) DO NOTHING
        """)
    private static let ofCode = Statement(
        "SELECT DISTINCT effective_on FROM contact_change WHERE organisation_code = ?1 ORDER BY effective_on")

    static func add(
        _ code: ODSCode, sequence: Int64, effectiveOn: CalendarDate, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insert, [.text(code.value), .integer(sequence), .date(effectiveOn), .instant(transaction.now)])
    }

    /// Days from which another address holds.
    static func days(of code: ODSCode, _ reader: any Reader) throws -> [CalendarDate] {
        try reader.all(ofCode, [.text(code.value)]) { try $0.date(0) }
    }
}
