import CaseworkContract
import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// One practice of a commissioner with a service typed in by hand (weight management) and one that is extracted
/// (measles, mumps and rubella), in February 2026, with casework to see what arrives.
struct PracticeOffice: Sendable {
    static let practice = "G83001"
    static let manual = "WM2526"
    static let extracted = "MMR2526"
    static let february = day("2026-02-28")

    let network: NetworkOffice
    let entering: TestSubject
    let declaring: TestSubject
    var office: QualityOffice { network.office }

    static func with(_ body: (PracticeOffice) async throws -> Void) async throws {
        try await NetworkOffice.with(casework: true) { network in
            let host = network.office.host
            for service in [manual, extracted] {
                try await network.office.participate(service, [practice], from: "20250401", to: "20260331")
                // Declared by 24 March, paid on 20 April; March is paid a month later.
                try await network.office.loadCalendar([
                    "\(service),2026-02-28,,,2026-03-01,2026-03-31,2026-03-24,2026-04-05,2026-04-20",
                    "\(service),2026-03-31,,,2026-04-01,2026-04-12,2026-04-24,2026-05-05,2026-05-20",
                ])
            }
            try await body(
                PracticeOffice(
                    network: network,
                    entering: try await host.person(
                        "carl", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: practice),
                    declaring: try await host.person(
                        "dina", roles: [Role("CQRS_DECLARATION_MANAGEMENT")], at: practice)))
        }
    }

    // MARK: A month up to the declaration

    /// 17 referrals, £195.50 (W11), ready to be declared.
    @discardableResult
    func readyByHand() async throws -> Pcs_Cqrs_V1_Declaration {
        _ = try await office.submissions(entering).submitCounts(
            .with {
                $0.providerCode = Self.practice
                $0.serviceCode = Self.manual
                $0.achievementDate = Pcs_Common_V1_Date(Self.february)
                $0.entries = [.with { ($0.indicatorCode, $0.field, $0.value) = ("WM001", "Count", "17") }]
            })
        return try await ready(Self.manual)
    }

    /// 20 doses extracted, £241.20.
    @discardableResult
    func readyExtracted() async throws -> Pcs_Cqrs_V1_Declaration {
        _ = try await office.load(
            QualityOffice.header
                + QualityOffice.row(Self.extracted, Self.practice, "20260228", "MMR01", "Count", "20"),
            as: .indicatorValues)
        return try await ready(Self.extracted)
    }

    private func ready(_ service: String) async throws -> Pcs_Cqrs_V1_Declaration {
        _ = try await office.calculate(service, Self.february)
        try await network.nightly()
        return try await newest(service)
    }

    func declarations(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_DeclarationServiceClient {
        try await network.declarations(subject ?? declaring)
    }

    /// The one that stands.
    func newest(_ service: String) async throws -> Pcs_Cqrs_V1_Declaration {
        let all = try await declarations(office.operating).listDeclarations(
            .with { ($0.providerCode, $0.serviceCode) = (Self.practice, service) }
        ).declarations.filter { $0.state != .superseded && $0.adjusts.isEmpty }
        #expect(all.count == 1)
        return try await read(try #require(all.first).declarationID)
    }

    func read(_ id: String) async throws -> Pcs_Cqrs_V1_Declaration {
        try await declarations(office.operating).getDeclaration(
            .with { ($0.providerCode, $0.declarationID) = (Self.practice, id) })
    }

    func declare(_ declaration: Pcs_Cqrs_V1_Declaration, as subject: TestSubject? = nil) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try await declarations(subject).declare(
            .with {
                $0.providerCode = Self.practice
                $0.declarationID = declaration.declarationID
                $0.figuresSha256 = declaration.figuresSha256
            })
    }

    /// Approved by both levels and sent.
    func pay(_ declaration: Pcs_Cqrs_V1_Declaration) async throws {
        _ = try await declare(declaration)
        let decision = network.decision([declaration.declarationID])
        #expect(try await declarations(network.approving).approveDeclarations(decision).decided == 1)
        #expect(try await declarations(network.financing).financeApproveDeclarations(decision).decided == 1)
    }
}

extension TestHost {
    /// Open tasks that a person sees, and what has arrived as messages.
    func tasks(of subject: TestSubject) async throws -> [Pcs_Casework_V1_Task] {
        try await eventsDelivered()
        return try await Pcs_Casework_V1_TaskServiceClient(try await transport(.inProcess, as: subject))
            .listTasks(
                .with { ($0.area, $0.pageSize) = ("cqrs", 200) }
            ).tasks
    }

    func messages(of subject: TestSubject) async throws -> [Pcs_Casework_V1_PortalMessage] {
        try await eventsDelivered()
        return try await Pcs_Casework_V1_MessageServiceClient(try await transport(.inProcess, as: subject))
            .listMessages(
                .with { $0.pageSize = 200 }
            ).messages
    }
}
