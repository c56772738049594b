import CaseworkContract
import CommonContract
import PaymentsContract
import PluginAPI

/// Tells people of a change of bank details: who is to verify, and the payee.
struct BankNotices: Sendable {
    let organisations: any OrganisationDirectory
    let today: CalendarDate

    private func key(_ change: BankDetailsStore.Change) -> String {
        "payments/bank-details/\(change.id)/verify"
    }

    private func record(_ change: BankDetailsStore.Change) -> Pcs_Common_V1_RecordReference {
        .with {
            ($0.area, $0.kind, $0.recordID) = ("payments", "bank-details", change.id)
            $0.organisationCode = change.payee.value
        }
    }

    func submitted(_ change: BankDetailsStore.Change, in transaction: any Transaction) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(change)
                $0.role = .paymentsOperator
                $0.organisationCode = "PCS"
                $0.title = "Verify new bank details of \(change.payee)"
                $0.record = record(change)
                $0.outcomes = ["verified", "rejected"]
                $0.priority = .urgent
            }, key: key(change))
        try message(
            change, "changed", "New bank details were submitted, to take effect on \(change.effectiveFrom).",
            in: transaction)
    }

    func authorised(_ change: BankDetailsStore.Change, in transaction: any Transaction) throws {
        try settle(change, outcome: "verified", by: change.authorisedBy, in: transaction)
        try message(
            change, "authorised",
            "New bank details were authorised and take effect on \(change.effectiveFrom). If you did not ask for this, "
                + "raise it at once.", in: transaction)
    }

    func rejected(
        _ change: BankDetailsStore.Change, by actor: String, in transaction: any Transaction
    ) throws {
        // Of an authorised change the task is done.
        if change.authorisedAt == nil {
            try settle(change, outcome: "rejected", by: actor, in: transaction)
        }
        try message(
            change, "rejected",
            "The bank details that were to take effect on \(change.effectiveFrom) are rejected: "
                + change.rejectedBecause, in: transaction)
    }

    private func settle(
        _ change: BankDetailsStore.Change, outcome: String, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key(change), outcome, actor)
            }, key: key(change))
    }

    private func message(
        _ change: BankDetailsStore.Change, _ step: String, _ body: String, in transaction: any Transaction
    ) throws {
        let key = "payments/bank-details/\(change.id)/\(step)"
        let role = try PayeeAudience.role(of: change.payee, on: today, organisations, transaction)
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = key
                $0.role = role
                $0.organisationCode = change.payee.value
                $0.title = "Bank details of \(change.payee)"
                $0.body = body
                $0.record = record(change)
                $0.class = .mandatory
            }, key: key)
    }
}
