import Digests
import PluginAPI

/// Changes of bank details and what was checked about them. Numbers of states follow
/// `pcs.payments.v1.BankDetailsState`; active and superseded follow from the day asked for.
enum BankDetailsStore {
    enum State: Int64, Sendable {
        case draft = 1
        case submitted = 2
        case verified = 3
        case authorised = 4
        case rejected = 7
    }

    struct Change: Hashable, Sendable {
        var id: String
        var payee: ODSCode
        var state: State
        var accountName: String
        var account: BankAccount
        var effectiveFrom: CalendarDate
        var signatories: [String]
        var evidence: [String]
        var reason: String
        /// Why one signature suffices; empty when more than one person signs.
        var singleSignatoryReason = ""
        var proposedBy: String
        var proposedAt: Instant
        var submittedAt: Instant?
        var verificationsNeeded: Int64
        var authorisedBy = ""
        var authorisedAt: Instant?
        var rejectedBecause = ""

        /// Over everything that was proposed: what signatories and checkers agree to.
        var sha256: String {
            let text = [
                payee.value, accountName, account.sortCode, account.accountNumber, effectiveFrom.description,
                signatories.joined(separator: "\u{1F}"), evidence.joined(separator: "\u{1F}"), reason, proposedBy,
            ] + (singleSignatoryReason.isEmpty ? [] : [singleSignatoryReason])
            return Digest.hex(Digest.sha256(Array(text.joined(separator: "\u{1E}").utf8)))
        }
    }

    struct Verification: Hashable, Sendable {
        var by: String
        var at: Instant
        var outcome: ModulusOutcome
        var explanation: [String]
        var confirmation: Int64
        var overrideReason: String
        var callBackNumber: String
        var onFileSince: CalendarDate
        var calledOn: CalendarDate
        /// Organisation for which the person acted.
        var verifiedFor: String
    }

    struct Freeze: Hashable, Sendable {
        var reason: String
        var by: String
        var at: Instant
    }

    static let schema = [
        """
        CREATE TABLE bank_change (
            change_id TEXT PRIMARY KEY NOT NULL, payee_code TEXT NOT NULL, state INTEGER NOT NULL,
            account_name TEXT NOT NULL, sort_code TEXT NOT NULL, account_number TEXT NOT NULL,
            effective_from TEXT NOT NULL, signatories TEXT NOT NULL, evidence TEXT NOT NULL, reason TEXT NOT NULL,
            proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, submitted_at INTEGER,
            verifications_needed INTEGER NOT NULL, authorised_by TEXT NOT NULL, authorised_at INTEGER,
            rejected_because TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX bank_change_by_payee ON bank_change (payee_code, change_id)",
        "CREATE INDEX bank_change_by_account ON bank_change (sort_code, account_number)",
        """
        CREATE TABLE bank_signature (
            change_id TEXT NOT NULL REFERENCES bank_change (change_id), signatory TEXT NOT NULL,
            signed_by TEXT NOT NULL, signed_at INTEGER NOT NULL, PRIMARY KEY (change_id, signatory)
        ) STRICT
        """,
        """
        CREATE TABLE bank_verification (
            change_id TEXT NOT NULL REFERENCES bank_change (change_id), number INTEGER NOT NULL,
            verified_by TEXT NOT NULL, verified_at INTEGER NOT NULL, outcome TEXT NOT NULL, explanation TEXT NOT NULL,
            confirmation INTEGER NOT NULL, override_reason TEXT NOT NULL, call_back_number TEXT NOT NULL,
            on_file_since TEXT NOT NULL, called_on TEXT NOT NULL, PRIMARY KEY (change_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE bank_freeze (
            payee_code TEXT NOT NULL, number INTEGER NOT NULL, reason TEXT NOT NULL, frozen_by TEXT NOT NULL,
            frozen_at INTEGER NOT NULL, PRIMARY KEY (payee_code, number)
        ) STRICT
        """,
        """
        CREATE TABLE modulus_load (
            load_id TEXT PRIMARY KEY NOT NULL, kind INTEGER NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            rows INTEGER NOT NULL, body BLOB NOT NULL, loaded_by TEXT NOT NULL, loaded_at INTEGER NOT NULL
        ) STRICT
        """,
    ]

    /// First use of details, as people looked at it in a calculation of a run.
    static let lookedAtSchema = [
        """
        CREATE TABLE run_new_details (
            run_id TEXT NOT NULL REFERENCES run (run_id), calculation INTEGER NOT NULL,
            change_id TEXT NOT NULL REFERENCES bank_change (change_id), PRIMARY KEY (run_id, calculation, change_id)
        ) STRICT
        """
    ]

    static let signingSchema = [
        "ALTER TABLE bank_change ADD COLUMN single_signatory_reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE bank_verification ADD COLUMN verified_for TEXT NOT NULL DEFAULT ''",
    ]

    private static let columns = """
        change_id, payee_code, state, account_name, sort_code, account_number, effective_from, signatories, evidence,
        reason, proposed_by, proposed_at, submitted_at, verifications_needed, authorised_by, authorised_at,
        rejected_because, single_signatory_reason
        """
    private static let insert = Statement(
        """
        INSERT INTO bank_change (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
        """)
    private static let update = Statement(
        """
        UPDATE bank_change
        SET state = ?2, submitted_at = ?3, verifications_needed = ?4, authorised_by = ?5, authorised_at = ?6,
            rejected_because = ?7
        WHERE change_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM bank_change WHERE change_id = ?1")
    private static let ofPayee = Statement(
        "SELECT \(columns) FROM bank_change WHERE payee_code = ?1 ORDER BY change_id DESC")
    private static let authorised = Statement(
        "SELECT \(columns) FROM bank_change WHERE state = 4 ORDER BY payee_code, authorised_at")
    private static let sharing = Statement(
        """
        SELECT DISTINCT payee_code FROM bank_change
        WHERE sort_code = ?1 AND account_number = ?2 AND payee_code <> ?3 AND state IN (2, 3, 4) ORDER BY payee_code
        """)
    private static let insertSignature = Statement(
        "INSERT INTO bank_signature (change_id, signatory, signed_by, signed_at) VALUES (?1, ?2, ?3, ?4)")
    private static let signatureRows = Statement(
        "SELECT signatory, signed_by FROM bank_signature WHERE change_id = ?1 ORDER BY signed_at, signatory")
    private static let insertVerification = Statement(
        """
        INSERT INTO bank_verification (change_id, number, verified_by, verified_at, outcome, explanation, confirmation,
            override_reason, call_back_number, on_file_since, called_on, verified_for)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """)
    private static let verificationRows = Statement(
        """
        SELECT verified_by, verified_at, outcome, explanation, confirmation, override_reason, call_back_number,
            on_file_since, called_on, verified_for
        FROM bank_verification WHERE change_id = ?1 ORDER BY number
        """)
    private static let insertFreeze = Statement(
        """
        INSERT INTO bank_freeze (payee_code, number, reason, frozen_by, frozen_at)
        VALUES (?1, (SELECT COUNT(*) + 1 FROM bank_freeze WHERE payee_code = ?1), ?2, ?3, ?4)
        """)
    private static let lastFreeze = Statement(
        """
        SELECT reason, frozen_by, frozen_at FROM bank_freeze WHERE payee_code = ?1 ORDER BY number DESC LIMIT 1
        """)
    private static let allFreezes = Statement(
        "SELECT payee_code, reason, frozen_by, frozen_at FROM bank_freeze ORDER BY payee_code, number")

    static func add(_ change: Change, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(change.id), .text(change.payee.value), .integer(change.state.rawValue),
                .text(change.accountName), .text(change.account.sortCode), .text(change.account.accountNumber),
                .date(change.effectiveFrom), .text(change.signatories.joined(separator: "\n")),
                .text(change.evidence.joined(separator: "\n")), .text(change.reason), .text(change.proposedBy),
                .instant(change.proposedAt), .optional(change.submittedAt?.microsecondsSince1970),
                .integer(change.verificationsNeeded), .text(""), .null, .text(""), .text(change.singleSignatoryReason),
            ])
    }

    static func save(_ change: Change, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(change.id), .integer(change.state.rawValue),
                .optional(change.submittedAt?.microsecondsSince1970), .integer(change.verificationsNeeded),
                .text(change.authorisedBy), .optional(change.authorisedAt?.microsecondsSince1970),
                .text(change.rejectedBecause),
            ])
    }

    static func change(_ id: String, _ reader: any Reader) throws -> Change? {
        try reader.first(byID, [.text(id)], change)
    }

    /// Newest first.
    static func changes(of payee: ODSCode, _ reader: any Reader) throws -> [Change] {
        try reader.all(ofPayee, [.text(payee.value)], change)
    }

    /// Other payees that use the account or want to.
    static func payees(sharing account: BankAccount, besides payee: ODSCode, _ reader: any Reader) throws -> [String] {
        try reader.all(sharing, [.text(account.sortCode), .text(account.accountNumber), .text(payee.value)]) {
            $0.text(0)
        }
    }

    static func sign(_ change: String, as signatory: String, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertSignature, [.text(change), .text(signatory), .text(actor), .instant(transaction.now)])
    }

    static func signatures(of change: String, _ reader: any Reader) throws -> [(signatory: String, by: String)] {
        try reader.all(signatureRows, [.text(change)]) { ($0.text(0), $0.text(1)) }
    }

    static func addVerification(
        _ verification: Verification, number: Int, to change: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertVerification,
            [
                .text(change), .integer(number), .text(verification.by), .instant(verification.at),
                .text(verification.outcome.rawValue), .text(verification.explanation.joined(separator: "\n")),
                .integer(verification.confirmation), .text(verification.overrideReason),
                .text(verification.callBackNumber), .date(verification.onFileSince), .date(verification.calledOn),
                .text(verification.verifiedFor),
            ])
    }

    static func verifications(of change: String, _ reader: any Reader) throws -> [Verification] {
        try reader.all(verificationRows, [.text(change)]) { row in
            guard let outcome = ModulusOutcome(rawValue: row.text(2)) else {
                throw PaymentsError.damaged("verification of " + change)
            }
            return Verification(
                by: row.text(0), at: row.instant(1), outcome: outcome,
                explanation: row.text(3).split(separator: "\n").map(String.init), confirmation: row.integer(4),
                overrideReason: row.text(5), callBackNumber: row.text(6), onFileSince: try row.date(7),
                calledOn: try row.date(8), verifiedFor: row.text(9))
        }
    }

    static func freeze(_ payee: ODSCode, reason: String, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertFreeze, [.text(payee.value), .text(reason), .text(actor), .instant(transaction.now)])
    }

    /// The freeze that still holds: one after which no change was authorised.
    static func freeze(of payee: ODSCode, _ reader: any Reader) throws -> Freeze? {
        guard
            let last = try reader.first(lastFreeze, [.text(payee.value)], {
                Freeze(reason: $0.text(0), by: $0.text(1), at: $0.instant(2))
            })
        else { return nil }
        let lifted = try changes(of: payee, reader).contains {
            $0.state == .authorised && ($0.authorisedAt.map { $0 > last.at } ?? false)
        }
        return lifted ? nil : last
    }

    private static let insertLookedAt = Statement(
        "INSERT INTO run_new_details (run_id, calculation, change_id) VALUES (?1, ?2, ?3)")
    private static let lookedAt = Statement(
        "SELECT change_id FROM run_new_details WHERE run_id = ?1 AND calculation = ?2")

    /// Keeps which new details people look at in the run's present calculation.
    static func look(at changes: [String], in run: RunRecord, _ transaction: any Transaction) throws {
        for change in changes {
            try transaction.run(insertLookedAt, [.text(run.id), .integer(run.calculation), .text(change)])
        }
    }

    /// What a run may pay to: details in time for it which a file has paid to before, or which people have looked at in
    /// the calculation that was approved.
    static func inForce(for run: RunRecord, _ calendar: BankCalendar, _ reader: any Reader) throws -> BankBook {
        var known = try PaymentFileStore.detailsUsed(reader)
        known.formUnion(try reader.all(lookedAt, [.text(run.id), .integer(run.calculation)]) { $0.text(0) })
        return try inForce(by: try calendar.lastDayForDetails(of: run), among: known, reader)
    }

    /// The last freeze of each payee, lifted since or not.
    static func lastFreezes(_ reader: any Reader) throws -> [ODSCode: Instant] {
        var found: [ODSCode: Instant] = [:]
        try reader.forEach(allFreezes, []) { row in
            if let payee = ODSCode(row.text(0)) { found[payee] = row.instant(3) }
        }
        return found
    }

    /// For every payee the details that a payment may use: authorised and in effect by the end of `day`; frozen ones are
    /// apart.
    ///
    /// - Parameter known: ids of the changes that count; `nil` = all.
    static func inForce(
        by day: CalendarDate, among known: Set<String>? = nil, _ reader: any Reader
    ) throws -> BankBook {
        var book = BankBook()
        let end = LondonTime.end(of: day)
        try reader.forEach(authorised, []) { row in
            let change = try change(row)
            guard change.effectiveFrom <= day, let at = change.authorisedAt, at < end,
                known?.contains(change.id) ?? true
            else { return }
            if let known = book.details[change.payee], known.effectiveFrom > change.effectiveFrom { return }
            book.details[change.payee] = change
        }
        try reader.forEach(allFreezes, []) { row in
            guard let payee = ODSCode(row.text(0)) else { return }
            let at = row.instant(3)
            if let change = book.details[payee], let authorisedAt = change.authorisedAt, authorisedAt > at { return }
            book.frozen[payee] = row.text(1)
        }
        return book
    }

    private static func change(_ row: any Row) throws -> Change {
        guard let payee = ODSCode(row.text(1)), let state = State(rawValue: row.integer(2)),
            let account = BankAccount(sortCode: row.text(4), accountNumber: row.text(5))
        else { throw PaymentsError.damaged("bank details " + row.text(0)) }
        return Change(
            id: row.text(0), payee: payee, state: state, accountName: row.text(3), account: account,
            effectiveFrom: try row.date(6), signatories: row.text(7).split(separator: "\n").map(String.init),
            evidence: row.text(8).split(separator: "\n").map(String.init), reason: row.text(9),
            singleSignatoryReason: row.text(17), proposedBy: row.text(10), proposedAt: row.instant(11),
            submittedAt: row.isNull(12) ? nil : row.instant(12), verificationsNeeded: row.integer(13),
            authorisedBy: row.text(14), authorisedAt: row.isNull(15) ? nil : row.instant(15),
            rejectedBecause: row.text(16))
    }
}

/// Accounts to which a file may pay.
struct BankBook: Sendable {
    var details: [ODSCode: BankDetailsStore.Change] = [:]
    /// Why nothing may be paid, by payee.
    var frozen: [ODSCode: String] = [:]

    /// The account, or why there is none.
    func account(of payee: ODSCode) -> Result<BankDetailsStore.Change, BankBookGap> {
        if let reason = frozen[payee] { return .failure(BankBookGap(because: "frozen: " + reason)) }
        guard let change = details[payee] else { return .failure(BankBookGap(because: "no verified bank details")) }
        return .success(change)
    }
}

/// Why a payee cannot be paid.
struct BankBookGap: Error, Hashable, Sendable {
    let because: String
}

/// The tables of the modulus check that an operator loaded.
enum ModulusStore {
    private static let newest = Statement(
        "SELECT body FROM modulus_load WHERE kind = ?1 ORDER BY loaded_at DESC, load_id DESC LIMIT 1")
    private static let same = Statement(
        "SELECT load_id, rows FROM modulus_load WHERE kind = ?1 AND sha256 = ?2")
    private static let insert = Statement(
        """
        INSERT INTO modulus_load (load_id, kind, file_name, sha256, rows, body, loaded_by, loaded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)

    static func tables(_ reader: any Reader) throws -> ModulusTables {
        func text(_ kind: Int64) throws -> String {
            try reader.first(newest, [.integer(kind)]) { String(decoding: $0.blob(0), as: UTF8.self) } ?? ""
        }
        return ModulusTables(
            rows: ModulusFile.weights(try text(1)).rows,
            substitutions: ModulusFile.substitutions(try text(2)).table)
    }

    static func known(kind: Int64, sha256: String, _ reader: any Reader) throws -> (id: String, rows: Int64)? {
        try reader.first(same, [.integer(kind), .text(sha256)]) { ($0.text(0), $0.integer(1)) }
    }

    static func add(
        _ id: String, kind: Int64, _ file: UploadedFile, rows: Int, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insert,
            [
                .text(id), .integer(kind), .text(file.name), .text(file.sha256), .integer(rows), .blob(file.bytes),
                .text(actor), .instant(transaction.now),
            ])
    }
}
