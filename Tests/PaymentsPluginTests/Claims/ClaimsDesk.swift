import CommonContract
import PaymentsContract
import PluginAPI
import PluginTestKit

/// Who claims for A81001 and who decides, and short ways to do what they do.
struct ClaimsDesk {
    let office: PaymentsOffice
    let admin: TestSubject
    let viewer: TestSubject
    let approver: TestSubject

    static func with(
        _ contract: String, clock: ManualClock = .atStart, _ body: (ClaimsDesk) async throws -> Void
    ) async throws {
        try await PaymentsOffice.with(clock: clock) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(contract)
            try await body(
                ClaimsDesk(
                    office: office,
                    admin: try await office.host.person("ann", roles: [Roles.practiceClaimsAdmin], at: "A81001"),
                    viewer: try await office.host.person("vic", roles: [Roles.practiceClaimsViewer], at: "A81001"),
                    approver: try await office.host.person("cas", roles: [Roles.commissionerApprover], at: "16C")))
        }
    }

    func claims(_ subject: TestSubject) async throws -> Pcs_Payments_V1_ClaimServiceClient {
        Pcs_Payments_V1_ClaimServiceClient(try await office.transport(subject))
    }

    func submit(_ contents: Pcs_Payments_V1_ClaimContents) async throws -> Pcs_Payments_V1_Claim {
        let draft = try await claims(admin).createClaim(.with { $0.claim = contents })
        return try await claims(admin).submitClaim(step(draft))
    }

    func step(_ claim: Pcs_Payments_V1_Claim) -> Pcs_Payments_V1_ClaimStepRequest {
        .with { ($0.claimID, $0.practiceCode) = (claim.claimID, claim.contents.practiceCode) }
    }

    func preview(_ claim: Pcs_Payments_V1_Claim) async throws -> Pcs_Payments_V1_ClaimAssessment {
        try await claims(admin).previewClaim(step(claim))
    }

    func decide(
        _ claim: Pcs_Payments_V1_Claim, _ decision: Pcs_Payments_V1_ClaimDecision, pence: Int64 = 0,
        reason: String = "checked", rule: String = "", as subject: TestSubject? = nil,
        _ change: (inout Pcs_Payments_V1_DecideClaimRequest) -> Void = { _ in }
    ) async throws -> Pcs_Payments_V1_Claim {
        var request = Pcs_Payments_V1_DecideClaimRequest()
        (request.claimID, request.practiceCode) = (claim.claimID, claim.contents.practiceCode)
        (request.version, request.decision, request.amountPence) = (claim.version, decision, pence)
        (request.reason, request.rule) = (reason, rule)
        change(&request)
        return try await claims(subject ?? approver).decideClaim(request)
    }

    /// Cover of the doctor with the number 1234567, week after week, each invoiced alike.
    static func cover(
        _ type: Pcs_Payments_V1_ClaimType, absentFrom: String, from: String, weeks: Int, days: Int32 = 7,
        pence: Int64
    ) throws -> Pcs_Payments_V1_ClaimContents {
        let (absent, first) = (try day(absentFrom), try day(from))
        var contents = Pcs_Payments_V1_ClaimContents()
        (contents.practiceCode, contents.type, contents.evidenceDocumentIds) = ("A81001", type, ["doc-1"])
        contents.periodFrom = Pcs_Common_V1_Date(first)
        contents.periodTo = Pcs_Common_V1_Date(first.adding(days: 7 * weeks - 1))
        (contents.locum.doctorName, contents.locum.gmcNumber) = ("Dr A", "1234567")
        contents.locum.absentFrom = Pcs_Common_V1_Date(absent)
        (contents.locum.coverKind, contents.locum.fitNoteDocumentID) = (.externalLocum, "doc-1")
        contents.locum.weeks = (0..<weeks).map { index in
            .with {
                $0.from = Pcs_Common_V1_Date(first.adding(days: 7 * index))
                ($0.days, $0.invoicedPence) = (days, pence)
            }
        }
        return contents
    }
}
