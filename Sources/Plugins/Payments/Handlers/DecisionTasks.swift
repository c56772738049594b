import CaseworkContract
import CommonContract
import PluginAPI

/// Work for whoever decides what somebody proposed: approvers of the commissioner, or of payments where there is none.
struct DecisionTasks {
    /// What it is, for example `withholding`.
    let kind: String
    let id: String
    /// Of what comes to a decision more than once: which time.
    var round = ""

    private var key: String { "payments/\(kind)/\(id)\(round.isEmpty ? "" : "/" + round)/decide" }

    func request(
        _ title: String, detail: String, of commissioner: ODSCode?, about organisation: ODSCode?,
        in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = commissioner == nil ? .paymentsApprover : .commissionerApprover
                $0.organisationCode = commissioner?.value ?? "PCS"
                ($0.title, $0.detail) = (title, detail)
                $0.record = .with {
                    ($0.area, $0.kind, $0.recordID) = ("payments", kind, id)
                    $0.organisationCode = organisation?.value ?? ""
                }
                $0.outcomes = ["approved", "returned"]
            }, key: key)
    }

    func settle(approved: Bool, by actor: String, reason: String, in transaction: any Transaction) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.settledBy, $0.reason) = (key, actor, reason)
                $0.outcome = approved ? "approved" : "returned"
            }, key: key)
    }
}
