import PluginAPI

/// Files of local payments, the levies they state, and who pays them.
enum PharmacyStore {
    static let schema = [
        """
        CREATE TABLE pharmacy_file (
            number INTEGER PRIMARY KEY, file_id TEXT NOT NULL UNIQUE, commissioner_code TEXT NOT NULL, month TEXT NOT NULL,
            state INTEGER NOT NULL, evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), sha256 TEXT NOT NULL,
            rows INTEGER NOT NULL, contractors INTEGER NOT NULL, total_pence INTEGER NOT NULL, loaded_by TEXT NOT NULL,
            authorised_by TEXT NOT NULL, paid_here INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX pharmacy_file_by_month ON pharmacy_file (commissioner_code, month)",
        """
        CREATE TABLE pharmacy_file_step (
            file_id TEXT NOT NULL REFERENCES pharmacy_file (file_id), number INTEGER NOT NULL, step TEXT NOT NULL,
            taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (file_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE pharmacy_payment (
            file_id TEXT NOT NULL REFERENCES pharmacy_file (file_id), number INTEGER NOT NULL,
            contractor_code TEXT NOT NULL, lpa_code TEXT NOT NULL, pence INTEGER NOT NULL, narrative TEXT NOT NULL,
            statutory INTEGER NOT NULL, voluntary INTEGER NOT NULL, PRIMARY KEY (file_id, number)
        ) STRICT
        """,
        "CREATE INDEX pharmacy_payment_by_contractor ON pharmacy_payment (contractor_code)",
        """
        CREATE TABLE pharmacy_setting (
            number INTEGER PRIMARY KEY, commissioner_code TEXT NOT NULL, from_month TEXT NOT NULL,
            paid_here INTEGER NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL, reason TEXT NOT NULL
        ) STRICT
        """,
    ]

    struct File: Hashable, Sendable {
        var id: String
        var commissioner: ODSCode
        var month: YearMonth
        var stage: PharmacyFileStage
        var evidenceID: String
        var sha256: String
        var rows: Int64
        var contractors: Int64
        var totalPence: Int64
        var loadedBy: String
        /// The first to authorise it; empty before.
        var authorisedBy = ""
        var isPaidHere = false
    }

    struct Step: Hashable, Sendable {
        var step: String
        var by: String
        var at: Instant
        var detail: String
    }

    private static let columns = """
        file_id, commissioner_code, month, state, evidence_id, sha256, rows, contractors, total_pence, loaded_by,
        authorised_by, paid_here
        """
    private static let insert = Statement(
        """
        INSERT INTO pharmacy_file (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """)
    private static let update = Statement(
        "UPDATE pharmacy_file SET state = ?2, authorised_by = ?3, paid_here = ?4 WHERE file_id = ?1")
    private static let byID = Statement("SELECT \(columns) FROM pharmacy_file WHERE file_id = ?1")
    private static let ofMonth = Statement(
        """
        SELECT \(columns) FROM pharmacy_file WHERE commissioner_code = ?1 AND month = ?2 AND state <> 7
        ORDER BY number
        """)
    private static let insertStep = Statement(
        """
        INSERT INTO pharmacy_file_step (file_id, number, step, taken_by, taken_at, detail)
        VALUES (?1, (SELECT COUNT(*) + 1 FROM pharmacy_file_step WHERE file_id = ?1), ?2, ?3, ?4, ?5)
        """)
    private static let stepsOfFile = Statement(
        "SELECT step, taken_by, taken_at, detail FROM pharmacy_file_step WHERE file_id = ?1 ORDER BY number")
    private static let insertPayments = BulkInsert(
        into: "pharmacy_payment",
        ["file_id", "number", "contractor_code", "lpa_code", "pence", "narrative", "statutory", "voluntary"])
    private static let paymentsOfFile = Statement(
        """
        SELECT contractor_code, lpa_code, pence, narrative, statutory, voluntary FROM pharmacy_payment
        WHERE file_id = ?1 ORDER BY number
        """)
    /// States 3 to 6 are in force.
    private static let statedLevies = Statement(
        """
        SELECT pharmacy_payment.contractor_code, pharmacy_file.month, statutory, voluntary
        FROM pharmacy_payment JOIN pharmacy_file ON pharmacy_file.file_id = pharmacy_payment.file_id
        WHERE pharmacy_file.commissioner_code = ?1 AND pharmacy_file.month <= ?2 AND state IN (3, 4, 5, 6)
        ORDER BY pharmacy_file.month, pharmacy_file.number, pharmacy_payment.number
        """)
    private static let insertSetting = Statement(
        """
        INSERT INTO pharmacy_setting (commissioner_code, from_month, paid_here, set_by, set_at, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let settingAt = Statement(
        """
        SELECT paid_here FROM pharmacy_setting WHERE commissioner_code = ?1 AND from_month <= ?2
        ORDER BY from_month DESC, number DESC LIMIT 1
        """)

    static func add(_ file: File, _ payments: [LocalPayment], in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(file.id), .text(file.commissioner.value), .text(file.month.description),
                .integer(file.stage.rawValue), .text(file.evidenceID), .text(file.sha256),
                .integer(file.rows),
                .integer(file.contractors), .integer(file.totalPence), .text(file.loadedBy),
                .text(file.authorisedBy), .integer(file.isPaidHere ? 1 : 0),
            ])
        try insertPayments.run(Array(payments.enumerated()), in: transaction) { entry, values in
            let payment = entry.element
            values += [
                .text(file.id), .integer(entry.offset + 1), .text(payment.contractor.value),
                .text(payment.lpaCode),
                .integer(payment.pence), .text(payment.narrative), .integer(payment.levies.statutory ? 1 : 0),
                .integer(payment.levies.voluntary ? 1 : 0),
            ]
        }
    }

    static func save(_ file: File, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(file.id), .integer(file.stage.rawValue), .text(file.authorisedBy),
                .integer(file.isPaidHere ? 1 : 0),
            ])
    }

    static func record(
        _ step: String, of fileID: String, by actor: String, detail: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertStep, [.text(fileID), .text(step), .text(actor), .instant(transaction.now), .text(detail)])
    }

    private static func file(_ row: any Row) throws -> File {
        guard let commissioner = ODSCode(row.text(1)), let month = YearMonth(iso8601: row.text(2)),
            let stage = PharmacyFileStage(rawValue: row.integer(3))
        else { throw PaymentsError.damaged("file of local payments " + row.text(0)) }
        return File(
            id: row.text(0), commissioner: commissioner, month: month, stage: stage, evidenceID: row.text(4),
            sha256: row.text(5), rows: row.integer(6), contractors: row.integer(7),
            totalPence: row.integer(8),
            loadedBy: row.text(9), authorisedBy: row.text(10), isPaidHere: row.bool(11))
    }

    static func file(_ id: String, _ reader: any Reader) throws -> File? {
        try reader.first(byID, [.text(id)], file)
    }

    /// The file of a month that was not replaced.
    static func file(of commissioner: ODSCode, in month: YearMonth, _ reader: any Reader) throws -> File? {
        try reader.all(ofMonth, [.text(commissioner.value), .text(month.description)], file).last
    }

    static func steps(of fileID: String, _ reader: any Reader) throws -> [Step] {
        try reader.all(stepsOfFile, [.text(fileID)]) {
            Step(step: $0.text(0), by: $0.text(1), at: $0.instant(2), detail: $0.text(3))
        }
    }

    static func payments(of fileID: String, _ reader: any Reader) throws -> [LocalPayment] {
        try reader.all(paymentsOfFile, [.text(fileID)]) { row in
            guard let contractor = ODSCode(row.text(0)) else { throw PaymentsError.damaged("local payment") }
            return LocalPayment(
                contractor: contractor, lpaCode: row.text(1), pence: row.integer(2), narrative: row.text(3),
                levies: PharmacyLevies(statutory: row.bool(4), voluntary: row.bool(5)))
        }
    }

    /// Levies as stated, by contractor, oldest first: each holds until the next.
    static func levies(
        of commissioner: ODSCode, upTo month: YearMonth, _ reader: any Reader
    ) throws -> [ODSCode: [(month: YearMonth, levies: PharmacyLevies)]] {
        var found: [ODSCode: [(month: YearMonth, levies: PharmacyLevies)]] = [:]
        try reader.forEach(
            statedLevies, [.text(commissioner.value), .text(month.description)]
        ) { row in
            guard let contractor = ODSCode(row.text(0)), let month = YearMonth(iso8601: row.text(1)) else {
                throw PaymentsError.damaged("levies of a pharmacy")
            }
            let stated = PharmacyLevies(statutory: row.bool(2), voluntary: row.bool(3))
            if found[contractor]?.last?.levies != stated {
                found[contractor, default: []].append((month, stated))
            }
        }
        return found
    }

    static func set(
        paidHere: Bool, _ commissioner: ODSCode, from month: YearMonth, by actor: String, reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertSetting,
            [
                .text(commissioner.value), .text(month.description), .integer(paidHere ? 1 : 0), .text(actor),
                .instant(transaction.now), .text(reason),
            ])
    }

    static func isPaidHere(_ commissioner: ODSCode, in month: YearMonth, _ reader: any Reader) throws -> Bool
    {
        try reader.first(settingAt, [.text(commissioner.value), .text(month.description)]) { $0.bool(0) }
            ?? false
    }
}
