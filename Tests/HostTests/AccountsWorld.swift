import CommonContract
import FrameClient
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// A host with three practices, and people who come into their accounts over its sockets.
struct AccountsWorld {
    let host: TestHost
    /// Somebody who has proved nothing, over TCP.
    let stranger: FrameClient
    let accounts: Pcs_Host_V1_AccountServiceClient
    /// The operator at the Unix socket.
    let operations: Pcs_Host_V1_AccountServiceClient

    static let start = CalendarDate(daysSince1970: 20_528)
    static let password = "violet-anchor-teapot-51"

    static func with(
        configure: (inout HostSettings) -> Void = { _ in }, _ body: (AccountsWorld) async throws -> Void
    ) async throws {
        try await TestHost.with([TrialPlugin.self], clock: ManualClock(start), configure: configure) { host in
            let loading = OrganisationLoading(host: host)
            let commissioners = RegisterFile.commissioners([
                RegisterFile.commissioner("QT1", primary: "RO261", roles: "RO262|RO318"),
                RegisterFile.commissioner("02Q", roles: "RO319", parent: "QT1"),
            ])
            _ = try await loading.load(
                Array(commissioners.utf8), .commissioners, name: "commissioners.csv", published: start)
            let rows = (0..<3).map {
                RegisterFile.practice("A8\(1_001 + $0)", name: "SURGERY {code} \($0)", commissioner: "02Q")
            }
            _ = try await loading.load(
                RegisterFile.file(rows), .practices, name: "epraccur.csv", published: start)
            let client = FrameClient(FrameClientConfiguration(address: host.address(.tcp)))
            let world = AccountsWorld(
                host: host, stranger: client, accounts: Pcs_Host_V1_AccountServiceClient(client),
                operations: Pcs_Host_V1_AccountServiceClient(try await host.transport(.unixSocket)))
            do {
                try await body(world)
            } catch {
                await client.close()
                throw error
            }
            await client.close()
        }
    }

    /// A person with an account in use.
    struct Person {
        let id: String
        var password: String
        var secret: [UInt8]
        var email: String { "\(id)@example.nhs.uk" }
    }

    /// Registers a person with a role at organisations, and brings them through their invitation.
    func person(
        _ id: String, _ roles: Set<Role> = [Roles.practiceStatements], at organisations: [String] = ["A81001"]
    )
        async throws -> Person
    {
        var subject = try await host.person(id, roles: roles, at: organisations.first ?? "PCS")
        for organisation in organisations.dropFirst() {
            subject = try await host.grant(roles, at: organisation, to: subject)
        }
        let invitation = try await operations.invite(.with { $0.accountID = id })
        return try await accept(invitation.code, id: id)
    }

    func accept(_ code: String, id: String, password: String = AccountsWorld.password) async throws -> Person
    {
        let enrolled = try await accounts.acceptInvitation(
            .with {
                $0.code = code
                $0.password = password
            })
        let person = Person(id: id, password: password, secret: try Self.unbase32(enrolled.secret))
        let confirmed = try await accounts.confirmSecondFactor(
            .with {
                $0.code = code
                $0.oneTimeCode = self.code(of: person)
            })
        #expect(confirmed.state == .active)
        return person
    }

    /// A one-time code that has not served yet: the clock goes on to the next step.
    func code(of person: Person) -> String {
        host.clock.advance(milliseconds: 30_000)
        return TimeBasedCode.code(secret: person.secret, step: TimeBasedCode.step(at: host.clock.now))
    }

    func request(_ person: Person, at organisation: String = "") -> Pcs_Host_V1_LogInRequest {
        .with {
            $0.email = person.email
            $0.password = person.password
            $0.oneTimeCode = code(of: person)
            $0.organisationCode = organisation
        }
    }

    func logIn(_ person: Person, at organisation: String = "") async throws -> Pcs_Host_V1_OpenedSession {
        try await accounts.logIn(request(person, at: organisation))
    }

    /// The accounts' service, called by a session.
    func by(_ session: Pcs_Host_V1_OpenedSession) -> CallOptions {
        CallOptions(accessToken: session.accessToken)
    }

    func notices() async throws -> [Pcs_Host_V1_Notice] {
        let name = "mailer-\(UInt64.random(in: 0 ... .max))"
        let sender = try await host.client(name, roles: [Roles.noticeSender])
        let service = Pcs_Host_V1_AccountServiceClient(try await host.transport(.tcp, as: sender))
        var found: [Pcs_Host_V1_Notice] = []
        for try await notice in try await service.streamNotices(.with { $0.onlyWaiting = true }) {
            found.append(notice)
        }
        return found
    }

    /// Everything the audit says, once the refusals are written.
    func audit() async throws -> [String] {
        try await host.process.dispatcher().refusals.flush(all: true)
        try await Task.sleep(for: .milliseconds(50))
        return try host.process.store().auditRows(from: 0, limit: 100_000).map(\.note.detail)
    }

    static func unbase32(_ text: String) throws -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var bytes: [UInt8] = []
        var buffer = 0
        var bits = 0
        for letter in text {
            let value = try #require(alphabet.firstIndex(of: letter))
            buffer = buffer << 5 | value
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
                buffer &= (1 << bits) - 1
            }
        }
        return bytes
    }
}
