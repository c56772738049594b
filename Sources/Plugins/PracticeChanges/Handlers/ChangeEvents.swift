import ChangesContract
import CommonContract
import HostContract
import PluginAPI

/// What the areas and the register say.
enum ChangeEvents {
    static let area = "changes"
    /// Areas that own steps.
    static let publishers = [
        "host", "payments", "performers", "registrations", "supplies", "pensions", "cqrs",
    ]

    /// An area reports a step of its own. What does not fit is noted and changes nothing: the area cannot mend it.
    static func receive(
        _ event: Pcs_Changes_V1_ChangeStepReported, _ envelope: EventEnvelope, _ context: PluginContext,
        _ transaction: any Transaction
    ) throws {
        func ignore(_ words: String) {
            transaction.audit(
                AuditNote(
                    object: "practice-change/\(event.caseID.prefix(40))",
                    detail: "report of step \(event.step) by \(envelope.publisher) not taken: \(words)"))
        }
        guard var record = try CaseStore.record(event.caseID, transaction),
            let step = try StepStore.steps(of: record.id, transaction).first(where: {
                $0.number == Int(event.step)
            }),
            var outcome = StepOutcome(rawValue: Int64(event.outcome.rawValue))
        else { return ignore("there is no such step") }
        guard step.row.ownerArea == envelope.publisher else { return ignore("it owns another area's step") }
        guard CaseAction.reportStep.next(from: record.state) != nil else {
            return ignore("the case is \(record.state.name)")
        }
        let mayCome =
            switch outcome {
            case .compensated: step.state == .compensationDue
            // Also what cannot be taken back without people.
            case .byHand: step.state == .compensationDue || step.state.isOpen
            default: step.state.isOpen
            }
        guard mayCome else { return ignore("the step is \(step.state)") }
        var words = event.words
        if outcome == .done {
            let faults = ProofRules.faults(Proof(event.proof), step.row.proofKind)
            if let first = faults.first {
                // A proof that does not add up is a failure of the step.
                outcome = .failed
                words = first.words
            }
        }
        let report = CaseEngine.Report(
            outcome: outcome, proof: event.proof, effects: event.effects, words: words, by: envelope.publisher
        )
        try record.take(report, of: step, in: transaction)
        if outcome == .done || outcome == .notApplicable {
            try CaseEngine.turn(&record, by: envelope.publisher, context, in: transaction)
        }
    }

    /// The register announces a closing, or takes one back.
    static func receive(
        _ event: Pcs_Host_V1_OrganisationChanged, _ envelope: EventEnvelope, _ context: PluginContext,
        _ transaction: any Transaction
    ) throws {
        guard let code = ODSCode(event.code), code.looksLikePractice else { return }
        switch event.kind {
        case .closed:
            guard let day = event.effectiveOn.calendarDate else { return }
            try ChecklistStore.addClosing(
                of: code.value, sequence: envelope.sequence, on: day, load: event.loadID, in: transaction)
        case .reopened: try ChecklistStore.dropClosings(of: code.value, in: transaction)
        default: return
        }
        for var record in try CaseStore.cases(of: code.value, transaction) {
            try CaseEngine.turn(&record, by: "register", context, in: transaction)
        }
    }
}

/// Makes due what has come due. Safe to run again.
enum DueStepsJob {
    static func run(_ context: PluginContext) async throws -> String {
        let active = try context.store.read { try CaseStore.active($0).map(\.id) }
        for id in active {
            try await context.store.write(actor: "job/due-steps") { transaction in
                guard var record = try CaseStore.record(id, transaction) else { return }
                try CaseEngine.turn(&record, by: "job/due-steps", context, in: transaction)
            }
        }
        return "looked at \(active.count) cases"
    }
}
