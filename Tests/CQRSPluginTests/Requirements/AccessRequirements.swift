import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// cqrs.md 2, 12: who may do what at which level.
@Suite("CQRS requirements of access")
struct AccessRequirements {
    @Test("R16: an ICB is told that the act requires the Sub ICB Location, by whichever roles it has")
    func icb() async throws {
        try await NetworkOffice.with { network in
            let ids = try await network.prepareW16().map(\.declarationID)
            for (name, role) in [("ivy", "CQRS_APPROVAL_MANAGEMENT"), ("ian", "CQRS_VIEW")] {
                let icb = try await network.office.host.person(name, roles: [Role(role)], at: "QKK")
                do {
                    _ = try await network.declarations(icb).approveDeclarations(network.decision(ids))
                    Issue.record("an ICB approved")
                } catch let failure as Failure {
                    #expect(failure.reason.name == "ACCESS_DENIED")
                    #expect(failure.reason.code == .permissionDenied)
                    #expect(
                        failure.message.contains("requires Sub ICB Location role, at 72Q"),
                        "\(failure.message)")
                }
            }
            let waiting = try await network.waiting(.awaitingCommissioningOrganisationApproval)
            #expect(waiting.count == 4)
        }
    }

    /// A row of the matrix: operation, and who by which role in which relation.
    struct Operation: CustomTestStringConvertible {
        var method: MethodDescriptor
        var provider: [String] = []
        var network: [String] = []
        var commissioner: [String] = []
        var icb: [String] = []
        var testDescription: String { method.path }
    }

    static let operations: [Operation] = {
        typealias Participation = Pcs_Cqrs_V1_ParticipationServiceMethods
        typealias Submission = Pcs_Cqrs_V1_SubmissionServiceMethods
        typealias Calculation = Pcs_Cqrs_V1_CalculationServiceMethods
        typealias Declaration = Pcs_Cqrs_V1_DeclarationServiceMethods
        typealias Network = Pcs_Cqrs_V1_NetworkServiceMethods
        typealias Report = Pcs_Cqrs_V1_ReportServiceMethods
        return [
            Operation(method: Participation.createOffer, commissioner: ["SERVICE_MANAGEMENT"]),
            Operation(method: Participation.cancelService, commissioner: ["SERVICE_MANAGEMENT"]),
            Operation(method: Participation.acceptOffer, provider: ["SERVICE_MANAGEMENT"]),
            Operation(method: Participation.declineOffer, provider: ["SERVICE_MANAGEMENT"]),
            Operation(
                method: Submission.submitCounts, provider: ["ACHIEVEMENT_ENTRY"], network: ["PCN_MANAGEMENT"],
                commissioner: ["ACHIEVEMENT_ENTRY"]),
            Operation(
                method: Submission.getCounts, provider: ["VIEW"], network: ["PCN_VIEW"],
                commissioner: ["VIEW"], icb: ["VIEW"]),
            Operation(
                method: Calculation.getPayment, provider: ["FINANCE_VIEW"], network: ["FINANCE_VIEW"],
                commissioner: ["FINANCE_VIEW"], icb: ["FINANCE_VIEW"]),
            Operation(method: Declaration.declare, provider: ["DECLARATION_MANAGEMENT"]),
            Operation(method: Declaration.approveDeclarations, commissioner: ["APPROVAL_MANAGEMENT"]),
            Operation(method: Declaration.queryDeclaration, commissioner: ["APPROVAL_MANAGEMENT"]),
            Operation(method: Declaration.financeApproveDeclarations, commissioner: ["FINANCE_MANAGEMENT"]),
            Operation(method: Declaration.returnDeclaration, commissioner: ["FINANCE_MANAGEMENT"]),
            Operation(method: Declaration.createAdjustment, commissioner: ["APPROVAL_MANAGEMENT"]),
            Operation(method: Declaration.approveAdjustment, commissioner: ["FINANCE_MANAGEMENT"]),
            Operation(method: Network.requestNominatedPayee, provider: ["PCN_MANAGEMENT"]),
            Operation(method: Network.setNominatedPayee, commissioner: ["ORGANISATION_ADMINISTRATOR"]),
            Operation(method: Report.allocateReport, provider: ["ORGANISATION_ADMINISTRATOR"]),
            Operation(method: Submission.loadExtract), Operation(method: Submission.loadPopulations),
            Operation(method: Pcs_Cqrs_V1_QualityServiceServiceMethods.publishService),
            Operation(method: Declaration.runNightly),
        ]
    }()

    @Test(
        "section 12: every operation is open to the roles of the matrix at their levels, and to nobody beyond",
        arguments: operations)
    func matrix(_ operation: Operation) {
        let allow = operation.method.access.allow
        #expect(!operation.method.access.anyCaller && !operation.method.access.isAnonymous)
        // What a commissioner does in its own name is named by its own code.
        let isOwnCommissioner = allow.contains { $0.organisationField == "commissioner_code" }
        func has(_ role: String, _ relations: [Relation]) -> Bool {
            allow.contains { $0.role == Role("CQRS_" + role) && relations.contains($0.relation) }
        }
        for role in operation.provider { #expect(has(role, [.own]), "\(role) provider") }
        for role in operation.network { #expect(has(role, [.pcnOf]), "\(role) network") }
        for role in operation.commissioner {
            #expect(has(role, isOwnCommissioner ? [.own] : [.commissioner]), "\(role) commissioner")
            #expect(has(role, [.region]), "\(role) region")
        }
        for role in operation.icb { #expect(has(role, [.icb]), "\(role) ICB") }
        if operation.provider.isEmpty && !isOwnCommissioner {
            #expect(!allow.contains { $0.relation == .own })
        }
        if operation.network.isEmpty { #expect(!allow.contains { $0.relation == .pcnOf }) }
        if operation.commissioner.isEmpty, operation.icb.isEmpty {
            #expect(!allow.contains { $0.relation == .commissioner || $0.relation == .icb })
        }
        // ICB level reads and never acts.
        if operation.method.access.changesState { #expect(!allow.contains { $0.relation == .icb }) }
        // In a change, nobody but the roles of the matrix and the national operator.
        if operation.method.access.changesState {
            let named = operation.provider + operation.network + operation.commissioner
            let others = Set(allow.filter { $0.relation != .national }.map(\.role))
            #expect(others == Set(named.map { Role("CQRS_" + $0) }))
        }
    }

    @Test(
        "12: a network sees a member's pounds with PCN View beside Finance View, not with Finance View alone")
    func networkPounds() async throws {
        try await NetworkOffice.with { network in
            try await network.prepareW16()
            func payment(_ roles: Set<Role>, _ name: String) async throws -> Int64 {
                let person = try await network.office.host.person(name, roles: roles, at: NetworkOffice.pcn)
                return try await network.office.calculations(person).getPayment(
                    .with {
                        ($0.providerCode, $0.serviceCode) = ("G83001", NetworkOffice.service)
                        $0.achievementDate = Pcs_Common_V1_Date(NetworkOffice.april)
                    }
                ).totalPence
            }
            await expectRefusal("ACCESS_DENIED") { _ = try await payment([Role("CQRS_FINANCE_VIEW")], "fay") }
            #expect(try await payment([Role("CQRS_FINANCE_VIEW"), Role("CQRS_PCN_VIEW")], "flo") == 4_120_10)
        }
    }
}
