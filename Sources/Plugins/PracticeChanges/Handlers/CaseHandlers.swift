import ChangesContract
import CommonContract
import HostContract
import PluginAPI

/// The coordinator's side of a case.
struct CaseHandlers: Pcs_Changes_V1_ChangeCaseService {
    let context: PluginContext

    func receiveCase(
        _ request: Pcs_Changes_V1_CoordinatorRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try await change(request.caseID, .receive, call) { record, _ in
            record.receivedOn = call.today
            return "received on \(call.today)"
        }
    }

    func validateCase(
        _ request: Pcs_Changes_V1_ValidateCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try await change(request.caseID, .validate, call) { record, transaction in
            let gates = Gates.all(try facts(record, request, transaction))
            let failed = gates.filter { !$0.passed }
            guard failed.isEmpty else {
                throw Failure(
                    ChangesReasons.gatesNotPassed, failed.map(\.words).first,
                    violations: failed.map { Violation(field: "case", rule: $0.name, message: $0.words) })
            }
            try CaseStore.setGates(gates, of: record.id, in: transaction)
            return "all \(gates.count) gates passed"
        }
    }

    private func facts(
        _ record: CaseRecord, _ request: Pcs_Changes_V1_ValidateCaseRequest, _ reader: any Reader
    ) throws -> GateFacts {
        let today = context.clock.today
        let commissioners = Commissioners.byPractice(record, context)
        let sections = try CaseStore.decisions(of: record.id, countingOnly: true, reader)
            .filter { $0.decision == .approve }.map(\.section)
        let practices = try record.practices.map { practice in
            let entry = ODSCode(practice).flatMap { context.organisations.organisation($0, at: today) }
            return GateFacts.Practice(
                code: practice, isClosing: record.closing.contains(practice),
                isOpen: entry?.status == .active && entry?.kind == .practice,
                commissioner: commissioners[practice] ?? "",
                otherCase: try CaseStore.otherCase(of: practice, than: record.id, reader))
        }
        let performers = record.notice.closing.flatMap { closing in
            closing.performers.map { performer in
                GateFacts.Performer(
                    name: performer.name, practice: closing.practiceCode,
                    hasDestinationOrEnd: ODSCode(performer.destinationPracticeCode)?.looksLikePractice == true
                        || performer.leavesOn.calendarDate != nil)
            }
        }
        let merger = record.notice.merger
        return GateFacts(
            receivedOn: record.receivedOn ?? today, effectiveOn: record.effectiveOn,
            expeditedBecause: sections.map(\.expeditedBecause).first { !$0.isEmpty } ?? "",
            practices: practices,
            approvedBy: try Commissioners.approved(record, reader), performers: performers,
            isMerger: record.notice.kind == .merger, survivor: record.survivor,
            branchCodes: merger.branches.map(\.branchCode),
            accountChanges: record.notice.kind == .merger
                && merger.bankAccountOfPracticeCode != merger.survivingPracticeCode,
            bankVerification: request.bankVerificationReference,
            noOpenBankChange: request.noOpenBankChangeReference,
            noOpenIncident: request.noOpenSecureFormsIncidentReference,
            paymentMoves: sections.reduce(0) { $0 + $1.paymentMoves.count })
    }

    func planCase(
        _ request: Pcs_Changes_V1_CoordinatorRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try await change(request.caseID, .plan, call, turns: true) { record, transaction in
            let checklist = try ChecklistStore.inForce(transaction)
            let rows = try ChecklistStore.rows(of: checklist, transaction)
            record.plan = 1
            try StepStore.plan(rows, of: record, checklist: checklist, in: transaction)
            try publishPlan(record, in: transaction)
            return "planned with \(rows.count) steps"
        }
    }

    private func publishPlan(_ record: CaseRecord, in transaction: any Transaction) throws {
        let event = Pcs_Changes_V1_ChangePlanned.with {
            $0.caseID = record.id
            $0.kind = record.notice.kind
            $0.survivingPracticeCode = record.survivor
            $0.closingPracticeCodes = record.closing
            $0.effectiveOn = Pcs_Common_V1_Date(record.effectiveOn)
            $0.plan = Int32(record.plan)
        }
        try transaction.publish(event, key: record.id)
    }

    func postponeCase(
        _ request: Pcs_Changes_V1_PostponeCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try checkReason(request.reason)
        return try await change(request.caseID, .postpone, call, turns: true) { record, transaction in
            try checkDay(request, record, transaction)
            let day = request.effectiveOn.calendarDate ?? record.effectiveOn
            record.effectiveOn = day
            record.notice.effectiveOn = Pcs_Common_V1_Date(day)
            record.plan += 1
            try CaseStore.keepNotice(of: record, by: call.caller.responsible, in: transaction)
            for var step in try StepStore.steps(of: record.id, transaction) {
                // Go was said to another day.
                guard !step.state.isSettled || step.row.proofKind == .go else { continue }
                step.dueOn = step.row.dueOn(effectiveOn: day)
                step.state = .waiting
                try StepStore.save(step, of: record.id, in: transaction)
            }
            try publishPlan(record, in: transaction)
            return "postponed to \(day): \(request.reason)"
        }
    }

    private func checkDay(
        _ request: Pcs_Changes_V1_PostponeCaseRequest, _ record: CaseRecord, _ reader: any Reader
    ) throws {
        var violations = RequestFields()
        guard let day = request.effectiveOn.calendarDate, day > record.effectiveOn, day > context.clock.today
        else {
            violations.refuse(
                "effective_on", "15.3 step 11", "A postponed case has a later day than \(record.effectiveOn)."
            )
            return try violations.finish()
        }
        let moves = try CaseStore.decisions(of: record.id, countingOnly: true, reader)
            .contains { !$0.section.paymentMoves.isEmpty }
        if !QuarterAlignment.isAligned(day), !moves {
            violations.refuse(
                "effective_on", "G7 quarter",
                "In the middle of a quarter the commissioner must have listed payments.")
        }
        try violations.finish()
    }

    func rollBackCase(
        _ request: Pcs_Changes_V1_RollBackCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try checkReason(request.reason)
        return try await change(request.caseID, .rollBack, call) { record, transaction in
            let steps = try StepStore.steps(of: record.id, transaction)
            guard !StepRules.isIrreversible(steps.map(\.view)) else {
                throw Failure(ChangesReasons.notReversible, "Patients have moved.")
            }
            var toCompensate: [Int32] = []
            for var step in steps {
                try CaseTasks.settle(
                    step, of: record, outcome: "withdrawn", by: call.caller.responsible, in: transaction)
                step.state = StepRules.rolledBack(step.state)
                if step.state == .compensationDue { toCompensate.append(Int32(step.number)) }
                try StepStore.save(step, of: record.id, in: transaction)
            }
            let numbers = toCompensate
            let event = Pcs_Changes_V1_ChangeRolledBack.with {
                ($0.caseID, $0.steps, $0.reason) = (record.id, numbers, request.reason)
            }
            try transaction.publish(event, key: record.id)
            return
                "rolled back: \(request.reason); to take back: \(numbers.map(String.init).joined(separator: ", "))"
        }
    }

    func completeCase(
        _ request: Pcs_Changes_V1_CoordinatorRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try await change(request.caseID, .complete, call) { record, transaction in
            var violations = RequestFields()
            for step in try StepStore.steps(of: record.id, transaction) {
                if !step.state.isSettled {
                    violations.refuse("steps[\(step.number)]", "15.2", "\(step.row.title) is \(step.state).")
                }
                guard step.state == .done, step.row.proofKind != .go else { continue }
                // The sums once more, on what was stored.
                let last = try StepStore.reports(of: step.number, in: record.id, transaction).last
                for fault in ProofRules.faults(Proof(last?.proof ?? .init()), step.row.proofKind) {
                    violations.refuse("steps[\(step.number)]", fault.rule, fault.words)
                }
            }
            try violations.finish(ChangesReasons.stepsOpen)
            return "completed"
        }
    }

    private func checkReason(_ reason: String) throws {
        var violations = RequestFields()
        violations.text(reason, "reason", "15.2", 3...500)
        try violations.finish()
    }

    /// One action on a case: the lifecycle first, then what the action does, then the log.
    /// - Parameter turns: whether steps may come due by it.
    private func change(
        _ id: String, _ action: CaseAction, _ call: CallContext, turns: Bool = false,
        _ body: @escaping @Sendable (inout CaseRecord, any Transaction) throws -> String
    ) async throws -> Pcs_Changes_V1_Case {
        try await call.commit { transaction in
            var record = try CaseMessages.record(id, practice: "", transaction)
            let next = try action.requireNext(from: record)
            let words = try body(&record, transaction)
            record.state = next
            let actor = call.caller.responsible
            try CaseStore.save(&record, by: actor, words, in: transaction)
            if turns { try CaseEngine.turn(&record, by: actor, context, in: transaction) }
            return try CaseMessages.message(record, context, transaction)
        }
    }
}
