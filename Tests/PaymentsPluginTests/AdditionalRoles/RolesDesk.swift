import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PaymentsPlugin
import PluginAPI
import PluginTestKit
import Testing

/// A network's people and its commissioner's, who claim and decide additional roles in 2025/26.
struct RolesDesk {
    static let network = "U89141"
    static let header =
        "employee_ref,role,role_from,role_to,wte,salary,employer_ni,employer_pension\n"

    let office: PaymentsOffice
    let submitter: TestSubject
    let networkApprover: TestSubject
    let editor: TestSubject
    let approver: TestSubject

    /// - Parameters:
    ///   - today: the clock; claims of 2025/26 are looked at in March 2026.
    ///   - weighted: weighted list of the network in 2025/26; empty = not loaded.
    static func with(
        today: String = "2026-03-20", weighted: String = "44000.00",
        plugins: [any Plugin.Type] = [PaymentsPlugin.self], _ body: (RolesDesk) async throws -> Void
    ) async throws {
        try await PaymentsOffice.with(clock: ManualClock(try day(today)), plugins: plugins) { office in
            try await office.host.loadOrganisations()
            func person(_ id: String, _ role: Role, at code: String) async throws -> TestSubject {
                try await office.host.person(id, roles: [role], at: code)
            }
            let desk = RolesDesk(
                office: office, submitter: try await person("sue", Roles.pcnSubmitter, at: network),
                networkApprover: try await person("ned", Roles.pcnApprover, at: network),
                editor: try await person("eddie", Roles.commissionerEditor, at: "16C"),
                approver: try await person("cas", Roles.commissionerApprover, at: "16C"))
            if !weighted.isEmpty { try await desk.load(network, weighted: weighted) }
            try await body(desk)
        }
    }

    func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_AdditionalRolesServiceClient {
        Pcs_Payments_V1_AdditionalRolesServiceClient(try await office.transport(subject))
    }

    func load(_ network: String, weighted: String, year: String = "2025/26") async throws {
        try await office.loadNetworks(year, "\(network),1000,1000.00,\(weighted)")
    }

    /// Maxima of roles, approved by the second editor.
    func setMaxima(_ rows: String...) async throws {
        let text =
            "role,area,effective_from,effective_to,annual_maximum,grade,source,note\n"
            + rows.joined(separator: "\n") + "\n"
        let set = try await office.rates().proposeRates([
            .with {
                ($0.kind, $0.reason, $0.fileName) = (.additionalRoles, "maxima of the year", "maxima.csv")
                $0.data = Data(text.utf8)
            }
        ])
        _ = try await office.rates(office.secondEditor).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
    }

    // MARK: Steps

    static func month(_ text: String) throws -> Pcs_Common_V1_Month {
        let month = try PaymentsPluginTests.month(text)
        return Pcs_Common_V1_Month(year: month.year, month: month.month)
    }

    /// A person in a role since last year; amounts in pounds.
    static func row(
        _ employee: String, _ role: String = "GP", wte: Int32 = 100, salary: String,
        insurance: String = "0.00", pension: String = "0.00", from: String = "2025-06-01", to: String = ""
    ) throws -> Pcs_Payments_V1_AdditionalRolesRow {
        var row = Pcs_Payments_V1_AdditionalRolesRow()
        (row.employeeRef, row.role, row.wteHundredths) = (employee, role, wte)
        row.roleFrom = Pcs_Common_V1_Date(try day(from))
        if !to.isEmpty { row.roleTo = Pcs_Common_V1_Date(try day(to)) }
        row.salaryPence = try pence(salary)
        row.employerNiPence = try pence(insurance)
        row.employerPensionPence = try pence(pension)
        return row
    }

    func draft(
        _ text: String, _ rows: [Pcs_Payments_V1_AdditionalRolesRow], claim: String = "",
        network: String = RolesDesk.network, as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        let month = try RolesDesk.month(text)
        return try await service(subject ?? submitter).draftClaim(
            .with { ($0.pcnCode, $0.month, $0.claimID, $0.rows) = (network, month, claim, rows) })
    }

    func upload(_ text: String, _ rows: String, claim: String = "") async throws
        -> Pcs_Payments_V1_AdditionalRolesClaim
    {
        let month = try RolesDesk.month(text)
        return try await service(submitter).uploadClaim([
            .with {
                ($0.pcnCode, $0.month, $0.claimID) = (RolesDesk.network, month, claim)
                ($0.fileName, $0.data) = ("roles.csv", Data((RolesDesk.header + rows).utf8))
            }
        ])
    }

    func submit(
        _ claim: Pcs_Payments_V1_AdditionalRolesClaim, as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await service(subject ?? networkApprover).submitClaim(step(claim))
    }

    func withdraw(
        _ claim: Pcs_Payments_V1_AdditionalRolesClaim, as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await service(subject ?? submitter).withdrawClaim(step(claim, "claimed by mistake"))
    }

    func step(_ claim: Pcs_Payments_V1_AdditionalRolesClaim, _ reason: String = "")
        -> Pcs_Payments_V1_AdditionalRolesStepRequest
    {
        .with {
            ($0.pcnCode, $0.claimID) = (claim.pcnCode, claim.claimID)
            ($0.version, $0.reason) = (claim.version, reason)
        }
    }

    func review(
        _ claim: Pcs_Payments_V1_AdditionalRolesClaim, returning reason: String = "",
        adjusting adjustments: [Int32: Int64] = [:], as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await service(subject ?? editor).reviewClaim(
            .with {
                ($0.pcnCode, $0.claimID, $0.version) = (claim.pcnCode, claim.claimID, claim.version)
                ($0.returnToNetwork, $0.reason) = (!reason.isEmpty, reason)
                $0.adjustments = made(adjustments)
            })
    }

    func decide(
        _ claim: Pcs_Payments_V1_AdditionalRolesClaim,
        _ decision: Pcs_Payments_V1_AdditionalRolesDecision = .approve, reason: String = "",
        adjusting adjustments: [Int32: Int64] = [:], as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await service(subject ?? approver).decideClaim(
            .with {
                ($0.pcnCode, $0.claimID, $0.version) = (claim.pcnCode, claim.claimID, claim.version)
                ($0.decision, $0.reason, $0.adjustments) = (decision, reason, made(adjustments))
            })
    }

    private func made(_ adjustments: [Int32: Int64]) -> [Pcs_Payments_V1_RowAdjustment] {
        adjustments.sorted { $0.key < $1.key }.map { row, pence in
            .with { ($0.rowNumber, $0.payablePence, $0.reason) = (row, pence, "post vacant for a week") }
        }
    }

    /// From the draft to the approval.
    func approved(
        _ text: String, _ rows: [Pcs_Payments_V1_AdditionalRolesRow], adjusting: [Int32: Int64] = [:]
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await decide(
            try await review(try await submit(try await draft(text, rows)), adjusting: adjusting))
    }

    func read(
        _ claim: Pcs_Payments_V1_AdditionalRolesClaim, as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try await service(subject ?? submitter).getClaim(
            .with { ($0.pcnCode, $0.claimID) = (claim.pcnCode, claim.claimID) })
    }

    func year(
        _ organisation: String = RolesDesk.network, _ year: String = "2025/26", as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_AdditionalRolesYear {
        try await service(subject ?? submitter).getYear(
            .with { ($0.organisationCode, $0.financialYear) = (organisation, year) })
    }

    func list(
        _ organisation: String, _ state: Pcs_Payments_V1_AdditionalRolesClaimState = .unspecified,
        month: String = "", as subject: TestSubject
    ) async throws -> [Pcs_Payments_V1_AdditionalRolesClaim] {
        var request = Pcs_Payments_V1_ListAdditionalRolesClaimsRequest()
        (request.organisationCode, request.state) = (organisation, state)
        if !month.isEmpty { request.month = try RolesDesk.month(month) }
        var found: [Pcs_Payments_V1_AdditionalRolesClaim] = []
        for try await claim in try await service(subject).listClaims(request) { found.append(claim) }
        return found
    }

    /// Lines for additional roles on the network's statement.
    func lines(_ month: String) async throws -> [Pcs_Payments_V1_StatementLine] {
        try await office.statement(RolesDesk.network, month).lines.filter { $0.paycode == "PCNARR" }
    }

    /// Every line replays and shows what it is made of.
    func hold(_ lines: [Pcs_Payments_V1_StatementLine], _ month: String) async throws {
        for line in lines {
            let explained = try await office.statements().explainLine(
                .with {
                    ($0.practiceCode, $0.runID, $0.lineNumber) = (
                        RolesDesk.network, "\(month)-1", line.lineNumber
                    )
                })
            #expect(explained.replayedPence == line.amountPence, "\(line.basis)")
            #expect(explained.rule == "8.2 additional roles")
            #expect(try ShownFigures.agrees(line), "\(line.quantity) x \(line.rate) \(line.basis)")
        }
    }
}

/// `GP 7058.80 CEILING`
func shown(_ rows: [Pcs_Payments_V1_AdditionalRolesRow]) -> [String] {
    rows.map { row in
        let less = row.assessment.reduction.isEmpty ? "" : " " + row.assessment.reduction
        return "\(row.role) \(Money(pence: row.assessment.payablePence))\(less)"
    }
}
