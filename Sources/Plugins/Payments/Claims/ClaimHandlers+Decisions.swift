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
        let isPlain = !request.contractGrantsCover && request.parentalMostWeeks == 0
        fields.reason(request.reason, mayBeEmpty: request.decision == .approve && isPlain)
        if !(0...104).contains(request.parentalMostWeeks) {
            fields.refuse("parental_most_weeks", "6.4 rule 2", "Leave is paid for 1 to 104 weeks.")
        }
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
            let makers = try ClaimStore.history(of: claim.id, transaction)
                .filter { ["created", "amended", "submitted"].contains($0.step) }.map(\.by)
            for person in Set(makers) {
                try call.requireOtherPerson(than: person, step: "deciding a claim that one has made")
            }
            let actor = call.caller.responsible
            if claim.reviewedBy.isEmpty { claim.reviewedBy = actor }
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
        let contract = try contract(of: claim, transaction)
        if claim.kind.isLocumCover, contract.terms.payment.kind == .apms, !request.contractGrantsCover {
            throw Failure.field(
                "contract_grants_cover", "6.1",
                "Locum cover is paid under an APMS contract only if the contract grants it: say so, and where.")
        }
        if request.parentalMostWeeks > 0 {
            guard claim.kind == .parentalLeave else {
                throw Failure.field("parental_most_weeks", "6.4 rule 2", "Only parental leave has such a limit.")
            }
            claim.parentalMostWeeks = Int64(request.parentalMostWeeks)
        }
        let parts = try assess(claim, transaction)
        let payable = parts.reduce(Int64(0)) { $0 + $1.payablePence }
        var amount = payable
        if request.decision == .adjust {
            guard (0...payable).contains(request.amountPence) else {
                throw Failure.field(
                    "amount_pence", "6.2", "An adjusted amount is nothing to \(Money(pence: payable)).")
            }
            amount = request.amountPence
            // C12: nor is a refusal of a part.
            if amount < payable, request.rule.count(where: { !$0.isWhitespace }) < 3 {
                throw Failure.field(
                    "rule", "payments 13 C12", "Less than the rules come to, \(Money(pence: payable)), names its rule.")
            }
        }
        claim.stage = try step(amount < claim.claimedPence ? .adjust : .approve, claim)
        claim.approvedPence = amount
        if claim.reason.isEmpty {
            let reductions = Set(parts.map(\.reduction)).subtracting([""]).sorted()
            claim.reason = reductions.joined(separator: ", ")
        }
        guard amount > 0 else { return }
        try keepParts(parts, of: claim, in: transaction)
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

    /// What is approved for each week, month or hours: other claims for the same doctor have that much less.
    private func keepParts(
        _ parts: [AssessedPart], of claim: ClaimStore.Claim, in transaction: any Transaction
    ) throws {
        let check = ClaimContentsCheck(try contents(of: claim), today: context.clock.today)
        guard let doctor = check.cover?.gmcNumber ?? check.scheme?.gmcNumber else { return }
        let shares = try refusing { try ApprovedPart.divided(parts, approved: claim.approvedPence) }
        let kept = zip(parts.indices, shares).compactMap { index, pence -> ApprovedPart? in
            guard pence > 0 else { return nil }
            let from = parts[index].from
            guard let cover = check.cover else {
                return ApprovedPart(
                    claimID: claim.id, kind: claim.kind, span: parts[index].cap == nil ? .month : .hours, from: from,
                    absentFrom: from, pence: pence)
            }
            return ApprovedPart(
                claimID: claim.id, kind: claim.kind, from: from, days: cover.weeks[index].days,
                absentFrom: cover.absentFrom, pence: pence)
        }
        try ApprovedPartStore.add(kept, of: claim.practice, gmcNumber: doctor, in: transaction)
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
