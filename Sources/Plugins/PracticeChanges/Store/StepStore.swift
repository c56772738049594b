import ChangesContract
import PluginAPI

struct StepRecord: Sendable {
    var number: Int
    var state: StepState
    var dueOn: CalendarDate
    var failures: Int64
    var isByHand: Bool
    var row: ChecklistRow

    var view: StepView {
        StepView(
            number: number, state: state, dueOn: dueOn, after: row.after,
            irreversibleAfter: row.irreversibleAfter)
    }
}

/// Steps of cases, and what was reported of them.
enum StepStore {
    private static let insert = Statement(
        """
        INSERT INTO step (case_id, number, state, due_on, owner_area, failures, by_hand, checklist_id)
        VALUES (?1, ?2, 1, ?3, ?4, 0, 0, ?5)
        """)
    private static let update = Statement(
        """
        UPDATE step SET state = ?3, due_on = ?4, failures = ?5, by_hand = ?6 WHERE case_id = ?1 AND number = ?2
        """)
    private static let ofCase = Statement(
        """
        SELECT number, state, due_on, failures, by_hand, checklist_id FROM step WHERE case_id = ?1 ORDER BY number
        """)
    private static let insertReport = Statement(
        """
        INSERT INTO step_report (case_id, step, number, body)
        SELECT ?1, ?2, COUNT(*) + 1, ?3 FROM step_report WHERE case_id = ?1 AND step = ?2
        """)
    private static let reports = Statement(
        "SELECT body FROM step_report WHERE case_id = ?1 AND step = ?2 ORDER BY number")

    static func plan(
        _ rows: [ChecklistRow], of record: CaseRecord, checklist: String, in transaction: any Transaction
    ) throws {
        for row in rows {
            try transaction.run(
                insert,
                [
                    .text(record.id), .integer(row.number), .date(row.dueOn(effectiveOn: record.effectiveOn)),
                    .text(row.ownerArea), .text(checklist),
                ])
        }
    }

    static func save(_ step: StepRecord, of id: String, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(id), .integer(step.number), .integer(step.state.rawValue), .date(step.dueOn),
                .integer(step.failures), .integer(step.isByHand ? 1 : 0),
            ])
    }

    static func steps(of id: String, _ reader: any Reader) throws -> [StepRecord] {
        var rows: [Int: ChecklistRow] = [:]
        return try reader.all(ofCase, [.text(id)]) { row in
            (
                Int(row.integer(0)), row.integer(1), try row.date(2), row.integer(3), row.bool(4), row.text(5)
            )
        }.map { number, state, dueOn, failures, byHand, checklist in
            if rows.isEmpty {
                rows = Dictionary(
                    try ChecklistStore.rows(of: checklist, reader).map { ($0.number, $0) },
                    uniquingKeysWith: { first, _ in first })
            }
            guard let state = StepState(rawValue: state), let row = rows[number] else {
                throw StoredValueError(message: "step \(number) of case \(id) is not as it was written")
            }
            return StepRecord(
                number: number, state: state, dueOn: dueOn, failures: failures, isByHand: byHand, row: row)
        }
    }

    static func add(
        _ report: Pcs_Changes_V1_StepReport, to step: Int, of id: String, in transaction: any Transaction
    ) throws {
        try transaction.run(insertReport, [.text(id), .integer(step), .blob(try report.serializedBytes())])
    }

    static func reports(of step: Int, in id: String, _ reader: any Reader) throws
        -> [Pcs_Changes_V1_StepReport]
    {
        try reader.all(reports, [.text(id), .integer(step)]) {
            try Pcs_Changes_V1_StepReport(serializedBytes: $0.blob(0))
        }
    }
}
