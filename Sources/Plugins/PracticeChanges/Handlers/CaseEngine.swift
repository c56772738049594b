import ChangesContract
import CommonContract
import PluginAPI

/// Moves a case on: makes due what is due, does the steps of its own, takes what was reported. Works inside a
/// transaction of the caller, and is safe to run again.
enum CaseEngine {
    /// Turns the steps as of today, until nothing changes.
    static func turn(
        _ record: inout CaseRecord, by actor: String, _ context: PluginContext,
        in transaction: any Transaction
    ) throws {
        guard [.planned, .inProgress, .effective].contains(record.state) else { return }
        let today = context.clock.today
        var isMoving = true
        while isMoving {
            isMoving = false
            let steps = try StepStore.steps(of: record.id, transaction)
            let changes = StepRules.turn(steps.map(\.view), on: today)
            for var step in steps {
                guard let state = changes[step.number] else { continue }
                step.state = state
                try StepStore.save(step, of: record.id, in: transaction)
                guard state == .due else { continue }
                if let next = CaseAction.begin.next(from: record.state) { record.state = next }
                try announce(step, of: record, in: transaction)
                isMoving = try doOwn(step, of: &record, context, in: transaction) || isMoving
            }
            if !changes.isEmpty {
                let words = changes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                try CaseStore.save(
                    &record, by: actor, "steps: " + words.joined(separator: ", "), in: transaction)
            }
        }
        // The register may have shown the closing while its step was due already.
        try takeClosing(&record, context, in: transaction)
    }

    private static func announce(
        _ step: StepRecord, of record: CaseRecord, in transaction: any Transaction
    ) throws {
        let payees = Set(
            try CaseStore.decisions(of: record.id, countingOnly: true, transaction)
                .filter { $0.decision == .approve }.map(\.section.drugArrearsPayeeCode))
        let event = Pcs_Changes_V1_ChangeStepDue.with {
            if payees.count == 1 { $0.drugArrearsPayeeCode = payees.first ?? "" }
            $0.caseID = record.id
            $0.step = Int32(step.number)
            $0.ownerArea = step.row.ownerArea
            $0.title = step.row.title
            $0.kind = record.notice.kind
            $0.survivingPracticeCode = record.survivor
            $0.closingPracticeCodes = record.closing
            $0.effectiveOn = Pcs_Common_V1_Date(record.effectiveOn)
            $0.dueOn = Pcs_Common_V1_Date(step.dueOn)
            $0.attempt = Int32(step.failures + 1)
        }
        try transaction.publish(event, key: record.id)
    }

    /// The one step that this plugin does alone: telling the parties.
    private static func doOwn(
        _ step: StepRecord, of record: inout CaseRecord, _ context: PluginContext,
        in transaction: any Transaction
    ) throws -> Bool {
        guard step.row.ownerArea == ChangeEvents.area, step.row.proofKind == .reference else { return false }
        let effects = try CaseTasks.notify(record, context, in: transaction)
        let report = Report(
            outcome: .done, proof: .with { $0.reference = "\(effects.count) messages, plan \(record.plan)" },
            effects: effects, words: "", by: ChangeEvents.area)
        try record.take(report, of: step, in: transaction)
        return true
    }

    struct Report {
        var outcome: StepOutcome
        var proof: Pcs_Changes_V1_StepProof
        var effects: [String]
        var words: String
        var by: String
    }

    /// Step of the register: done when it shows the closing of every closing practice by T.
    private static func takeClosing(
        _ record: inout CaseRecord, _ context: PluginContext, in transaction: any Transaction
    ) throws {
        let steps = try StepStore.steps(of: record.id, transaction)
        guard let step = steps.first(where: { $0.row.proofKind == .register && $0.state == .due }),
            let seen = try closings(of: record, context, transaction)
        else { return }
        let report = Report(
            outcome: .done, proof: .with { $0.reference = seen.joined(separator: "; ") }, effects: seen,
            words: "",
            by: ChangeEvents.area)
        try record.take(report, of: step, in: transaction)
        try turn(&record, by: ChangeEvents.area, context, in: transaction)
    }

    /// What the register shows of the closing practices; `nil` while one is open.
    static func closings(
        of record: CaseRecord, _ context: PluginContext, _ reader: any Reader
    ) throws -> [String]? {
        var seen: [String] = []
        for practice in record.closing {
            let entry = ODSCode(practice).flatMap {
                context.organisations.organisation($0, at: context.clock.today)
            }
            if let (day, load) = try ChecklistStore.closing(of: practice, reader), day <= context.clock.today
            {
                seen.append("\(practice) closed on \(day) in load \(load)")
            } else if entry?.status == .inactive, let day = entry?.closedOn {
                seen.append("\(practice) closed on \(day)")
            } else {
                return nil
            }
            for successor in ODSCode(practice).map({ context.organisations.successors(of: $0) }) ?? [] {
                seen.append("\(successor) succeeds \(practice)")
            }
        }
        return seen
    }
}

extension CaseRecord {
    /// Records a report and what it makes of the step and of the case. The caller has checked that it may come.
    mutating func take(
        _ report: CaseEngine.Report, of step: StepRecord, in transaction: any Transaction
    ) throws {
        var step = step
        let message = Pcs_Changes_V1_StepReport.with {
            $0.outcome = Pcs_Changes_V1_StepOutcome(rawValue: Int(report.outcome.rawValue)) ?? .unspecified
            $0.proof = report.proof
            $0.effects = report.effects
            $0.words = report.words
            $0.reportedBy = report.by
            $0.reportedAt = .init(transaction.now)
        }
        try StepStore.add(message, to: step.number, of: id, in: transaction)
        switch report.outcome {
        case .done, .notApplicable:
            step.state = report.outcome == .done ? .done : .notApplicable
            try CaseTasks.settle(step, of: self, outcome: "done", by: report.by, in: transaction)
        case .failed:
            step.failures += 1
            // Until the third failure the next turn makes it due again.
            step.state = step.failures >= StepRules.failuresUntilTask ? .failed : .waiting
            if step.state == .failed {
                try CaseTasks.request(
                    step, of: self, because: "It failed \(step.failures) times: \(report.words)",
                    in: transaction)
            }
        case .compensated:
            step.state = .compensated
            try CaseTasks.settle(step, of: self, outcome: "compensated", by: report.by, in: transaction)
        case .byHand:
            step.isByHand = true
            try CaseTasks.request(
                step, of: self, because: "To be reported by hand. \(report.words)", in: transaction)
        }
        try StepStore.save(step, of: id, in: transaction)
        if step.state == .done, step.row.proofKind == .register,
            let next = CaseAction.makeEffective.next(from: state)
        {
            state = next
            let event = Pcs_Changes_V1_ChangeEffective.with {
                $0.caseID = id
                $0.kind = notice.kind
                $0.survivingPracticeCode = survivor
                $0.closingPracticeCodes = closing
                $0.effectiveOn = Pcs_Common_V1_Date(effectiveOn)
            }
            try transaction.publish(event, key: id)
        }
        try CaseStore.save(
            &self, by: report.by,
            "step \(step.number) \(report.outcome): \(report.effects.count) effects \(report.words)",
            in: transaction)
    }
}

extension Proof {
    init(_ message: Pcs_Changes_V1_StepProof) {
        reference = message.reference
        grantMigration = message.grantMigrationID
        if message.hasMoney {
            money = Sums(
                before: message.money.beforePence, after: message.money.afterPence,
                changes: message.money.changes.map(\.pence))
        }
        if message.hasPatients {
            let patients = message.patients
            self.patients = Patients(
                closingBefore: patients.closingBefore, moved: patients.moved, excluded: patients.excluded,
                receivingBefore: patients.receivingBefore, receivingAfter: patients.receivingAfter)
        }
    }
}
