import PluginAPI

/// Payment declarations, their steps and notes.
enum DeclarationStore {
    struct Record: Sendable {
        var id = ""
        var kind = DeclarationKind.achievement
        var state = DeclarationState.provisional
        var service: String
        var serviceVersion = 0
        var date: CalendarDate
        var provider: String
        var pcn = ""
        var commissioner = ""
        var calculation = ""
        var pence: Int64 = 0
        var penceBefore: Int64 = 0
        var payee = ""
        var figures = ""
        var aggregatedInto = ""
        var adjusts = ""
        var adjustmentReason = 0
        var recoveryMonths = 0
        var declaredBy = ""
        var approvedBy = ""
        var instruction = ""
        var version: Int64 = 1
    }

    struct Step: Sendable {
        var from: Int
        var to: Int
        var by: String
        var actingFor: String
        var at: Instant
        var reason: String
        var figures: String
    }

    private static let columns = """
        declaration_id, kind, state, service_code, service_version, achievement_date, provider_code, pcn_code,
        commissioner_code, calculation_id, amount_pence, amount_before_pence, payee_code, figures_sha256, aggregated_into,
        adjusts, adjustment_reason, recovery_months, declared_by, approved_by, instruction_id, version
        """
    private static let insert = Statement(
        """
        INSERT INTO declaration (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
        """)
    private static let update = Statement(
        """
        UPDATE declaration SET state = ?2, payee_code = ?3, aggregated_into = ?4, recovery_months = ?5, declared_by = ?6,
            approved_by = ?7, instruction_id = ?8, version = ?9
        WHERE declaration_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM declaration WHERE declaration_id = ?1")
    private static let byProvider = Statement(
        "SELECT \(columns) FROM declaration WHERE provider_code = ?1 ORDER BY achievement_date, declaration_id"
    )
    private static let byNetwork = Statement(
        """
        SELECT \(columns) FROM declaration WHERE pcn_code = ?1 AND service_code = ?2 AND achievement_date = ?3
        ORDER BY provider_code, declaration_id
        """)
    private static let byDate = Statement(
        """
        SELECT \(columns) FROM declaration WHERE service_code = ?1 AND achievement_date = ?2 AND state NOT IN (13, 14)
        ORDER BY provider_code, declaration_id
        """)
    private static let byQueue = Statement(
        """
        SELECT \(columns) FROM declaration WHERE commissioner_code = ?1 AND state = ?2
        ORDER BY service_code, achievement_date, provider_code, declaration_id
        """)
    private static let byCommissioner = Statement(
        """
        SELECT \(columns) FROM declaration WHERE commissioner_code = ?1
        ORDER BY service_code, achievement_date, provider_code, declaration_id
        """)
    private static let sumOfQueue = Statement(
        """
        SELECT COUNT(*), COALESCE(SUM(amount_pence), 0) FROM declaration
        WHERE commissioner_code = ?1 AND state = ?2 AND service_code = ?3 AND achievement_date = ?4
        """)
    private static let before = Statement(
        """
        SELECT achievement_date, amount_pence FROM declaration
        WHERE provider_code = ?1 AND service_code = ?2 AND achievement_date < ?3 AND kind IN (1, 2)
            AND state NOT IN (13, 14)
        ORDER BY achievement_date DESC LIMIT 1
        """)
    private static let ofCommissionerBetween = Statement(
        """
        SELECT \(columns) FROM declaration
        WHERE commissioner_code = ?1 AND achievement_date >= ?2 AND achievement_date <= ?3
        ORDER BY service_code, achievement_date, provider_code, declaration_id
        """)
    private static let commissioners = Statement(
        "SELECT DISTINCT commissioner_code FROM declaration ORDER BY commissioner_code")
    private static let byParent = Statement(
        "SELECT \(columns) FROM declaration WHERE aggregated_into = ?1 ORDER BY provider_code, declaration_id"
    )
    private static let byOriginal = Statement(
        "SELECT \(columns) FROM declaration WHERE adjusts = ?1 ORDER BY declaration_id")
    // The number of a step is the version that it made, so that no look-up is needed.
    private static let insertStep = Statement(
        """
        INSERT INTO declaration_step
            (declaration_id, number, from_state, to_state, taken_by, acting_for, taken_at, reason, figures_sha256)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let stepsOf = Statement(
        """
        SELECT from_state, to_state, taken_by, acting_for, taken_at, reason, figures_sha256 FROM declaration_step
        WHERE declaration_id = ?1 ORDER BY number
        """)
    private static let insertNote = Statement(
        """
        INSERT INTO declaration_note (declaration_id, number, body, made_by, made_at)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4 FROM declaration_note WHERE declaration_id = ?1
        """)
    private static let notesOf = Statement(
        "SELECT body, made_by, made_at FROM declaration_note WHERE declaration_id = ?1 ORDER BY number")

    static func add(_ record: Record, _ step: Step, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(record.id), .integer(record.kind.rawValue), .integer(record.state.rawValue),
                .text(record.service),
                .integer(record.serviceVersion), .date(record.date), .text(record.provider),
                .text(record.pcn),
                .text(record.commissioner), .text(record.calculation), .integer(record.pence),
                .integer(record.penceBefore), .text(record.payee), .text(record.figures),
                .text(record.aggregatedInto),
                .text(record.adjusts), .integer(record.adjustmentReason), .integer(record.recoveryMonths),
                .text(record.declaredBy), .text(record.approvedBy), .text(record.instruction),
                .integer(record.version),
            ])
        try add(step, to: record, in: transaction)
    }

    /// Saves what may change and the step that changed it; amount and figures never do.
    static func save(_ record: Record, _ step: Step, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(record.id), .integer(record.state.rawValue), .text(record.payee),
                .text(record.aggregatedInto),
                .integer(record.recoveryMonths), .text(record.declaredBy), .text(record.approvedBy),
                .text(record.instruction), .integer(record.version),
            ])
        try add(step, to: record, in: transaction)
    }

    private static func add(_ step: Step, to record: Record, in transaction: any Transaction) throws {
        try transaction.run(
            insertStep,
            [
                .text(record.id), .integer(record.version), .integer(step.from), .integer(step.to),
                .text(step.by),
                .text(step.actingFor), .instant(step.at), .text(step.reason), .text(step.figures),
            ])
    }

    static func record(_ id: String, _ reader: any Reader) throws -> Record? {
        try reader.first(byID, [.text(id)], record)
    }
    static func of(provider: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byProvider, [.text(provider)], record)
    }
    static func of(network: String, _ key: IndicatorValuesFile.Key, _ reader: any Reader) throws -> [Record] {
        try reader.all(byNetwork, [.text(network), .text(key.service), .date(key.date)], record)
    }
    /// Those that stand, of one service and date.
    static func live(_ key: IndicatorValuesFile.Key, _ reader: any Reader) throws -> [Record] {
        try reader.all(byDate, [.text(key.service), .date(key.date)], record)
    }
    static func waiting(with commissioner: String, _ state: DeclarationState, _ reader: any Reader) throws
        -> [Record]
    {
        try reader.all(byQueue, [.text(commissioner), .integer(state.rawValue)], record)
    }
    static func of(commissioner: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byCommissioner, [.text(commissioner)], record)
    }
    /// How many wait in a commissioner's queue, and what they come to.
    static func sum(
        with commissioner: String, _ state: DeclarationState, _ key: IndicatorValuesFile.Key,
        _ reader: any Reader
    ) throws -> (count: Int64, pence: Int64) {
        try reader.first(
            sumOfQueue, [.text(commissioner), .integer(state.rawValue), .text(key.service), .date(key.date)]
        ) { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
    }
    /// What the provider last had of a service before a date.
    static func last(
        of provider: String, in service: String, before day: CalendarDate, _ reader: any Reader
    ) throws -> (date: CalendarDate, pence: Int64)? {
        try reader.first(before, [.text(provider), .text(service), .date(day)]) {
            (try $0.date(0), $0.integer(1))
        }
    }
    static func of(
        commissioner: String, from: CalendarDate, to: CalendarDate, _ reader: any Reader
    ) throws -> [Record] {
        try reader.all(ofCommissionerBetween, [.text(commissioner), .date(from), .date(to)], record)
    }
    /// Everybody who has declarations before it.
    static func allCommissioners(_ reader: any Reader) throws -> [String] {
        try reader.all(commissioners) { $0.text(0) }
    }
    static func parts(of id: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byParent, [.text(id)], record)
    }
    static func corrections(of id: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byOriginal, [.text(id)], record)
    }
    static func steps(of id: String, _ reader: any Reader) throws -> [Step] {
        try reader.all(stepsOf, [.text(id)]) { row in
            Step(
                from: Int(row.integer(0)), to: Int(row.integer(1)), by: row.text(2), actingFor: row.text(3),
                at: row.instant(4), reason: row.text(5), figures: row.text(6))
        }
    }
    static func addNote(_ text: String, to id: String, by actor: String, in transaction: any Transaction)
        throws
    {
        try transaction.run(insertNote, [.text(id), .text(text), .text(actor), .instant(transaction.now)])
    }
    static func notes(of id: String, _ reader: any Reader) throws -> [(text: String, by: String, at: Instant)]
    {
        try reader.all(notesOf, [.text(id)]) { ($0.text(0), $0.text(1), $0.instant(2)) }
    }

    private static func record(_ row: any Row) throws -> Record {
        guard let kind = DeclarationKind(rawValue: Int(row.integer(1))),
            let state = DeclarationState(rawValue: Int(row.integer(2)))
        else { throw CQRSError.damaged("declaration") }
        return Record(
            id: row.text(0), kind: kind, state: state, service: row.text(3),
            serviceVersion: Int(row.integer(4)),
            date: try row.date(5), provider: row.text(6), pcn: row.text(7), commissioner: row.text(8),
            calculation: row.text(9), pence: row.integer(10), penceBefore: row.integer(11),
            payee: row.text(12),
            figures: row.text(13), aggregatedInto: row.text(14), adjusts: row.text(15),
            adjustmentReason: Int(row.integer(16)), recoveryMonths: Int(row.integer(17)),
            declaredBy: row.text(18),
            approvedBy: row.text(19), instruction: row.text(20), version: row.integer(21))
    }
}
