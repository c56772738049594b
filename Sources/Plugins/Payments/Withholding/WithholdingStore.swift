import PluginAPI

/// Withholdings with their steps, and debts set off.
enum WithholdingStore {
    static let schema = [
        """
        CREATE TABLE withholding (
            withholding_id TEXT PRIMARY KEY NOT NULL, payee_code TEXT NOT NULL, pence INTEGER NOT NULL,
            paycode INTEGER NOT NULL, source_reference TEXT NOT NULL, first_month TEXT NOT NULL, reason TEXT NOT NULL,
            state INTEGER NOT NULL, approved_seq INTEGER REFERENCES input (seq),
            released_seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX withholding_by_payee ON withholding (payee_code, withholding_id)",
        """
        CREATE TABLE withholding_step (
            withholding_id TEXT NOT NULL REFERENCES withholding (withholding_id), number INTEGER NOT NULL,
            step TEXT NOT NULL, taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (withholding_id, number)
        ) STRICT
        """,
    ]

    /// Numbers are stored and follow `pcs.payments.v1.WithholdingState`.
    enum State: Int64, Sendable {
        case proposed = 1
        case returned = 2
        case inForce = 3
        case releaseProposed = 4
        case released = 5

        var name: String {
            switch self {
            case .proposed: "proposed"
            case .returned: "returned"
            case .inForce: "in force"
            case .releaseProposed: "in force, with a release proposed"
            case .released: "released"
            }
        }
    }

    struct Withholding: Hashable, Sendable {
        var id: String
        var payee: ODSCode
        var target: Withholdings.Target
        var first: YearMonth
        var reason: String
        var state: State
        var approvedSeq: Int64?
        var releasedSeq: Int64?
    }

    struct Step: Hashable, Sendable {
        var step: String
        var by: String
        var at: Instant
        var reason: String
    }

    private static let columns = """
        withholding_id, payee_code, pence, paycode, source_reference, first_month, reason, state, approved_seq,
        released_seq
        """
    private static let insert = Statement(
        "INSERT INTO withholding (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
    private static let update = Statement(
        "UPDATE withholding SET state = ?2, approved_seq = ?3, released_seq = ?4 WHERE withholding_id = ?1")
    private static let byID = Statement("SELECT \(columns) FROM withholding WHERE withholding_id = ?1")
    private static let ofPayee = Statement(
        "SELECT \(columns) FROM withholding WHERE payee_code = ?1 ORDER BY withholding_id")
    private static let approved = Statement(
        "SELECT \(columns) FROM withholding WHERE approved_seq <= ?1 ORDER BY payee_code, withholding_id")
    private static let insertStep = Statement(
        """
        INSERT INTO withholding_step (withholding_id, number, step, taken_by, taken_at, reason)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5 FROM withholding_step WHERE withholding_id = ?1
        """)
    private static let steps = Statement(
        "SELECT step, taken_by, taken_at, reason FROM withholding_step WHERE withholding_id = ?1 ORDER BY number"
    )

    static func add(_ withholding: Withholding, in transaction: any Transaction) throws {
        var (pence, paycode, source): (Int64, Int64, String) = (0, 0, "")
        switch withholding.target {
        case .amount(let amount): pence = amount
        case .lines(let code, let reference): (paycode, source) = (Int64(code.rawValue), reference)
        }
        try transaction.run(
            insert,
            [
                .text(withholding.id), .text(withholding.payee.value), .integer(pence), .integer(paycode),
                .text(source), .text(withholding.first.description), .text(withholding.reason),
                .integer(withholding.state.rawValue), .optional(withholding.approvedSeq),
                .optional(withholding.releasedSeq),
            ])
    }

    static func save(
        _ withholding: Withholding, step: String, by actor: String, reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            update,
            [
                .text(withholding.id), .integer(withholding.state.rawValue),
                .optional(withholding.approvedSeq),
                .optional(withholding.releasedSeq),
            ])
        try addStep(step, to: withholding.id, by: actor, reason: reason, in: transaction)
    }

    static func addStep(
        _ step: String, to id: String, by actor: String, reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertStep, [.text(id), .text(step), .text(actor), .instant(transaction.now), .text(reason)])
    }

    static func withholding(_ id: String, _ reader: any Reader) throws -> Withholding? {
        try reader.first(byID, [.text(id)], withholding)
    }

    static func withholdings(of payee: ODSCode, _ reader: any Reader) throws -> [Withholding] {
        try reader.all(ofPayee, [.text(payee.value)], withholding)
    }

    static func steps(of id: String, _ reader: any Reader) throws -> [Step] {
        try reader.all(steps, [.text(id)]) {
            Step(step: $0.text(0), by: $0.text(1), at: $0.instant(2), reason: $0.text(3))
        }
    }

    private static func withholding(_ row: any Row) throws -> Withholding {
        guard let payee = ODSCode(row.text(1)), let first = YearMonth(iso8601: row.text(5)),
            let state = State(rawValue: row.integer(7))
        else { throw PaymentsError.damaged("withholding " + row.text(0)) }
        let paycode = Paycode(rawValue: UInt8(clamping: row.integer(3)))
        return Withholding(
            id: row.text(0), payee: payee,
            target: paycode.map { .lines($0, source: row.text(4)) } ?? .amount(pence: row.integer(2)),
            first: first,
            reason: row.text(6), state: state, approvedSeq: row.optionalInteger(8),
            releasedSeq: row.optionalInteger(9))
    }

    // MARK: What runs did

    struct Movement: Hashable, Sendable {
        var run: RunRecord
        /// Below zero: held; above: given back.
        var pence: Int64
    }

    /// What published runs held and gave back of a payee, by withholding, in order of their months.
    static func movements(
        of payee: ODSCode, _ published: [String: RunRecord], _ reader: any Reader
    ) throws -> [String: [Movement]] {
        var found: [String: [Movement]] = [:]
        guard let first = published.values.map(\.month).min() else { return [:] }
        for document in try StatementStore.published(of: payee, from: first, before: StatementStore.afterAll, reader) {
            guard let run = published[document.runID] else { continue }
            for line in document.lines where [.withheld, .withheldReleased].contains(line.paycode) {
                found[line.origin, default: []].append(Movement(run: run, pence: line.pence))
            }
        }
        return found
    }

    /// Withholdings that the run of a month must look at, as known at an input number.
    static func holds(
        before month: YearMonth, knownAt seq: Int64, _ reader: any Reader
    ) throws -> [ODSCode: [Withholdings.Hold]] {
        let known = Dictionary(
            grouping: try reader.all(approved, [.integer(seq)], withholding), by: \.payee)
        guard !known.isEmpty else { return [:] }
        let published = Dictionary(
            uniqueKeysWithValues: try RunStore.runs(reader).filter {
                $0.state.isPublished && $0.month < month
            }
            .map { ($0.id, $0) })
        var holds: [ODSCode: [Withholdings.Hold]] = [:]
        for (payee, withholdings) in known {
            let movements = try movements(of: payee, published, reader)
            let wanted = withholdings.compactMap { withholding -> Withholdings.Hold? in
                let moved = movements[Withholdings.origin(withholding.id)] ?? []
                let held = -moved.reduce(Int64(0)) { $0 + $1.pence }
                let isReleased = withholding.releasedSeq.map { $0 <= seq } ?? false
                guard !isReleased || held != 0 else { return nil }
                return Withholdings.Hold(
                    id: withholding.id, target: withholding.target, first: withholding.first,
                    reason: withholding.reason, version: withholding.approvedSeq ?? 0, isReleased: isReleased,
                    heldPence: held, hasHeld: moved.contains { $0.pence < 0 })
            }
            if !wanted.isEmpty { holds[payee] = wanted }
        }
        return holds
    }
}
