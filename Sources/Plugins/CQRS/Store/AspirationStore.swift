import PluginAPI

/// Monthly aspiration by provider and year; the one set last holds.
enum AspirationStore {
    struct Row: Sendable {
        var priorPence: Int64
        var monthlyPence: Int64
        var agreedBy: String
        var source: String
        var explanation: Explanation
    }

    private static let insert = Statement(
        """
        INSERT INTO aspiration
            (provider_code, financial_year, seq, prior_pence, monthly_pence, agreed_by, source, explanation)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let latest = Statement(
        """
        SELECT prior_pence, monthly_pence, agreed_by, source, explanation FROM aspiration
        WHERE provider_code = ?1 AND financial_year = ?2 ORDER BY seq DESC LIMIT 1
        """)

    static func add(
        _ row: AspirationFile.Row, _ explanation: Explanation, seq: Int64, in transaction: any Transaction
    )
        throws
    {
        var writer = CompactWriter()
        explanation.write(to: &writer)
        try transaction.run(
            insert,
            [
                .text(row.provider.value), .text(row.year.description), .integer(seq),
                .integer(row.achieved.pence),
                .integer(explanation.amount.pence), .text(row.agreedBy), .text(row.source),
                .blob(writer.bytes),
            ])
    }

    static func latest(_ provider: String, _ year: FinancialYear, _ reader: any Reader) throws -> Row? {
        try reader.first(latest, [.text(provider), .text(year.description)]) { row in
            var body = CompactReader(row.blob(4))
            return Row(
                priorPence: row.integer(0), monthlyPence: row.integer(1), agreedBy: row.text(2),
                source: row.text(3),
                explanation: try Explanation(from: &body))
        }
    }
}
