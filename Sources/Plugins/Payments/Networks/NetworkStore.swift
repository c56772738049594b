import PluginAPI

/// Populations, beds and payees of networks: only ever added to; what was recorded last holds.
enum NetworkStore {
    static let schema = [
        """
        CREATE TABLE network_population (
            financial_year TEXT NOT NULL, pcn_code TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES input (seq),
            registered INTEGER NOT NULL, adjusted_hundredths INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL,
            PRIMARY KEY (financial_year, pcn_code, seq)
        ) STRICT
        """,
        """
        CREATE TABLE network_population_load (
            seq INTEGER PRIMARY KEY REFERENCES input (seq), load_id TEXT NOT NULL UNIQUE, financial_year TEXT NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), sha256 TEXT NOT NULL, networks INTEGER NOT NULL,
            changed INTEGER NOT NULL, added INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE network_beds (
            seq INTEGER PRIMARY KEY REFERENCES input (seq), pcn_code TEXT NOT NULL, month TEXT NOT NULL,
            beds INTEGER NOT NULL, set_by TEXT NOT NULL, reason TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE network_payee (
            seq INTEGER PRIMARY KEY REFERENCES input (seq), pcn_code TEXT NOT NULL, payee_code TEXT NOT NULL,
            effective_from TEXT NOT NULL, set_by TEXT NOT NULL, reason TEXT NOT NULL
        ) STRICT
        """,
    ]

    struct Population: Hashable, Sendable {
        var network: ODSCode
        var registered: Int64
        var adjustedHundredths: Int64
        var weightedHundredths: Int64
    }

    struct Load: Hashable, Sendable {
        var id: String
        var year: FinancialYear
        var sha256: String
        var networks: Int64
        var changed: Int64
        var added: Int64
    }

    struct Payee: Hashable, Sendable {
        var payee: ODSCode
        var from: CalendarDate
        var setBy: String
        var seq: Int64 = 0
    }

    private static let insertPopulation = BulkInsert(
        into: "network_population",
        ["financial_year", "pcn_code", "seq", "registered", "adjusted_hundredths", "weighted_hundredths"])
    private static let insertLoad = Statement(
        """
        INSERT INTO network_population_load (seq, load_id, financial_year, evidence_id, sha256, networks, changed, added)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let sameLoad = Statement(
        """
        SELECT load_id, financial_year, sha256, networks, changed, added FROM network_population_load
        WHERE financial_year = ?1 AND sha256 = ?2
        """)
    private static let populations = Statement(
        """
        SELECT financial_year, pcn_code, seq, registered, adjusted_hundredths, weighted_hundredths
        FROM network_population WHERE seq <= ?1 ORDER BY seq
        """)
    private static let population = Statement(
        """
        SELECT seq, registered, adjusted_hundredths, weighted_hundredths FROM network_population
        WHERE financial_year = ?1 AND pcn_code = ?2 ORDER BY seq DESC LIMIT 1
        """)
    private static let insertBeds = Statement(
        "INSERT INTO network_beds (seq, pcn_code, month, beds, set_by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    private static let laterBeds = Statement(
        "SELECT month FROM network_beds WHERE pcn_code = ?1 AND month > ?2 ORDER BY month LIMIT 1")
    private static let allBeds = Statement(
        "SELECT pcn_code, month, beds, seq, set_by FROM network_beds WHERE seq <= ?1 ORDER BY month, seq")
    private static let insertPayee = Statement(
        """
        INSERT INTO network_payee (seq, pcn_code, payee_code, effective_from, set_by, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let allPayees = Statement(
        """
        SELECT pcn_code, payee_code, effective_from, set_by, seq FROM network_payee
        WHERE seq <= ?1 ORDER BY effective_from, seq
        """)

    static func add(
        _ load: Load, _ rows: [Population], evidence: String, seq: Int64, in transaction: any Transaction
    ) throws {
        let year = StoredValue.text(load.year.description)
        try transaction.run(
            insertLoad,
            [
                .integer(seq), .text(load.id), year, .text(evidence), .text(load.sha256), .integer(load.networks),
                .integer(load.changed), .integer(load.added),
            ])
        try insertPopulation.run(rows, in: transaction) { row, values in
            values += [
                year, .text(row.network.value), .integer(seq), .integer(row.registered),
                .integer(row.adjustedHundredths), .integer(row.weightedHundredths),
            ]
        }
    }

    static func load(_ year: FinancialYear, sha256: String, _ reader: any Reader) throws -> Load? {
        try reader.first(sameLoad, [.text(year.description), .text(sha256)]) { row in
            Load(
                id: row.text(0), year: year, sha256: row.text(2), networks: row.integer(3), changed: row.integer(4),
                added: row.integer(5))
        }
    }

    static func sizes(
        knownAt seq: Int64, _ reader: any Reader
    ) throws -> [ODSCode: [FinancialYear: NetworkSizes]] {
        var table: [ODSCode: [FinancialYear: NetworkSizes]] = [:]
        // In order of recording, so that the last one stays.
        try reader.forEach(populations, [.integer(seq)]) { row in
            guard let year = FinancialYear(row.text(0)), let network = ODSCode(row.text(1)) else {
                throw PaymentsError.damaged("network population")
            }
            table[network, default: [:]][year] = NetworkSizes(
                registered: row.integer(3), adjustedHundredths: row.integer(4), weightedHundredths: row.integer(5),
                version: row.integer(2))
        }
        return table
    }

    /// What was recorded last; `nil` = the year's list of the network is not loaded.
    static func sizes(of network: ODSCode, in year: FinancialYear, _ reader: any Reader) throws -> NetworkSizes? {
        try reader.first(population, [.text(year.description), .text(network.value)]) {
            NetworkSizes(
                registered: $0.integer(1), adjustedHundredths: $0.integer(2), weightedHundredths: $0.integer(3),
                version: $0.integer(0))
        }
    }

    static func addBeds(
        _ network: ODSCode, from month: YearMonth, beds: Int64, seq: Int64, by actor: String, reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertBeds,
            [
                .integer(seq), .text(network.value), .text(month.description), .integer(beds), .text(actor),
                .text(reason),
            ])
    }

    /// By network, in order of month; of one month the count recorded last.
    static func beds(knownAt seq: Int64, _ reader: any Reader) throws -> [ODSCode: [NetworkBeds]] {
        var table: [ODSCode: [NetworkBeds]] = [:]
        try reader.forEach(allBeds, [.integer(seq)]) { row in
            guard let network = ODSCode(row.text(0)), let month = YearMonth(iso8601: row.text(1)) else {
                throw PaymentsError.damaged("care-home beds")
            }
            if table[network]?.last?.from == month { table[network]?.removeLast() }
            table[network, default: []].append(
                NetworkBeds(from: month, beds: row.integer(2), version: row.integer(3)))
        }
        return table
    }

    /// First month after this one from which another number of beds is recorded.
    static func nextBeds(of network: ODSCode, after month: YearMonth, _ reader: any Reader) throws -> YearMonth? {
        try reader.first(laterBeds, [.text(network.value), .text(month.description)]) { $0.text(0) }
            .flatMap { YearMonth(iso8601: $0) }
    }

    static func addPayee(
        _ network: ODSCode, _ payee: Payee, seq: Int64, reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertPayee,
            [
                .integer(seq), .text(network.value), .text(payee.payee.value), .date(payee.from),
                .text(payee.setBy), .text(reason),
            ])
    }

    /// By network, in order of the first day.
    static func payees(knownAt seq: Int64, _ reader: any Reader) throws -> [ODSCode: [Payee]] {
        var table: [ODSCode: [Payee]] = [:]
        try reader.forEach(allPayees, [.integer(seq)]) { row in
            guard let network = ODSCode(row.text(0)), let payee = ODSCode(row.text(1)) else {
                throw PaymentsError.damaged("nominated payee")
            }
            table[network, default: []].append(
                Payee(payee: payee, from: try row.date(2), setBy: row.text(3), seq: row.integer(4)))
        }
        return table
    }
}
