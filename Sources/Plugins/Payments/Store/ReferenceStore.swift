import PluginAPI

/// Reference data sets: proposed, approved, returned. Approved ones hold from their input number on.
enum ReferenceStore {
    /// Numbers follow `pcs.payments.v1.ReferenceKind`.
    enum Kind: Int64, CaseIterable {
        case rates = 1
        case bankHolidays = 2
        case paycodes = 3
        case amountBounds = 8
        case dispensingBands = 60
        case trainingRates = 61
        case additionalRoles = 96
        case claimPaycodes = 134
        case guaranteedUse = 135

        var inputKind: InputLog.Kind {
            switch self {
            case .rates: .rates
            case .bankHolidays: .bankHolidays
            case .paycodes: .paycodes
            case .dispensingBands: .dispensing
            case .trainingRates: .training
            case .additionalRoles: .additionalRoles
            case .amountBounds: .amountBounds
            case .claimPaycodes: .claimPaycodes
            case .guaranteedUse: .guaranteedUse
            }
        }
    }

    enum State: Int64 {
        case proposed = 1
        case approved = 2
        case returned = 3
    }

    /// What a set holds.
    enum Content: Sendable {
        case rates([RateRow])
        case bankHolidays([BankHolidayFile.Row])
        case paycodes([PaycodeBook.Entry])
        case dispensingBands([DispensingBand])
        case trainingRates([TrainingRate])
        case additionalRoles([RoleMaximum])
        case amountBounds([AmountBound])
        case claimPaycodes([ClaimPaycodes.Row])
        case guaranteedUse([GuaranteedUseBand])

        var kind: Kind {
            switch self {
            case .rates: .rates
            case .bankHolidays: .bankHolidays
            case .paycodes: .paycodes
            case .dispensingBands: .dispensingBands
            case .trainingRates: .trainingRates
            case .additionalRoles: .additionalRoles
            case .amountBounds: .amountBounds
            case .claimPaycodes: .claimPaycodes
            case .guaranteedUse: .guaranteedUse
            }
        }

        var count: Int {
            switch self {
            case .rates(let rows): rows.count
            case .bankHolidays(let rows): rows.count
            case .paycodes(let rows): rows.count
            case .dispensingBands(let rows): rows.count
            case .trainingRates(let rows): rows.count
            case .additionalRoles(let rows): rows.count
            case .amountBounds(let rows): rows.count
            case .claimPaycodes(let rows): rows.count
            case .guaranteedUse(let rows): rows.count
            }
        }

        /// Days whose amounts it may change, with those on which what it sets is paid. None for calendars and paycodes:
        /// they change no amounts of months already paid.
        var spans: [InputLog.Span] {
            func late(_ day: CalendarDate?) -> CalendarDate? {
                day.map { ClaimDeadline.adding(months: Arrears.mostMonths, to: $0) }
            }
            return switch self {
            case .rates(let rows):
                rows.map { .init(from: $0.from, to: $0.name.isPaidInArrears ? late($0.to) : $0.to) }
            case .dispensingBands(let rows): rows.map { .init(from: $0.from, to: late($0.to)) }
            // Grants of a placement may be paid together after its end.
            case .trainingRates(let rows): rows.map { .init(from: $0.from, to: nil) }
            // A decided claim keeps its amount; the network claims the month again.
            case .bankHolidays, .paycodes, .amountBounds, .additionalRoles, .claimPaycodes, .guaranteedUse: []
            }
        }
    }

    struct RateSet: Sendable {
        var id: String
        var kind: Kind
        var state: State
        var reason: String
        var rows: Int64
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        var fileName: String
        var sha256: String
        var evidenceID: String?
        /// Input number from which it holds; `nil` = not approved.
        var version: Int64?
    }

    private static let setColumns = """
        set_id, kind, state, reason, row_count, proposed_by, proposed_at, decided_by, decision_reason, file_name,
        sha256, evidence_id, version
        """
    private static let insertSet = Statement(
        """
        INSERT INTO rate_set
            (set_id, kind, state, reason, row_count, proposed_by, proposed_at, file_name, sha256, evidence_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """)
    private static let decide = Statement(
        """
        UPDATE rate_set SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, version = ?6
        WHERE set_id = ?1
        """)
    private static let setByID = Statement("SELECT \(setColumns) FROM rate_set WHERE set_id = ?1")
    private static let allSets = Statement("SELECT \(setColumns) FROM rate_set ORDER BY proposed_at, set_id")
    private static let insertRate = BulkInsert(
        into: "rate",
        ["set_id", "number", "name", "effective_from", "effective_to", "value", "grade", "source", "note"])
    private static let insertHoliday = BulkInsert(into: "bank_holiday", ["set_id", "day", "title"])
    private static let insertPaycode = BulkInsert(
        into: "paycode", ["set_id", "code", "description", "sign", "heading", "external_code"])
    private static let ratesKnown = Statement(
        """
        SELECT name, effective_from, effective_to, value, grade, source, note, version, rate.set_id
        FROM rate JOIN rate_set ON rate_set.set_id = rate.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, number
        """)
    private static let ratesOfSet = Statement(
        """
        SELECT name, effective_from, effective_to, value, grade, source, note, 0, set_id
        FROM rate WHERE set_id = ?1 ORDER BY number
        """)
    private static let holidaysKnown = Statement(
        """
        SELECT day, version FROM bank_holiday JOIN rate_set ON rate_set.set_id = bank_holiday.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, day
        """)
    private static let paycodesKnown = Statement(
        """
        SELECT code, description, sign, heading, external_code FROM paycode JOIN rate_set ON rate_set.set_id = paycode.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, code
        """)

    static func propose(_ set: RateSet, _ content: Content, in transaction: any Transaction) throws {
        try transaction.run(
            insertSet,
            [
                .text(set.id), .integer(set.kind.rawValue), .integer(State.proposed.rawValue),
                .text(set.reason),
                .integer(content.count), .text(set.proposedBy), .instant(set.proposedAt), .text(set.fileName),
                .text(set.sha256), .optional(set.evidenceID),
            ])
        switch content {
        case .rates(let rows):
            try insertRate.run(Array(rows.enumerated()), in: transaction) { row, values in
                let rate = row.element
                values += [
                    .text(set.id), .integer(row.offset + 1), .text(rate.name.rawValue), .date(rate.from),
                    .date(rate.to), .optional(rate.value?.description), .text(rate.grade), .text(rate.source),
                    .text(rate.note),
                ]
            }
        case .bankHolidays(let rows):
            try insertHoliday.run(rows, in: transaction) { row, values in
                values += [.text(set.id), .date(row.day), .text(row.title)]
            }
        case .paycodes(let rows):
            try insertPaycode.run(rows, in: transaction) { row, values in
                values += [
                    .text(set.id), .text(row.code), .text(row.description), .text(row.sign),
                    .text(row.heading), .text(row.externalCode),
                ]
            }
        case .dispensingBands(let rows): try DispensingBandStore.add(rows, set: set.id, in: transaction)
        case .trainingRates(let rows): try TrainingRateStore.add(rows, set: set.id, in: transaction)
        case .additionalRoles(let rows): try RoleMaximumStore.add(rows, set: set.id, in: transaction)
        case .amountBounds(let rows): try AmountBoundStore.add(rows, to: set.id, in: transaction)
        case .claimPaycodes(let rows): try ClaimPaycodeStore.add(rows, to: set.id, in: transaction)
        case .guaranteedUse(let rows): try GuaranteedUseStore.add(rows, to: set.id, in: transaction)
        }
    }

    /// What a set holds, as far as it sets amounts.
    static func content(of set: RateSet, _ reader: any Reader) throws -> Content {
        switch set.kind {
        case .rates: .rates(try rates(ofSet: set.id, reader))
        case .dispensingBands: .dispensingBands(try DispensingBandStore.rows(ofSet: set.id, reader))
        case .trainingRates: .trainingRates(try TrainingRateStore.rows(ofSet: set.id, reader))
        case .additionalRoles: .additionalRoles(try RoleMaximumStore.rows(ofSet: set.id, reader))
        case .bankHolidays: .bankHolidays([])
        case .paycodes: .paycodes([])
        case .amountBounds: .amountBounds([])
        case .claimPaycodes: .claimPaycodes([])
        case .guaranteedUse: .guaranteedUse([])
        }
    }

    static func saveDecision(_ set: RateSet, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(set.id), .integer(set.state.rawValue), .text(set.decidedBy), .instant(transaction.now),
                .text(set.decisionReason), .optional(set.version),
            ])
    }

    private static func rateSet(_ row: any Row) throws -> RateSet {
        guard let kind = Kind(rawValue: row.integer(1)), let state = State(rawValue: row.integer(2)) else {
            throw StoredValueError(message: "rate set \(row.text(0)) is not as it was written")
        }
        return RateSet(
            id: row.text(0), kind: kind, state: state, reason: row.text(3), rows: row.integer(4),
            proposedBy: row.text(5), proposedAt: row.instant(6), decidedBy: row.text(7),
            decisionReason: row.text(8),
            fileName: row.text(9), sha256: row.text(10), evidenceID: row.optionalText(11),
            version: row.optionalInteger(12))
    }

    static func rateSet(_ id: String, _ reader: any Reader) throws -> RateSet? {
        try reader.first(setByID, [.text(id)], rateSet)
    }

    static func rateSets(_ reader: any Reader) throws -> [RateSet] { try reader.all(allSets, [], rateSet) }

    private static func rate(_ row: any Row) throws -> (RateRow, setID: String) {
        guard let name = RateName(rawValue: row.text(0)) else {
            throw StoredValueError(message: "there is no rate \(row.text(0))")
        }
        let value = try row.optionalText(3).map { text in
            guard let value = ExactDecimal(text) else {
                throw StoredValueError(message: "\(text) is no decimal")
            }
            return value
        }
        let rate = RateRow(
            name: name, from: try row.date(1), to: try row.optionalDate(2), value: value, grade: row.text(4),
            source: row.text(5), note: row.text(6), version: row.integer(7))
        return (rate, row.text(8))
    }

    /// Approved rates as known at an input number, in order of recording, with the set of each.
    static func ratesWithSets(knownAt seq: Int64, _ reader: any Reader) throws -> [(RateRow, setID: String)] {
        try reader.all(ratesKnown, [.integer(seq)], rate)
    }

    static func rates(knownAt seq: Int64, _ reader: any Reader) throws -> RateTable {
        RateTable(try ratesWithSets(knownAt: seq, reader).map(\.0))
    }

    static func rates(ofSet id: String, _ reader: any Reader) throws -> [RateRow] {
        try reader.all(ratesOfSet, [.text(id)], rate).map(\.0)
    }

    /// Bank holidays as known at an input number: of each calendar year those of the last set that has any.
    static func workingDays(knownAt seq: Int64, _ reader: any Reader) throws -> WorkingDays {
        var byYear: [Int: (version: Int64, days: [CalendarDate])] = [:]
        try reader.forEach(holidaysKnown, [.integer(seq)]) { row in
            let (day, version) = (try row.date(0), row.integer(1))
            if byYear[day.year]?.version != version { byYear[day.year] = (version, []) }
            byYear[day.year]?.days.append(day)
        }
        return WorkingDays(bankHolidays: byYear.values.flatMap(\.days))
    }

    static func paycodes(knownAt seq: Int64, _ reader: any Reader) throws -> PaycodeBook {
        PaycodeBook(
            try reader.all(paycodesKnown, [.integer(seq)]) {
                PaycodeBook.Entry(
                    code: $0.text(0), description: $0.text(1), sign: $0.text(2), heading: $0.text(3),
                    externalCode: $0.text(4))
            })
    }
}
