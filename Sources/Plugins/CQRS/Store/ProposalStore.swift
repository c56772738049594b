import PluginAPI

/// Results that stand on figures which have changed since (POP-2).
enum ProposalStore {
    struct Proposal: Sendable {
        var id: String
        var key: IndicatorValuesFile.Key
        var provider: String
        var runSeq: Int64
        var cause: String
        var isOpen: Bool
    }

    private static let concerned = Statement(
        """
        SELECT service_code, achievement_date, MAX(run_seq) FROM calculation
        WHERE provider_code = ?1 AND achievement_date >= ?2 AND population_id > 0
        GROUP BY service_code, achievement_date
        """)
    private static let openOne = Statement(
        """
        SELECT proposal_id FROM recalculation_proposal
        WHERE service_code = ?1 AND achievement_date = ?2 AND provider_code = ?3 AND closed_by_run IS NULL
        """)
    private static let insert = Statement(
        """
        INSERT INTO recalculation_proposal
            (proposal_id, service_code, achievement_date, provider_code, run_seq, cause, raised_at, closed_by_run)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)
        """)
    private static let close = Statement(
        """
        UPDATE recalculation_proposal SET closed_by_run = ?3
        WHERE service_code = ?1 AND achievement_date = ?2 AND closed_by_run IS NULL
        """)
    private static let open = Statement(
        """
        SELECT proposal_id, service_code, achievement_date, provider_code, run_seq, cause, closed_by_run
        FROM recalculation_proposal WHERE closed_by_run IS NULL ORDER BY service_code, achievement_date, provider_code
        """)
    private static let everything = Statement(
        """
        SELECT proposal_id, service_code, achievement_date, provider_code, run_seq, cause, closed_by_run
        FROM recalculation_proposal ORDER BY proposal_id
        """)

    /// A proposal for every result that may stand on one of the figures and has none yet. Returns how many.
    static func raise(
        cause: String, after changes: [(organisation: String, asOf: CalendarDate)],
        in transaction: any Transaction
    ) throws -> Int64 {
        var raised: Int64 = 0
        for change in changes {
            let results = try transaction.all(concerned, [.text(change.organisation), .date(change.asOf)]) {
                ($0.text(0), $0.text(1), $0.integer(2))
            }
            for (service, date, run) in results {
                let key: [StoredValue] = [.text(service), .text(date), .text(change.organisation)]
                if try transaction.first(openOne, key, { $0.text(0) }) != nil { continue }
                try transaction.run(
                    insert,
                    [.text(transaction.newIdentifier())] + key + [
                        .integer(run), .text(cause), .instant(transaction.now),
                    ])
                raised += 1
            }
        }
        return raised
    }

    static func close(_ key: IndicatorValuesFile.Key, by run: Int64, in transaction: any Transaction) throws {
        try transaction.run(close, [.text(key.service), .date(key.date), .integer(run)])
    }

    static func all(_ reader: any Reader) throws -> [Proposal] { try reader.all(everything, [], proposal) }
    static func allOpen(_ reader: any Reader) throws -> [Proposal] { try reader.all(open, [], proposal) }

    private static func proposal(_ row: any Row) throws -> Proposal {
        Proposal(
            id: row.text(0), key: .init(service: row.text(1), date: try row.date(2)), provider: row.text(3),
            runSeq: row.integer(4), cause: row.text(5), isOpen: row.isNull(6))
    }
}
