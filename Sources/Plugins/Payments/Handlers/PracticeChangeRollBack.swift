import ChangesContract
import CommonContract
import PaymentsContract
import PluginAPI

/// A case that is rolled back: what nobody has approved is returned, closing notices are withdrawn. What two people have
/// approved, two people take back: such a step is answered by hand and names it.
enum PracticeChangeRollBack {
    private static let mergedListStep: Int32 = 17

    static func receive(_ event: Pcs_Changes_V1_ChangeRolledBack, _ transaction: any Transaction) throws {
        let actor = PracticeChangeEvents.proposer(event.caseID)
        let reason = "case \(event.caseID) was rolled back: \(event.reason)"
        let known = try PracticeChangeStore.steps(of: event.caseID, transaction)
        let revisions = try RevisionStore.revisions(proposedBy: actor, transaction)
        var effects: [Int32: [String]] = [:]
        for var revision in revisions where revision.state == .proposed {
            try PracticeChangeEvents.giveBack(&revision, by: actor, reason: reason, in: transaction)
            effects[PracticeChangeEvents.planStep, default: []].append("revision \(revision.id) returned")
        }
        for step in known where step.step == PracticeChangeEvents.stopStep {
            guard
                try NoticeStore.withdraw(
                    practice: step.practice, sequence: -step.sequence, reason: reason, in: transaction)
            else { continue }
            effects[step.step, default: []].append("the closing notice of \(step.practice) is withdrawn")
            transaction.audit(
                AuditNote(
                    object: "closing-notice/\(step.practice)", organisation: step.practice.value,
                    detail: "withdrawn: \(reason)"))
        }
        // Other areas' steps are theirs to answer.
        var own = Set(known.map(\.step))
        if !revisions.isEmpty { own.insert(PracticeChangeEvents.planStep) }
        for step in event.steps where own.contains(step) {
            let byHand = try byHand(step, revisions, Set(known.map(\.practice)), transaction)
            let done = effects[step] ?? []
            let report = Pcs_Changes_V1_ChangeStepReported.with {
                ($0.caseID, $0.step) = (event.caseID, step)
                $0.outcome = byHand.isEmpty ? .compensated : .byHand
                $0.effects = done + byHand
                $0.words =
                    byHand.isEmpty
                    ? (done.isEmpty ? "There was nothing to take back." : "")
                    : "Two people take this back; then the step is reported as compensated."
            }
            try transaction.publish(report, key: event.caseID)
        }
    }

    /// What only people can take back.
    private static func byHand(
        _ step: Int32, _ revisions: [RevisionStore.Revision], _ practices: Set<ODSCode>, _ reader: any Reader
    ) throws -> [String] {
        switch step {
        case PracticeChangeEvents.planStep:
            return revisions.filter { $0.state == .approved }.map { revision in
                "to take back: revision \(revision.id), version \(revision.version) of the contract of "
                    + "\(revision.practice) from \(revision.from)"
            }
        case PracticeChangeEvents.stopStep:
            return try practices.sorted().compactMap { practice in
                let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
                guard let stopped = timeline.spans.last, stopped.terms.payment.isStopped else { return nil }
                return "to take back: version \(stopped.version) of the contract of \(practice) stops its payments"
            }
        case mergedListStep: return ["to take back: lists of the quarter that count the merged practices as one"]
        default: return []
        }
    }
}
