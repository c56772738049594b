import PluginAPI

/// What is owed to payees, the files that pay it, and what came back.
enum PaymentFileStore {
    /// Numbers are stored.
    enum PaymentState: Int64, Sendable {
        /// Owed, in no file: held for want of bank details, or returned by the bank.
        case owed = 1
        case inFile = 2
    }

    struct Payment: Hashable, Sendable {
        var id: String
        var runID: String
        var payee: ODSCode
        var payeeName: String
        var pence: Int64
        var reference: String
        var state: PaymentState
        var because: String
        var fileID: String
        var timesReturned: Int64
        /// The bank details that it was last paid to.
        var changeID = ""
    }

    struct File: Hashable, Sendable {
        var id: String
        /// Empty for a file beside the monthly ones.
        var runID: String
        var serial: String
        var processingDay: CalendarDate
        var paymentDate: CalendarDate
        var credits: Int64
        var totalPence: Int64
        var sha256: String
        var builtBy: String
        var submittedBy = ""
        var submittedAt: Instant?
        var submissionReference = ""
        /// The file built in its place; empty = none.
        var replacedBy = ""
    }

    static let schema = [
        """
        CREATE TABLE originator (
            number INTEGER PRIMARY KEY NOT NULL, service_user_number TEXT NOT NULL, sort_code TEXT NOT NULL,
            account_number TEXT NOT NULL, account_name TEXT NOT NULL, proposed_by TEXT NOT NULL,
            proposed_at INTEGER NOT NULL, approved_by TEXT, approved_at INTEGER
        ) STRICT
        """,
        """
        CREATE TABLE payment_file (
            file_id TEXT PRIMARY KEY NOT NULL, run_id TEXT NOT NULL, serial TEXT NOT NULL UNIQUE,
            processing_day TEXT NOT NULL, payment_date TEXT NOT NULL, credits INTEGER NOT NULL,
            total_pence INTEGER NOT NULL, sha256 TEXT NOT NULL, body BLOB NOT NULL, built_by TEXT NOT NULL,
            built_at INTEGER NOT NULL, submitted_by TEXT NOT NULL, submitted_at INTEGER,
            submission_reference TEXT NOT NULL
        ) STRICT
        """,
        // One file pays a run; what it could not pay is paid by files beside it.
        "CREATE UNIQUE INDEX payment_file_of_run ON payment_file (run_id) WHERE run_id <> ''",
        """
        CREATE TABLE payment (
            payment_id TEXT PRIMARY KEY NOT NULL, run_id TEXT NOT NULL REFERENCES run (run_id),
            payee_code TEXT NOT NULL, payee_name TEXT NOT NULL, pence INTEGER NOT NULL, reference TEXT NOT NULL,
            state INTEGER NOT NULL, because TEXT NOT NULL, file_id TEXT NOT NULL, times_returned INTEGER NOT NULL,
            change_id TEXT NOT NULL, UNIQUE (run_id, payee_code)
        ) STRICT
        """,
        "CREATE INDEX payment_by_file ON payment (file_id)",
        """
        CREATE TABLE payment_step (
            payment_id TEXT NOT NULL REFERENCES payment (payment_id), number INTEGER NOT NULL, step TEXT NOT NULL,
            detail TEXT NOT NULL, taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL,
            PRIMARY KEY (payment_id, number)
        ) STRICT
        """,
    ]

    /// A file that was never sent can be built anew: of those not replaced, one pays a run.
    static let replacementSchema = [
        "ALTER TABLE payment_file ADD COLUMN replaced_by TEXT NOT NULL DEFAULT ''",
        "DROP INDEX payment_file_of_run",
        """
        CREATE UNIQUE INDEX payment_file_of_run ON payment_file (run_id) WHERE run_id <> '' AND replaced_by = ''
        """,
    ]

    // MARK: Originator

    private static let inForce = Statement(
        """
        SELECT service_user_number, sort_code, account_number, account_name FROM originator
        WHERE approved_at IS NOT NULL ORDER BY number DESC LIMIT 1
        """)
    private static let proposal = Statement(
        """
        SELECT number, service_user_number, sort_code, account_number, account_name, proposed_by FROM originator
        WHERE approved_at IS NULL ORDER BY number DESC LIMIT 1
        """)
    private static let propose = Statement(
        """
        INSERT INTO originator (number, service_user_number, sort_code, account_number, account_name, proposed_by,
            proposed_at)
        VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM originator), ?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let approve = Statement(
        "UPDATE originator SET approved_by = ?2, approved_at = ?3 WHERE number = ?1 AND approved_at IS NULL")

    static func originator(_ reader: any Reader) throws -> BacsOriginator? {
        try reader.first(inForce) { try originator($0, from: 0) }
    }

    /// The newest one that waits for a second person.
    static func proposedOriginator(
        _ reader: any Reader
    ) throws -> (number: Int64, originator: BacsOriginator, by: String)? {
        try reader.first(proposal) { ($0.integer(0), try originator($0, from: 1), $0.text(5)) }
    }

    static func propose(_ originator: BacsOriginator, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(
            propose,
            [
                .text(originator.serviceUserNumber), .text(originator.account.sortCode),
                .text(originator.account.accountNumber), .text(originator.name), .text(actor),
                .instant(transaction.now),
            ])
    }

    static func approve(_ number: Int64, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(approve, [.integer(number), .text(actor), .instant(transaction.now)])
    }

    private static func originator(_ row: any Row, from column: Int) throws -> BacsOriginator {
        guard let account = BankAccount(sortCode: row.text(column + 1), accountNumber: row.text(column + 2)) else {
            throw PaymentsError.damaged("originator")
        }
        return BacsOriginator(serviceUserNumber: row.text(column), account: account, name: row.text(column + 3))
    }

    // MARK: Files

    private static let fileColumns = """
        file_id, run_id, serial, processing_day, payment_date, credits, total_pence, sha256, built_by, submitted_by,
        submitted_at, submission_reference, replaced_by
        """
    private static let fileByID = Statement("SELECT \(fileColumns) FROM payment_file WHERE file_id = ?1")
    private static let fileByRun = Statement(
        "SELECT \(fileColumns) FROM payment_file WHERE run_id = ?1 AND replaced_by = ''")
    private static let submittedFiles = Statement(
        "SELECT \(fileColumns) FROM payment_file WHERE submitted_at IS NOT NULL ORDER BY payment_date, file_id")
    private static let fileBody = Statement("SELECT body FROM payment_file WHERE file_id = ?1")
    private static let fileCount = Statement("SELECT COUNT(*) FROM payment_file")
    private static let insertFile = Statement(
        """
        INSERT INTO payment_file (file_id, run_id, serial, processing_day, payment_date, credits, total_pence, sha256,
            body, built_by, built_at, submitted_by, submission_reference)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '', '')
        """)
    private static let submitFile = Statement(
        """
        UPDATE payment_file SET submitted_by = ?2, submitted_at = ?3, submission_reference = ?4
        WHERE file_id = ?1 AND submitted_at IS NULL AND replaced_by = ''
        """)
    private static let replaceFile = Statement(
        "UPDATE payment_file SET replaced_by = ?2 WHERE file_id = ?1 AND submitted_at IS NULL AND replaced_by = ''")

    static func file(_ id: String, _ reader: any Reader) throws -> File? {
        try reader.first(fileByID, [.text(id)], file)
    }

    static func file(ofRun runID: String, _ reader: any Reader) throws -> File? {
        try reader.first(fileByRun, [.text(runID)], file)
    }

    static func submitted(_ reader: any Reader) throws -> [File] { try reader.all(submittedFiles, [], file) }

    static func body(of fileID: String, _ reader: any Reader) throws -> [UInt8] {
        try reader.first(fileBody, [.text(fileID)]) { $0.blob(0) } ?? []
    }

    /// Six digits, rising by one with every file.
    static func nextSerial(_ reader: any Reader) throws -> String {
        BacsText.number((try reader.first(fileCount) { $0.integer(0) } ?? 0) + 1, 6)
    }

    static func add(_ file: File, body: [UInt8], in transaction: any Transaction) throws {
        try transaction.run(
            insertFile,
            [
                .text(file.id), .text(file.runID), .text(file.serial), .date(file.processingDay),
                .date(file.paymentDate), .integer(file.credits), .integer(file.totalPence), .text(file.sha256),
                .blob(body), .text(file.builtBy), .instant(transaction.now),
            ])
    }

    /// The file is never sent; `newID` stands for it. `false` when it has been submitted or replaced already.
    static func replace(_ fileID: String, by newID: String, in transaction: any Transaction) throws -> Bool {
        try transaction.run(replaceFile, [.text(fileID), .text(newID)]) == 1
    }

    /// `false` when it has been submitted or replaced already.
    static func submit(
        _ fileID: String, reference: String, by actor: String, in transaction: any Transaction
    ) throws -> Bool {
        try transaction.run(
            submitFile, [.text(fileID), .text(actor), .instant(transaction.now), .text(reference)]) == 1
    }

    private static func file(_ row: any Row) throws -> File {
        File(
            id: row.text(0), runID: row.text(1), serial: row.text(2), processingDay: try row.date(3),
            paymentDate: try row.date(4), credits: row.integer(5), totalPence: row.integer(6), sha256: row.text(7),
            builtBy: row.text(8), submittedBy: row.text(9), submittedAt: row.isNull(10) ? nil : row.instant(10),
            submissionReference: row.text(11), replacedBy: row.text(12))
    }

    // MARK: Payments

    private static let paymentColumns = """
        payment_id, run_id, payee_code, payee_name, pence, reference, state, because, file_id, times_returned,
        change_id
        """
    private static let insertPayment = BulkInsert(
        into: "payment",
        [
            "payment_id", "run_id", "payee_code", "payee_name", "pence", "reference", "state", "because", "file_id",
            "times_returned", "change_id",
        ])
    private static let paymentByID = Statement("SELECT \(paymentColumns) FROM payment WHERE payment_id = ?1")
    private static let paymentsOfFile = Statement(
        "SELECT \(paymentColumns) FROM payment WHERE file_id = ?1 ORDER BY payment_id")
    private static let paymentsOfRun = Statement(
        "SELECT \(paymentColumns) FROM payment WHERE run_id = ?1 AND state = 1 ORDER BY payment_id")
    private static let paymentOfPayee = Statement(
        "SELECT \(paymentColumns) FROM payment WHERE run_id = ?1 AND payee_code = ?2")
    /// Nothing is owed for an aborted run (state 8): its inputs have gone to the next one.
    private static let owed = Statement(
        """
        SELECT \(paymentColumns) FROM payment
        WHERE state = 1 AND (?1 = '' OR payee_code = ?1)
            AND NOT EXISTS (SELECT 1 FROM run WHERE run.run_id = payment.run_id AND run.state = 8)
        ORDER BY payment_id
        """)
    private static let savePayment = Statement(
        """
        UPDATE payment SET state = ?2, because = ?3, file_id = ?4, times_returned = ?5, reference = ?6, change_id = ?7
        WHERE payment_id = ?1
        """)
    private static let insertStep = Statement(
        """
        INSERT INTO payment_step (payment_id, number, step, detail, taken_by, taken_at)
        VALUES (?1, (SELECT COUNT(*) + 1 FROM payment_step WHERE payment_id = ?1), ?2, ?3, ?4, ?5)
        """)

    static func add(_ payments: [Payment], in transaction: any Transaction) throws {
        try insertPayment.run(payments, in: transaction) { payment, values in
            values += [
                .text(payment.id), .text(payment.runID), .text(payment.payee.value), .text(payment.payeeName),
                .integer(payment.pence), .text(payment.reference), .integer(payment.state.rawValue),
                .text(payment.because), .text(payment.fileID), .integer(payment.timesReturned),
                .text(payment.changeID),
            ]
        }
    }

    static func payment(_ id: String, _ reader: any Reader) throws -> Payment? {
        try reader.first(paymentByID, [.text(id)], payment)
    }

    /// What a run pays to somebody; `nil` while no file is made.
    static func payment(of payee: ODSCode, inRun id: String, _ reader: any Reader) throws -> Payment? {
        try reader.first(paymentOfPayee, [.text(id), .text(payee.value)], payment)
    }

    static func payments(ofFile id: String, _ reader: any Reader) throws -> [Payment] {
        try reader.all(paymentsOfFile, [.text(id)], payment)
    }

    private static let usedDetails = Statement("SELECT DISTINCT change_id FROM payment WHERE change_id <> ''")

    /// Bank details that a file has paid to before.
    static func detailsUsed(_ reader: any Reader) throws -> Set<String> {
        Set(try reader.all(usedDetails) { $0.text(0) })
    }

    private static let sentOfRun = Statement(
        """
        SELECT payment_file.file_id FROM payment JOIN payment_file ON payment_file.file_id = payment.file_id
        WHERE payment.run_id = ?1 AND payment_file.submitted_at IS NOT NULL LIMIT 1
        """)

    /// A submitted file that pays anything of a run: its own, or one beside it.
    static func submittedFile(payingRun id: String, _ reader: any Reader) throws -> String? {
        if let file = try file(ofRun: id, reader), file.submittedAt != nil { return file.id }
        return try reader.first(sentOfRun, [.text(id)]) { $0.text(0) }
    }

    private static let anyOfRun = Statement("SELECT 1 FROM payment WHERE run_id = ?1 LIMIT 1")

    /// Whether the run's payments have been made, in a file or held.
    static func arePaymentsMade(ofRun id: String, _ reader: any Reader) throws -> Bool {
        try reader.first(anyOfRun, [.text(id)]) { _ in true } ?? false
    }

    /// Of a run, those that are owed and in no file.
    static func held(ofRun id: String, _ reader: any Reader) throws -> [Payment] {
        try reader.all(paymentsOfRun, [.text(id)], payment)
    }

    static func outstanding(payee: String, _ reader: any Reader) throws -> [Payment] {
        try reader.all(owed, [.text(payee)], payment)
    }

    static func save(
        _ payment: Payment, step: String, detail: String, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            savePayment,
            [
                .text(payment.id), .integer(payment.state.rawValue), .text(payment.because), .text(payment.fileID),
                .integer(payment.timesReturned), .text(payment.reference), .text(payment.changeID),
            ])
        try transaction.run(
            insertStep,
            [.text(payment.id), .text(step), .text(detail), .text(actor), .instant(transaction.now)])
    }

    private static let returnedSteps = Statement(
        """
        SELECT payment.pence, payment.reference, payment_step.taken_at
        FROM payment_step JOIN payment ON payment.payment_id = payment_step.payment_id
        WHERE payment_step.step = 'returned' ORDER BY payment_step.taken_at, payment.payment_id
        """)
    private static let stepsOfPayment = Statement(
        "SELECT step, detail, taken_at FROM payment_step WHERE payment_id = ?1 ORDER BY number")

    /// Credits that came back, with the day on which it was recorded.
    static func returns(_ reader: any Reader) throws -> [(pence: Int64, reference: String, day: CalendarDate)] {
        try reader.all(returnedSteps) { ($0.integer(0), $0.text(1), LondonTime.day(at: $0.instant(2))) }
    }

    /// What became of a payment after its run, oldest first.
    static func steps(
        of paymentID: String, _ reader: any Reader
    ) throws -> [(step: String, detail: String, day: CalendarDate)] {
        try reader.all(stepsOfPayment, [.text(paymentID)]) {
            ($0.text(0), $0.text(1), LondonTime.day(at: $0.instant(2)))
        }
    }

    private static func payment(_ row: any Row) throws -> Payment {
        guard let payee = ODSCode(row.text(2)), let state = PaymentState(rawValue: row.integer(6)) else {
            throw PaymentsError.damaged("payment " + row.text(0))
        }
        return Payment(
            id: row.text(0), runID: row.text(1), payee: payee, payeeName: row.text(3), pence: row.integer(4),
            reference: row.text(5), state: state, because: row.text(7), fileID: row.text(8),
            timesReturned: row.integer(9), changeID: row.text(10))
    }
}
