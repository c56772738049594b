import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// The authoriser and the second approver; what the approval puts in force.
extension ContractChangeHandlers {
    func decideContractChange(
        _ request: Pcs_Payments_V1_DecideContractChangeRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractChange {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            var change = try find(request.practiceCode, request.changeID, transaction)
            guard change.version == Int64(request.version) else {
                throw Failure(
                    PaymentsReasons.contractChangeStateWrong,
                    "The present draft of request \(change.id) is \(change.version), not \(request.version).")
            }
            let actor = call.caller.responsible
            let makers = try ContractChangeStore.history(of: change.id, transaction)
                .filter { ["drafted", "submitted"].contains($0.step) }.map(\.by)
            for maker in Set(makers) {
                try call.requireOtherPerson(than: maker, step: "deciding a request that one has made")
            }
            if request.approve, !change.authorisedBy.isEmpty {
                change.stage = try next(.approve, change)
                try call.requireOtherPerson(than: change.authorisedBy, step: "the second approval")
                change.secondApprovedBy = actor
                try putInForce(&change, by: actor, today: call.today, in: transaction)
            } else if request.approve {
                change.stage = try next(.authorise, change)
                change.authorisedBy = actor
                try ContractChangeStore.save(
                    change, step: "authorised", by: actor, detail: request.reason, in: transaction)
            } else {
                change.stage = try next(.giveBack, change)
                change.authorisedBy = ""
                try ContractChangeStore.save(
                    change, step: "returned", by: actor, detail: request.reason, in: transaction)
            }
            if change.stage != .submitted {
                try ContractChangeNotices.settled(change, by: actor, reason: request.reason, in: transaction)
            }
            return try message(change, call.today, transaction)
        }
    }

    /// Everything under one input number, so that the runs frozen from now on reckon with all of it.
    private func putInForce(
        _ change: inout ContractChangeStore.Change, by actor: String, today: CalendarDate,
        in transaction: any Transaction
    ) throws {
        let contents = try contents(change)
        let plan = try ContractChangePlan(contents, of: change.practice, today: today, transaction)
        (change.fromKind, change.toKind) = (plan.fromKind, plan.toKind)
        let detail = "contract change \(change.id)"
        let seq = try InputLog.record(
            plan.records.isEmpty ? .variations : .contracts, from: plan.from, to: nil, by: actor,
            detail: detail,
            in: transaction)
        change.seq = seq
        if !plan.records.isEmpty {
            change.contractVersion = try ContractStore.add(
                plan.records, seq: seq, reason: contents.reason, source: detail, in: transaction)
        }
        for stop in plan.stops {
            try VariationStore.stop(
                stop.payment.id, from: plan.month, seq: seq, by: actor, reason: detail, in: transaction)
        }
        if let given = plan.reversed?.seq {
            for id in plan.lifted {
                try VariationStore.lift(given, of: id, seq: seq, by: actor, reason: detail, in: transaction)
            }
        }
        try ContractChangeStore.addPayments(
            plan.stops.map { ($0.payment.id, $0.because) } + plan.carried.map { ($0.id, "") }, of: change.id,
            in: transaction)
        try ContractChangeStore.save(
            change, step: "approved", by: actor,
            detail: "from \(plan.from), \(plan.stops.count) payments stop", in: transaction)
        try ContractChangeNotices.enacted(change, plan, in: transaction)
        guard var reversed = plan.reversed else { return }
        reversed.stage = try next(.reverse, reversed)
        reversed.reversedBy = change.id
        try ContractChangeStore.save(reversed, step: "reversed", by: actor, detail: detail, in: transaction)
    }
}

/// Work for the authorisers.
enum ContractChangeNotices {
    private static func key(_ change: ContractChangeStore.Change) -> String {
        "payments/contract-change/\(change.id)/decide"
    }

    static func submitted(
        _ change: ContractChangeStore.Change, _ plan: ContractChangePlan, _ commissioner: String,
        in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(change)
                $0.role = .commissionerApprover
                $0.organisationCode = commissioner
                $0.title = "Decide a contract change of \(change.practice)"
                $0.detail = "from \(plan.from), \(plan.stops.count) monthly payments stop"
                $0.record = .with {
                    ($0.area, $0.kind, $0.recordID) = ("payments", "contract-change", change.id)
                    $0.organisationCode = change.practice.value
                }
                $0.outcomes = ["approved", "returned"]
            }, key: key(change))
    }

    /// The request goes to the performers team as well (payments.md 2.4).
    static func enacted(
        _ change: ContractChangeStore.Change, _ plan: ContractChangePlan, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Payments_V1_ContractChangeAuthorised.with {
                ($0.changeID, $0.practiceCode) = (change.id, change.practice.value)
                $0.kind = Pcs_Payments_V1_ContractChangeKind(rawValue: Int(plan.kind.rawValue)) ?? .unspecified
                if let kind = plan.fromKind { $0.fromType = Pcs_Payments_V1_ContractType(kind) }
                if let kind = plan.toKind { $0.toType = Pcs_Payments_V1_ContractType(kind) }
                $0.effectiveFrom = Pcs_Common_V1_Date(plan.from)
                ($0.authorisedBy, $0.secondApprovedBy) = (change.authorisedBy, change.secondApprovedBy)
            }, key: change.practice.value)
    }

    static func settled(
        _ change: ContractChangeStore.Change, by actor: String, reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key(change), change.stage.name, actor)
                $0.reason = reason
            }, key: key(change))
    }
}
