import CaseworkContract
import ChangesContract
import CommonContract
import PluginAPI

/// Work and news for people, published in the transaction of the change.
enum CaseTasks {
    private static func reference(_ record: CaseRecord) -> Pcs_Common_V1_RecordReference {
        .with {
            $0.area = "changes"
            $0.kind = "case"
            $0.recordID = record.id
            $0.organisationCode = record.closing.first ?? ""
        }
    }

    private static func key(_ record: CaseRecord, _ act: String) -> String {
        "changes/case/\(record.id)/\(act)"
    }

    static func requestApproval(
        by commissioner: String, of record: CaseRecord, in transaction: any Transaction
    ) throws {
        let key = key(record, "approve/\(commissioner)")
        let task = Pcs_Casework_V1_TaskRequested.with {
            $0.taskKey = key
            $0.role = .commissionerApprover
            $0.organisationCode = commissioner
            $0.title = "Decide the notice of \(record.closing.joined(separator: ", "))"
            $0.detail = "Effective \(record.effectiveOn). Section 3 of the notice is yours."
            $0.record = reference(record)
            $0.outcomes = ["approved", "returned", "rejected"]
            $0.priority = .normal
        }
        try transaction.publish(task, key: key)
    }

    static func settleApproval(
        by commissioner: String, of record: CaseRecord, _ call: CallContext, in transaction: any Transaction
    ) throws {
        guard !commissioner.isEmpty else { return }
        let key = key(record, "approve/\(commissioner)")
        let outcome =
            switch record.state {
            case .returned: "returned"
            case .rejected: "rejected"
            default: "approved"
            }
        let settled = Pcs_Casework_V1_TaskSettled.with {
            ($0.taskKey, $0.outcome, $0.settledBy) = (key, outcome, call.caller.responsible)
        }
        try transaction.publish(settled, key: key)
    }

    /// The coordinator is to see to a step.
    static func request(
        _ step: StepRecord, of record: CaseRecord, because words: String, in transaction: any Transaction
    ) throws {
        let key = key(record, "step/\(step.number)")
        let task = Pcs_Casework_V1_TaskRequested.with {
            $0.taskKey = key
            $0.role = .practiceChangeCoordinator
            $0.organisationCode = "PCS"
            $0.title = "Step \(step.number) of the change of \(record.closing.joined(separator: ", "))"
            $0.detail = "\(step.row.title), due \(step.dueOn). \(words)"
            $0.record = reference(record)
            $0.dueOn = Pcs_Common_V1_Date(step.dueOn)
            $0.priority = .urgent
        }
        try transaction.publish(task, key: key)
    }

    /// The key of a task that never was is no fault.
    static func settle(
        _ step: StepRecord, of record: CaseRecord, outcome: String, by actor: String,
        in transaction: any Transaction
    ) throws {
        guard step.failures >= StepRules.failuresUntilTask || step.isByHand else { return }
        let key = key(record, "step/\(step.number)")
        let settled = Pcs_Casework_V1_TaskSettled.with {
            ($0.taskKey, $0.outcome, $0.settledBy) = (key, outcome, actor)
        }
        try transaction.publish(settled, key: key)
    }

    /// Tells the parties that the plan stands (15.3 step 1). Returns whom.
    static func notify(
        _ record: CaseRecord, _ context: PluginContext, in transaction: any Transaction
    ) throws -> [String] {
        let today = context.clock.today
        var told: [(Pcs_Access_V1_Role, String)] = record.practices.map { (.mainContact, $0) }
        for practice in record.practices {
            guard let code = ODSCode(practice) else { continue }
            if let commissioner = context.organisations.commissioner(of: code, at: today) {
                told.append((.commissionerApprover, commissioner.value))
            }
            if let icb = context.organisations.icb(of: code, at: today) {
                told.append((.icbViewer, icb.value))
            }
            if let pcn = context.organisations.pcn(of: code, at: today) {
                told.append((.pcnViewer, pcn.value))
            }
        }
        if !record.notice.common.lmcCode.isEmpty { told.append((.lmcViewer, record.notice.common.lmcCode)) }
        var effects: [String] = []
        for (role, organisation) in told {
            let key = key(record, "plan/\(record.plan)/\(organisation)")
            guard !effects.contains("notice sent to \(organisation)") else { continue }
            let message = Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = key
                $0.role = role
                $0.organisationCode = organisation
                $0.title = "Change of \(record.closing.joined(separator: ", ")) on \(record.effectiveOn)"
                $0.body = "The plan stands. Its progress can be seen in the case."
                $0.record = reference(record)
                $0.class = .mandatory
            }
            try transaction.publish(message, key: key)
            effects.append("notice sent to \(organisation)")
        }
        return effects
    }
}
