import Digests
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Statements and the explanations of their lines.
struct StatementHandlers: Pcs_Payments_V1_StatementService {
    let context: PluginContext

    /// Who sees a statement before its run is approved.
    private static let insiders: Set<Role> = [
        Roles.paymentsOperator, Roles.paymentsApprover, Roles.bacsSubmitter, Roles.auditor,
    ]

    /// Whether the caller may see lines of this run.
    static func mayRead(_ run: RunRecord, _ call: CallContext) -> Bool {
        run.state.isPublished || (run.state.isCalculated && !call.caller.roles.isDisjoint(with: insiders))
    }

    func getStatement(
        _ request: Pcs_Payments_V1_GetStatementRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Statement {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        let month = fields.month(request.month)
        try fields.finish()
        guard let practice, let month else { throw Failure(PaymentsReasons.statementUnknown) }
        return try context.store.read { reader in
            let (run, stored) = try find(practice, runID: "", month: month, call, reader)
            let isMember = readsAsMember(practice, call)
            let lines = try shownLines(stored.document, collapsed: request.collapsed || isMember, reader)
            let footer = try StatementFooter(stored.document, run, reader)
            return Pcs_Payments_V1_Statement(stored, run, lines: lines, footer, forMember: isMember)
        }
    }

    func listStatements(
        _ request: Pcs_Payments_V1_ListStatementsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListStatementsResponse {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        let year = request.financialYear.isEmpty ? nil : fields.financialYear(request.financialYear)
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.statementUnknown) }
        return try context.store.read { reader in
            let runs = Dictionary(uniqueKeysWithValues: try RunStore.runs(reader).map { ($0.id, $0) })
            let heads = try refusing { try StatementStore.heads(of: practice, reader) }
            var listed: [Pcs_Payments_V1_Statement] = []
            for head in heads {
                guard let run = runs[head.document.runID], StatementHandlers.mayRead(run, call) else {
                    continue
                }
                if let year, FinancialYear(containing: run.month) != year { continue }
                listed.append(Pcs_Payments_V1_Statement(head, run))
            }
            return .with { $0.statements = listed }
        }
    }

    func explainLine(
        _ request: Pcs_Payments_V1_ExplainLineRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_LineExplanation {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        let month = request.runID.isEmpty ? fields.month(request.month) : nil
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.statementUnknown) }
        let (stored, lines) = try context.store.read { reader in
            let (_, stored) = try find(practice, runID: request.runID, month: month, call, reader)
            return (stored, try shownLines(stored.document, collapsed: false, reader))
        }
        let index = Int(request.lineNumber) - 1
        guard stored.document.lines.indices.contains(index) else {
            throw Failure(
                PaymentsReasons.statementUnknown,
                "Statement \(stored.document.statementID) has lines 1 to \(stored.document.lines.count).")
        }
        return try refusing {
            try StatementHandlers.explanation(
                of: stored.document.lines[index], lines[index], in: stored.document)
        }
    }

    func find(
        _ practice: ODSCode, runID: String, month: YearMonth?, _ call: CallContext, _ reader: any Reader
    ) throws -> (RunRecord, StatementStore.Stored) {
        let run =
            month == nil
            ? try RunStore.run(runID, reader)
            : try RunStore.runs(reader).first { $0.month == month && $0.state != .aborted }
        // Before it is published, a statement does not exist for practices and commissioners.
        guard let run, StatementHandlers.mayRead(run, call),
            let stored = try refusing({ try StatementStore.statement(of: practice, in: run.id, reader) })
        else { throw Failure(PaymentsReasons.statementUnknown) }
        return (run, stored)
    }

    private static func explanation(
        of line: PaymentLine, _ message: Pcs_Payments_V1_StatementLine, in document: StatementDocument
    ) throws -> Pcs_Payments_V1_LineExplanation {
        let explanation = line.explanation
        let values: [Rational]
        let replayed: Money
        do {
            values = try explanation.values()
            replayed = try explanation.replay()
        } catch {
            throw PaymentsError.damaged("explanation")
        }
        guard replayed.pence == line.pence else { throw PaymentsError.damaged("explanation") }
        return .with {
            $0.statementID = document.statementID
            $0.line = message
            $0.rule = explanation.rule
            $0.ruleVersion = Int32(clamping: explanation.ruleVersion)
            $0.inputs = explanation.inputs.map { input in
                .with {
                    $0.name = input.name
                    $0.value = input.value.description
                    $0.unit = input.unit.name
                    $0.source = input.source.description
                    $0.asOf = Pcs_Common_V1_Date(input.asOf)
                }
            }
            $0.steps = zip(explanation.steps, values).map { step, value in
                .with {
                    $0.expression = explanation.expression(of: step)
                    $0.value = value.text()
                }
            }
            $0.rounding = explanation.rounding
            $0.amountPence = line.pence
            $0.replayedPence = replayed.pence
        }
    }
}
