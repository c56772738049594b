import CommonContract
import HostContract
import PluginAPI

/// What the register of organisations announces: a closing practice or network becomes a notice, and the notice an
/// exception in the next run that would still pay it (payments.md 12.3, complaint C9). A changed address is kept for the
/// risks of a change of bank details (12.5).
enum OrganisationEvents {
    static func receive(
        _ event: Pcs_Host_V1_OrganisationChanged, _ envelope: EventEnvelope, _ transaction: any Transaction
    ) throws {
        guard let code = ODSCode(event.code) else { return }
        switch event.kind {
        case .moved:
            guard let day = event.effectiveOn.calendarDate else { return }
            try ContactChanges.add(code, sequence: envelope.sequence, effectiveOn: day, in: transaction)
        case .closed:
            guard isPaidMonthly(code), let day = event.effectiveOn.calendarDate else { return }
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

    /// Practices, and networks: the letter U and five digits.
    private static func isPaidMonthly(_ code: ODSCode) -> Bool {
        code.looksLikePractice
            || (code.value.utf8.count == 6 && code.value.hasPrefix("U")
                && code.value.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) })
    }
}
