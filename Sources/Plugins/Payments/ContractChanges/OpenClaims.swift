import PaymentsContract
import PluginAPI

/// A contract does not close while a claim is undecided, or approved and not yet paid (payments.md 2.2).
enum OpenClaims {
    static func claims(of practice: ODSCode, _ reader: any Reader) throws -> [ClaimStore.Claim] {
        try ClaimStore.claims(of: practice, reader).filter { claim in
            switch claim.stage {
            case .submitted: true
            case .approved, .adjusted:
                try claim.approvedPence > 0 && PayableItemStore.paidRun(of: claim.itemID, reader) == nil
            case .draft, .returned, .rejected: false
            }
        }
    }

    static func requireNone(of practice: ODSCode, _ reader: any Reader) throws {
        let open = try claims(of: practice, reader)
        guard !open.isEmpty else { return }
        let named = open.prefix(10).map { "\($0.id) (\($0.stage.name))" }.joined(separator: ", ")
        throw Failure(
            PaymentsReasons.claimsOpen,
            "The contract of \(practice) cannot close: \(open.count) open claims: \(named).",
            violations: open.map {
                Violation(
                    field: "claim", rule: "2.2", message: "Claim \($0.id) is \($0.stage.name) and not paid.")
            })
    }
}
