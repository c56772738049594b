import CaseworkContract
import CommonContract
import PaymentsContract
import PluginAPI

/// Work for the commissioner, news for the network.
struct AdditionalRolesNotices {
    let claim: AdditionalRolesClaim
    let commissioner: ODSCode?

    private static let kind = "additional-roles-claim"
    /// A claim that is submitted again is other work than before.
    private var round: String { String(claim.submission) }
    private var reviewKey: String { "payments/\(Self.kind)/\(claim.id)/\(round)/review" }
    private var decision: DecisionTasks { DecisionTasks(kind: Self.kind, id: claim.id, round: round) }
    private var words: String {
        "\(claim.rowCount) people, \(Money(pence: claim.claimedPence)) pounds, claim \(claim.number) of \(claim.month)"
    }

    private var record: Pcs_Common_V1_RecordReference {
        .with {
            ($0.area, $0.kind, $0.recordID) = ("payments", Self.kind, claim.id)
            $0.organisationCode = claim.network.value
        }
    }

    /// For the commissioner's editors.
    func submitted(in transaction: any Transaction) throws {
        guard let commissioner else { return }
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                ($0.taskKey, $0.role) = (reviewKey, .commissionerEditor)
                $0.organisationCode = commissioner.value
                $0.title = "Review additional roles of \(claim.network)"
                ($0.detail, $0.record) = (words, record)
                $0.outcomes = ["reviewed", "returned"]
            }, key: reviewKey)
    }

    /// For the commissioner's approvers.
    func reviewed(in transaction: any Transaction) throws {
        guard let commissioner else { return }
        try decision.request(
            "Decide on additional roles of \(claim.network)", detail: words, of: commissioner,
            about: claim.network, in: transaction)
    }

    /// Takes back the work that a stage has made.
    func left(
        _ stage: AdditionalRolesStage, outcome: String, by actor: String, in transaction: any Transaction
    ) throws {
        guard commissioner != nil else { return }
        switch stage {
        case .submitted:
            try transaction.publish(
                Pcs_Casework_V1_TaskSettled.with {
                    ($0.taskKey, $0.outcome) = (reviewKey, outcome)
                    ($0.settledBy, $0.reason) = (actor, claim.reason)
                }, key: reviewKey)
        case .reviewed:
            try decision.settle(
                approved: claim.stage.isInForce, by: actor, reason: claim.reason, in: transaction)
        default: break
        }
    }

    /// Tells the network what became of its claim.
    func told(in transaction: any Transaction) throws {
        let key = "payments/\(Self.kind)/\(claim.id)/\(round)/\(claim.stage.name)"
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                ($0.messageKey, $0.role, $0.organisationCode) = (key, .pcnSubmitter, claim.network.value)
                $0.title = "A claim for additional roles was \(claim.stage.name)"
                let money =
                    claim.stage.isInForce
                    ? "\(Money(pence: claim.approvedPence)) of \(Money(pence: claim.claimedPence)) pounds. "
                    : ""
                $0.body = "Claim \(claim.number) of \(claim.month). \(money)\(claim.reason)"
                ($0.record, $0.class) = (record, .ordinary)
            }, key: key)
    }
}
