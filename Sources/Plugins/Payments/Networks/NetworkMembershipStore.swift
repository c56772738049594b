import PluginAPI

/// Membership of networks as runs have used it: only ever added to.
enum NetworkMembershipStore {
    static let schema = [
        """
        CREATE TABLE network_membership (
            practice_code TEXT NOT NULL, month TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES input (seq),
            pcn_code TEXT NOT NULL, PRIMARY KEY (practice_code, month, seq)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "network_membership", ["practice_code", "month", "seq", "pcn_code"])
    private static let known = Statement(
        "SELECT practice_code, month, pcn_code FROM network_membership WHERE seq <= ?1 ORDER BY practice_code, month, seq")
    private static let first = Statement("SELECT MIN(seq) FROM input WHERE kind = ?1 AND seq <= ?2")

    static func add(_ entries: [NetworkMembership.Entry], seq: Int64, in transaction: any Transaction) throws {
        try insert.run(entries, in: transaction) { entry, values in
            values += [
                .text(entry.practice.value), .text(entry.month.description), .integer(seq),
                .text(entry.network?.value ?? ""),
            ]
        }
    }

    /// `nil` = nothing was recorded by then: earlier versions asked the register at each calculation.
    static func membership(knownAt seq: Int64, _ reader: any Reader) throws -> NetworkMembership? {
        let values: [StoredValue] = [.text(InputLog.Kind.register.rawValue), .integer(seq)]
        guard try reader.first(first, values, { $0.optionalInteger(0) }) ?? nil != nil else { return nil }
        var membership = NetworkMembership()
        try reader.forEach(known, [.integer(seq)]) { row in
            guard let practice = ODSCode(row.text(0)), let month = YearMonth(iso8601: row.text(1)) else {
                throw PaymentsError.damaged("membership of a network")
            }
            membership.add(.init(practice: practice, month: month, network: ODSCode(row.text(2))))
        }
        return membership
    }
}
