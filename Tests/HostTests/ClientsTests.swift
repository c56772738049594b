import CommonContract
import Crypto
import FrameClient
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("System clients, through the socket")
struct ClientsTests {
    private static let start = CalendarDate(daysSince1970: 20_528)

    /// A client registered with one EC key, who calls over TCP.
    struct Caller {
        let id: String
        let key: P256.Signing.PrivateKey
        let keyID: String
        let host: TestHost

        func token() async throws -> String {
            let maker = AssertionMaker(
                .p256(key), algorithm: "ES256", subject: id, keyID: keyID, audience: host.settings.audience,
                now: host.clock.now)
            let identity = Pcs_Host_V1_IdentityServiceClient(try host.process.transport(.none))
            return try await identity.issueToken(.with { $0.clientAssertion = try maker.compact() })
                .accessToken
        }

        /// Asks who it is, with a token, over a TCP connection of its own.
        func whoAmI(_ token: String) async throws -> Pcs_Host_V1_WhoAmIResponse {
            var configuration = FrameClientConfiguration(address: host.address(.tcp))
            configuration.accessToken = token
            let client = FrameClient(configuration)
            do {
                let reply = try await Pcs_Host_V1_IdentityServiceClient(client).whoAmI(.init())
                await client.close()
                return reply
            } catch {
                await client.close()
                throw error
            }
        }
    }

    private func service(_ host: TestHost) async throws -> Pcs_Host_V1_ClientServiceClient {
        Pcs_Host_V1_ClientServiceClient(try await host.transport(.unixSocket))
    }

    private func request(
        _ id: String = "gp-system", networks: [String] = [], days: Int = 365
    ) -> Pcs_Host_V1_RegisterClientRequest {
        .with {
            $0.clientID = id
            $0.name = "A practice system"
            $0.organisationCode = "PCS"
            $0.owner = "Anna Owner"
            $0.purpose = "tests of clients"
            $0.scopes = ["pcs.host.v1.*"]
            $0.allowedNetworks = networks
            $0.expiresOn = Pcs_Common_V1_Date(Self.start.adding(days: days))
        }
    }

    private func with(
        networks: [String] = [], days: Int = 365,
        _ body: (TestHost, Pcs_Host_V1_ClientServiceClient, Caller) async throws -> Void
    ) async throws {
        try await TestHost.with(clock: ManualClock(Self.start)) { host in
            let clients = try await service(host)
            _ = try await clients.registerClient(request(networks: networks, days: days))
            let key = P256.Signing.PrivateKey()
            _ = try await clients.putClientKeys(
                .with {
                    $0.clientID = "gp-system"
                    $0.jwks = WebKey.set([WebKey.ec(key, kid: "k1")])
                    $0.reason = "first key"
                })
            try await body(host, clients, Caller(id: "gp-system", key: key, keyID: "k1", host: host))
        }
    }

    @Test(
        "a client registered with its organisation, owner, networks, end and key set calls, and its use is noted"
    )
    func registered() async throws {
        try await with(networks: ["127.0.0.0/8"]) { host, clients, caller in
            let who = try await caller.whoAmI(try await caller.token())
            #expect(who.clientID == "gp-system")
            let shown = try await clients.getClient(.with { $0.clientID = "gp-system" })
            #expect(shown.organisationCode == "PCS" && shown.owner == "Anna Owner" && shown.state == .active)
            #expect(shown.allowedNetworks == ["127.0.0.0/8"])
            #expect(shown.lastUsedOn.calendarDate == Self.start)
            #expect(shown.keys.map(\.keyID) == ["k1"] && shown.keys.map(\.algorithm) == ["ES256"])
            var listed: [String] = []
            for try await client in try await clients.listClients(.with { $0.organisationCode = "PCS" }) {
                listed.append(client.clientID)
            }
            #expect(listed == ["gp-system"])
        }
    }

    @Test(
        "from another network it is refused by the clause client, also after a restart; a change acts at once"
    )
    func networks() async throws {
        try await with(networks: ["192.0.2.0/24", "2001:db8::/32"]) { host, clients, caller in
            let token = try await caller.token()
            let refused = await failure { try await caller.whoAmI(token) }
            #expect(
                refused?.reason == HostReasons.accessDenied
                    && refused?.message.contains("clause client") == true)
            try await host.restart()
            #expect(
                await failure { try await caller.whoAmI(try await caller.token()) }?.reason
                    == HostReasons.accessDenied)
            let again = try await service(host)
            let changed = try await again.changeClient(
                .with {
                    $0.clientID = "gp-system"
                    $0.allowedNetworks = ["127.0.0.1/32"]
                    $0.reason = "moved to this machine"
                })
            #expect(changed.allowedNetworks == ["127.0.0.1/32"])
            #expect(try await caller.whoAmI(try await caller.token()).clientID == "gp-system")
        }
    }

    @Test("after its last day a client is refused; thirty days before, it becomes a task, once")
    func expiry() async throws {
        try await with(days: 40) { host, clients, caller in
            let upkeep = ClientUpkeep(identity: try host.process.identity())
            #expect(try await upkeep.run() == "0 unused clients disabled, 0 alarms raised")
            host.clock.set(Self.start.adding(days: 10))
            #expect(try await upkeep.run() == "0 unused clients disabled, 1 alarms raised")
            #expect(try await upkeep.run() == "0 unused clients disabled, 0 alarms raised")
            let alarms = try host.process.store().outbox(after: 0, limit: 1_000)
                .filter { $0.type == Pcs_Host_V1_ClientAlarmRaised.protoMessageName }
                .map { try Pcs_Host_V1_ClientAlarmRaised(serializedBytes: $0.payload) }
            #expect(alarms.map(\.alarm) == [.expires])
            host.clock.set(Self.start.adding(days: 40), hour: 23, minute: 59)
            #expect(try await caller.whoAmI(try await caller.token()).clientID == "gp-system")
            host.clock.set(Self.start.adding(days: 41), hour: 0, minute: 0)
            let refused = await failure { try await caller.whoAmI(try await caller.token()) }
            #expect(refused?.message.contains("has expired") == true)
            _ = try await clients.changeClient(
                .with {
                    $0.clientID = "gp-system"
                    $0.expiresOn = Pcs_Common_V1_Date(Self.start.adding(days: 100))
                    $0.reason = "looked at again"
                })
            #expect(try await caller.whoAmI(try await caller.token()).clientID == "gp-system")
        }
    }

    @Test("unused for ninety days: disabled, with the reason; used in between: not")
    func unused() async throws {
        try await with { host, clients, caller in
            let upkeep = ClientUpkeep(identity: try host.process.identity())
            host.clock.set(Self.start.adding(days: 60))
            _ = try await caller.whoAmI(try await caller.token())
            host.clock.set(Self.start.adding(days: 149))
            #expect(try await upkeep.run().hasPrefix("0 unused"))
            host.clock.set(Self.start.adding(days: 150))
            #expect(try await upkeep.run().hasPrefix("1 unused"))
            let shown = try await clients.getClient(.with { $0.clientID = "gp-system" })
            #expect(shown.state == .disabled && shown.disabledBecause == "not used for 90 days")
            #expect(await failure { try await caller.token() }?.reason == HostReasons.assertionRefused)
        }
    }

    @Test(
        "a rotation keeps the old key for its overlap; then its tokens end within seconds on open connections"
    )
    func rotation() async throws {
        try await with { host, clients, caller in
            let next = P256.Signing.PrivateKey()
            let rotated = try await clients.putClientKeys(
                .with {
                    $0.clientID = "gp-system"
                    $0.jwks = WebKey.set([WebKey.ec(next, kid: "k2")])
                    $0.overlapHours = 24
                    $0.reason = "yearly rotation"
                })
            #expect(rotated.keys.map { $0.retiresAtSeconds > 0 } == [true, false])
            let newer = Caller(id: "gp-system", key: next, keyID: "k2", host: host)
            _ = try await newer.token()
            host.clock.advance(milliseconds: 24 * 3_600_000 - 60_000)
            let old = try await caller.token()
            var configuration = FrameClientConfiguration(address: host.address(.tcp))
            configuration.accessToken = old
            let open = FrameClient(configuration)
            let identity = Pcs_Host_V1_IdentityServiceClient(open)
            #expect(try await identity.whoAmI(.init()).clientID == "gp-system")
            host.clock.advance(milliseconds: 60_000)
            let upkeep = ClientUpkeep(identity: try host.process.identity())
            #expect(try await upkeep.retireKeys() == "1 keys retired")
            let ended = await failure { try await identity.whoAmI(.init()) }
            #expect(ended?.reason.code == .unauthenticated || ended?.reason.code == .unavailable)
            await open.close()
            #expect(await failure { try await caller.token() }?.reason == HostReasons.assertionRefused)
            #expect(try await newer.whoAmI(try await newer.token()).clientID == "gp-system")
            // A key that was revoked never comes back.
            let back = await failure {
                try await clients.putClientKeys(
                    .with {
                        $0.clientID = "gp-system"
                        $0.jwks = WebKey.set([WebKey.ec(caller.key, kid: "k1"), WebKey.ec(next, kid: "k2")])
                        $0.reason = "mistake"
                    })
            }
            #expect(back?.violations.first?.rule == "jwk.revoked")
        }
    }

    @Test("a set is taken whole or not at all: another's key, another key of a known name, a private key")
    func keySets() async throws {
        try await with { host, clients, caller in
            _ = try await clients.registerClient(request("other-system"))
            func put(_ client: String, _ keys: [String]) async -> Failure? {
                await failure {
                    try await clients.putClientKeys(
                        .with {
                            $0.clientID = client
                            $0.jwks = WebKey.set(keys)
                            $0.reason = "a test"
                        })
                }
            }
            let fresh = WebKey.ec(P256.Signing.PrivateKey(), kid: "fresh")
            #expect(
                await put("other-system", [fresh, WebKey.ec(caller.key, kid: "k1")])?.violations.first?.rule
                    == "key.fingerprint")
            #expect(
                await put("gp-system", [fresh, WebKey.ec(P256.Signing.PrivateKey(), kid: "k1")])?.violations
                    .first?.rule
                    == "jwk.kid")
            let secret = Base64URL.encode(Array(caller.key.rawRepresentation))
            #expect(
                await put("gp-system", [fresh, WebKey.ec(caller.key, kid: "k1", more: ["d": secret])])?
                    .violations.first?
                    .rule == "jwk.private")
            #expect(await put("nobody", [fresh])?.reason == HostReasons.notFound)
            let shown = try await clients.getClient(.with { $0.clientID = "gp-system" })
            #expect(shown.keys.map(\.keyID) == ["k1"] && shown.keys.allSatisfy { $0.retiresAtSeconds == 0 })
            let details = try host.process.store().auditRows(from: 0, limit: 10_000).map(\.note.detail)
                .joined()
            #expect(!details.contains(secret))
        }
    }

    @Test("fields of a registration are checked one by one")
    func fields() async throws {
        try await TestHost.with(clock: ManualClock(Self.start)) { host in
            let clients = try await service(host)
            func ask(_ change: (inout Pcs_Host_V1_RegisterClientRequest) -> Void) async -> String? {
                var wanted = request()
                change(&wanted)
                return await failure { try await clients.registerClient(wanted) }?.violations.first?.rule
            }
            #expect(await ask { $0.organisationCode = "X99999" } == "client.organisation")
            #expect(await ask { $0.allowedNetworks = ["10.0.0.1/8"] } == "client.network")
            #expect(await ask { $0.scopes = ["*"] } == "client.scope")
            #expect(
                await ask { $0.expiresOn = Pcs_Common_V1_Date(Self.start.adding(days: -1)) }
                    == "client.expiry")
            #expect(
                await ask { $0.expiresOn = Pcs_Common_V1_Date(Self.start.adding(days: 900)) }
                    == "client.expiry")
            #expect(await ask { $0.clearExpiresOn() } == "day")
            #expect(await ask { $0.certificatePem = "no certificate" } == "certificate.form")
            #expect(await ask { $0.owner = "" } == "text.length")
            _ = try await clients.registerClient(request())
            #expect(await ask { _ in } == "subject.unique")
        }
    }

    @Test("clients made the older way are clients here too")
    func olderWay() async throws {
        try await TestHost.with(clock: ManualClock(Self.start)) { host in
            let older = try await host.client("older-system", roles: [Roles.auditor])
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport(.tcp, as: older))
            #expect(try await identity.whoAmI(.init()).clientID == "older-system")
            let clients = try await service(host)
            let shown = try await clients.getClient(.with { $0.clientID = "older-system" })
            #expect(shown.owner == "the test kit" && !shown.hasExpiresOn && shown.keys.count == 1)
            _ = try await ClientUpkeep(identity: try host.process.identity()).run()
            try await host.restart()
            let again = try await service(host).getClient(.with { $0.clientID = "older-system" })
            #expect(again.lastUsedOn.calendarDate == Self.start)
        }
    }
}
