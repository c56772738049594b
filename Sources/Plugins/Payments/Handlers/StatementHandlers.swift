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
        let (run, stored) = try context.store.read { try find(practice, runID: "", month: month, call, $0) }
        var message = Pcs_Payments_V1_Statement(stored, run)
        message.lines =
            request.collapsed
            ? try refusing { try collapsed(stored.document) } : stored.document.lineMessages()
        return message
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
            let statements = try refusing { try StatementStore.statements(of: practice, reader) }
            var listed: [Pcs_Payments_V1_Statement] = []
            for stored in statements {
                guard let run = runs[stored.document.runID], StatementHandlers.mayRead(run, call) else {
                    continue
                }
                if let year, FinancialYear(containing: run.month) != year { continue }
                listed.append(Pcs_Payments_V1_Statement(stored, run))
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
        let (_, stored) = try context.store.read {
            try find(practice, runID: request.runID, month: month, call, $0)
        }
        let index = Int(request.lineNumber) - 1
        guard stored.document.lines.indices.contains(index) else {
            throw Failure(
                PaymentsReasons.statementUnknown,
                "Statement \(stored.document.statementID) has lines 1 to \(stored.document.lines.count).")
        }
        return try refusing {
            try StatementHandlers.explanation(
                of: stored.document.lines[index], stored.document.lineMessages()[index], in: stored.document)
        }
    }

    private func find(
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

    /// One line a paycode (payments.md 11, "collapsed").
    private func collapsed(_ document: StatementDocument) throws -> [Pcs_Payments_V1_StatementLine] {
        let messages = document.lineMessages()
        var result: [Pcs_Payments_V1_StatementLine] = []
        for paycode in Paycode.allCases {
            let lines = document.lines.indices.filter { document.lines[$0].paycode == paycode }
            guard let last = lines.last else { continue }
            guard lines.count > 1 else {
                result.append(messages[last])
                continue
            }
            var line = messages[last]
            line.amountPence = try Money.sum(lines.map { Money(pence: document.lines[$0].pence) }).pence
            line.quantity = "1"
            line.rate = Money(pence: line.amountPence).description
            line.basis = "SUM_OF_\(lines.count)_LINES"
            line.lineNumber = 0
            line.isRetro = lines.allSatisfy { document.lines[$0].source == .retro }
            line.clearOriginalMonth()
            line.periodFrom = Pcs_Common_V1_Date(
                lines.map { document.lines[$0].periodFrom }.min() ?? document.month.firstDay)
            line.periodTo = Pcs_Common_V1_Date(
                lines.map { document.lines[$0].periodTo }.max() ?? document.month.lastDay)
            result.append(line)
        }
        return result
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

extension StatementDocument {
    func lineMessages() -> [Pcs_Payments_V1_StatementLine] {
        lines.enumerated().map { index, line in
            .with {
                $0.lineNumber = Int32(clamping: index + 1)
                $0.paycode = line.paycode.code
                $0.description_p = descriptions[line.paycode] ?? line.paycode.code
                $0.periodFrom = Pcs_Common_V1_Date(line.periodFrom)
                $0.periodTo = Pcs_Common_V1_Date(line.periodTo)
                $0.quantity = line.quantity.description
                $0.rate = line.rate.description
                $0.basis = line.basis
                $0.amountPence = line.pence
                $0.yearToDatePence = line.yearToDatePence
                $0.isRetro = line.source == .retro
                if line.source == .retro { $0.originalMonth = Pcs_Common_V1_Month(line.month) }
                $0.sourceType = line.source.name
                $0.sourceReference = line.sourceReference
            }
        }
    }
}

extension Pcs_Payments_V1_Statement {
    /// Without lines.
    init(_ stored: StatementStore.Stored, _ run: RunRecord) {
        self.init()
        let document = stored.document
        statementID = document.statementID
        runID = run.id
        month = Pcs_Common_V1_Month(document.month)
        published = run.state.isPublished
        practiceCode = document.practice.value
        practiceName = document.practiceName
        payeeCode = document.payee.value
        contractID = document.contractID
        contractType = document.kind.map { Pcs_Payments_V1_ContractType($0) } ?? .unspecified
        payeeKind = Pcs_Payments_V1_PayeeKind(rawValue: Int(document.payeeKind.rawValue)) ?? .unspecified
        commissionerCode = document.commissioner
        regionCode = document.region
        paymentDate = Pcs_Common_V1_Date(document.paymentDate)
        for line in document.lines {
            if line.pence > 0 { grossPence += line.pence } else { deductionsPence += line.pence }
        }
        netPence = grossPence + deductionsPence
        if let capitation = document.capitation {
            quarterDay = Pcs_Common_V1_Date(capitation.quarterDay)
            registeredPatients = capitation.lists.registered
            weightedPatientsHundredths = capitation.lists.weightedHundredths
            londonPatients = capitation.lists.london
        }
        sha256 = Digest.hex(stored.sha256)
        if let at = run.publishedAt { publishedAt = Google_Protobuf_Timestamp(at) }
    }
}
