import PluginAPI

/// An amount that was approved once and is paid in the first run that may take it: a claim, a one-off variation, an
/// instruction of another area. Its amount and explanation are final; a mistake is put right by another item.
struct PayableItem: Hashable, Sendable {
    /// Unique for good, from the natural key of payments.md 12.2: the same claim, occurrence or instruction twice is
    /// one item.
    var naturalKey: String
    var payee: ODSCode
    /// First run that may pay it.
    var firstRun: YearMonth
    /// With `source` `.item`; `origin` names what it comes from.
    var line: PaymentLine
}

/// Amounts waiting for a run, and the runs that took them.
enum PayableItemStore {
    static let schema = [
        """
        CREATE TABLE payable_item (
            item_id TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL REFERENCES input (seq),
            natural_key TEXT NOT NULL UNIQUE, payee_code TEXT NOT NULL, paycode INTEGER NOT NULL,
            contract_id TEXT NOT NULL, contract_version INTEGER NOT NULL, period_from TEXT NOT NULL,
            period_to TEXT NOT NULL, month TEXT NOT NULL, first_run_month TEXT NOT NULL, quantity TEXT NOT NULL,
            rate TEXT NOT NULL, basis TEXT NOT NULL, pence INTEGER NOT NULL, source_reference TEXT NOT NULL,
            explanation BLOB NOT NULL, withdrawn_seq INTEGER REFERENCES input (seq), withdrawn_reason TEXT
        ) STRICT
        """,
        "CREATE INDEX payable_item_by_payee ON payable_item (payee_code, item_id)",
        "CREATE INDEX payable_item_by_source ON payable_item (source_reference)",
        """
        CREATE TABLE payable_item_run (
            item_id TEXT NOT NULL REFERENCES payable_item (item_id), run_id TEXT NOT NULL REFERENCES run (run_id),
            PRIMARY KEY (item_id, run_id)
        ) STRICT
        """,
        "CREATE INDEX payable_item_run_by_run ON payable_item_run (run_id)",
    ]

    private static let byKey = Statement("SELECT item_id FROM payable_item WHERE natural_key = ?1")
    private static let insertItems = BulkInsert(
        into: "payable_item",
        [
            "item_id", "seq", "natural_key", "payee_code", "paycode", "contract_id", "contract_version",
            "period_from", "period_to", "month", "first_run_month", "quantity", "rate", "basis", "pence",
            "source_reference", "explanation",
        ])
    private static let insertAssignments = BulkInsert(into: "payable_item_run", ["item_id", "run_id"])
    private static let releaseRun = Statement("DELETE FROM payable_item_run WHERE run_id = ?1")
    /// An item is gone once an approved, paid or closed run has it (states 5 to 7); a run in the
    /// making takes it again and again.
    private static let dueItems = Statement(
        """
        SELECT item_id, payee_code, paycode, contract_id, contract_version, period_from, period_to, month, quantity,
            rate, basis, pence, source_reference, explanation
        FROM payable_item
        WHERE first_run_month <= ?1 AND seq <= ?2 AND (withdrawn_seq IS NULL OR withdrawn_seq > ?2)
            AND NOT EXISTS (
                SELECT 1 FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
                WHERE payable_item_run.item_id = payable_item.item_id AND run.run_id <> ?3 AND run.state IN (5, 6, 7))
        """)
    private static let unpaidItems = Statement(
        """
        SELECT item_id, payee_code, paycode, contract_id, contract_version, period_from, period_to, month, quantity,
            rate, basis, pence, source_reference, explanation
        FROM payable_item
        WHERE payee_code = ?1 AND withdrawn_seq IS NULL AND pence <> 0
            AND NOT EXISTS (
                SELECT 1 FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
                WHERE payable_item_run.item_id = payable_item.item_id AND run.state IN (5, 6, 7))
        ORDER BY item_id
        """)
    private static let runOfItem = Statement(
        """
        SELECT run.run_id FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
        WHERE payable_item_run.item_id = ?1 AND run.state IN (5, 6, 7)
        """)
    /// A run that is not aborted and whose inputs were frozen with the item takes it, whatever is recorded since.
    private static let frozenWith = Statement(
        """
        SELECT run.run_id FROM payable_item JOIN run ON run.snapshot >= payable_item.seq
            AND run.month >= payable_item.first_run_month
            AND (payable_item.withdrawn_seq IS NULL OR payable_item.withdrawn_seq > run.snapshot)
        WHERE payable_item.item_id = ?1 AND run.frozen_at IS NOT NULL AND run.state <> 8 ORDER BY run.month LIMIT 1
        """)

    private static let withdrawItem = Statement(
        """
        UPDATE payable_item SET withdrawn_seq = ?2, withdrawn_reason = ?3
        WHERE item_id = ?1 AND withdrawn_seq IS NULL
        """)

    /// Adds items; one whose natural key is known already is left out.
    ///
    /// - Returns: the ids of all of them, in order: of the known ones the id that they have.
    @discardableResult
    static func add(
        _ items: [PayableItem], by actor: String, detail: String, in transaction: any Transaction
    ) throws -> [String] {
        var ids: [String] = []
        var new: [(id: String, item: PayableItem)] = []
        var keys: [String: String] = [:]
        for item in items {
            if let known = try keys[item.naturalKey]
                ?? transaction.first(byKey, [.text(item.naturalKey)], { $0.text(0) })
            {
                ids.append(known)
                continue
            }
            let id = transaction.newIdentifier()
            keys[item.naturalKey] = id
            ids.append(id)
            new.append((id, item))
        }
        guard !new.isEmpty else { return ids }
        let seq = try InputLog.record(.items, from: nil, to: nil, by: actor, detail: detail, in: transaction)
        try insertItems.run(new, in: transaction) { entry, values in
            let line = entry.item.line
            var explanation = CompactWriter()
            line.explanation.write(to: &explanation)
            values += [
                .text(entry.id), .integer(seq), .text(entry.item.naturalKey), .text(entry.item.payee.value),
                .integer(Int64(line.paycode.rawValue)), .text(line.contractID), .integer(line.contractVersion),
                .date(line.periodFrom), .date(line.periodTo), .text(line.month.description),
                .text(entry.item.firstRun.description), .text(line.quantity.description),
                .text(line.rate.description), .text(line.basis), .integer(line.pence), .text(line.origin),
                .blob(explanation.bytes),
            ]
        }
        return ids
    }

    /// Amounts of a payee that no published run has paid, whichever run may first; oldest first.
    static func unpaid(of payee: ODSCode, _ reader: any Reader) throws -> [DueItem] {
        try reader.all(unpaidItems, [.text(payee.value)]) { DueItem(itemID: $0.text(0), line: try line($0)) }
    }

    static func isKnown(_ naturalKey: String, _ reader: any Reader) throws -> Bool {
        try reader.first(byKey, [.text(naturalKey)]) { $0.text(0) } != nil
    }

    /// Takes back an item that no published run has paid; `false` when one has, or it is withdrawn already.
    static func withdraw(
        _ itemID: String, reason: String, by actor: String, in transaction: any Transaction
    ) throws -> Bool {
        guard try paidRun(of: itemID, transaction) == nil else { return false }
        let seq = try InputLog.record(
            .items, from: nil, to: nil, by: actor, detail: "withdrawn \(itemID): \(reason)", in: transaction)
        return try transaction.run(withdrawItem, [.text(itemID), .integer(seq), .text(reason)]) == 1
    }

    /// Id of the published run that pays an item.
    static func paidRun(of itemID: String, _ reader: any Reader) throws -> String? {
        try reader.first(runOfItem, [.text(itemID)]) { $0.text(0) }
    }

    /// Id of the first run, not aborted, whose inputs were frozen with an item that nobody had taken back by then.
    static func runFrozenWith(_ itemID: String, _ reader: any Reader) throws -> String? {
        try reader.first(frozenWith, [.text(itemID)]) { $0.text(0) }
    }

    static func item(naturalKey: String, _ reader: any Reader) throws -> String? {
        try reader.first(byKey, [.text(naturalKey)]) { $0.text(0) }
    }

    /// Id of the published run that pays the item of that key.
    static func paidRun(naturalKey: String, _ reader: any Reader) throws -> String? {
        try item(naturalKey: naturalKey, reader).flatMap { try paidRun(of: $0, reader) }
    }

    /// What a run may pay, by payee, in the order in which it was approved.
    static func due(
        in run: RunRecord, knownAt snapshot: Int64, _ reader: any Reader
    ) throws -> [ODSCode: [DueItem]] {
        var found: [ODSCode: [DueItem]] = [:]
        try reader.forEach(
            dueItems, [.text(run.month.description), .integer(snapshot), .text(run.id)]
        ) { row in
            guard let payee = ODSCode(row.text(1)) else { throw PaymentsError.damaged("item " + row.text(0)) }
            found[payee, default: []].append(DueItem(itemID: row.text(0), line: try line(row)))
        }
        // Put in order here: the store would have to look each item up in the order of its index.
        return found.mapValues { items in items.count == 1 ? items : items.sorted { $0.itemID < $1.itemID } }
    }

    static func assign(_ items: [String], to runID: String, in transaction: any Transaction) throws {
        // In the order of the key, so that each row goes in beside the one before it.
        try insertAssignments.run(items.sorted(), in: transaction) { item, values in
            values += [.text(item), .text(runID)]
        }
    }

    static func release(_ runID: String, in transaction: any Transaction) throws {
        try transaction.run(releaseRun, [.text(runID)])
    }

    private static func line(_ row: any Row) throws -> PaymentLine {
        let damaged = PaymentsError.damaged("item " + row.text(0))
        var reader = CompactReader(row.blob(13))
        guard let paycode = Paycode(rawValue: UInt8(clamping: row.integer(2))),
            let month = YearMonth(iso8601: row.text(7)), let quantity = ExactDecimal(row.text(8)),
            let rate = ExactDecimal(row.text(9)), let explanation = try? Explanation(from: &reader)
        else { throw damaged }
        return PaymentLine(
            paycode: paycode, contractID: row.text(3), contractVersion: row.integer(4),
            periodFrom: try row.date(5), periodTo: try row.date(6), quantity: quantity, rate: rate,
            basis: row.text(10), pence: row.integer(11), source: .item, month: month, explanation: explanation,
            origin: row.text(12))
    }
}
