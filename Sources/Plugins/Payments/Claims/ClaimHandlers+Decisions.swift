import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// The commissioner's side of a claim.
extension ClaimHandlers {
    func reviewClaim(
        _ request: Pcs_Payments_V1_ClaimStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.practiceCode, transaction)
            claim.stage = try step(.review, claim)
            claim.reviewedBy = call.caller.responsible
            try ClaimStore.save(
                claim, step: "under review", by: claim.reviewedBy, detail: "", in: transaction)
            note(claim, "under review", in: transaction)
            return try message(claim, transaction)
        }
    }

    func decideClaim(
        _ request: Pcs_Payments_V1_DecideClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        var fields = RequestFields()
        if request.decision == .unspecified {
            fields.refuse("decision", "6.2", "Approve, adjust, return or reject.")
        }
        fields.reason(request.reason, mayBeEmpty: request.decision == .approve)
        // C12: a refusal without its rule is impossible.
        if request.decision == .reject, request.rule.count(where: { !$0.isWhitespace }) < 3 {
            fields.refuse("rule", "payments 13 C12", "A rejection names its rule.")
        }
        fields.reason(request.costRentReason, field: "cost_rent_reason", mayBeEmpty: true)
        try fields.finish()
        return try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.practiceCode, transaction)
            guard Int64(request.version) == claim.version else {
                throw Failure(
                    PaymentsReasons.claimStateWrong,
                    "Claim \(claim.id) is at version \(claim.version), not \(request.version).")
            }
            for person in Set([claim.createdBy, claim.submittedBy]) where !person.isEmpty {
                try call.requireOtherPerson(than: person, step: "deciding a claim that one has made")
            }
            let actor = call.caller.responsible
            claim.decidedBy = actor
            claim.decidedAt = transaction.now
            claim.reason = [request.reason, request.rule, request.costRentReason].filter { !$0.isEmpty }.joined(separator: " | ")
            switch request.decision {
            case .approve, .adjust: try approve(&claim, request, by: actor, in: transaction)
            case .return: claim.stage = try step(.giveBack, claim)
            default: claim.stage = try step(.reject, claim)
            }
            try ClaimStore.save(
                claim, step: claim.stage.name, by: actor,
                detail: [Money(pence: claim.approvedPence).description, claim.reason].joined(separator: " "),
                in: transaction)
            try ClaimNotices.settled(claim, outcome: claim.stage.name, by: actor, in: transaction)
            try ClaimNotices.decided(claim, in: transaction)
            note(claim, "\(claim.stage.name): \(Money(pence: claim.approvedPence))", in: transaction)
            return try message(claim, transaction)
        }
    }

    private func approve(
        _ claim: inout ClaimStore.Claim, _ request: Pcs_Payments_V1_DecideClaimRequest, by actor: String,
        in transaction: any Transaction
    ) throws {
        try CostRent.require(claim, stated: request.costRentReason, transaction)
        let parts = try assess(claim, transaction)
        let payable = parts.reduce(Int64(0)) { $0 + $1.payablePence }
        var amount = payable
        if request.decision == .adjust {
            guard (0...payable).contains(request.amountPence) else {
                throw Failure.field(
                    "amount_pence", "6.2", "An adjusted amount is nothing to \(Money(pence: payable)).")
            }
            amount = request.amountPence
        }
        claim.stage = try step(amount < claim.claimedPence ? .adjust : .approve, claim)
        claim.approvedPence = amount
        if claim.reason.isEmpty {
            let reductions = Set(parts.map(\.reduction)).subtracting([""]).sorted()
            claim.reason = reductions.joined(separator: ", ")
        }
        if claim.kind == .sickness {
            let cover = try contents(of: claim).locum
            let weeks = parts.filter { $0.payablePence > 0 }.map {
                CoveredWeek(from: $0.from, absentFrom: cover.absentFrom.calendarDate ?? claim.from)
            }
            try ClaimStore.addWeeks(weeks, of: claim, gmcNumber: cover.gmcNumber, in: transaction)
        }
        guard amount > 0 else { return }
        let contract = try contract(of: claim, transaction)
        let paycode = try paycode(of: claim, transaction)
        let line = try ClaimLine(claim: claim, parts: parts, contract: contract).line(paying: amount, on: paycode)
        claim.itemID =
            try PayableItemStore.add(
                [
                    PayableItem(
                        naturalKey: "claim/\(claim.id)/\(claim.version)", payee: claim.practice,
                        firstRun: YearMonth(containing: Swift.min(claim.from, context.clock.today)), line: line)
                ], by: actor, detail: "claim \(claim.id)", in: transaction
            ).first ?? ""
    }

    func recoverClaim(
        _ request: Pcs_Payments_V1_RecoverClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        var fields = RequestFields()
        fields.reason(request.note, field: "note")
        if request.reason == .unspecified { fields.refuse("reason", "5.3", "Name the kind of reason.") }
        if !(1...12).contains(request.months) { fields.refuse("months", "5.3", "A recovery runs over 1 to 12 months.") }
        try fields.finish()
        return try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.practiceCode, transaction)
            guard !claim.itemID.isEmpty, try PayableItemStore.paidRun(of: claim.itemID, transaction) != nil else {
                throw Failure(PaymentsReasons.claimStateWrong, "Claim \(claim.id) has not been paid.")
            }
            let most = claim.approvedPence - claim.recoveredPence
            guard (1...Swift.max(1, most)).contains(request.amountPence), most > 0 else {
                throw Failure.field("amount_pence", "5.3", "At most \(Money(pence: most)) can be recovered.")
            }
            let contract = try contract(of: claim, transaction)
            let actor = call.caller.responsible
            let first = YearMonth(containing: call.today)
            let number = try ClaimStore.history(of: claim.id, transaction).count
            let items = try refusing {
                try ClaimLine(claim: claim, parts: [], contract: contract).recovery(
                    of: request.amountPence, months: Int(request.months), from: first, number: number,
                    reason: String(describing: request.reason))
            }
            try PayableItemStore.add(items, by: actor, detail: "recovery of claim \(claim.id)", in: transaction)
            claim.recoveredPence += request.amountPence
            try ClaimStore.save(
                claim, step: "recovery", by: actor,
                detail: "\(Money(pence: request.amountPence)) over \(request.months) months: \(request.note)",
                in: transaction)
            note(claim, "recovery of \(Money(pence: request.amountPence))", in: transaction)
            return try message(claim, transaction)
        }
    }
}
