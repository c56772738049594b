import PluginAPI

/// Claims with their lines and steps. Lines of an earlier version stay as history.
enum LocalClaimStore {
    struct Record: Sendable {
        var number: Int64 = 0
        var id = ""
        var service: String
        var provider: String
        var commissioner: String
        var window: String
        var state = LocalClaimState.draft
        var route: LocalRoute
        var pence: Int64 = 0
        var band = LocalRiskBand.low
        var version: Int64 = 1
        var linesVersion: Int64 = 1
        var bulk: Int64 = 0
        var file: Int64 = 0
        /// Payments tried: names the instructions of each.
        var attempt: Int64 = 1
        var isMultiLevel = false
        var isLate = false
        var preparedBy = ""
        var submittedBy = ""
        var tier1By = ""
        var tier2By = ""
        var financeBy = ""
        var note = ""
        var figures = ""
        var submittedOn: CalendarDate?
        var approvedOn: CalendarDate?
        var paidOn: CalendarDate?
        var lines: [LocalLine] = []

        /// Came with an upload and is still as uploaded: worked on with it, not by itself.
        var isPartOfUpload: Bool { bulk != 0 && submittedBy == preparedBy }
        /// Who has had a hand in it: none of them takes the next step (USR-6).
        var persons: [String] {
            [preparedBy, submittedBy, tier1By, tier2By, financeBy].filter { !$0.isEmpty }
        }
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

    private static let names = [
        "number", "claim_id", "service_id", "provider_code", "commissioner_code", "window_id", "state",
        "route", "pence",
        "band", "version", "lines_version", "bulk_number", "file_number", "attempt", "multi_level", "late",
        "prepared_by", "submitted_by", "tier1_by", "tier2_by", "finance_by", "note", "figures_sha256",
        "submitted_on",
        "approved_on", "paid_on",
    ]
    private static let columns = names.joined(separator: ", ")
    private static let insert = BulkInsert(into: "local_claim", names)
    private static let insertLines = BulkInsert(
        into: "local_claim_line",
        [
            "claim_number", "lines_version", "line", "service_id", "service_version", "component_id",
            "activity_on",
            "quantity", "claimed", "price", "pence", "note",
        ])
    private static let insertSteps = BulkInsert(
        into: "local_claim_step",
        [
            "claim_number", "number", "from_state", "to_state", "taken_by", "acting_for", "taken_at",
            "reason",
            "figures_sha256",
        ])
    private static let update = Statement(
        """
        UPDATE local_claim SET state = ?2, pence = ?3, band = ?4, version = ?5, lines_version = ?6, file_number = ?7,
            attempt = ?8, multi_level = ?9, late = ?10, prepared_by = ?11, submitted_by = ?12, tier1_by = ?13,
            tier2_by = ?14, finance_by = ?15, note = ?16, figures_sha256 = ?17, submitted_on = ?18, approved_on = ?19,
            paid_on = ?20
        WHERE number = ?1
        """)
    private static let last = Statement("SELECT COALESCE(MAX(number), 0) FROM local_claim")
    private static let lastStep = Statement(
        "SELECT COALESCE(MAX(number), 0) FROM local_claim_step WHERE claim_number = ?1")
    private static let byID = Statement("SELECT \(columns) FROM local_claim WHERE claim_id = ?1")
    private static let byWindow = Statement(
        "SELECT \(columns) FROM local_claim WHERE provider_code = ?1 AND window_id = ?2 ORDER BY number")
    private static let byState = Statement(
        "SELECT \(columns) FROM local_claim WHERE commissioner_code = ?1 AND state = ?2 ORDER BY number")
    private static let byBulk = Statement(
        "SELECT \(columns) FROM local_claim WHERE bulk_number = ?1 ORDER BY number")
    private static let byFile = Statement(
        "SELECT \(columns) FROM local_claim WHERE file_number = ?1 ORDER BY number")
    private static let byProvider = Statement(
        "SELECT \(columns) FROM local_claim WHERE provider_code = ?1 ORDER BY number DESC")
    private static let byCommissioner = Statement(
        "SELECT \(columns) FROM local_claim WHERE commissioner_code = ?1 ORDER BY number DESC")
    private static let lineColumns = """
        service_id, service_version, component_id, activity_on, quantity, claimed, price, pence, note
        """
    private static let linesOf = Statement(
        "SELECT \(lineColumns) FROM local_claim_line WHERE claim_number = ?1 AND lines_version = ?2 ORDER BY line"
    )
    private static let stepsOf = Statement(
        """
        SELECT from_state, to_state, taken_by, acting_for, taken_at, reason, figures_sha256 FROM local_claim_step
        WHERE claim_number = ?1 ORDER BY number
        """)
    private static let countInWindow = Statement("SELECT COUNT(*) FROM local_claim WHERE window_id = ?1")

    // MARK: Adding

    static func lastNumber(_ reader: any Reader) throws -> Int64 {
        try reader.first(last) { $0.integer(0) } ?? 0
    }

    /// Adds claims that have their numbers, with lines and the first step.
    static func add(_ records: [Record], _ step: Step, in transaction: any Transaction) throws {
        try insert.run(records, in: transaction) { record, values in
            values += [
                .integer(record.number), .text(record.id), .text(record.service), .text(record.provider),
                .text(record.commissioner), .text(record.window), .integer(record.state.rawValue),
                .integer(record.route.rawValue), .integer(record.pence), .integer(record.band.rawValue),
                .integer(record.version), .integer(record.linesVersion), .integer(record.bulk),
                .integer(record.file),
                .integer(record.attempt), .integer(record.isMultiLevel ? 1 : 0),
                .integer(record.isLate ? 1 : 0),
                .text(record.preparedBy), .text(record.submittedBy), .text(record.tier1By),
                .text(record.tier2By),
                .text(record.financeBy), .text(record.note), .text(record.figures), .date(record.submittedOn),
                .date(record.approvedOn), .date(record.paidOn),
            ]
        }
        try addLines(records, in: transaction)
        try insertSteps.run(records, in: transaction) { record, values in
            values += [
                .integer(record.number), .integer(1), .integer(0), .integer(record.state.rawValue),
                .text(step.by),
                .text(step.actingFor), .instant(step.at), .text(step.reason),
                .text(record.figures.isEmpty ? step.figures : record.figures),
            ]
        }
    }

    static func addLines(_ records: [Record], in transaction: any Transaction) throws {
        var rows: [(record: Int, line: Int)] = []
        for (index, record) in records.enumerated() {
            for line in record.lines.indices { rows.append((index, line)) }
        }
        try insertLines.run(rows, in: transaction) { row, values in
            let record = records[row.record]
            let line = record.lines[row.line]
            values += [
                .integer(record.number), .integer(record.linesVersion), .integer(row.line + 1),
                .text(line.service),
                .integer(line.serviceVersion), .text(line.component), .date(line.activity),
                .integer(line.quantity.thousandths), .integer(line.claimed.thousandths),
                .text(line.price.description),
                .integer(line.pence), .text(line.note),
            ]
        }
    }

    static func save(_ record: Record, _ step: Step, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .integer(record.number), .integer(record.state.rawValue), .integer(record.pence),
                .integer(record.band.rawValue), .integer(record.version), .integer(record.linesVersion),
                .integer(record.file), .integer(record.attempt), .integer(record.isMultiLevel ? 1 : 0),
                .integer(record.isLate ? 1 : 0), .text(record.preparedBy), .text(record.submittedBy),
                .text(record.tier1By), .text(record.tier2By), .text(record.financeBy), .text(record.note),
                .text(record.figures), .date(record.submittedOn), .date(record.approvedOn),
                .date(record.paidOn),
            ])
        let number = (try transaction.first(lastStep, [.integer(record.number)]) { $0.integer(0) } ?? 0) + 1
        try insertSteps.run([step], in: transaction) { step, values in
            values += [
                .integer(record.number), .integer(number), .integer(step.from), .integer(step.to),
                .text(step.by),
                .text(step.actingFor), .instant(step.at), .text(step.reason), .text(step.figures),
            ]
        }
    }

    // MARK: Reading

    /// With lines.
    static func record(_ id: String, _ reader: any Reader) throws -> Record? {
        guard var record = try reader.first(byID, [.text(id)], record) else { return nil }
        record.lines = try lines(of: record, reader)
        return record
    }

    static func lines(of record: Record, _ reader: any Reader) throws -> [LocalLine] {
        try reader.all(linesOf, [.integer(record.number), .integer(record.linesVersion)], line)
    }

    static func steps(of record: Record, _ reader: any Reader) throws -> [Step] {
        try reader.all(stepsOf, [.integer(record.number)]) { row in
            Step(
                from: Int(row.integer(0)), to: Int(row.integer(1)), by: row.text(2), actingFor: row.text(3),
                at: row.instant(4), reason: row.text(5), figures: row.text(6))
        }
    }

    static func of(provider: String, window: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byWindow, [.text(provider), .text(window)], record)
    }
    static func waiting(with commissioner: String, _ state: LocalClaimState, _ reader: any Reader) throws
        -> [Record]
    {
        try reader.all(byState, [.text(commissioner), .integer(state.rawValue)], record)
    }
    static func of(bulk: Int64, _ reader: any Reader) throws -> [Record] {
        try reader.all(byBulk, [.integer(bulk)], record)
    }
    static func of(file: Int64, _ reader: any Reader) throws -> [Record] {
        try reader.all(byFile, [.integer(file)], record)
    }
    static func of(provider: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byProvider, [.text(provider)], record)
    }
    static func of(commissioner: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byCommissioner, [.text(commissioner)], record)
    }
    static func count(inWindow window: String, _ reader: any Reader) throws -> Int64 {
        try reader.first(countInWindow, [.text(window)]) { $0.integer(0) } ?? 0
    }

    static func line(_ row: any Row) throws -> LocalLine {
        guard let price = ExactDecimal(row.text(6)) else { throw CQRSError.damaged("claim line") }
        return LocalLine(
            service: row.text(0), serviceVersion: Int(row.integer(1)), component: row.text(2),
            quantity: LocalQuantity(thousandths: row.integer(4)),
            claimed: LocalQuantity(thousandths: row.integer(5)),
            price: price, pence: row.integer(7), activity: try row.date(3), note: row.text(8))
    }

    private static func record(_ row: any Row) throws -> Record {
        guard let state = LocalClaimState(rawValue: Int(row.integer(6))),
            let route = LocalRoute(rawValue: Int(row.integer(7))),
            let band = LocalRiskBand(rawValue: Int(row.integer(9)))
        else { throw CQRSError.damaged("local claim") }
        return Record(
            number: row.integer(0), id: row.text(1), service: row.text(2), provider: row.text(3),
            commissioner: row.text(4), window: row.text(5), state: state, route: route, pence: row.integer(8),
            band: band, version: row.integer(10), linesVersion: row.integer(11), bulk: row.integer(12),
            file: row.integer(13), attempt: row.integer(14), isMultiLevel: row.bool(15), isLate: row.bool(16),
            preparedBy: row.text(17), submittedBy: row.text(18), tier1By: row.text(19), tier2By: row.text(20),
            financeBy: row.text(21), note: row.text(22), figures: row.text(23),
            submittedOn: try row.optionalDate(24),
            approvedOn: try row.optionalDate(25), paidOn: try row.optionalDate(26))
    }
}
