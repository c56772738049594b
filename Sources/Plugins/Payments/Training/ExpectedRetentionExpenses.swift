import PluginAPI

/// Doctors in the retention scheme whose expenses are claimed, and for whose sessions no amount is set (payments.md 9.5).
/// Nobody who claims none is asked for the scale.
struct ExpectedRetentionExpenses: RunCheck {
    private let month: YearMonth
    private let waiting: [(membership: RetentionMembership, rate: String)]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let (month, rates) = (read.run.month, read.inputs.rates)
        self.month = month
        let claimed = try TrainingStore.memberships(knownAt: read.snapshot, reader).filter {
            $0.claimsExpenses && $0.from <= month.lastDay && $0.to >= month.firstDay
        }
        waiting = try claimed.compactMap { membership in
            guard let name = try RetentionLines.expensesRate(membership, month, rates) else {
                return (membership, "the scale ends below \(membership.sessions) sessions")
            }
            let isSet = (try? rates.rate(name, at: month.firstDay)) != nil
            return isSet ? nil : (membership, "the rate \(name.rawValue) is not set")
        }
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        waiting.map { membership, obstacle in
            RunException(
                severity: .blocking, kind: .expectedMissing, practice: membership.practice,
                practiceName: built.name(of: membership.practice) ?? "",
                paycode: Paycode.retention.code,
                message: "no expenses of the retention scheme for doctor \(membership.doctorRef) in \(month): \(obstacle)")
        }
    }
}
