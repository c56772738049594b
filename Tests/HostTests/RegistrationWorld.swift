import CommonContract
import FrameClient
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// A host with a small register, and what the tests of registration do with it over sockets.
struct RegistrationWorld {
    let host: TestHost
    /// Operator at the Unix socket.
    let operations: Pcs_Host_V1_OrganisationRegistrationServiceClient
    /// Somebody who has proved nothing, over TCP.
    let stranger: Pcs_Host_V1_OrganisationRegistrationServiceClient

    static let practice = "A81001"
    static let optician = "TP1AB"
    static let pharmacy = "FA002"

    static func with(
        from day: CalendarDate, practices: Int = 3, _ body: (RegistrationWorld) async throws -> Void
    ) async throws {
        try await TestHost.with(clock: ManualClock(day)) { host in
            let loading = OrganisationLoading(host: host)
            let commissioners = RegisterFile.commissioners([
                RegisterFile.commissioner("QT1", primary: "RO261", roles: "RO262|RO318"),
                RegisterFile.commissioner("02Q", roles: "RO319", parent: "QT1"),
            ])
            _ = try await loading.load(
                Array(commissioners.utf8), .commissioners, name: "commissioners.csv", published: day)
            let rows = (0..<practices).map {
                RegisterFile.practice("A8\(1_001 + $0)", name: "SURGERY {code} \($0)", commissioner: "02Q")
            }
            _ = try await loading.load(
                RegisterFile.file(rows), .practices, name: "epraccur.csv", published: day)
            _ = try await loading.load(
                RegisterFile.file([RegisterFile.practice(optician, name: "CLEAR SIGHT", commissioner: "")]),
                .opticalSites, name: "eoptsite.csv", published: day)
            _ = try await loading.load(
                RegisterFile.file([RegisterFile.practice(pharmacy, name: "A PHARMACY", commissioner: "")]),
                .pharmacies, name: "edispensary.csv", published: day)
            let client = FrameClient(FrameClientConfiguration(address: host.address(.tcp)))
            do {
                try await body(
                    RegistrationWorld(
                        host: host,
                        operations: Pcs_Host_V1_OrganisationRegistrationServiceClient(
                            try await host.transport(.unixSocket)),
                        stranger: Pcs_Host_V1_OrganisationRegistrationServiceClient(client)))
            } catch {
                await client.close()
                throw error
            }
            await client.close()
        }
    }

    func campaign(
        _ codes: [String], name: String = "Letters", expiresOn: CalendarDate? = nil
    ) async throws -> Pcs_Host_V1_RegistrationCampaign {
        try await operations.createCampaign(
            .with {
                $0.name = name
                $0.organisationCodes = codes
                if let expiresOn { $0.expiresOn = Pcs_Common_V1_Date(expiresOn) }
                $0.reason = "first registration"
            })
    }

    func letters(
        _ campaign: Pcs_Host_V1_RegistrationCampaign, limit: Int32 = 0
    ) async throws -> [Pcs_Host_V1_RegistrationLetter] {
        var letters: [Pcs_Host_V1_RegistrationLetter] = []
        for try await letter in try await operations.issueLetters(
            .with {
                $0.campaignID = campaign.campaignID
                $0.limit = limit
            })
        { letters.append(letter) }
        return letters
    }

    /// The code that stands in a letter.
    static func code(_ letter: Pcs_Host_V1_RegistrationLetter) throws -> String {
        let line = letter.text.split(separator: "\n").first { line in
            let word = line.drop { $0 == " " }
            return word.count == 16 && word.filter { $0 == "-" }.count == 3
        }
        return String(try #require(line).drop { $0 == " " })
    }

    func redeem(
        _ code: String, _ organisation: String, administrators: [String] = ["anna"],
        holder: String = "holder",
        key: String? = nil
    ) async throws -> Pcs_Host_V1_RedeemCodeResponse {
        let request = RegistrationWorld.request(
            code, organisation, administrators: administrators, holder: holder)
        return try await stranger.redeemCode(request, options: CallOptions(idempotencyKey: key))
    }

    static func request(
        _ code: String, _ organisation: String, administrators: [String] = ["anna"], holder: String = "holder"
    ) -> Pcs_Host_V1_RedeemCodeRequest {
        .with {
            $0.code = code
            $0.organisationCode = organisation
            $0.contractHolder = person(holder)
            $0.administrators = administrators.map(person)
            $0.acknowledged = true
        }
    }

    static func person(_ name: String) -> Pcs_Host_V1_NamedPerson {
        .with {
            $0.name = name.capitalized
            $0.email = "\(name)@surgery.example"
        }
    }

    func state(_ organisation: String) async throws -> Pcs_Host_V1_RegistrationState {
        try await operations.getRegistration(.with { $0.organisationCode = organisation }).state
    }

    /// What the audit says of refused codes, oldest first.
    func causes() throws -> [String] {
        try host.process.store().auditRows(from: 0, limit: 10_000).map(\.note.detail).filter {
            $0.hasPrefix("registration code for")
        }
    }

    /// What was published of an organisation's registration, oldest first.
    func changes(of organisation: String) throws -> [Pcs_Host_V1_RegistrationState] {
        try host.process.store().outbox(after: 0, limit: 100_000)
            .filter { $0.type == Pcs_Host_V1_RegistrationChanged.protoMessageName }
            .map { try Pcs_Host_V1_RegistrationChanged(serializedBytes: $0.payload) }
            .filter { $0.organisationCode == organisation }.map(\.state)
    }
}
