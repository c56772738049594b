import PluginAPI

/// Reports that a parent lets an organisation below run with what the parent commissions (REP-4).
enum AllocationStore {
    struct Allocation: Sendable {
        var id: String
        var parent: String
        var to: String
        var service: String
        /// Empty = every year.
        var year: String
        var by: String
        var at: Instant
        var removedBy = ""
        var removedAt: Instant?
        var removedBecause = ""
    }

    private static let columns = """
        allocation_id, parent_code, to_code, service_code, financial_year, allocated_by, allocated_at, removed_by,
        removed_at, removed_because
        """
    private static let insert = Statement(
        """
        INSERT INTO report_allocation
            (allocation_id, parent_code, to_code, service_code, financial_year, allocated_by, allocated_at, removed_by,
             removed_because)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', '')
        """)
    private static let remove = Statement(
        """
        UPDATE report_allocation SET removed_by = ?2, removed_at = ?3, removed_because = ?4
        WHERE allocation_id = ?1 AND removed_at IS NULL
        """)
    private static let byID = Statement("SELECT \(columns) FROM report_allocation WHERE allocation_id = ?1")
    private static let ofOrganisation = Statement(
        "SELECT \(columns) FROM report_allocation WHERE parent_code = ?1 OR to_code = ?1 ORDER BY allocation_id"
    )

    static func add(_ allocation: Allocation, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(allocation.id), .text(allocation.parent), .text(allocation.to),
                .text(allocation.service),
                .text(allocation.year), .text(allocation.by), .instant(allocation.at),
            ])
    }

    static func remove(
        _ id: String, by actor: String, because reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(remove, [.text(id), .text(actor), .instant(transaction.now), .text(reason)])
    }

    static func allocation(_ id: String, _ reader: any Reader) throws -> Allocation? {
        try reader.first(byID, [.text(id)], allocation)
    }

    static func of(_ organisation: String, _ reader: any Reader) throws -> [Allocation] {
        try reader.all(ofOrganisation, [.text(organisation)], allocation)
    }

    private static func allocation(_ row: any Row) throws -> Allocation {
        Allocation(
            id: row.text(0), parent: row.text(1), to: row.text(2), service: row.text(3), year: row.text(4),
            by: row.text(5),
            at: row.instant(6), removedBy: row.text(7), removedAt: row.isNull(8) ? nil : row.instant(8),
            removedBecause: row.text(9))
    }
}
