import ChangesContract
import CommonContract
import PluginAPI

/// Steps of mergers and closures that are payments' (identity-and-organisations.md 15.3).
///
/// A closing practice's stop (step 14) is noted as a closing notice, which makes an exception in every run that would
/// still pay it (payments.md 12.3). What is paid to whom is decided in contracts by two people, so the steps themselves
/// are answered: by hand.
enum PracticeChangeEvents {
    static let publisher = "changes"
    private static let stopStep: Int32 = 14

    static func receive(
        _ event: Pcs_Changes_V1_ChangeStepDue, _ envelope: EventEnvelope, _ transaction: any Transaction
    ) throws {
        guard event.ownerArea == "payments" else { return }
        var effects: [String] = []
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
}
