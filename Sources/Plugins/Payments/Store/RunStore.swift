import PluginAPI

/// A payment run as stored.
struct RunRecord: Hashable, Sendable {
    var id: String
    var month: YearMonth
    var number: Int64
    var state: RunState
    var paymentDate: CalendarDate
    var cutOffOn: CalendarDate
    var openedBy: String
    var frozenAt: Instant?
    /// Number of the last input when the inputs were frozen; 0 = not frozen.
    var snapshot: Int64 = 0
    var calculation: Int64 = 0
    var calculatedBy = ""
    var calculatedAt: Instant?
    var figures = RunFigures()
    var statementsSHA256 = ""
    var calculationMicroseconds: Int64 = 0
    var reviewedBy = ""
    var publishedAt: Instant?
    var paidOn: CalendarDate?
    var bankReference = ""
    var abortRequestedBy = ""
}

struct RunStepRecord: Hashable, Sendable {
    var step: String
    var by: String
    var at: Instant
    var calculation: Int64
    var detail: String
}

struct RunApprovalRecord: Hashable, Sendable {
    var by: String
    var at: Instant
}

enum RunStore {
    private static let columns = """
        run_id, month, number, state, payment_date, cut_off_on, opened_by, frozen_at, snapshot, calculation,
        calculated_by, calculated_at, statements, lines, gross_pence, deductions_pence, retro_pence, retro_lines,
        statements_sha256, calculation_microseconds, reviewed_by, published_at, paid_on, bank_reference,
        abort_requested_by
        """
    private static let byID = Statement("SELECT \(columns) FROM run WHERE run_id = ?1")
    private static let allByMonth = Statement("SELECT \(columns) FROM run ORDER BY month, number")
    private static let insert = Statement(
        """
        INSERT INTO run (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                ?23, ?24, ?25)
        """)
    private static let update = Statement(
        """
        UPDATE run SET month = ?2, number = ?3, state = ?4, payment_date = ?5, cut_off_on = ?6, opened_by = ?7,
            frozen_at = ?8, snapshot = ?9, calculation = ?10, calculated_by = ?11, calculated_at = ?12,
            statements = ?13, lines = ?14, gross_pence = ?15, deductions_pence = ?16, retro_pence = ?17,
            retro_lines = ?18, statements_sha256 = ?19, calculation_microseconds = ?20, reviewed_by = ?21,
            published_at = ?22, paid_on = ?23, bank_reference = ?24, abort_requested_by = ?25
        WHERE run_id = ?1
        """)
    private static let steps = Statement(
        "SELECT step, taken_by, taken_at, calculation, detail FROM run_step WHERE run_id = ?1 ORDER BY number"
    )
    private static let insertStep = Statement(
        """
        INSERT INTO run_step (run_id, number, step, taken_by, taken_at, calculation, detail)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM run_step WHERE run_id = ?1
        """)
    private static let approvals = Statement(
        "SELECT approved_by, approved_at FROM run_approval WHERE run_id = ?1 ORDER BY number")
    private static let insertApproval = Statement(
        "INSERT INTO run_approval (run_id, number, approved_by, approved_at) VALUES (?1, ?2, ?3, ?4)")
    private static let deleteApprovals = Statement("DELETE FROM run_approval WHERE run_id = ?1")

    private static func values(_ run: RunRecord) -> [StoredValue] {
        [
            .text(run.id), .text(run.month.description), .integer(run.number), .integer(run.state.rawValue),
            .date(run.paymentDate), .date(run.cutOffOn), .text(run.openedBy),
            .optional(run.frozenAt?.microsecondsSince1970), .integer(run.snapshot), .integer(run.calculation),
            .text(run.calculatedBy), .optional(run.calculatedAt?.microsecondsSince1970),
            .integer(run.figures.statements), .integer(run.figures.lines), .integer(run.figures.grossPence),
            .integer(run.figures.deductionsPence), .integer(run.figures.retroPence),
            .integer(run.figures.retroLines),
            .text(run.statementsSHA256), .integer(run.calculationMicroseconds), .text(run.reviewedBy),
            .optional(run.publishedAt?.microsecondsSince1970), .date(run.paidOn), .text(run.bankReference),
            .text(run.abortRequestedBy),
        ]
    }

    private static func run(_ row: any Row) throws -> RunRecord {
        guard let month = YearMonth(iso8601: row.text(1)), let state = RunState(rawValue: row.integer(3))
        else {
            throw StoredValueError(message: "run \(row.text(0)) is not as it was written")
        }
        func instant(_ column: Int) -> Instant? {
            row.optionalInteger(column).map { Instant(microsecondsSince1970: $0) }
        }
        return RunRecord(
            id: row.text(0), month: month, number: row.integer(2), state: state, paymentDate: try row.date(4),
            cutOffOn: try row.date(5), openedBy: row.text(6), frozenAt: instant(7), snapshot: row.integer(8),
            calculation: row.integer(9), calculatedBy: row.text(10), calculatedAt: instant(11),
            figures: RunFigures(
                statements: row.integer(12), lines: row.integer(13), grossPence: row.integer(14),
                deductionsPence: row.integer(15), retroPence: row.integer(16), retroLines: row.integer(17)),
            statementsSHA256: row.text(18), calculationMicroseconds: row.integer(19),
            reviewedBy: row.text(20),
            publishedAt: instant(21), paidOn: try row.optionalDate(22), bankReference: row.text(23),
            abortRequestedBy: row.text(24))
    }

    static func run(_ id: String, _ reader: any Reader) throws -> RunRecord? {
        try reader.first(byID, [.text(id)], run)
    }

    /// All runs, by month.
    static func runs(_ reader: any Reader) throws -> [RunRecord] { try reader.all(allByMonth, [], run) }

    static func add(_ run: RunRecord, in transaction: any Transaction) throws {
        try transaction.run(insert, values(run))
    }

    static func save(_ run: RunRecord, in transaction: any Transaction) throws {
        try transaction.run(update, values(run))
    }

    static func addStep(
        _ step: String, by actor: String, detail: String, to run: RunRecord, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertStep,
            [
                .text(run.id), .text(step), .text(actor), .instant(transaction.now),
                .integer(run.calculation),
                .text(detail),
            ])
    }

    static func steps(of runID: String, _ reader: any Reader) throws -> [RunStepRecord] {
        try reader.all(steps, [.text(runID)]) {
            RunStepRecord(
                step: $0.text(0), by: $0.text(1), at: $0.instant(2), calculation: $0.integer(3),
                detail: $0.text(4))
        }
    }

    static func approvals(of runID: String, _ reader: any Reader) throws -> [RunApprovalRecord] {
        try reader.all(approvals, [.text(runID)]) { RunApprovalRecord(by: $0.text(0), at: $0.instant(1)) }
    }

    static func addApproval(number: Int, by actor: String, to runID: String, in transaction: any Transaction)
        throws
    {
        try transaction.run(
            insertApproval, [.text(runID), .integer(number), .text(actor), .instant(transaction.now)])
    }

    static func clearApprovals(of runID: String, in transaction: any Transaction) throws {
        try transaction.run(deleteApprovals, [.text(runID)])
    }
}
