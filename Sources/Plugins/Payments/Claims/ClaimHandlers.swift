import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Claims of practices (payments.md 6): the practice's side, and reading.
struct ClaimHandlers: Pcs_Payments_V1_ClaimService {
    let context: PluginContext

    func createClaim(
        _ request: Pcs_Payments_V1_CreateClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        let contents = request.claim
        let (practice, check) = try checked(contents)
        return try await call.commit { transaction in
            let claim = ClaimStore.Claim(
                id: transaction.newIdentifier(), practice: practice, kind: check.kind ?? .actualRent, version: 0,
                stage: .draft, contents: try contents.serializedBytes(), invoiceNumber: contents.invoiceNumber,
                from: check.from ?? call.today, to: check.to ?? call.today, claimedPence: check.claimedPence,
                createdBy: call.caller.responsible)
            try ClaimStore.add(claim, in: transaction)
            try ClaimStore.record(
                claim, step: "created", by: claim.createdBy, detail: "\(Money(pence: claim.claimedPence))",
                in: transaction)
            note(claim, "created", in: transaction)
            return try message(claim, transaction)
        }
    }

    func amendClaim(
        _ request: Pcs_Payments_V1_AmendClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        let contents = request.claim
        let (practice, check) = try checked(contents)
        return try await call.commit { transaction in
            var claim = try find(request.claimID, of: practice.value, transaction)
            claim.stage = try step(.amend, claim)
            claim.kind = check.kind ?? claim.kind
            claim.contents = try contents.serializedBytes()
            claim.invoiceNumber = contents.invoiceNumber
            claim.from = check.from ?? claim.from
            claim.to = check.to ?? claim.to
            claim.claimedPence = check.claimedPence
            try ClaimStore.save(claim, step: "amended", by: call.caller.responsible, detail: "", in: transaction)
            note(claim, "amended", in: transaction)
            return try message(claim, transaction)
        }
    }

    func submitClaim(
        _ request: Pcs_Payments_V1_ClaimStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.practiceCode, transaction)
            let next = try step(.submit, claim)
            let check = ClaimContentsCheck(try contents(of: claim), today: call.today)
            guard check.violations.isEmpty else {
                throw Failure(
                    HostReasons.fieldInvalid, "The claim is not complete.", violations: check.violations)
            }
            _ = try paycode(of: claim, transaction)
            let same = try ClaimStore.overlapping(claim, transaction).first {
                !claim.invoiceNumber.isEmpty && $0.invoiceNumber == claim.invoiceNumber
            }
            if let same {
                throw Failure(
                    PaymentsReasons.claimDuplicate,
                    "Claim \(same.id) is for invoice \(same.invoiceNumber) and overlaps the period.")
            }
            claim.stage = next
            claim.version += 1
            claim.submittedBy = call.caller.responsible
            claim.submittedAt = transaction.now
            try ClaimStore.save(
                claim, step: "submitted", by: claim.submittedBy, detail: "version \(claim.version)",
                in: transaction)
            try ClaimNotices.submitted(claim, commissioner: commissioner(of: claim), in: transaction)
            note(claim, "submitted version \(claim.version): \(Money(pence: claim.claimedPence))", in: transaction)
            return try message(claim, transaction)
        }
    }

    func withdrawClaim(
        _ request: Pcs_Payments_V1_ClaimStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        try await call.commit { transaction in
            var claim = try find(request.claimID, of: request.practiceCode, transaction)
            let next = try step(.withdraw, claim)
            guard claim.reviewedBy.isEmpty else {
                throw Failure(
                    PaymentsReasons.claimStateWrong, "The commissioner has begun to look at claim \(claim.id).")
            }
            claim.stage = next
            try ClaimStore.save(claim, step: "withdrawn", by: call.caller.responsible, detail: "", in: transaction)
            try ClaimNotices.settled(claim, outcome: "withdrawn", by: call.caller.responsible, in: transaction)
            note(claim, "withdrawn", in: transaction)
            return try message(claim, transaction)
        }
    }

    func previewClaim(
        _ request: Pcs_Payments_V1_ClaimStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ClaimAssessment {
        try context.store.read { reader in
            let claim = try find(request.claimID, of: request.practiceCode, reader)
            try requireSubmittedForCommissioner(claim, call)
            let parts = try assess(claim, reader)
            return .with {
                $0.claimID = claim.id
                $0.claimedPence = claim.claimedPence
                $0.payablePence = parts.reduce(0) { $0 + $1.payablePence }
                $0.parts = parts.map { part in
                    .with {
                        $0.from = Pcs_Common_V1_Date(part.from)
                        $0.claimedPence = part.claimedPence
                        $0.ceilingPence = part.ceilingPence
                        $0.payablePence = part.payablePence
                        $0.reduction = part.reduction
                        $0.rule = part.rule.isEmpty ? "" : "payments.md " + part.rule
                    }
                }
            }
        }
    }

    func getClaim(
        _ request: Pcs_Payments_V1_ClaimStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Claim {
        try context.store.read { reader in
            let claim = try find(request.claimID, of: request.practiceCode, reader)
            try requireSubmittedForCommissioner(claim, call)
            return try message(claim, reader)
        }
    }

    func listClaims(
        _ request: Pcs_Payments_V1_ListClaimsRequest, _ reply: ReplyStream<Pcs_Payments_V1_Claim>,
        _ call: CallContext
    ) async throws {
        guard let code = ODSCode(request.organisationCode) else {
            throw Failure.field("organisation_code", "payments 1", "Name a practice or a Sub ICB Location.")
        }
        let kind = context.organisations.organisation(code, at: call.today)?.kind
        let practices =
            kind == .subICBLocation ? context.organisations.practices(commissionedBy: code, at: call.today) : [code]
        let isOwn = call.caller.actingFor == code.value && kind != .subICBLocation
        for practice in practices.sorted() {
            let messages = try context.store.read { reader in
                try ClaimStore.claims(of: practice, reader)
                    .filter { isOwn || $0.stage != .draft }
                    .map { try message($0, reader) }
            }
            for message in messages
            where (request.state == .unspecified || message.state == request.state)
                && (request.type == .unspecified || message.contents.type == request.type)
            {
                try await reply.send(message)
            }
        }
    }

    private func checked(
        _ contents: Pcs_Payments_V1_ClaimContents
    ) throws -> (ODSCode, ClaimContentsCheck) {
        var fields = RequestFields()
        let practice = fields.practice(contents.practiceCode, field: "claim.practice_code")
        let check = ClaimContentsCheck(contents, today: context.clock.today)
        // A draft may be incomplete, but must say what it is for.
        if check.kind == nil { fields.refuse("claim.type", "payments.md 6.1", "Name what is claimed.") }
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        return (practice, check)
    }
}
