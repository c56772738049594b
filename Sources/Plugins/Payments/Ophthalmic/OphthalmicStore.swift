import PluginAPI

/// Claims, batches, visits and contractors of General Ophthalmic Services. A claim that is corrected keeps its earlier
/// versions.
enum OphthalmicStore {
    static let schema = [
        """
        CREATE TABLE ophthalmic_contractor (
            record INTEGER PRIMARY KEY, contractor_code TEXT NOT NULL, name TEXT NOT NULL, commissioner_code TEXT NOT NULL,
            committee_name TEXT NOT NULL, effective_from TEXT NOT NULL, recorded_by TEXT NOT NULL,
            recorded_at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE ophthalmic_batch (
            batch INTEGER PRIMARY KEY, batch_id TEXT NOT NULL UNIQUE, contractor_code TEXT NOT NULL, seq INTEGER,
            accepted INTEGER NOT NULL, rejected INTEGER NOT NULL, submitted_by TEXT NOT NULL,
            submitted_at INTEGER NOT NULL, totals BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX ophthalmic_batch_by_seq ON ophthalmic_batch (seq)",
        """
        CREATE TABLE ophthalmic_claim (
            contractor_code TEXT NOT NULL, reference TEXT NOT NULL, version INTEGER NOT NULL, state INTEGER NOT NULL,
            person INTEGER NOT NULL, performed_on INTEGER NOT NULL, form INTEGER NOT NULL, place INTEGER NOT NULL,
            seq INTEGER, batch INTEGER, codes TEXT NOT NULL, contents BLOB NOT NULL,
            recovered_seq INTEGER, recovery_reason TEXT, PRIMARY KEY (contractor_code, reference)
        ) STRICT
        """,
        "CREATE INDEX ophthalmic_claim_by_person ON ophthalmic_claim (person, performed_on)",
        """
        CREATE TABLE ophthalmic_claim_past (
            contractor_code TEXT NOT NULL, reference TEXT NOT NULL, version INTEGER NOT NULL, state INTEGER NOT NULL,
            batch INTEGER, codes TEXT NOT NULL, contents BLOB NOT NULL,
            PRIMARY KEY (contractor_code, reference, version)
        ) STRICT
        """,
        """
        CREATE TABLE ophthalmic_visit (
            contractor_code TEXT NOT NULL, visit_reference TEXT NOT NULL, version INTEGER NOT NULL,
            address TEXT NOT NULL, postcode TEXT NOT NULL, visit_on TEXT NOT NULL, starts_at INTEGER NOT NULL,
            patients INTEGER NOT NULL, awaits_approval INTEGER NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL,
            reason TEXT NOT NULL, is_change INTEGER NOT NULL,
            PRIMARY KEY (contractor_code, visit_reference, version)
        ) STRICT
        """,
        """
        CREATE TABLE ophthalmic_visit_place (
            contractor_code TEXT NOT NULL, visit_reference TEXT NOT NULL, taken INTEGER NOT NULL,
            PRIMARY KEY (contractor_code, visit_reference)
        ) STRICT
        """,
    ]

    /// States that are stored; what a run does with an accepted claim follows from the run.
    enum State: Int64, Sendable {
        case draft = 1, signed = 2, accepted = 4, rejected = 5, recovered = 8

        var name: String {
            switch self {
            case .draft: "DRAFT"
            case .signed: "SIGNED"
            case .accepted: "ACCEPTED"
            case .rejected: "REJECTED"
            case .recovered: "RECOVERED"
            }
        }
    }

    struct Claim: Sendable {
        var contractor: ODSCode
        var reference: String
        var version: Int64
        var state: State
        var person: Int64
        var performedOn: Int64
        var form: Int64
        /// On the notified visit, from 1; 0 = no visit.
        var place: Int64 = 0
        var seq: Int64?
        var batch: Int64?
        var codes: [GOSRejection] = []
        var contents: [UInt8]
        var recoveredSeq: Int64?
        var recoveryReason: String?
    }

    private static let columnNames = [
        "contractor_code", "reference", "version", "state", "person", "performed_on", "form", "place", "seq",
        "batch",
        "codes", "contents", "recovered_seq", "recovery_reason",
    ]
    private static let columns = columnNames.joined(separator: ", ")
    private static let insertClaims = BulkInsert(into: "ophthalmic_claim", columnNames)
    private static let updateClaim = Statement(
        """
        UPDATE ophthalmic_claim
        SET version = ?3, state = ?4, person = ?5, performed_on = ?6, form = ?7, place = ?8, seq = ?9, batch = ?10,
            codes = ?11, contents = ?12, recovered_seq = ?13, recovery_reason = ?14
        WHERE contractor_code = ?1 AND reference = ?2
        """)
    private static let insertPast = Statement(
        """
        INSERT INTO ophthalmic_claim_past (contractor_code, reference, version, state, batch, codes, contents)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let byReference = Statement(
        "SELECT \(columns) FROM ophthalmic_claim WHERE contractor_code = ?1 AND reference = ?2")
    private static let byContractor = Statement(
        """
        SELECT \(columns) FROM ophthalmic_claim WHERE contractor_code = ?1 AND reference > ?2
        ORDER BY reference LIMIT 500
        """)
    private static let samePerson = Statement(
        """
        SELECT \(columns) FROM ophthalmic_claim
        WHERE person = ?1 AND performed_on = ?2 AND form = ?3 AND state = 4
        """)
    private static let past = Statement(
        """
        SELECT version, state, codes FROM ophthalmic_claim_past
        WHERE contractor_code = ?1 AND reference = ?2 ORDER BY version
        """)
    private static let nextBatch = Statement("SELECT COALESCE(MAX(batch), 0) + 1 FROM ophthalmic_batch")
    private static let insertBatch = Statement(
        """
        INSERT INTO ophthalmic_batch
            (batch, batch_id, contractor_code, seq, accepted, rejected, submitted_by, submitted_at, totals)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let batchByNumber = Statement(
        "SELECT submitted_by, submitted_at FROM ophthalmic_batch WHERE batch = ?1")
    private static let totalsInSpan = Statement(
        "SELECT contractor_code, totals FROM ophthalmic_batch WHERE seq > ?1 AND seq <= ?2")

    private static func values(_ claim: Claim) -> [StoredValue] {
        [
            .text(claim.contractor.value), .text(claim.reference), .integer(claim.version),
            .integer(claim.state.rawValue), .integer(claim.person), .integer(claim.performedOn),
            .integer(claim.form), .integer(claim.place), .optional(claim.seq), .optional(claim.batch),
            .text(claim.codes.map(\.code).joined(separator: " ")), .blob(claim.contents),
            .optional(claim.recoveredSeq), .optional(claim.recoveryReason),
        ]
    }

    private static func claim(_ row: any Row) throws -> Claim {
        guard let contractor = ODSCode(row.text(0)), let state = State(rawValue: row.integer(3)) else {
            throw PaymentsError.damaged("ophthalmic claim " + row.text(1))
        }
        return Claim(
            contractor: contractor, reference: row.text(1), version: row.integer(2), state: state,
            person: row.integer(4), performedOn: row.integer(5), form: row.integer(6), place: row.integer(7),
            seq: row.optionalInteger(8), batch: row.optionalInteger(9),
            codes: row.text(10).split(separator: " ").compactMap { GOSRejection(code: String($0)) },
            contents: row.blob(11), recoveredSeq: row.optionalInteger(12),
            recoveryReason: row.optionalText(13))
    }

    static func add(_ claims: [Claim], in transaction: any Transaction) throws {
        try insertClaims.run(claims, in: transaction) { $1 += values($0) }
    }

    /// Keeps the version that a correction takes the place of.
    static func keepPast(_ claim: Claim, in transaction: any Transaction) throws {
        try transaction.run(
            insertPast,
            [
                .text(claim.contractor.value), .text(claim.reference), .integer(claim.version),
                .integer(claim.state.rawValue), .optional(claim.batch),
                .text(claim.codes.map(\.code).joined(separator: " ")), .blob(claim.contents),
            ])
    }

    /// Puts a claim in the place of its earlier version.
    static func update(_ claim: Claim, in transaction: any Transaction) throws {
        try transaction.run(updateClaim, values(claim))
    }

    static func claim(_ contractor: ODSCode, _ reference: String, _ reader: any Reader) throws -> Claim? {
        try reader.first(byReference, [.text(contractor.value), .text(reference)], claim)
    }

    /// A page of claims by reference.
    static func claims(of contractor: ODSCode, after reference: String, _ reader: any Reader) throws
        -> [Claim]
    {
        try reader.all(byContractor, [.text(contractor.value), .text(reference)], claim)
    }

    /// Accepted claims on the form for the same person, or one whose key is the same, and day.
    static func accepted(person: Int64, on day: Int64, form: Int64, _ reader: any Reader) throws -> [Claim] {
        try reader.all(samePerson, [.integer(person), .integer(day), .integer(form)], claim)
    }

    static func history(_ claim: Claim, _ reader: any Reader) throws -> [String] {
        try reader.all(past, [.text(claim.contractor.value), .text(claim.reference)]) { row in
            let state = State(rawValue: row.integer(1))?.name ?? ""
            return "\(row.integer(0)) \(state)" + (row.text(2).isEmpty ? "" : " " + row.text(2))
        }
    }

    struct Batch: Sendable {
        var number: Int64
        var id: String
        var contractor: ODSCode
        var seq: Int64?
        var accepted: Int64
        var rejected: Int64
        var by: String
        var totals: GOSTotals
    }

    static func nextBatchNumber(_ reader: any Reader) throws -> Int64 {
        try reader.first(nextBatch) { $0.integer(0) } ?? 1
    }

    static func add(_ batch: Batch, in transaction: any Transaction) throws {
        try transaction.run(
            insertBatch,
            [
                .integer(batch.number), .text(batch.id), .text(batch.contractor.value), .optional(batch.seq),
                .integer(batch.accepted), .integer(batch.rejected), .text(batch.by),
                .instant(transaction.now),
                .blob(batch.totals.encoded()),
            ])
    }

    static func submitted(_ batch: Int64, _ reader: any Reader) throws -> (by: String, at: Instant)? {
        try reader.first(batchByNumber, [.integer(batch)]) { ($0.text(0), $0.instant(1)) }
    }

    /// What was accepted with inputs after `after`, up to `upTo`, by contractor.
    static func totals(after: Int64, upTo: Int64, _ reader: any Reader) throws -> [ODSCode: GOSTotals] {
        var found: [ODSCode: GOSTotals] = [:]
        try reader.forEach(totalsInSpan, [.integer(after), .integer(upTo)]) { row in
            guard let contractor = ODSCode(row.text(0)) else {
                throw PaymentsError.damaged("ophthalmic batch")
            }
            found[contractor, default: GOSTotals()].add(try GOSTotals(row.blob(1)))
        }
        return found
    }
}
