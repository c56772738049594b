import PluginAPI

/// Uploads of variations and their rows.
enum VariationStore {
    static let schema = [
        """
        CREATE TABLE variation_upload (
            upload_id TEXT PRIMARY KEY NOT NULL, commissioner_code TEXT NOT NULL, state INTEGER NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            rows INTEGER NOT NULL, one_off_pence INTEGER NOT NULL, monthly_pence INTEGER NOT NULL,
            approvals_needed INTEGER NOT NULL, uploaded_by TEXT NOT NULL, uploaded_at INTEGER NOT NULL,
            submitted_by TEXT NOT NULL, reason TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX variation_upload_by_commissioner ON variation_upload (commissioner_code, upload_id)",
        """
        CREATE TABLE variation_approval (
            upload_id TEXT NOT NULL REFERENCES variation_upload (upload_id), number INTEGER NOT NULL,
            approved_by TEXT NOT NULL, approved_at INTEGER NOT NULL, PRIMARY KEY (upload_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE variation (
            variation_id TEXT PRIMARY KEY NOT NULL, upload_id TEXT NOT NULL REFERENCES variation_upload (upload_id),
            practice_code TEXT NOT NULL, paycode INTEGER NOT NULL, narrative TEXT NOT NULL, monthly INTEGER NOT NULL,
            pence INTEGER NOT NULL, first_month TEXT NOT NULL, last_month TEXT, approved_seq INTEGER,
            withdrawn_seq INTEGER, item_id TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX variation_by_upload ON variation (upload_id)",
        "CREATE INDEX variation_by_practice ON variation (practice_code)",
        """
        CREATE TABLE variation_stop (
            variation_id TEXT NOT NULL REFERENCES variation (variation_id), seq INTEGER NOT NULL,
            from_month TEXT NOT NULL, stopped_by TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (variation_id, seq)
        ) STRICT
        """,
    ]

    /// Columns I and J; and which stop a lifting row takes back (empty = all before it).
    static let named = [
        "ALTER TABLE variation ADD COLUMN npp_payment_month TEXT",
        "ALTER TABLE variation ADD COLUMN financial_year TEXT",
        "ALTER TABLE variation_stop ADD COLUMN lifts_seq INTEGER",
    ]

    /// Numbers are stored and follow `pcs.payments.v1.VariationState`.
    enum State: Int64, Sendable {
        case validated = 1
        case submitted = 2
        case approved = 3
        case rejected = 4
        case withdrawn = 5
    }

    struct Upload: Hashable, Sendable {
        var id: String
        var commissioner: ODSCode
        var state: State
        var evidenceID: String
        var fileName: String
        var sha256: String
        var rows: Int64
        var oneOffPence: Int64
        var monthlyPence: Int64
        var approvalsNeeded: Int64
        var uploadedBy: String
        var uploadedAt: Instant
        var submittedBy = ""
        var reason = ""
    }

    struct Stored: Hashable, Sendable {
        var id: String
        var uploadID: String
        var row: VariationRow
        var itemID: String
        /// Number of the input from which it counts.
        var approvedSeq: Int64?
        /// First month that is no longer paid.
        var stoppedFrom: YearMonth?
    }

    private static let uploadColumns = """
        upload_id, commissioner_code, state, evidence_id, file_name, sha256, rows, one_off_pence, monthly_pence,
        approvals_needed, uploaded_by, uploaded_at, submitted_by, reason
        """
    private static let insertUpload = Statement(
        """
        INSERT INTO variation_upload (\(uploadColumns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        """)
    private static let saveUpload = Statement(
        "UPDATE variation_upload SET state = ?2, submitted_by = ?3, reason = ?4 WHERE upload_id = ?1")
    private static let uploadByID = Statement("SELECT \(uploadColumns) FROM variation_upload WHERE upload_id = ?1")
    private static let sameFile = Statement(
        """
        SELECT \(uploadColumns) FROM variation_upload
        WHERE commissioner_code = ?1 AND sha256 = ?2 AND state IN (1, 2, 3)
        """)
    private static let uploadsOf = Statement(
        "SELECT \(uploadColumns) FROM variation_upload WHERE commissioner_code = ?1 ORDER BY upload_id")
    private static let insertRows = BulkInsert(
        into: "variation",
        [
            "variation_id", "upload_id", "practice_code", "paycode", "narrative", "monthly", "pence", "first_month",
            "last_month", "item_id", "npp_payment_month", "financial_year",
        ])
    private static let variationColumns = """
        variation_id, upload_id, practice_code, paycode, narrative, monthly, pence, first_month, last_month, item_id,
        npp_payment_month, financial_year, approved_seq
        """
    private static let ofUpload = Statement(
        "SELECT \(variationColumns) FROM variation WHERE upload_id = ?1 ORDER BY variation_id")
    private static let byID = Statement("SELECT \(variationColumns) FROM variation WHERE variation_id = ?1")
    private static let approvedMonthly = Statement(
        """
        SELECT \(variationColumns) FROM variation
        WHERE monthly = 1 AND approved_seq <= ?1 AND (withdrawn_seq IS NULL OR withdrawn_seq > ?1)
        ORDER BY practice_code, variation_id
        """)
    /// Of uploads that are submitted or approved (states 2 and 3).
    private static let recoveriesOf = Statement(
        """
        SELECT \(variationColumns) FROM variation
        WHERE practice_code = ?1 AND pence < 0
            AND upload_id IN (SELECT upload_id FROM variation_upload WHERE state IN (2, 3))
        ORDER BY variation_id
        """)
    private static let stops = Statement(
        "SELECT variation_id, from_month, seq, lifts_seq FROM variation_stop WHERE seq <= ?1 ORDER BY seq")
    private static let insertStop = Statement(
        """
        INSERT INTO variation_stop (variation_id, seq, from_month, stopped_by, reason, lifts_seq)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let approveRows = Statement("UPDATE variation SET approved_seq = ?2 WHERE upload_id = ?1")
    private static let withdrawRows = Statement("UPDATE variation SET withdrawn_seq = ?2 WHERE upload_id = ?1")
    private static let setItem = Statement("UPDATE variation SET item_id = ?2 WHERE variation_id = ?1")
    private static let insertApproval = Statement(
        "INSERT INTO variation_approval (upload_id, number, approved_by, approved_at) VALUES (?1, ?2, ?3, ?4)")
    private static let approvals = Statement(
        "SELECT approved_by FROM variation_approval WHERE upload_id = ?1 ORDER BY number")

    private static let submittedNaming = Statement(
        """
        SELECT DISTINCT variation.upload_id FROM variation
            JOIN variation_upload ON variation_upload.upload_id = variation.upload_id
        WHERE variation.practice_code = ?1 AND variation_upload.state = 2 ORDER BY variation.upload_id
        """)

    /// Ids of the uploads that wait for their decision and have a row of the practice.
    static func submitted(naming practice: ODSCode, _ reader: any Reader) throws -> [String] {
        try reader.all(submittedNaming, [.text(practice.value)]) { $0.text(0) }
    }

    static func add(_ upload: Upload, _ rows: [VariationRow], in transaction: any Transaction) throws {
        try transaction.run(
            insertUpload,
            [
                .text(upload.id), .text(upload.commissioner.value), .integer(upload.state.rawValue),
                .text(upload.evidenceID), .text(upload.fileName), .text(upload.sha256), .integer(upload.rows),
                .integer(upload.oneOffPence), .integer(upload.monthlyPence), .integer(upload.approvalsNeeded),
                .text(upload.uploadedBy), .instant(upload.uploadedAt), .text(upload.submittedBy),
                .text(upload.reason),
            ])
        try insertRows.run(rows, in: transaction) { row, values in
            values += [
                .text(transaction.newIdentifier()), .text(upload.id), .text(row.practice.value),
                .integer(Int64(row.paycode.rawValue)), .text(row.narrative), .integer(row.isMonthly ? 1 : 0),
                .integer(row.pence), .text(row.first.description), .optional(row.last?.description), .text(""),
                .optional(row.nppMonth?.description), .optional(row.year?.description),
            ]
        }
    }

    static func save(_ upload: Upload, in transaction: any Transaction) throws {
        try transaction.run(
            saveUpload,
            [.text(upload.id), .integer(upload.state.rawValue), .text(upload.submittedBy), .text(upload.reason)])
    }

    static func upload(_ id: String, _ reader: any Reader) throws -> Upload? {
        try reader.first(uploadByID, [.text(id)], upload)
    }

    static func upload(
        of commissioner: ODSCode, sha256: String, _ reader: any Reader
    ) throws -> Upload? {
        try reader.first(sameFile, [.text(commissioner.value), .text(sha256)], upload)
    }

    static func uploads(of commissioner: ODSCode, _ reader: any Reader) throws -> [Upload] {
        try reader.all(uploadsOf, [.text(commissioner.value)], upload)
    }

    static func rows(of uploadID: String, _ reader: any Reader) throws -> [Stored] {
        let stops = try stops(knownAt: .max, reader)
        return try reader.all(ofUpload, [.text(uploadID)]) { try stored($0, stops) }
    }

    static func row(_ id: String, _ reader: any Reader) throws -> Stored? {
        let stops = try stops(knownAt: .max, reader)
        return try reader.first(byID, [.text(id)]) { try stored($0, stops) }
    }

    /// Amounts below zero that are asked for or in force.
    static func recoveries(of practice: ODSCode, _ reader: any Reader) throws -> [Stored] {
        let found = try reader.all(recoveriesOf, [.text(practice.value)]) { try stored($0, [:]) }
        guard !found.isEmpty else { return [] }
        let stops = try stops(knownAt: .max, reader)
        return found.map { recovery in
            var recovery = recovery
            recovery.stoppedFrom = stops[recovery.id]
            return recovery
        }
    }

    /// Monthly payments in force as known at an input number.
    static func schedules(knownAt seq: Int64, _ reader: any Reader) throws -> [Stored] {
        let stops = try stops(knownAt: seq, reader)
        return try reader.all(approvedMonthly, [.integer(seq)]) { try stored($0, stops) }
    }

    private static func stops(knownAt seq: Int64, _ reader: any Reader) throws -> [String: YearMonth] {
        var given: [String: [(seq: Int64, month: YearMonth)]] = [:]
        try reader.forEach(stops, [.integer(seq)]) { row in
            if let month = YearMonth(iso8601: row.text(1)) {
                given[row.text(0), default: []].append((row.integer(2), month))
            } else {
                let lifted = row.optionalInteger(3)
                given[row.text(0)]?.removeAll { lifted == nil || $0.seq == lifted }
            }
        }
        return given.compactMapValues { $0.last?.month }
    }

    static func stop(
        _ id: String, from month: YearMonth, seq: Int64, by actor: String, reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertStop,
            [.text(id), .integer(seq), .text(month.description), .text(actor), .text(reason), .null])
    }

    /// The payment goes on as if one stop had not been given: an empty month takes it back, others stay.
    ///
    /// - Parameter stop: input number of the stop.
    static func lift(
        _ stop: Int64, of id: String, seq: Int64, by actor: String, reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertStop, [.text(id), .integer(seq), .text(""), .text(actor), .text(reason), .integer(stop)])
    }

    static func approve(_ uploadID: String, seq: Int64, in transaction: any Transaction) throws {
        try transaction.run(approveRows, [.text(uploadID), .integer(seq)])
    }

    static func withdraw(_ uploadID: String, seq: Int64, in transaction: any Transaction) throws {
        try transaction.run(withdrawRows, [.text(uploadID), .integer(seq)])
    }

    static func set(item: String, of id: String, in transaction: any Transaction) throws {
        try transaction.run(setItem, [.text(id), .text(item)])
    }

    static func addApproval(_ uploadID: String, number: Int, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertApproval, [.text(uploadID), .integer(number), .text(actor), .instant(transaction.now)])
    }

    static func approvals(of uploadID: String, _ reader: any Reader) throws -> [String] {
        try reader.all(approvals, [.text(uploadID)]) { $0.text(0) }
    }

    private static func upload(_ row: any Row) throws -> Upload {
        guard let commissioner = ODSCode(row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw PaymentsError.damaged("variation upload " + row.text(0))
        }
        return Upload(
            id: row.text(0), commissioner: commissioner, state: state, evidenceID: row.text(3),
            fileName: row.text(4), sha256: row.text(5), rows: row.integer(6), oneOffPence: row.integer(7),
            monthlyPence: row.integer(8), approvalsNeeded: row.integer(9), uploadedBy: row.text(10),
            uploadedAt: row.instant(11), submittedBy: row.text(12), reason: row.text(13))
    }

    private static func stored(_ row: any Row, _ stops: [String: YearMonth]) throws -> Stored {
        guard let practice = ODSCode(row.text(2)), let paycode = Paycode(rawValue: UInt8(clamping: row.integer(3))),
            let first = YearMonth(iso8601: row.text(7))
        else { throw PaymentsError.damaged("variation " + row.text(0)) }
        return Stored(
            id: row.text(0), uploadID: row.text(1),
            row: VariationRow(
                practice: practice, paycode: paycode, narrative: row.text(4), isMonthly: row.bool(5),
                pence: row.integer(6), first: first, last: row.optionalText(8).flatMap { YearMonth(iso8601: $0) },
                nppMonth: row.optionalText(10).flatMap { YearMonth(iso8601: $0) },
                year: row.optionalText(11).flatMap { FinancialYear($0) }),
            itemID: row.text(9), approvedSeq: row.optionalInteger(12), stoppedFrom: stops[row.text(0)])
    }
}
