import CommonContract
import CqrsContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// A network of four practices with its commissioner's people: what W16, W17 and a month need.
struct NetworkOffice: Sendable {
    static let pcn = "U00254"
    static let commissioner = "72Q"
    static let practices = ["G83001", "G83013", "G83021", "G83044"]
    /// Of W16.
    static let service = "PCNW2021"
    static let april = day("2020-04-30")

    let office: QualityOffice
    let offering: TestSubject
    let approving: TestSubject
    let financing: TestSubject
    let everything: TestSubject

    static func with(
        casework: Bool = false, others: [any Plugin.Type] = [], _ body: (NetworkOffice) async throws -> Void
    ) async throws {
        try await QualityOffice.with(casework: casework, others: others) { office in
            let host = office.host
            let all: Set<Role> = [
                Role("CQRS_APPROVAL_MANAGEMENT"), Role("CQRS_FINANCE_MANAGEMENT"),
                Role("CQRS_ORGANISATION_ADMINISTRATOR"),
            ]
            try await body(
                NetworkOffice(
                    office: office,
                    offering: try await host.person(
                        "oona", roles: [Role("CQRS_SERVICE_MANAGEMENT")], at: commissioner),
                    approving: try await host.person(
                        "anna", roles: [Role("CQRS_APPROVAL_MANAGEMENT")], at: commissioner),
                    financing: try await host.person(
                        "finn", roles: [Role("CQRS_FINANCE_MANAGEMENT")], at: commissioner),
                    everything: try await host.person("eve", roles: all, at: commissioner)))
        }
    }

    func participation(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_ParticipationServiceClient {
        Pcs_Cqrs_V1_ParticipationServiceClient(
            try await office.host.transport(.inProcess, as: subject ?? offering))
    }
    func declarations(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_DeclarationServiceClient {
        Pcs_Cqrs_V1_DeclarationServiceClient(
            try await office.host.transport(.inProcess, as: subject ?? approving))
    }
    func networks(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_NetworkServiceClient {
        Pcs_Cqrs_V1_NetworkServiceClient(
            try await office.host.transport(.inProcess, as: subject ?? everything))
    }
    func instructions() async throws -> Pcs_Cqrs_V1_InstructionServiceClient {
        Pcs_Cqrs_V1_InstructionServiceClient(
            try await office.host.transport(.inProcess, as: office.operating))
    }

    /// As payments tells it once two people have set it there.
    func nominate(_ payee: String) async throws {
        let event = Pcs_Payments_V1_NominatedPayeeSet.with {
            ($0.pcnCode, $0.payeeCode) = (Self.pcn, payee)
            $0.effectiveFrom = Pcs_Common_V1_Date(Self.april)
            ($0.proposedBy, $0.approvedBy) = ("cas", "adam")
        }
        try await office.host.store(of: PaymentsArea.manifest.name).write(actor: "test") {
            try $0.publish(event, key: Self.pcn)
        }
        try await office.host.eventsDelivered()
    }

    func offer(_ service: String) -> Pcs_Cqrs_V1_CreateOfferRequest {
        .with {
            $0.commissionerCode = Self.commissioner
            $0.serviceCode = service
            $0.pcnCodes = [Self.pcn]
            $0.automaticallyAccept = true
        }
    }

    /// Four practices of W16, offered, calculated and declared by the system.
    @discardableResult
    func prepareW16() async throws -> [Pcs_Cqrs_V1_Declaration] {
        try await define()
        _ = try await participation().createOffer(offer(Self.service))
        // £1.50 a year a patient, by the month: these weighted lists give the amounts of W16.
        let lists = ["32960.8", "23899.6", "45040", "9634.64"]
        try await office.loadPopulations(
            zip(Self.practices, lists).map { "\($0),wpls,2020-01-01,\($1),test" })
        let run = try await office.calculate(Self.service, Self.april)
        #expect(run.totalPence == 13_941_88)
        _ = try await nightly()
        return try await waiting(.awaitingCommissioningOrganisationApproval)
    }

    /// A network service on the weighted list, which alone has decimals.
    func define() async throws {
        let flags = "noDeclarationRequired|autoDeclare|autoAcceptOffer|pcnAggregated|financeApprovalRequired"
        let service =
            "\(Self.service),1,Network service of W16,2020/21,pcn,2020-04-01,2021-03-31,monthly,none,calculationOnly,pcn,"
            + "population,wpls,PRACTICE|PCN,\(flags),PCNCORE,,C,test"
        let tariff = "\(Self.service),1,w16,,1.50,wpls,12,2020-04-01,,,C,test"
        try await office.define(service: service, tariff: tariff)
    }

    @discardableResult
    func nightly() async throws -> Pcs_Cqrs_V1_NightlyReport {
        try await declarations(office.operating).runNightly(.init())
    }

    /// States of all participations in a service below the commissioner.
    func states(_ service: String) async throws -> [Pcs_Cqrs_V1_ParticipationState] {
        try await participation().listParticipations(
            .with { ($0.organisationCode, $0.serviceCode) = (Self.commissioner, service) }
        ).participations.map(\.state)
    }

    func waiting(_ state: Pcs_Cqrs_V1_DeclarationState) async throws -> [Pcs_Cqrs_V1_Declaration] {
        let viewer = office.operating
        return try await declarations(viewer).listCommissionerDeclarations(
            .with { ($0.commissionerCode, $0.state) = (Self.commissioner, state) }
        ).declarations
    }

    func decision(_ ids: [String]) -> Pcs_Cqrs_V1_DecideDeclarationsRequest {
        .with { ($0.commissionerCode, $0.declarationIds) = (Self.commissioner, ids) }
    }

    func standing() async throws -> Pcs_Cqrs_V1_NetworkStanding {
        try await declarations(office.operating).getNetworkStanding(
            .with {
                $0.pcnCode = Self.pcn
                $0.serviceCode = Self.service
                $0.achievementDate = Pcs_Common_V1_Date(Self.april)
            })
    }

    /// The register's next file says that a practice has left.
    func leave(_ practice: String, on day: String) async throws {
        var text = String(decoding: try OpenData.read("ods/epcncorepartnerdetails.csv.gz"), as: UTF8.self)
        let row = try #require(text.range(of: "\"\(practice)\","))
        let open = try #require(text.range(of: "\"20191001\",\"\"", range: row.upperBound..<text.endIndex))
        text.replaceSubrange(open, with: "\"20191001\",\"\(day)\"")
        try await office.host.loadOrganisations(
            Array(text.utf8), kind: .pcnMembers, fileName: "epcncorepartnerdetails.csv",
            publishedOn: CQRSPluginTests.day("2026-03-10"))
        try await office.host.eventsDelivered()
    }

    /// The register's next file says that a practice left and came back.
    func rejoin(_ practice: String, left: String, on day: String) async throws {
        let text = String(decoding: try OpenData.read("ods/epcncorepartnerdetails.csv.gz"), as: UTF8.self)
        let row = try #require(
            text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\"\(practice)\",") })
        let ended = row.replacing("\"20191001\",\"\"", with: "\"20191001\",\"\(left)\"")
        let again = row.replacing("\"20191001\",\"\"", with: "\"\(day)\",\"\"")
        let changed = text.replacing(row, with: ended + "\r\n" + again)
        try await office.host.loadOrganisations(
            Array(changed.utf8), kind: .pcnMembers, fileName: "epcncorepartnerdetails.csv",
            publishedOn: CQRSPluginTests.day("2026-03-10"))
        try await office.host.eventsDelivered()
    }
}
