import CommonContract
import CqrsContract
import DocumentsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// Stands for the keeper of documents: tells what its scanner found.
struct ScannerArea: Plugin {
    static let manifest = PluginManifest(
        name: "documents", version: "0.1.0", summary: "Tells of scans in tests", owners: ["tests"],
        publishes: [Pcs_Documents_V1_DocumentScanned.protoMessageName])
    init(_ context: PluginContext) throws {}
    static var migrations: [Migration] { [] }
    var methods: [BoundMethod] { [] }
}

/// A Sub ICB Location with its people, two practices and a pharmacy of its own.
struct LocalOffice: Sendable {
    static let commissioner = "72Q"
    static let practice = "G83001"
    static let second = "G83013"
    static let pharmacy = "FA002"
    static let start = day("2025-04-01")
    static let end = day("2027-03-31")

    let host: TestHost
    let fidelity: TestHost.Fidelity
    let admin: TestSubject
    let otherAdmin: TestSubject
    let tier1: TestSubject
    let otherTier1: TestSubject
    let tier2: TestSubject
    let finance: TestSubject
    let otherFinance: TestSubject
    let `operator`: TestSubject
    /// Single level, at the practice and at the second one.
    let user: TestSubject
    let otherUser: TestSubject

    /// - Parameter pharmacies: whether the 10,500 pharmacies are wanted.
    static func with(
        _ fidelity: TestHost.Fidelity = .inProcess, pharmacies: Bool = false,
        _ body: (LocalOffice) async throws -> Void
    ) async throws {
        try await TestHost.with([CQRSPlugin.self, ScannerArea.self]) { host in
            try await host.loadOrganisations(pharmacies: pharmacies)
            func person(_ id: String, _ role: Role, _ organisation: String = commissioner) async throws
                -> TestSubject
            {
                try await host.person(id, roles: [role], at: organisation)
            }
            try await body(
                LocalOffice(
                    host: host, fidelity: fidelity,
                    admin: try await person("ada", Roles.cqrsLocalAdministrator),
                    otherAdmin: try await person("abe", Roles.cqrsLocalAdministrator),
                    tier1: try await person("tess", Roles.cqrsLocalApproverTier1),
                    otherTier1: try await person("tom", Roles.cqrsLocalApproverTier1),
                    tier2: try await person("tina", Roles.cqrsLocalApproverTier2),
                    finance: try await person("fay", Roles.cqrsLocalFinance),
                    otherFinance: try await person("fred", Roles.cqrsLocalFinance),
                    operator: try await person("olaf", Roles.cqrsOperator, "PCS"),
                    user: try await person("una", Roles.cqrsLocalUser, practice),
                    otherUser: try await person("ulf", Roles.cqrsLocalUser, second)))
        }
    }

    func schemes(_ subject: TestSubject) async throws -> Pcs_Cqrs_V1_LocalSchemeServiceClient {
        .init(try await host.transport(fidelity, as: subject))
    }
    func claims(_ subject: TestSubject) async throws -> Pcs_Cqrs_V1_LocalClaimServiceClient {
        .init(try await host.transport(fidelity, as: subject))
    }
    func instructions() async throws -> Pcs_Cqrs_V1_InstructionServiceClient {
        .init(try await host.transport(fidelity, as: `operator`))
    }

    // MARK: Definition

    /// Two components as in W18: £28.50 for practices and £31.00 for pharmacies, and £17.25 for everybody.
    static func definition(_ change: (inout Pcs_Cqrs_V1_LocalServiceDefinition) -> Void = { _ in })
        -> Pcs_Cqrs_V1_LocalServiceDefinition
    {
        var definition = Pcs_Cqrs_V1_LocalServiceDefinition.with {
            $0.name = "Phlebotomy in the community"
            $0.startOn = Pcs_Common_V1_Date(start)
            $0.endOn = Pcs_Common_V1_Date(end)
            $0.providerKinds = [.gpPractice, .pharmacy]
            $0.paymentRoute = .pcse
            $0.payCode = "LIS"
            $0.components = [
                component("BLOOD", ["GP_PRACTICE": "28.50", "PHARMACY": "31.00"]),
                component("ECG", ["": "17.25"]),
            ]
        }
        change(&definition)
        return definition
    }

    static func component(
        _ id: String, _ tariffs: [String: String], unit: Pcs_Cqrs_V1_LocalUnit = .item,
        _ change: (inout Pcs_Cqrs_V1_LocalComponent) -> Void = { _ in }
    ) -> Pcs_Cqrs_V1_LocalComponent {
        var component = Pcs_Cqrs_V1_LocalComponent.with {
            ($0.componentID, $0.name, $0.unit) = (id, "Component " + id, unit)
            $0.tariffs = tariffs.sorted { $0.key < $1.key }.map { group, amount in
                .with {
                    ($0.providerGroup, $0.amountPounds) = (group, amount)
                    $0.validFrom = Pcs_Common_V1_Date(start)
                }
            }
        }
        change(&component)
        return component
    }

    static func cap(_ kind: Pcs_Cqrs_V1_LocalCapKind, _ limit: String, truncate: Bool = false)
        -> Pcs_Cqrs_V1_LocalCap
    {
        .with { ($0.kind, $0.limit, $0.truncate) = (kind, limit, truncate) }
    }

    @discardableResult
    func publish(_ definition: Pcs_Cqrs_V1_LocalServiceDefinition, of service: String = "") async throws
        -> String
    {
        let draft = try await schemes(admin).defineLocalService(
            .with {
                ($0.commissionerCode, $0.serviceID) = (Self.commissioner, service)
                $0.definition = definition
            })
        let published = try await schemes(otherAdmin).publishLocalService(
            .with {
                ($0.commissionerCode, $0.serviceID) = (Self.commissioner, draft.serviceID)
                $0.definitionSha256 = draft.definitionSha256
            })
        #expect(published.state == .published)
        return published.serviceID
    }

    func offer(_ services: [String], to providers: [String], isOffer: Bool = true)
        -> Pcs_Cqrs_V1_OfferLocalContractRequest
    {
        .with {
            $0.commissionerCode = Self.commissioner
            $0.name = "Contract of 2025"
            $0.isOffer = isOffer
            $0.paperReference = isOffer ? "" : "signed 12 March 2025"
            $0.startOn = Pcs_Common_V1_Date(Self.start)
            $0.endOn = Pcs_Common_V1_Date(Self.end)
            $0.items = services.map { service in .with { $0.serviceID = service } }
            $0.providers = providers.map { provider in
                .with { ($0.providerCode, $0.bulkAgreed) = (provider, !isOffer) }
            }
        }
    }

    /// Signed on paper, agreement to bulk claims included.
    func contract(_ services: [String], with providers: [String]) async throws {
        _ = try await schemes(admin).offerLocalContract(offer(services, to: providers, isOffer: false))
    }

    static func window(_ from: String, _ to: String, opens: String, closes: String, late: String? = nil)
        -> Pcs_Cqrs_V1_ClaimWindow
    {
        .with {
            $0.activityFrom = Pcs_Common_V1_Date(day(from))
            $0.activityTo = Pcs_Common_V1_Date(day(to))
            $0.opensOn = Pcs_Common_V1_Date(day(opens))
            $0.closesOn = Pcs_Common_V1_Date(day(closes))
            if let late { $0.lateUntil = Pcs_Common_V1_Date(day(late)) }
        }
    }

    /// February 2026, open on the kit's first day.
    static let february = window("2026-02-01", "2026-02-28", opens: "2026-03-01", closes: "2026-03-31")
    static let january = window("2026-01-01", "2026-01-31", opens: "2026-02-01", closes: "2026-03-31")

    @discardableResult
    func windows(_ service: String, _ windows: [Pcs_Cqrs_V1_ClaimWindow] = [february]) async throws
        -> [String]
    {
        try await schemes(admin).addClaimWindows(
            .with {
                ($0.commissionerCode, $0.serviceID) = (Self.commissioner, service)
                $0.windows = windows
            }
        ).windows.map(\.windowID)
    }

    /// A published service with a contract of the practice and an open window.
    func open(
        _ definition: Pcs_Cqrs_V1_LocalServiceDefinition = definition(),
        providers: [String] = [practice, second]
    )
        async throws -> (service: String, window: String)
    {
        let service = try await publish(definition)
        try await contract([service], with: providers)
        return (service, try #require(try await windows(service).first))
    }

    // MARK: Claims

    static func line(
        _ component: String, _ quantity: String, on activity: String? = nil, service: String = ""
    )
        -> Pcs_Cqrs_V1_LocalClaimLine
    {
        .with {
            ($0.componentID, $0.quantity, $0.serviceID) = (component, quantity, service)
            if let activity { $0.activityOn = Pcs_Common_V1_Date(day(activity)) }
        }
    }

    func create(
        _ service: String, _ window: String, _ lines: [Pcs_Cqrs_V1_LocalClaimLine],
        by subject: TestSubject? = nil,
        _ change: (inout Pcs_Cqrs_V1_CreateLocalClaimRequest) -> Void = { _ in }
    ) async throws -> Pcs_Cqrs_V1_LocalClaim {
        let subject = subject ?? user
        var request = Pcs_Cqrs_V1_CreateLocalClaimRequest.with {
            ($0.providerCode, $0.serviceID, $0.windowID) = (subject.actingFor ?? "", service, window)
            $0.lines = lines
        }
        change(&request)
        return try await claims(subject).createLocalClaim(request)
    }

    func submit(_ claim: Pcs_Cqrs_V1_LocalClaim, by subject: TestSubject? = nil) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await claims(subject ?? user).submitLocalClaim(
            .with { ($0.providerCode, $0.claimID) = (claim.providerCode, claim.claimID) })
    }

    func decision(_ claims: [Pcs_Cqrs_V1_LocalClaim]) -> Pcs_Cqrs_V1_DecideLocalClaimsRequest {
        .with { ($0.commissionerCode, $0.claimIds) = (Self.commissioner, claims.map(\.claimID)) }
    }

    /// Tier 1, Tier 2, and Finance as the band asks.
    @discardableResult
    func approve(_ claim: Pcs_Cqrs_V1_LocalClaim) async throws -> Pcs_Cqrs_V1_LocalClaim {
        _ = try await claims(tier1).checkLocalClaims(decision([claim]))
        _ = try await claims(tier2).approveLocalClaims(decision([claim]))
        for subject in [finance, otherFinance] where try await read(claim).state == .awaitingFinance {
            _ = try await claims(subject).financeApproveLocalClaims(decision([claim]))
        }
        let after = try await read(claim)
        #expect(after.state == .approved)
        return after
    }

    func read(_ claim: Pcs_Cqrs_V1_LocalClaim) async throws -> Pcs_Cqrs_V1_LocalClaim {
        try await claims(tier2).getLocalClaim(
            .with { ($0.commissionerCode, $0.claimID) = (Self.commissioner, claim.claimID) })
    }

    func reasoned(_ claim: Pcs_Cqrs_V1_LocalClaim, _ reason: String, asProvider: Bool = false)
        -> Pcs_Cqrs_V1_ReasonedLocalClaimRequest
    {
        .with {
            ($0.claimID, $0.reason) = (claim.claimID, reason)
            if asProvider {
                $0.providerCode = claim.providerCode
            } else {
                $0.commissionerCode = Self.commissioner
            }
        }
    }

    func report(_ name: Pcs_Cqrs_V1_LocalReportName, claim: String = "") async throws
        -> Pcs_Cqrs_V1_LocalReport
    {
        try await claims(tier2).runLocalReport(
            .with { ($0.commissionerCode, $0.name, $0.claimID) = (Self.commissioner, name, claim) })
    }

    // MARK: PCSE

    /// The commissioner uses PCSE from this day on.
    func enrol(from: String = "2025-04-01") async throws {
        let text =
            "name,group,valid_from,valid_to,value,confidence,source,note\r\n"
            + "local_pcse_enrolment,\(Self.commissioner),\(from),,1,C,onboarding form,\r\n"
        let services = Pcs_Cqrs_V1_QualityServiceServiceClient(
            try await host.transport(.inProcess, as: `operator`))
        _ = try await services.loadConstants([
            .with { ($0.fileName, $0.data) = ("constants.csv", Data(text.utf8)) }
        ])
    }

    func handOver() async throws -> Pcs_Cqrs_V1_LocalHandOverReport {
        try await claims(`operator`).runLocalHandOver(.init())
    }

    /// Each event of a kind that left CQRS, oldest first.
    func published(_ name: String) throws -> [[UInt8]] {
        try host.store(of: "cqrs").read { reader in
            try reader.all(
                Statement("SELECT payload FROM pcs_outbox WHERE event_type = ?1 ORDER BY sequence"),
                [.text(name)]
            ) { $0.blob(0) }
        }
    }

    /// The scanner found a document of this organisation clean.
    func scanned(_ document: String, of organisation: String, clean: Bool = true) async throws {
        let event = Pcs_Documents_V1_DocumentScanned.with {
            ($0.documentID, $0.uploadedForOrganisationCode, $0.clean) = (document, organisation, clean)
        }
        try await host.store(of: "documents").write(actor: "test") { try $0.publish(event, key: document) }
        try await host.eventsDelivered()
    }
}

/// Expects a refusal of this name with these rules among its violations, and returns it.
@discardableResult
func expectLocalRefusal(
    _ name: String, _ rules: [String] = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async -> Failure? {
    do {
        try await body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        #expect(failure.reason.name == name, "\(failure)", sourceLocation: sourceLocation)
        let found = Set(failure.violations.map(\.rule))
        for rule in rules {
            #expect(found.contains(rule), "\(rule) in \(found.sorted())", sourceLocation: sourceLocation)
        }
        return failure
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}
