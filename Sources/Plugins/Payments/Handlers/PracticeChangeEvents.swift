import ChangesContract
import CommonContract
import PaymentsContract
import PluginAPI

/// Steps of mergers and closures that are payments' (identity-and-organisations.md 15.3).
///
/// The plan of payments (step 5) proposes how the contracts of closing practices end (payments.md 12.3). In a merger
/// they are paid to the survivor until the quarter ends, as a group of their own, and end on the quarter day, from
/// which the survivor is paid on the merged list; in a closure they end on the day. A person approves each proposal. The
/// stop (step 14) is noted as a closing notice, which makes an exception in every run that would still pay the practice.
/// The steps themselves are answered: by hand. What still comes after the end goes to whom the commissioner's section of
/// the notice names, else to the survivor. A roll-back is in a file of its own.
enum PracticeChangeEvents {
    static let publisher = "changes"
    static let planStep: Int32 = 5
    static let stopStep: Int32 = 14

    static func proposer(_ caseID: String) -> String { "changes/" + caseID }

    static func receive(
        _ event: Pcs_Changes_V1_ChangeStepDue, _ envelope: EventEnvelope, _ transaction: any Transaction
    ) throws {
        guard event.ownerArea == "payments" else { return }
        var effects: [String] = []
        for practice in event.closingPracticeCodes.compactMap({ ODSCode($0) }) {
            try PracticeChangeStore.add(
                .init(step: event.step, practice: practice, sequence: envelope.sequence), of: event.caseID,
                in: transaction)
        }
        if event.step == stopStep, let day = event.effectiveOn.calendarDate {
            for practice in event.closingPracticeCodes.compactMap({ ODSCode($0) }) {
                // Below zero: numbers of the register's own notices are above.
                try NoticeStore.add(
                    practice: practice, sequence: -envelope.sequence, effectiveOn: day, in: transaction)
                transaction.audit(
                    AuditNote(
                        object: "closing-notice/\(practice)", organisation: practice.value,
                        detail: "case \(event.caseID): closes on \(day)"))
                effects.append("runs that would pay \(practice) from \(day) on have an exception")
            }
        }
        if event.step == planStep, let day = event.effectiveOn.calendarDate {
            for practice in event.closingPracticeCodes.compactMap({ ODSCode($0) }) {
                effects += try propose(event, practice, on: day, transaction)
            }
        }
        let listed = effects
        let report = Pcs_Changes_V1_ChangeStepReported.with {
            $0.caseID = event.caseID
            $0.step = event.step
            $0.outcome = .byHand
            $0.effects = listed
            $0.words = "Contracts are revised by two people; then this step is reported with its proof."
        }
        try transaction.publish(report, key: event.caseID)
    }

    /// Proposes a closing practice's revisions. The event may come again: what is proposed stays; a new day takes the
    /// place of proposals that nobody has approved.
    private static func propose(
        _ event: Pcs_Changes_V1_ChangeStepDue, _ practice: ODSCode, on day: CalendarDate,
        _ transaction: any Transaction
    ) throws -> [String] {
        let proposer = proposer(event.caseID)
        let survivor = event.kind == .merger ? ODSCode(event.survivingPracticeCode) : nil
        let reason =
            survivor.map { "case \(event.caseID): merges into \($0) on \(day)" }
            ?? "case \(event.caseID): closes on \(day)"
        let earlier = try RevisionStore.revisions(of: practice, proposedBy: proposer, transaction)
        if earlier.contains(where: { $0.reason == reason && $0.state != .returned }) {
            return ["\(practice): its revisions were proposed before"]
        }
        for var revision in earlier where revision.state == .proposed {
            try giveBack(&revision, by: proposer, reason: "the day changed", in: transaction)
        }
        let timeline = try ContractStore.timeline(of: practice, knownAt: .max, transaction)
        guard let span = timeline.span(at: day) ?? timeline.span(at: day.adding(days: -1)) else {
            return ["\(practice) has no contract on \(day)"]
        }
        var effects: [String] = []
        func add(
            from: CalendarDate, to: CalendarDate?, terms: Pcs_Payments_V1_ContractTerms?, _ words: String
        ) throws {
            let trailing = Pcs_Payments_V1_ContractTerms.with {
                $0.payeeCode = ODSCode(event.drugArrearsPayeeCode)?.value ?? survivor?.value ?? ""
            }
            let revision = RevisionStore.Revision(
                id: transaction.newIdentifier(), practice: practice, state: .proposed, from: from, to: to,
                endsContract: terms == nil, terms: try (terms ?? trailing).serializedBytes(), reason: reason,
                proposedBy: proposer)
            try RevisionStore.add(revision, in: transaction)
            try ContractRevisionNotices.proposed(
                revision, ODSCode(span.terms.commissioner), in: transaction)
            transaction.audit(
                AuditNote(
                    object: "contract-revision/\(revision.id)", organisation: practice.value,
                    detail: "proposed from \(from): \(reason)"))
            effects.append("revision \(revision.id) proposed: \(words)")
        }
        var end = day
        if let survivor, Quarter(quarterDay: day) == nil {
            end = Quarter(containing: day).next.quarterDay
            var terms = Pcs_Payments_V1_ContractTerms(span.terms)
            terms.payeeCode = survivor.value
            try add(
                from: day, to: end, terms: terms,
                "\(practice) is paid to \(survivor) from \(day) until the quarter ends")
        }
        try add(from: end, to: nil, terms: nil, "the contract of \(practice) ends on \(end)")
        return effects
    }

    static func giveBack(
        _ revision: inout RevisionStore.Revision, by actor: String, reason: String,
        in transaction: any Transaction
    ) throws {
        (revision.state, revision.decidedBy, revision.decisionReason) = (.returned, actor, reason)
        try RevisionStore.saveDecision(revision, in: transaction)
        try ContractRevisionNotices.settled(revision, in: transaction)
        transaction.audit(
            AuditNote(
                object: "contract-revision/\(revision.id)", organisation: revision.practice.value,
                detail: "returned: \(reason)"))
    }
}
