import ChangesContract
import CommonContract
import HostContract
import PluginAPI

// Steps that people report, and the two who say go.
extension CaseHandlers {
    func reportStep(
        _ request: Pcs_Changes_V1_ReportStepRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        let outcome = try check(request)
        return try await call.commit { transaction in
            var record = try CaseMessages.record(request.caseID, practice: "", transaction)
            _ = try CaseAction.reportStep.requireNext(from: record)
            let steps = try StepStore.steps(of: record.id, transaction)
            guard let step = steps.first(where: { $0.number == Int(request.step) }) else {
                throw Failure(HostReasons.notFound, "The case has no such step.")
            }
            try requireMayReport(outcome, step)
            if outcome == .done { try requireProof(request, step, record, transaction) }
            let actor = call.caller.responsible
            let report = CaseEngine.Report(
                outcome: outcome, proof: request.proof, effects: request.effects, words: request.words,
                by: actor)
            try record.take(report, of: step, in: transaction)
            if outcome != .failed { try CaseEngine.turn(&record, by: actor, context, in: transaction) }
            return try CaseMessages.message(record, context, transaction)
        }
    }

    private func check(_ request: Pcs_Changes_V1_ReportStepRequest) throws -> StepOutcome {
        var violations = RequestFields()
        let outcome = StepOutcome(rawValue: Int64(request.outcome.rawValue))
        if outcome == nil || outcome == .byHand {
            violations.refuse(
                "outcome", "15.3", "The outcome is done, failed, not applicable or compensated.")
        }
        if outcome == .failed || outcome == .notApplicable {
            violations.text(request.words, "words", "15.3", 3...500)
        }
        if request.effects.count > 200 || request.effects.contains(where: { !(1...500).contains($0.count) }) {
            violations.refuse("effects", "15.3", "At most 200 effects of 1 to 500 characters.")
        }
        try violations.finish()
        return outcome ?? .failed
    }

    private func requireMayReport(_ outcome: StepOutcome, _ step: StepRecord) throws {
        if outcome == .compensated {
            guard step.state == .compensationDue else {
                throw Failure.stepNotDue("Step \(step.number) has nothing to take back.")
            }
            return
        }
        guard step.state.isOpen else { throw Failure.stepNotDue("Step \(step.number) is \(step.state).") }
        guard step.row.proofKind != .go else {
            throw Failure.stepNotDue("Step \(step.number) is done by two people with DecideGo.")
        }
        guard outcome != .notApplicable || step.row.proofKind != .register else {
            throw Failure.stepNotDue("Without the register's closing no change is effective.")
        }
    }

    private func requireProof(
        _ request: Pcs_Changes_V1_ReportStepRequest, _ step: StepRecord, _ record: CaseRecord,
        _ reader: any Reader
    ) throws {
        var violations = RequestFields()
        for fault in ProofRules.faults(Proof(request.proof), step.row.proofKind) {
            violations.refuse(fault.field, fault.rule, fault.words)
        }
        if step.row.proofKind == .register, try CaseEngine.closings(of: record, context, reader) == nil {
            violations.refuse(
                "proof", "15.3 step 12", "The register of organisations does not show the closing yet.")
        }
        try violations.finish(ChangesReasons.stepProofWrong)
    }

    func decideGo(
        _ request: Pcs_Changes_V1_DecideGoRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        var violations = RequestFields()
        violations.text(request.reason, "reason", "15.3 step 11", 3...500)
        try violations.finish()
        return try await call.commit { transaction in
            var record = try CaseMessages.record(request.caseID, practice: request.practiceCode, transaction)
            _ = try CaseAction.decideGo.requireNext(from: record)
            let steps = try StepStore.steps(of: record.id, transaction)
            guard let step = steps.first(where: { $0.row.proofKind == .go }), step.state == .due else {
                throw Failure.stepNotDue("Go is not to be decided today.")
            }
            let before = try CaseStore.goes(of: record, transaction)
            guard !before.contains(where: { !$0.go }) else {
                throw Failure(
                    ChangesReasons.alreadyDecided, "Somebody said no-go: postpone the case or roll it back.")
            }
            let actor = call.caller.responsible
            for decision in before {
                try call.requireOtherPerson(than: decision.decidedBy, step: "the second go")
            }
            let decision = Pcs_Changes_V1_GoDecision.with {
                ($0.go, $0.decidedBy, $0.reason, $0.decidedAt) = (
                    request.go, actor, request.reason, .init(transaction.now)
                )
            }
            try CaseStore.add(decision, to: record, in: transaction)
            try CaseStore.save(
                &record, by: actor, "\(request.go ? "go" : "no-go"): \(request.reason)", in: transaction)
            if request.go, let first = before.first {
                let report = CaseEngine.Report(
                    outcome: .done, proof: .with { $0.reference = "go by \(first.decidedBy) and \(actor)" },
                    effects: ["the change goes ahead on \(record.effectiveOn)"], words: "", by: actor)
                try record.take(report, of: step, in: transaction)
                try CaseEngine.turn(&record, by: actor, context, in: transaction)
            }
            return try CaseMessages.message(record, context, transaction)
        }
    }
}
