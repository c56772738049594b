import PluginAPI

/// Requests for contract changes with every step of their life.
enum ContractChangeStore {
    static let schema = [
        """
        CREATE TABLE contract_change (
            change_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, stage INTEGER NOT NULL,
            version INTEGER NOT NULL, contents BLOB NOT NULL, drafted_by TEXT NOT NULL, submitted_by TEXT NOT NULL,
            authorised_by TEXT NOT NULL, second_approved_by TEXT NOT NULL, from_kind INTEGER NOT NULL,
            to_kind INTEGER NOT NULL, seq INTEGER REFERENCES input (seq), contract_version INTEGER NOT NULL,
            reversed_by TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX contract_change_by_practice ON contract_change (practice_code, change_id)",
        """
        CREATE TABLE contract_change_event (
            change_id TEXT NOT NULL REFERENCES contract_change (change_id), number INTEGER NOT NULL,
            step TEXT NOT NULL, taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, detail TEXT NOT NULL,
            contents BLOB NOT NULL, PRIMARY KEY (change_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE contract_change_payment (
            change_id TEXT NOT NULL REFERENCES contract_change (change_id),
            variation_id TEXT NOT NULL REFERENCES variation (variation_id), because TEXT NOT NULL,
            PRIMARY KEY (change_id, variation_id)
        ) STRICT
        """,
    ]

    struct Change: Hashable, Sendable {
        var id: String
        var practice: ODSCode
        var stage = ContractChangeStage.draft
        var version: Int64 = 0
        /// Encoded `pcs.payments.v1.ContractChangeContents`.
        var contents: [UInt8]
        var draftedBy: String
        var submittedBy = ""
        var authorisedBy = ""
        var secondApprovedBy = ""
        var fromKind: ContractKind?
        var toKind: ContractKind?
        /// Input number under which it took effect.
        var seq: Int64?
        var contractVersion: Int64 = 0
        var reversedBy = ""
    }

    struct Event: Hashable, Sendable {
        var step: String
        var by: String
        var at: Instant
        var detail: String
    }

    private static let columns = """
        change_id, practice_code, stage, version, contents, drafted_by, submitted_by, authorised_by,
        second_approved_by, from_kind, to_kind, seq, contract_version, reversed_by
        """
    private static let insert = Statement(
        """
        INSERT INTO contract_change (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        """)
    private static let update = Statement(
        """
        UPDATE contract_change
        SET stage = ?3, version = ?4, contents = ?5, drafted_by = ?6, submitted_by = ?7, authorised_by = ?8,
            second_approved_by = ?9, from_kind = ?10, to_kind = ?11, seq = ?12, contract_version = ?13, reversed_by = ?14
        WHERE change_id = ?1 AND practice_code = ?2
        """)
    private static let byID = Statement("SELECT \(columns) FROM contract_change WHERE change_id = ?1")
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM contract_change WHERE practice_code = ?1 ORDER BY change_id")
    private static let insertEvent = Statement(
        """
        INSERT INTO contract_change_event (change_id, number, step, taken_by, taken_at, detail, contents)
        VALUES (?1, (SELECT COUNT(*) + 1 FROM contract_change_event WHERE change_id = ?1), ?2, ?3, ?4, ?5, ?6)
        """)
    private static let events = Statement(
        "SELECT step, taken_by, taken_at, detail FROM contract_change_event WHERE change_id = ?1 ORDER BY number"
    )
    private static let insertPayment = BulkInsert(
        into: "contract_change_payment", ["change_id", "variation_id", "because"])
    private static let payments = Statement(
        "SELECT variation_id, because FROM contract_change_payment WHERE change_id = ?1 ORDER BY variation_id"
    )

    private static func values(_ change: Change) -> [StoredValue] {
        [
            .text(change.id), .text(change.practice.value), .integer(change.stage.rawValue),
            .integer(change.version), .blob(change.contents), .text(change.draftedBy),
            .text(change.submittedBy),
            .text(change.authorisedBy), .text(change.secondApprovedBy),
            .integer(change.fromKind?.rawValue ?? 0),
            .integer(change.toKind?.rawValue ?? 0), .optional(change.seq), .integer(change.contractVersion),
            .text(change.reversedBy),
        ]
    }

    static func add(_ change: Change, in transaction: any Transaction) throws {
        try transaction.run(insert, values(change))
    }

    /// Saves a request and the step that changed it; the contents of every step are kept.
    static func save(
        _ change: Change, step: String, by actor: String, detail: String, in transaction: any Transaction
    ) throws {
        try transaction.run(update, values(change))
        try transaction.run(
            insertEvent,
            [
                .text(change.id), .text(step), .text(actor), .instant(transaction.now), .text(detail),
                .blob(change.contents),
            ])
        transaction.audit(
            AuditNote(
                object: "contract-change/\(change.id)", organisation: change.practice.value,
                detail: detail.isEmpty ? step : step + ": " + detail))
    }

    static func change(_ id: String, _ reader: any Reader) throws -> Change? {
        try reader.first(byID, [.text(id)], change)
    }

    static func changes(of practice: ODSCode, _ reader: any Reader) throws -> [Change] {
        try reader.all(ofPractice, [.text(practice.value)], change)
    }

    static func history(of id: String, _ reader: any Reader) throws -> [Event] {
        try reader.all(events, [.text(id)]) {
            Event(step: $0.text(0), by: $0.text(1), at: $0.instant(2), detail: $0.text(3))
        }
    }

    /// Monthly payments that an approved change stopped (with the reason) or carried over (with none).
    static func addPayments(
        _ payments: [(variationID: String, because: String)], of id: String, in transaction: any Transaction
    ) throws {
        try insertPayment.run(payments, in: transaction) { payment, values in
            values += [.text(id), .text(payment.variationID), .text(payment.because)]
        }
    }

    static func payments(of id: String, _ reader: any Reader) throws -> [(
        variationID: String, because: String
    )] {
        try reader.all(payments, [.text(id)]) { ($0.text(0), $0.text(1)) }
    }

    private static func change(_ row: any Row) throws -> Change {
        guard let practice = ODSCode(row.text(1)), let stage = ContractChangeStage(rawValue: row.integer(2))
        else {
            throw PaymentsError.damaged("contract change " + row.text(0))
        }
        return Change(
            id: row.text(0), practice: practice, stage: stage, version: row.integer(3), contents: row.blob(4),
            draftedBy: row.text(5), submittedBy: row.text(6), authorisedBy: row.text(7),
            secondApprovedBy: row.text(8), fromKind: ContractKind(rawValue: row.integer(9)),
            toKind: ContractKind(rawValue: row.integer(10)), seq: row.optionalInteger(11),
            contractVersion: row.integer(12), reversedBy: row.text(13))
    }
}
