import HostContract
import PaymentsContract
import PluginAPI

// The commissioner's side of a claim for additional roles: an editor reviews, an approver decides.
extension AdditionalRolesHandlers {
    func reviewClaim(
        _ request: Pcs_Payments_V1_ReviewAdditionalRolesClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: !request.returnToNetwork)
        if request.returnToNetwork, !request.adjustments.isEmpty {
            fields.refuse("adjustments", "8.2", "A claim that is returned is not made smaller.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.pcnCode, transaction)
            // What was reviewed, an approver returns.
            let reviewed = try step(.review, claim)
            let next = request.returnToNetwork ? try step(.giveBack, claim) : reviewed
            try require(request.version, claim)
            try requireNoHand(
                in: claim, besides: claim.submittedBy, step: "reviewing a claim", call, transaction)
            let actor = call.caller.responsible
            let adjustments = try adjustments(request.adjustments, of: claim, by: actor, transaction)
            try AdditionalRolesStore.addAdjustments(adjustments, of: claim, in: transaction)
            (claim.stage, claim.reason) = (next, request.reason)
            claim.reviewedBy = request.returnToNetwork ? "" : actor
            try AdditionalRolesStore.save(
                claim, step: next.name, by: actor, detail: detail(request.reason, adjustments),
                in: transaction)
            try notices(claim).left(.submitted, outcome: next.name, by: actor, in: transaction)
            if request.returnToNetwork {
                try notices(claim).told(in: transaction)
            } else {
                try notices(claim).reviewed(in: transaction)
            }
            note(claim, "\(next.name): \(detail(request.reason, adjustments))", in: transaction)
            return try message(claim, transaction)
        }
    }

    func decideClaim(
        _ request: Pcs_Payments_V1_DecideAdditionalRolesClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        var fields = RequestFields()
        let approves = request.decision == .approve
        if request.decision == .unspecified { fields.refuse("decision", "8.2", "Approve, return or reject.") }
        fields.reason(request.reason, mayBeEmpty: approves)
        if !approves, !request.adjustments.isEmpty {
            fields.refuse("adjustments", "8.2", "Only a claim that is approved is made smaller.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.pcnCode, transaction)
            let before = claim.stage
            let next = try step(
                approves ? .approve : request.decision == .return ? .giveBack : .reject, claim)
            try require(request.version, claim)
            try requireNoHand(
                in: claim, besides: claim.submittedBy, claim.reviewedBy, step: "deciding a claim", call,
                transaction)
            let actor = call.caller.responsible
            claim.reason = request.reason
            if approves {
                try approve(&claim, request, by: actor, in: transaction)
            } else {
                claim.stage = next
                if next == .rejected { (claim.decidedBy, claim.decidedAt) = (actor, transaction.now) }
                claim.reviewedBy = next == .returned ? "" : claim.reviewedBy
            }
            let money = approves ? "\(Money(pence: claim.approvedPence)) " : ""
            try AdditionalRolesStore.save(
                claim, step: claim.stage.name, by: actor, detail: money + request.reason, in: transaction)
            try notices(claim).left(before, outcome: claim.stage.name, by: actor, in: transaction)
            try notices(claim).told(in: transaction)
            note(claim, "\(claim.stage.name): \(money)\(request.reason)", in: transaction)
            return try message(claim, transaction)
        }
    }

    private func approve(
        _ claim: inout AdditionalRolesClaim, _ request: Pcs_Payments_V1_DecideAdditionalRolesClaimRequest,
        by actor: String, in transaction: any Transaction
    ) throws {
        // Somebody may be claimed elsewhere meanwhile.
        var fields = RequestFields()
        try recheck(claim, &fields, transaction)
        try fields.finish()
        let maximum = try maximumSum(of: claim.network, besides: claim.month, claim.year, transaction)
        let adjustments = try adjustments(request.adjustments, of: claim, by: actor, transaction)
        try AdditionalRolesStore.addAdjustments(adjustments, of: claim, in: transaction)
        let assessed = try assess(claim, under: maximum, transaction)
        let replaced = try inForce(claim.network, claim.month, transaction)
        let items = try refusing {
            try AdditionalRolesLines(
                claim: claim, maximum: maximum, assessed: assessed,
                before: try replaced.map { try approved($0, transaction) }, beforeName: replaced?.name ?? ""
            ).items()
        }
        claim.approvedPence = assessed.reduce(0) { $0 + $1.payablePence }
        claim.stage = try step(claim.approvedPence < claim.claimedPence ? .adjust : .approve, claim)
        (claim.decidedBy, claim.decidedAt) = (actor, transaction.now)
        (claim.corrects, claim.maximum) = (replaced?.id ?? "", maximum)
        try AdditionalRolesStore.addDecision(assessed, maximum, of: claim, in: transaction)
        try AdditionalRolesItems.add(items, of: claim, by: actor, in: transaction)
    }

    private func requireNoHand(
        in claim: AdditionalRolesClaim, besides people: String..., step: String, _ call: CallContext,
        _ reader: any Reader
    ) throws {
        try requireOtherThanPreparers(of: claim, step: step, call, reader)
        for person in people where !person.isEmpty { try call.requireOtherPerson(than: person, step: step) }
    }

    /// ARR11: a row is made smaller than the rules come to, with a reason, once in a step.
    private func adjustments(
        _ messages: [Pcs_Payments_V1_RowAdjustment], of claim: AdditionalRolesClaim, by actor: String,
        _ reader: any Reader
    ) throws -> [RoleAdjustment] {
        guard !messages.isEmpty else { return [] }
        var fields = RequestFields()
        let assessed = Dictionary(
            uniqueKeysWithValues: try assess(claim, under: nil, reader).map {
                ($0.row.number, $0.assessedPence)
            })
        var seen: Set<Int32> = []
        for (index, message) in messages.enumerated() {
            let place = "adjustments[\(index)]."
            fields.reason(message.reason, field: place + "reason")
            guard let most = assessed[Int(message.rowNumber)], seen.insert(message.rowNumber).inserted else {
                fields.refuse(place + "row_number", "ARR11", "Name a row of the claim, and each once.")
                continue
            }
            if !(0..<Swift.max(1, most)).contains(message.payablePence) {
                fields.refuse(
                    place + "payable_pence", "ARR11",
                    "Row \(message.rowNumber) comes to \(Money(pence: most)); it is made smaller, not larger."
                )
            }
        }
        try fields.finish()
        return messages.map {
            RoleAdjustment(number: Int($0.rowNumber), pence: $0.payablePence, reason: $0.reason, by: actor)
        }
    }

    private func detail(_ reason: String, _ adjustments: [RoleAdjustment]) -> String {
        let rows = adjustments.map { "row \($0.number) to \(Money(pence: $0.pence)): \($0.reason)" }
        return ([reason] + rows).filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
