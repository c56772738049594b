import PluginAPI

/// What counts against caps and budgets, out of the claims.
enum LocalUsageStore {
    /// One component claimed for an activity period: what duplicates are looked for in (LOC-7).
    struct Claimed: Hashable, Sendable {
        var provider: String
        var service: String
        var component: String
        /// First day of the window's activity, which names it: windows of one service do not overlap.
        var from: CalendarDate
    }

    private static let columns = """
        l.service_id, l.service_version, l.component_id, l.activity_on, l.quantity, l.claimed, l.price, l.pence, l.note,
        c.provider_code, w.activity_from, c.state, c.number
        """
    private static let ofProvider = Statement(
        """
        SELECT \(columns) FROM local_claim c
        JOIN local_claim_line l ON l.claim_number = c.number AND l.lines_version = c.lines_version
        JOIN local_window w ON w.window_id = c.window_id
        WHERE c.provider_code = ?1 AND c.commissioner_code = ?2
        """)
    private static let ofService = Statement(
        """
        SELECT \(columns) FROM local_claim c
        JOIN local_claim_line l ON l.claim_number = c.number AND l.lines_version = c.lines_version
        JOIN local_window w ON w.window_id = c.window_id
        WHERE c.commissioner_code = ?1 AND l.service_id = ?2
        """)
    private static let committed = Statement(
        """
        SELECT l.service_id, l.activity_on, SUM(l.pence) FROM local_claim c
        JOIN local_claim_line l ON l.claim_number = c.number AND l.lines_version = c.lines_version
        WHERE c.commissioner_code = ?1 AND c.state IN (7, 8, 9, 10, 11, 12)
        GROUP BY l.service_id, l.activity_on
        """)

    /// Each commissioner's contract has caps of its own.
    /// - Parameter except: a claim that is looked at itself.
    static func of(provider: String, commissioner: String, except claim: Int64, _ reader: any Reader) throws
        -> (usage: LocalUsage, claimed: Set<Claimed>)
    {
        try load(ofProvider, [.text(provider), .text(commissioner)], except: claim, reader)
    }

    static func of(service: String, commissioner: String, _ reader: any Reader) throws
        -> (usage: LocalUsage, claimed: Set<Claimed>)
    {
        try load(ofService, [.text(commissioner), .text(service)], except: 0, reader)
    }

    private static func load(
        _ statement: Statement, _ values: [StoredValue], except claim: Int64, _ reader: any Reader
    ) throws -> (usage: LocalUsage, claimed: Set<Claimed>) {
        var usage = LocalUsage()
        var claimed: Set<Claimed> = []
        try reader.forEach(statement, values) { row in
            guard row.integer(12) != claim, let state = LocalClaimState(rawValue: Int(row.integer(11))),
                state.isLive
            else { return }
            let line = try LocalClaimStore.line(row)
            let provider = row.text(9)
            if state.counts { usage.add(provider, line) }
            claimed.insert(
                Claimed(
                    provider: provider, service: line.service, component: line.component,
                    from: try row.date(10)))
        }
        return (usage, claimed)
    }

    /// Approved by Tier 2 or later, by service and financial year of the activity.
    static func committed(by commissioner: String, _ reader: any Reader) throws -> [String: Int64] {
        var sums: [String: Int64] = [:]
        try reader.forEach(committed, [.text(commissioner)]) { row in
            let year = FinancialYear(containing: try row.date(1))
            sums[row.text(0) + " " + year.description, default: 0] += row.integer(2)
        }
        return sums
    }
}
