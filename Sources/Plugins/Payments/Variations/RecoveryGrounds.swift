import PaymentsContract
import PluginAPI

/// Why money is recovered (payments.md 5.3): a kind of reason, or the statement line that is recovered. Uploads of
/// variations begin their narrative with it.
enum RecoveryGrounds: Hashable, Sendable {
    case reason(Pcs_Payments_V1_RecoveryReason)
    case line(RecoveredLine)

    static let reasons: [(name: String, reason: Pcs_Payments_V1_RecoveryReason)] = [
        ("OVERPAYMENT", .overpayment), ("DUPLICATE", .duplicate), ("WRONG_PRACTICE", .wrongPractice),
        ("WRONG_RATE", .wrongRate), ("INELIGIBLE", .ineligible), ("OTHER", .other),
    ]

    /// A recovery is split over at most so many months.
    static let mostMonths = 12

    /// `nil` = unspecified or unknown.
    static func name(_ reason: Pcs_Payments_V1_RecoveryReason) -> String? {
        reasons.first { $0.reason == reason }?.name
    }

    /// What the narrative begins with; `nil` = neither.
    init?(narrative: String) {
        guard let word = narrative.split(whereSeparator: { $0 == " " || $0 == ":" }).first else { return nil }
        if let known = Self.reasons.first(where: { $0.name == word.uppercased() }) {
            self = .reason(known.reason)
            return
        }
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let practice = ODSCode(parts[1]), let number = Int(parts[2]), number > 0
        else {
            return nil
        }
        self = .line(RecoveredLine(run: String(parts[0]), practice: practice, number: number))
    }
}
