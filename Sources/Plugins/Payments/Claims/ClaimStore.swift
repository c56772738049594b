import PluginAPI

/// Claims with every step of their life.
enum ClaimStore {
    static let schema = [
        """
        CREATE TABLE claim (
            claim_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, kind INTEGER NOT NULL,
            version INTEGER NOT NULL, stage INTEGER NOT NULL, contents BLOB NOT NULL, invoice_number TEXT NOT NULL,
            period_from TEXT NOT NULL, period_to TEXT NOT NULL, claimed_pence INTEGER NOT NULL,
            approved_pence INTEGER NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL,
            submitted_by TEXT NOT NULL, submitted_at INTEGER, reviewed_by TEXT NOT NULL, decided_by TEXT NOT NULL,
            decided_at INTEGER, reason TEXT NOT NULL, item_id TEXT NOT NULL, recovered_pence INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX claim_by_practice ON claim (practice_code, kind, period_from)",
        """
        CREATE TABLE claim_event (
            claim_id TEXT NOT NULL REFERENCES claim (claim_id), number INTEGER NOT NULL, step TEXT NOT NULL,
            taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, detail TEXT NOT NULL, contents BLOB NOT NULL,
            PRIMARY KEY (claim_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE claim_week (
            practice_code TEXT NOT NULL, gmc_number TEXT NOT NULL, week_from TEXT NOT NULL, absent_from TEXT NOT NULL,
            claim_id TEXT NOT NULL REFERENCES claim (claim_id), PRIMARY KEY (practice_code, gmc_number, week_from, claim_id)
        ) STRICT
        """,
    ]

    static let parentalWeeks = ["ALTER TABLE claim ADD COLUMN parental_weeks INTEGER NOT NULL DEFAULT 0"]

    struct Claim: Hashable, Sendable {
        var id: String
        var practice: ODSCode
        var kind: ClaimKind
        var version: Int64
        var stage: ClaimStage
        /// Encoded `pcs.payments.v1.ClaimContents`.
        var contents: [UInt8]
        var invoiceNumber: String
        var from: CalendarDate
        var to: CalendarDate
        var claimedPence: Int64
        var approvedPence: Int64 = 0
        var createdBy: String
        var submittedBy = ""
        var submittedAt: Instant?
        var reviewedBy = ""
        var decidedBy = ""
        var decidedAt: Instant?
        var reason = ""
        var itemID = ""
        var recoveredPence: Int64 = 0
        /// Weeks of parental leave that the commissioner decided to pay for; 0 = the general limit.
        var parentalMostWeeks: Int64 = 0
    }

    struct Event: Hashable, Sendable {
        var step: String
        var by: String
        var at: Instant
        var detail: String
    }

    private static let columns = """
        claim_id, practice_code, kind, version, stage, contents, invoice_number, period_from, period_to, claimed_pence,
        approved_pence, created_by, submitted_by, submitted_at, reviewed_by, decided_by, decided_at, reason, item_id,
        recovered_pence, parental_weeks
        """
    private static let insert = Statement(
        """
        INSERT INTO claim (\(columns), created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
        """)
    private static let update = Statement(
        """
        UPDATE claim
        SET kind = ?3, version = ?4, stage = ?5, contents = ?6, invoice_number = ?7, period_from = ?8, period_to = ?9,
            claimed_pence = ?10, approved_pence = ?11, submitted_by = ?13, submitted_at = ?14, reviewed_by = ?15,
            decided_by = ?16, decided_at = ?17, reason = ?18, item_id = ?19, recovered_pence = ?20, parental_weeks = ?21
        WHERE claim_id = ?1 AND practice_code = ?2 AND created_by = ?12
        """)
    private static let byID = Statement("SELECT \(columns) FROM claim WHERE claim_id = ?1")
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM claim WHERE practice_code = ?1 ORDER BY claim_id")
    private static let overlapping = Statement(
        """
        SELECT \(columns) FROM claim
        WHERE practice_code = ?1 AND kind = ?2 AND period_from <= ?4 AND period_to >= ?3 AND claim_id <> ?5
            AND stage IN (2, 3, 4, 5)
        ORDER BY claim_id
        """)
    /// Of the kinds that rates cap, those approved.
    private static let assessedClaims = Statement(
        "SELECT \(columns) FROM claim WHERE kind IN (2, 9, 10, 11, 12, 13) AND stage IN (4, 5) ORDER BY claim_id")
    private static let insertEvent = Statement(
        """
        INSERT INTO claim_event (claim_id, number, step, taken_by, taken_at, detail, contents)
        VALUES (?1, (SELECT COUNT(*) + 1 FROM claim_event WHERE claim_id = ?1), ?2, ?3, ?4, ?5, ?6)
        """)
    private static let events = Statement(
        "SELECT step, taken_by, taken_at, detail FROM claim_event WHERE claim_id = ?1 ORDER BY number")

    static func add(_ claim: Claim, in transaction: any Transaction) throws {
        try transaction.run(insert, values(claim) + [.instant(transaction.now)])
    }

    /// Saves a claim and the step that changed it; the contents of every step are kept.
    static func save(
        _ claim: Claim, step: String, by actor: String, detail: String, in transaction: any Transaction
    ) throws {
        try transaction.run(update, values(claim))
        try record(claim, step: step, by: actor, detail: detail, in: transaction)
    }

    static func record(
        _ claim: Claim, step: String, by actor: String, detail: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertEvent,
            [
                .text(claim.id), .text(step), .text(actor), .instant(transaction.now), .text(detail),
                .blob(claim.contents),
            ])
    }

    static func claim(_ id: String, _ reader: any Reader) throws -> Claim? {
        try reader.first(byID, [.text(id)], claim)
    }

    static func claims(of practice: ODSCode, _ reader: any Reader) throws -> [Claim] {
        try reader.all(ofPractice, [.text(practice.value)], claim)
    }

    /// Approved claims whose amount follows from rates.
    static func assessed(_ reader: any Reader) throws -> [Claim] { try reader.all(assessedClaims, [], claim) }

    /// Other live claims of the practice and kind whose period overlaps.
    static func overlapping(_ other: Claim, _ reader: any Reader) throws -> [Claim] {
        try reader.all(
            overlapping,
            [
                .text(other.practice.value), .integer(other.kind.rawValue), .date(other.from), .date(other.to),
                .text(other.id),
            ], claim)
    }

    static func history(of claimID: String, _ reader: any Reader) throws -> [Event] {
        try reader.all(events, [.text(claimID)]) {
            Event(step: $0.text(0), by: $0.text(1), at: $0.instant(2), detail: $0.text(3))
        }
    }

    private static func values(_ claim: Claim) -> [StoredValue] {
        [
            .text(claim.id), .text(claim.practice.value), .integer(claim.kind.rawValue), .integer(claim.version),
            .integer(claim.stage.rawValue), .blob(claim.contents), .text(claim.invoiceNumber), .date(claim.from),
            .date(claim.to), .integer(claim.claimedPence), .integer(claim.approvedPence), .text(claim.createdBy),
            .text(claim.submittedBy), .optional(claim.submittedAt?.microsecondsSince1970), .text(claim.reviewedBy),
            .text(claim.decidedBy), .optional(claim.decidedAt?.microsecondsSince1970), .text(claim.reason),
            .text(claim.itemID), .integer(claim.recoveredPence), .integer(claim.parentalMostWeeks),
        ]
    }

    private static func claim(_ row: any Row) throws -> Claim {
        guard let practice = ODSCode(row.text(1)), let kind = ClaimKind(rawValue: row.integer(2)),
            let stage = ClaimStage(rawValue: row.integer(4))
        else { throw PaymentsError.damaged("claim " + row.text(0)) }
        return Claim(
            id: row.text(0), practice: practice, kind: kind, version: row.integer(3), stage: stage,
            contents: row.blob(5), invoiceNumber: row.text(6), from: try row.date(7), to: try row.date(8),
            claimedPence: row.integer(9), approvedPence: row.integer(10), createdBy: row.text(11),
            submittedBy: row.text(12), submittedAt: row.isNull(13) ? nil : row.instant(13), reviewedBy: row.text(14),
            decidedBy: row.text(15), decidedAt: row.isNull(16) ? nil : row.instant(16), reason: row.text(17),
            itemID: row.text(18), recoveredPence: row.integer(19), parentalMostWeeks: row.integer(20))
    }
}
