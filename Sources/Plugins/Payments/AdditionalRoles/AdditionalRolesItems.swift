import PluginAPI

/// The amounts that decided claims pay, and the runs that took them.
enum AdditionalRolesItems {
    struct Item: Hashable, Sendable {
        var claimID: String
        var role: String
        var month: YearMonth
        var pence: Int64
        /// Published run that pays it, and its state.
        var runID: String?
        var runState: RunState?
    }

    /// Amounts that no published run has taken.
    struct Waiting: Hashable, Sendable {
        var network: ODSCode
        var month: YearMonth
        var pence: Int64
        var itemID: String
    }

    private static let insert = Statement(
        "INSERT INTO additional_roles_item (claim_id, role, pence, item_id) VALUES (?1, ?2, ?3, ?4)")
    private static let ofNetwork = Statement(
        """
        SELECT additional_roles_item.claim_id, role, month, pence,
            (SELECT run.run_id FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
                WHERE payable_item_run.item_id = additional_roles_item.item_id AND run.state IN (5, 6, 7)),
            (SELECT run.state FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
                WHERE payable_item_run.item_id = additional_roles_item.item_id AND run.state IN (5, 6, 7))
        FROM additional_roles_item
        JOIN additional_roles_claim ON additional_roles_claim.claim_id = additional_roles_item.claim_id
        WHERE pcn_code = ?1 AND month BETWEEN ?2 AND ?3 ORDER BY month, number, role
        """)
    private static let waiting = Statement(
        """
        SELECT pcn_code, month, pence, item_id FROM additional_roles_item
        JOIN additional_roles_claim ON additional_roles_claim.claim_id = additional_roles_item.claim_id
        WHERE month BETWEEN ?3 AND ?1 AND NOT EXISTS (
            SELECT 1 FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
            WHERE payable_item_run.item_id = additional_roles_item.item_id AND run.run_id <> ?2
                AND run.state IN (5, 6, 7))
        ORDER BY pcn_code, month, number, role
        """)

    /// Makes the items of a decided claim.
    static func add(
        _ items: [AdditionalRolesLines.Item], of claim: AdditionalRolesClaim, by actor: String,
        in transaction: any Transaction
    ) throws {
        let ids = try PayableItemStore.add(
            items.map(\.item), by: actor, detail: "additional roles \(claim.name)", in: transaction)
        for (item, id) in zip(items, ids) {
            try transaction.run(
                insert, [.text(claim.id), .text(item.role), .integer(item.item.line.pence), .text(id)])
        }
    }

    static func items(
        of network: ODSCode, _ months: ClosedRange<YearMonth>, _ reader: any Reader
    ) throws -> [Item] {
        try reader.all(
            ofNetwork,
            [
                .text(network.value), .text(months.lowerBound.description),
                .text(months.upperBound.description),
            ]
        ) { row in
            guard let month = YearMonth(iso8601: row.text(2)) else {
                throw PaymentsError.damaged("additional roles item")
            }
            return Item(
                claimID: row.text(0), role: row.text(1), month: month, pence: row.integer(3),
                runID: row.optionalText(4),
                runState: row.optionalInteger(5).flatMap { RunState(rawValue: $0) })
        }
    }

    /// What is approved for the year up to the month of a run, and in no other published run. What is older was pointed
    /// out in every run since.
    static func waiting(for run: RunRecord, _ reader: any Reader) throws -> [Waiting] {
        let first = run.month.adding(months: -12)
        return try reader.all(
            waiting, [.text(run.month.description), .text(run.id), .text(first.description)]
        ) { row in
            guard let network = ODSCode(row.text(0)), let month = YearMonth(iso8601: row.text(1)) else {
                throw PaymentsError.damaged("additional roles item")
            }
            return Waiting(network: network, month: month, pence: row.integer(2), itemID: row.text(3))
        }
    }
}
