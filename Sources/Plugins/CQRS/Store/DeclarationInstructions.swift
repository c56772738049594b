import PluginAPI

/// Holds of a service (R7): the newest row of a service and date says whether it is held.
enum HoldStore {
    struct Hold: Sendable {
        var number: Int64
        var isHeld: Bool
        var reason: String
        var criteria: String
    }

    private static let newest = Statement(
        """
        SELECT number, held, reason, release_criteria FROM service_hold
        WHERE service_code = ?1 AND achievement_date = ?2 ORDER BY number DESC LIMIT 1
        """)
    private static let insert = Statement(
        """
        INSERT INTO service_hold (service_code, achievement_date, number, held, reason, release_criteria, set_by, set_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let attested = Statement(
        """
        SELECT provider_code FROM hold_attestation
        WHERE service_code = ?1 AND achievement_date = ?2 AND hold_number = ?3 ORDER BY provider_code
        """)
    private static let attest = Statement(
        """
        INSERT INTO hold_attestation
            (service_code, achievement_date, hold_number, provider_code, attestation, made_by, made_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING
        """)

    static func present(_ key: IndicatorValuesFile.Key, _ reader: any Reader) throws -> Hold? {
        try reader.first(newest, [.text(key.service), .date(key.date)]) { row in
            Hold(number: row.integer(0), isHeld: row.bool(1), reason: row.text(2), criteria: row.text(3))
        }
    }

    static func set(
        _ key: IndicatorValuesFile.Key, held: Bool, reason: String, criteria: String, by actor: String,
        in transaction: any Transaction
    ) throws {
        let number = (try present(key, transaction)?.number ?? 0) + 1
        try transaction.run(
            insert,
            [
                .text(key.service), .date(key.date), .integer(number), .integer(held ? 1 : 0), .text(reason),
                .text(criteria), .text(actor), .instant(transaction.now),
            ])
    }

    static func released(_ key: IndicatorValuesFile.Key, from hold: Hold, _ reader: any Reader) throws -> [String] {
        try reader.all(attested, [.text(key.service), .date(key.date), .integer(hold.number)]) { $0.text(0) }
    }

    static func release(
        _ provider: String, _ key: IndicatorValuesFile.Key, from hold: Hold, attestation: String, by actor: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            attest,
            [
                .text(key.service), .date(key.date), .integer(hold.number), .text(provider), .text(attestation),
                .text(actor), .instant(transaction.now),
            ])
    }
}

/// What is handed to the payment agency (cqrs.md 11).
enum InstructionStore {
    /// The numbers are those of the contract.
    enum State: Int, CaseIterable, Sendable {
        case queued = 1, sent, acknowledged, paid, refused, recalled

        /// Whether the agency's answer may follow.
        func may(become next: State) -> Bool {
            switch (self, next) {
            case (.queued, .sent), (.queued, .recalled), (.sent, .acknowledged), (.sent, .refused), (.sent, .paid),
                (.acknowledged, .refused), (.acknowledged, .paid):
                true
            default: false
            }
        }
    }

    struct Record: Sendable {
        var id: String
        var declaration: String
        var payee: String
        var payeeKind: String
        var provider: String
        var commissioner: String
        var payCode: String
        var subjectiveCode: String
        var pence: Int64
        var period: YearMonth
        var service: String
        var narrative: String
        var releaseOn: CalendarDate
        var corrects = ""
        var state = State.queued
        var agencyReference = ""
        var refusalReason = ""
        var paidOn: CalendarDate?
        /// Local claim that it pays, instead of a declaration.
        var claim = ""
    }

    private static let columns = """
        instruction_id, declaration_id, payee_code, payee_kind, provider_code, commissioner_code, pay_code,
        subjective_code, gross_pence, period, service_code, narrative, release_on, corrects, state, agency_reference,
        refusal_reason, paid_on, claim_id
        """
    private static let insert = Statement(
        """
        INSERT INTO instruction (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
        """)
    private static let update = Statement(
        """
        UPDATE instruction SET state = ?2, agency_reference = ?3, refusal_reason = ?4, paid_on = ?5
        WHERE instruction_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM instruction WHERE instruction_id = ?1")
    private static let byPayee = Statement(
        "SELECT \(columns) FROM instruction WHERE payee_code = ?1 ORDER BY instruction_id")
    private static let byDeclaration = Statement(
        "SELECT \(columns) FROM instruction WHERE declaration_id = ?1 ORDER BY instruction_id")
    private static let due = Statement(
        """
        SELECT \(columns) FROM instruction WHERE state = 1 AND release_on <= ?1 AND claim_id = ''
        ORDER BY instruction_id
        """)
    private static let dueOfClaims = Statement(
        """
        SELECT \(columns) FROM instruction WHERE state = 1 AND release_on <= ?1 AND claim_id <> ''
        ORDER BY instruction_id
        """)
    private static let sentOfClaims = Statement(
        "SELECT \(columns) FROM instruction WHERE state = 2 AND claim_id <> '' ORDER BY instruction_id")
    private static let byClaim = Statement(
        "SELECT \(columns) FROM instruction WHERE claim_id = ?1 ORDER BY instruction_id")

    static func add(_ record: Record, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(record.id), .text(record.declaration), .text(record.payee), .text(record.payeeKind),
                .text(record.provider), .text(record.commissioner), .text(record.payCode), .text(record.subjectiveCode),
                .integer(record.pence), .text(record.period.description), .text(record.service), .text(record.narrative),
                .date(record.releaseOn), .text(record.corrects), .integer(record.state.rawValue),
                .text(record.agencyReference), .text(record.refusalReason), .date(record.paidOn), .text(record.claim),
            ])
    }

    static func save(_ record: Record, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(record.id), .integer(record.state.rawValue), .text(record.agencyReference),
                .text(record.refusalReason), .date(record.paidOn),
            ])
    }

    static func record(_ id: String, _ reader: any Reader) throws -> Record? {
        try reader.first(byID, [.text(id)], record)
    }
    static func of(payee: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byPayee, [.text(payee)], record)
    }
    static func of(declaration: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byDeclaration, [.text(declaration)], record)
    }
    /// Of declarations; local claims have a time of their own (10.6).
    static func due(on day: CalendarDate, _ reader: any Reader) throws -> [Record] {
        try reader.all(due, [.date(day)], record)
    }
    static func dueOfClaims(on day: CalendarDate, _ reader: any Reader) throws -> [Record] {
        try reader.all(dueOfClaims, [.date(day)], record)
    }
    /// Sent and not answered.
    static func sentOfClaims(_ reader: any Reader) throws -> [Record] { try reader.all(sentOfClaims, [], record) }
    static func of(claim: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byClaim, [.text(claim)], record)
    }

    private static func record(_ row: any Row) throws -> Record {
        guard let period = YearMonth(iso8601: row.text(9)), let state = State(rawValue: Int(row.integer(14))) else {
            throw CQRSError.damaged("instruction")
        }
        return Record(
            id: row.text(0), declaration: row.text(1), payee: row.text(2), payeeKind: row.text(3), provider: row.text(4),
            commissioner: row.text(5), payCode: row.text(6), subjectiveCode: row.text(7), pence: row.integer(8),
            period: period, service: row.text(10), narrative: row.text(11), releaseOn: try row.date(12),
            corrects: row.text(13), state: state, agencyReference: row.text(15), refusalReason: row.text(16),
            paidOn: try row.optionalDate(17), claim: row.text(18))
    }
}
