import PluginAPI

/// Offers, participations and their steps.
enum ParticipationStore {
    struct Offer: Sendable {
        var id: String
        var commissioner: String
        var service: String
        var version: Int
        var start: CalendarDate
        var end: CalendarDate
        var answerBy: CalendarDate?
        var offerOn: CalendarDate
        var isAutomatic: Bool
        var contract: String
        var by: String
        var at: Instant
    }

    struct Record: Sendable {
        var id: String
        var offer: String
        var service: String
        var serviceVersion: Int
        var provider: String
        var pcn: String
        var commissioner: String
        var state: ParticipationState
        var start: CalendarDate
        var end: CalendarDate?
        var answerBy: CalendarDate?
        var isAutomatic: Bool
        var isBackdatingUnconfirmed = false
        var reason = ""
        var version: Int64 = 1

        func covers(_ day: CalendarDate) -> Bool { start <= day && (end.map { day <= $0 } ?? true) }
    }

    struct Step: Sendable {
        var from: Int
        var to: Int
        var by: String
        var at: Instant
        var reason: String
    }

    private static let columns = """
        participation_id, offer_id, service_code, service_version, provider_code, pcn_code, commissioner_code, state,
        start_on, end_on, answer_by, automatic, backdating_unconfirmed, reason, version
        """
    private static let insert = BulkInsert(
        into: "participation",
        [
            "participation_id", "offer_id", "service_code", "service_version", "provider_code", "pcn_code",
            "commissioner_code", "state", "start_on", "end_on", "answer_by", "automatic",
            "backdating_unconfirmed",
            "reason", "version",
        ])
    private static let update = Statement(
        """
        UPDATE participation SET state = ?2, start_on = ?3, end_on = ?4, backdating_unconfirmed = ?5, reason = ?6,
            version = ?7
        WHERE participation_id = ?1
        """)
    private static let insertStep = Statement(
        """
        INSERT INTO participation_step (participation_id, number, from_state, to_state, taken_by, taken_at, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let stepsOf = Statement(
        """
        SELECT from_state, to_state, taken_by, taken_at, reason FROM participation_step
        WHERE participation_id = ?1 ORDER BY number
        """)
    private static let byID = Statement("SELECT \(columns) FROM participation WHERE participation_id = ?1")
    private static let byOffer = Statement(
        "SELECT \(columns) FROM participation WHERE offer_id = ?1 ORDER BY provider_code")
    private static let byProvider = Statement(
        "SELECT \(columns) FROM participation WHERE provider_code = ?1 ORDER BY service_code, start_on, participation_id"
    )
    private static let byService = Statement(
        "SELECT \(columns) FROM participation WHERE service_code = ?1 ORDER BY provider_code, start_on, participation_id"
    )
    private static let byPCN = Statement(
        "SELECT \(columns) FROM participation WHERE pcn_code = ?1 ORDER BY service_code, provider_code, participation_id"
    )
    private static let byCommissioner = Statement(
        """
        SELECT \(columns) FROM participation WHERE commissioner_code = ?1
        ORDER BY service_code, pcn_code, provider_code, participation_id
        """)
    private static let commissioners = Statement(
        "SELECT DISTINCT commissioner_code FROM participation ORDER BY commissioner_code")
    private static let inState = Statement(
        "SELECT \(columns) FROM participation WHERE state = ?1 ORDER BY participation_id")
    private static let offerColumns = """
        offer_id, commissioner_code, service_code, service_version, start_on, end_on, answer_by, offer_on, automatic,
        contract_reference, made_by, made_at
        """
    private static let insertOffer = Statement(
        "INSERT INTO offer (\(offerColumns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")
    private static let offerByID = Statement("SELECT \(offerColumns) FROM offer WHERE offer_id = ?1")

    static func add(_ offer: Offer, in transaction: any Transaction) throws {
        try transaction.run(
            insertOffer,
            [
                .text(offer.id), .text(offer.commissioner), .text(offer.service), .integer(offer.version),
                .date(offer.start), .date(offer.end), .date(offer.answerBy), .date(offer.offerOn),
                .integer(offer.isAutomatic ? 1 : 0), .text(offer.contract), .text(offer.by),
                .instant(offer.at),
            ])
    }

    static func offer(_ id: String, _ reader: any Reader) throws -> Offer? {
        try reader.first(offerByID, [.text(id)]) { row in
            Offer(
                id: row.text(0), commissioner: row.text(1), service: row.text(2),
                version: Int(row.integer(3)),
                start: try row.date(4), end: try row.date(5), answerBy: try row.optionalDate(6),
                offerOn: try row.date(7), isAutomatic: row.bool(8), contract: row.text(9), by: row.text(10),
                at: row.instant(11))
        }
    }

    static func add(_ records: [Record], by actor: String, reason: String, in transaction: any Transaction)
        throws
    {
        try insert.run(records, in: transaction) { record, values in
            values += [
                .text(record.id), .text(record.offer), .text(record.service), .integer(record.serviceVersion),
                .text(record.provider), .text(record.pcn), .text(record.commissioner),
                .integer(record.state.rawValue),
                .date(record.start), .date(record.end), .date(record.answerBy),
                .integer(record.isAutomatic ? 1 : 0),
                .integer(record.isBackdatingUnconfirmed ? 1 : 0), .text(record.reason),
                .integer(record.version),
            ]
        }
        for record in records {
            try add(
                Step(from: 0, to: record.state.rawValue, by: actor, at: transaction.now, reason: reason),
                to: record,
                in: transaction)
        }
    }

    static func save(_ record: Record, _ step: Step, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(record.id), .integer(record.state.rawValue), .date(record.start), .date(record.end),
                .integer(record.isBackdatingUnconfirmed ? 1 : 0), .text(record.reason),
                .integer(record.version),
            ])
        try add(step, to: record, in: transaction)
    }

    private static func add(_ step: Step, to record: Record, in transaction: any Transaction) throws {
        try transaction.run(
            insertStep,
            [
                .text(record.id), .integer(record.version), .integer(step.from), .integer(step.to),
                .text(step.by),
                .instant(step.at), .text(step.reason),
            ])
    }

    static func record(_ id: String, _ reader: any Reader) throws -> Record? {
        try reader.first(byID, [.text(id)], record)
    }
    static func of(offer: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byOffer, [.text(offer)], record)
    }
    static func of(provider: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byProvider, [.text(provider)], record)
    }
    static func of(service: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byService, [.text(service)], record)
    }
    static func of(pcn: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byPCN, [.text(pcn)], record)
    }
    static func of(commissioner: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byCommissioner, [.text(commissioner)], record)
    }
    /// Everybody who has participations before it.
    static func allCommissioners(_ reader: any Reader) throws -> [String] {
        try reader.all(commissioners) { $0.text(0) }
    }
    static func all(in state: ParticipationState, _ reader: any Reader) throws -> [Record] {
        try reader.all(inState, [.integer(state.rawValue)], record)
    }
    static func steps(of id: String, _ reader: any Reader) throws -> [Step] {
        try reader.all(stepsOf, [.text(id)]) { row in
            Step(
                from: Int(row.integer(0)), to: Int(row.integer(1)), by: row.text(2), at: row.instant(3),
                reason: row.text(4))
        }
    }

    private static func record(_ row: any Row) throws -> Record {
        guard let state = ParticipationState(rawValue: Int(row.integer(7))) else {
            throw CQRSError.damaged("participation")
        }
        return Record(
            id: row.text(0), offer: row.text(1), service: row.text(2), serviceVersion: Int(row.integer(3)),
            provider: row.text(4), pcn: row.text(5), commissioner: row.text(6), state: state,
            start: try row.date(8),
            end: try row.optionalDate(9), answerBy: try row.optionalDate(10), isAutomatic: row.bool(11),
            isBackdatingUnconfirmed: row.bool(12), reason: row.text(13), version: row.integer(14))
    }
}
