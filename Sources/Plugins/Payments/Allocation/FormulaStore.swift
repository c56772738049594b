import PluginAPI

/// Where a proposal stands. Numbers are stored and follow `pcs.payments.v1.ProposalState`.
enum ProposalState: Int64, Sendable {
    case proposed = 1
    case approved = 2
    case returned = 3
}

/// Sets of coefficients; their tables are in `AllocationStore.schema`.
enum FormulaStore {
    struct Set: Hashable, Sendable {
        var id: String
        var formula: FormulaVersion
        var from: CalendarDate
        var state = ProposalState.proposed
        var reason: String
        var fileName: String
        var sha256: String
        var evidenceID: String
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
    }

    private static let columns = """
        set_id, formula, effective_from, state, reason, file_name, sha256, evidence_id, proposed_by, proposed_at,
        decided_by, decision_reason
        """
    private static let insert = Statement(
        """
        INSERT INTO formula_set (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """)
    private static let decide = Statement(
        """
        UPDATE formula_set SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5
        WHERE set_id = ?1 AND state = 1
        """)
    private static let byID = Statement("SELECT \(columns) FROM formula_set WHERE set_id = ?1")
    private static let all = Statement("SELECT \(columns) FROM formula_set ORDER BY proposed_at, set_id")
    private static let lastInEffect = Statement(
        """
        SELECT \(columns) FROM formula_set WHERE state = 2 AND effective_from <= ?1
        ORDER BY effective_from DESC, decided_at DESC, set_id DESC LIMIT 1
        """)
    private static let insertRows = BulkInsert(
        into: "formula_coefficient", ["set_id", "number", "component", "cell", "value", "grade", "source"])
    private static let rowsOf = Statement(
        "SELECT component, cell, value, grade, source FROM formula_coefficient WHERE set_id = ?1 ORDER BY number"
    )

    static func propose(_ set: Set, _ rows: [FormulaRow], in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(set.id), .text(set.formula.rawValue), .date(set.from), .integer(set.state.rawValue),
                .text(set.reason), .text(set.fileName), .text(set.sha256), .text(set.evidenceID),
                .text(set.proposedBy), .instant(set.proposedAt), .text(""), .text(""),
            ])
        try insertRows.run(Array(rows.enumerated()), in: transaction) { entry, values in
            let row = entry.element
            values += [
                .text(set.id), .integer(entry.offset + 1), .text(row.cell.component.rawValue),
                .text(row.cell.name),
                .optional(row.value?.description), .text(row.grade), .text(row.source),
            ]
        }
    }

    static func saveDecision(_ set: Set, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(set.id), .integer(set.state.rawValue), .text(set.decidedBy), .instant(transaction.now),
                .text(set.decisionReason),
            ])
    }

    private static func set(_ row: any Row) throws -> Set {
        guard let formula = FormulaVersion(rawValue: row.text(1)),
            let state = ProposalState(rawValue: row.integer(3))
        else { throw PaymentsError.damaged("formula set " + row.text(0)) }
        return Set(
            id: row.text(0), formula: formula, from: try row.date(2), state: state, reason: row.text(4),
            fileName: row.text(5), sha256: row.text(6), evidenceID: row.text(7), proposedBy: row.text(8),
            proposedAt: row.instant(9), decidedBy: row.text(10), decisionReason: row.text(11))
    }

    static func set(_ id: String, _ reader: any Reader) throws -> Set? {
        try reader.first(byID, [.text(id)], set)
    }

    static func sets(_ reader: any Reader) throws -> [Set] { try reader.all(all, [], set) }

    /// The approved set that begins last of those in effect on a day.
    static func set(inEffectOn day: CalendarDate, _ reader: any Reader) throws -> Set? {
        try reader.first(lastInEffect, [.date(day)], set)
    }

    static func rows(of id: String, _ reader: any Reader) throws -> [FormulaRow] {
        try reader.all(rowsOf, [.text(id)]) { row in
            guard let component = FormulaComponent(rawValue: row.text(0)) else {
                throw PaymentsError.damaged("formula set " + id)
            }
            return FormulaRow(
                cell: FormulaCell(component: component, name: row.text(1)),
                value: row.optionalText(2).flatMap { ExactDecimal($0) }, grade: row.text(3),
                source: row.text(4))
        }
    }

    static func coefficients(of id: String, _ reader: any Reader) throws -> FormulaCoefficients {
        FormulaCoefficients(
            values: Dictionary(
                try rows(of: id, reader).compactMap { row in row.value.map { (row.cell, $0) } },
                uniquingKeysWith: { first, _ in first }))
    }
}
