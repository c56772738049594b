import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// The people of a commissioner who decide on rents of A81001, and of the practice.
struct RentDesk {
    let office: PaymentsOffice
    let editor: TestSubject
    let approver: TestSubject
    let claimsAdmin: TestSubject

    static func with(
        _ contract: String = "A81001,One,PMS,2020-04-01,,16C,Y63,,,,,,,FIXED,120000.00,,",
        _ body: (RentDesk) async throws -> Void
    ) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(contract)
            let host = office.host
            try await body(
                RentDesk(
                    office: office,
                    editor: try await host.person("eddie", roles: [Roles.commissionerEditor], at: "16C"),
                    approver: try await host.person("cas", roles: [Roles.commissionerApprover], at: "16C"),
                    claimsAdmin: try await host.person("ann", roles: [Roles.practiceClaimsAdmin], at: "A81001")))
        }
    }

    func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_PremisesServiceClient {
        Pcs_Payments_V1_PremisesServiceClient(try await office.transport(subject))
    }

    /// A determination of a year ago, accepted four weeks later.
    static func request(
        _ kind: Pcs_Payments_V1_RentKind, _ annual: String, from: String, practice: String = "A81001",
        determined: String = "2026-01-05", accepted: String = "2026-02-02"
    ) throws -> Pcs_Payments_V1_ProposeRentRequest {
        let (pence, from) = (try pence(annual), try day(from))
        let (determined, accepted) = (try day(determined), try day(accepted))
        return .with {
            ($0.practiceCode, $0.kind, $0.annualPence) = (practice, kind, pence)
            ($0.valuer, $0.valuerName) = (.districtValuer, "District Valuer North")
            $0.determinedOn = Pcs_Common_V1_Date(determined)
            $0.acceptedOn = Pcs_Common_V1_Date(accepted)
            $0.effectiveFrom = Pcs_Common_V1_Date(from)
            ($0.evidenceDocumentIds, $0.reason) = (["doc-1"], "review of 2026")
        }
    }

    @discardableResult
    func decide(
        _ rent: Pcs_Payments_V1_RentDetermination, approve: Bool = true, as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_RentDetermination {
        try await service(subject ?? approver).decideRent(
            .with {
                ($0.rentID, $0.practiceCode) = (rent.rentID, rent.contents.practiceCode)
                ($0.approve, $0.reason) = (approve, approve ? "" : "not agreed")
            })
    }

    @discardableResult
    func approve(
        _ request: Pcs_Payments_V1_ProposeRentRequest
    ) async throws -> Pcs_Payments_V1_RentDetermination {
        // What is recorded at one moment has the order of its identifiers; days pass between decisions.
        office.host.clock.advance(milliseconds: 1_000)
        return try await decide(try await service(editor).proposeRent(request))
    }

    func rents() async throws -> [Pcs_Payments_V1_RentDetermination] {
        try await service(editor).listRents(.with { $0.practiceCode = "A81001" }).rents
    }

    /// Rent lines of a month, differences marked.
    func paid(_ month: String) async throws -> [String] {
        try await office.statement("A81001", month).lines.filter { $0.paycode == "PRNT" }.map {
            Money(pence: $0.amountPence).description + ($0.isRetro ? " of \($0.originalMonth.month)" : "")
        }
    }

    func explained(_ month: String) async throws -> Pcs_Payments_V1_LineExplanation {
        let line = try #require(
            try await office.statement("A81001", month).lines.first { $0.paycode == "PRNT" && !$0.isRetro })
        return try await office.statements().explainLine(
            .with {
                ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", month + "-1", line.lineNumber)
            })
    }

    func exceptions(
        _ run: Pcs_Payments_V1_Run, _ kind: Pcs_Payments_V1_ExceptionKind
    ) async throws -> [Pcs_Payments_V1_RunException] {
        try await office.exceptions(run.runID).filter { $0.kind == kind }
    }

    // MARK: Claims

    func claims(_ subject: TestSubject) async throws -> Pcs_Payments_V1_ClaimServiceClient {
        Pcs_Payments_V1_ClaimServiceClient(try await office.transport(subject))
    }

    func submit(
        _ type: Pcs_Payments_V1_ClaimType, _ amount: String, from: String, to: String, invoice: String = "R-1"
    ) async throws -> Pcs_Payments_V1_Claim {
        let (pence, from, to) = (try pence(amount), try day(from), try day(to))
        let admin = try await claims(claimsAdmin)
        let draft = try await admin.createClaim(
            .with {
                ($0.claim.practiceCode, $0.claim.type, $0.claim.amountPence) = ("A81001", type, pence)
                ($0.claim.invoiceNumber, $0.claim.evidenceDocumentIds) = (invoice, ["doc-1"])
                $0.claim.periodFrom = Pcs_Common_V1_Date(from)
                $0.claim.periodTo = Pcs_Common_V1_Date(to)
            })
        return try await admin.submitClaim(
            .with { ($0.claimID, $0.practiceCode) = (draft.claimID, "A81001") })
    }

    func approve(
        _ claim: Pcs_Payments_V1_Claim, costRentReason: String = ""
    ) async throws -> Pcs_Payments_V1_Claim {
        try await claims(approver).decideClaim(
            .with {
                ($0.claimID, $0.practiceCode, $0.version) = (claim.claimID, "A81001", claim.version)
                ($0.decision, $0.costRentReason) = (.approve, costRentReason)
            })
    }
}
