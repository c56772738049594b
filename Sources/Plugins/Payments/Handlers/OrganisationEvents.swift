import CommonContract
import HostContract
import PluginAPI

/// What the register of organisations announces: a closing practice becomes a notice, and the notice an exception in
/// the next run that would still pay it (payments.md 12.3, complaint C9).
enum OrganisationEvents {
    static func receive(
        _ event: Pcs_Host_V1_OrganisationChanged, _ envelope: EventEnvelope, _ transaction: any Transaction
    ) throws {
        guard let code = ODSCode(event.code), code.looksLikePractice else { return }
        switch event.kind {
        case .closed:
            guard let day = event.effectiveOn.calendarDate else { return }
            try NoticeStore.add(
                practice: code, sequence: envelope.sequence, effectiveOn: day, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "closing-notice/\(code)", organisation: code.value, detail: "closes on \(day)"))
        case .reopened:
            try NoticeStore.withdraw(practice: code, reason: "reopened in the register", in: transaction)
        default:
            return
        }
    }
}
