import CommonContract
import Crypto
import CryptoExtras
import HostContract
import PluginAPI
import PluginTestKit
import Synchronization
import Testing

@testable import Host

@Suite("People, systems, keys and grants")
struct IdentityServiceTests {
    private func day(_ text: String) -> Pcs_Common_V1_Date {
        Pcs_Common_V1_Date(CalendarDate(iso8601: text) ?? .unboundedStart)
    }

    private func person(_ id: String, email: String) -> Pcs_Host_V1_CreatePersonRequest {
        .with {
            $0.personID = id
            $0.name = "A Person"
            $0.email = email
        }
    }

    private func client(_ id: String) -> Pcs_Host_V1_CreateClientRequest {
        .with {
            $0.clientID = id
            $0.name = "A System"
            $0.purpose = "tests of identity"
            $0.owner = "the team"
            $0.scopes = ["pcs.host.v1.*"]
        }
    }

    private func grant(_ subject: String, _ role: Pcs_Access_V1_Role, at organisation: String = "PCS")
        -> Pcs_Host_V1_GrantRoleRequest
    {
        .with {
            $0.subjectID = subject
            $0.role = role
            $0.organisationCode = organisation
            $0.reason = "for the tests"
        }
    }

    @Test("ids and e-mail addresses are unique, across people and clients and whatever the case")
    func unique() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            let made = try await identity.createPerson(person("anna.k", email: "Anna.K@nhs.net"))
            #expect(made.state == .active && made.email == "Anna.K@nhs.net")
            let sameID = await failure { try await identity.createClient(client("anna.k")) }
            #expect(
                sameID?.reason == HostReasons.alreadyExists && sameID?.violations.first?.field == "client_id")
            let sameEmail = await failure {
                try await identity.createPerson(person("other", email: "anna.k@NHS.net"))
            }
            #expect(
                sameEmail?.reason == HostReasons.alreadyExists
                    && sameEmail?.violations.first?.field == "email")
        }
    }

    @Test("fields that break rules are named, all at once")
    func fields() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            let bad = await failure {
                try await identity.createPerson(
                    .with {
                        $0.personID = "A!"
                        $0.name = ""
                        $0.email = "no address"
                    })
            }
            #expect(bad?.violations.map(\.field) == ["person_id", "name", "email"])
            for email in ["a@b", "@b.c", "a@", "a@b@c.d", "a b@c.d", "a@b..c", "é@b.c", "a\"@b.c"] {
                #expect(
                    await failure { try await identity.createPerson(person("anna", email: email)) }?
                        .violations.map(\.field) == ["email"], "\(email)")
            }
            for scope in [
                "", "*", "pcs.*x", "pcs.payments.v1", "pcs.payments.v1.RunService/", "other.v1.*",
                "pcs..v1.*", "pcs.a.v1.S/M/N",
            ] {
                var request = client("a-system")
                request.scopes = ["pcs.host.v1.*", scope]
                #expect(
                    await failure { try await identity.createClient(request) }?.violations.map(\.field) == [
                        "scopes[1]"
                    ], "\(scope)")
            }
            var uri = client("a-system")
            uri.certificateUri = "no uri"
            #expect(
                await failure { try await identity.createClient(uri) }?.violations.map(\.field) == [
                    "certificate_uri"
                ])
        }
    }

    @Test("keys: RSA from 2048 bits, P-256 and Ed25519; nothing else, none twice, none after revocation")
    func keys() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            _ = try await identity.createPerson(person("anna", email: "anna@nhs.net"))
            _ = try await identity.createPerson(person("ben", email: "ben@nhs.net"))
            func register(_ subject: String, _ key: String, _ pem: String) async -> Failure? {
                await failure {
                    try await identity.registerKey(
                        .with {
                            $0.subjectID = subject
                            $0.keyID = key
                            $0.publicKeyPem = pem
                        })
                }
            }
            let good = P256.Signing.PrivateKey()
            #expect(await register("anna", "one", good.publicKey.pemRepresentation) == nil)
            #expect(
                await register("anna", "two", good.publicKey.pemRepresentation)?.violations.first?.field
                    == "public_key_pem")
            #expect(
                await register("ben", "one", good.publicKey.pemRepresentation)?.reason
                    == HostReasons.alreadyExists)
            #expect(
                await register("anna", "one", P256.Signing.PrivateKey().publicKey.pemRepresentation)?
                    .violations.first?.field == "key_id")
            let windows = Curve25519.Signing.PrivateKey().publicKey.pemRepresentation.replacing(
                "\n", with: "\r\n")
            #expect(await register("anna", "ed", windows) == nil)
            let small = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1_024)).publicKey
                .pemRepresentation
            for pem in [
                small, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                good.pemRepresentation,
                P384.Signing.PrivateKey().publicKey.pemRepresentation,
                Curve25519.KeyAgreement.PrivateKey().publicKey.pemRepresentation,
                good.publicKey.pemRepresentation + "\n" + good.publicKey.pemRepresentation,
            ] {
                let refused = await register("anna", "bad", pem)
                #expect(
                    refused?.reason == HostReasons.fieldInvalid
                        && refused?.violations.first?.field == "public_key_pem", "\(pem)")
            }
            #expect(
                await register("nobody", "one", P256.Signing.PrivateKey().publicKey.pemRepresentation)?.reason
                    == HostReasons.notFound)
            let revoke = Pcs_Host_V1_RevokeKeyRequest.with {
                $0.subjectID = "anna"
                $0.keyID = "one"
                $0.reason = "the laptop was lost"
            }
            #expect(try await identity.revokeKey(revoke).revoked)
            #expect(await failure { try await identity.revokeKey(revoke) }?.reason == HostReasons.stateWrong)
            #expect(
                await register("anna", "three", good.publicKey.pemRepresentation)?.reason
                    == HostReasons.alreadyExists)
            #expect(
                await register("anna", "one", P256.Signing.PrivateKey().publicKey.pemRepresentation)?.reason
                    == HostReasons.alreadyExists)
        }
    }

    @Test("grants: known roles and open organisations, from today on, with a reason, not twice at a time")
    func grants() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            _ = try await identity.createPerson(person("anna", email: "anna@nhs.net"))
            func refused(_ change: (inout Pcs_Host_V1_GrantRoleRequest) -> Void) async -> String? {
                var request = grant("anna", .paymentsOperator)
                change(&request)
                return await failure { try await identity.grantRole(request) }?.violations.first?.field
            }
            #expect(await refused { $0.role = .unspecified } == "role")
            #expect(await refused { $0.role = .UNRECOGNIZED(77) } == "role")
            #expect(await refused { $0.organisationCode = "A81001" } == "organisation_code")
            #expect(await refused { $0.organisationCode = "pcs" } == "organisation_code")
            #expect(await refused { $0.validFrom = day("2026-03-15") } == "valid_from")
            #expect(await refused { $0.validTo = day("2026-03-16") } == "valid_to")
            #expect(await refused { $0.validTo = .with { $0.day = 40 } } == "valid_to")
            #expect(await refused { $0.reason = "" } == "reason")
            #expect(await refused { $0.subjectID = "nobody" } == "subject_id")
            var request = grant("anna", .paymentsOperator)
            request.validTo = day("2026-04-01")
            let given = try await identity.grantRole(request)
            #expect(given.givenBy == "local:host" && given.validFrom == day("2026-03-16"))
            #expect(
                await failure { try await identity.grantRole(request) }?.reason == HostReasons.alreadyExists)
            request.validFrom = day("2026-04-01")
            request.validTo = day("2026-05-01")
            _ = try await identity.grantRole(request)
            let revoke = Pcs_Host_V1_RevokeGrantRequest.with {
                $0.grantID = given.grantID
                $0.reason = "moved on"
            }
            #expect(try await identity.revokeGrant(revoke).revokedBy == "local:host")
            #expect(
                await failure { try await identity.revokeGrant(revoke) }?.reason == HostReasons.stateWrong)
            let listed = try await identity.listSubjects(.with { $0.subjectID = "anna" })
            #expect(
                listed.people.count == 1 && listed.grants.count == 2
                    && listed.grants.filter { !$0.revokedBy.isEmpty }.count == 1)
            #expect(
                await failure { try await identity.listSubjects(.with { $0.subjectID = "zzz" }) }?.reason
                    == HostReasons.notFound)
        }
    }

    @Test("a role given to oneself is recorded as such")
    func selfGrant() async throws {
        try await TestHost.with { host in
            let admin = try await host.person("admin", roles: [Roles.identityAdministrator])
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport(as: admin))
            _ = try await identity.grantRole(grant("admin", .paymentsApprover))
            let details = try host.process.store().auditRows(from: 0, limit: 1_000).map(\.note.detail)
            #expect(details.filter { $0.hasPrefix("ROLE TO SELF: granted PAYMENTS_APPROVER") }.count == 1)
            #expect(details.filter { $0.hasPrefix("granted IDENTITY_ADMINISTRATOR") }.count == 1)
        }
    }

    @Test("a grant holds from its first day until before its end, by the host's clock")
    func validity() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            let anna = try await host.person("anna")
            var request = grant("anna", .auditor)
            request.validFrom = day("2026-04-01")
            request.validTo = day("2026-05-01")
            _ = try await identity.grantRole(request)
            func canList() async throws -> Failure? {
                let service = Pcs_Host_V1_IdentityServiceClient(try await host.transport(as: anna))
                return await failure { try await service.listSubjects(.init()) }
            }
            let early = try await canList()
            #expect(
                early?.reason == HostReasons.accessDenied && early?.message.contains("clause grant") == true)
            for (date, isAllowed) in [
                ("2026-03-31", false), ("2026-04-01", true), ("2026-04-30", true), ("2026-05-01", false),
            ] {
                host.clock.set(try #require(CalendarDate(iso8601: date)))
                #expect(try await canList() == nil || !isAllowed)
                #expect((try await canList() == nil) == isAllowed, "\(date)")
            }
        }
    }

    @Test(
        "revoking a key, a grant or a token, and disabling an account, end tokens at once and tell the listeners"
    )
    func revocations() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            let registry = try host.process.identity()
            let told = Mutex<[String]>([])
            registry.onRevocation { subject in told.withLock { $0.append(subject) } }
            let anna = try await host.person("anna", roles: [Roles.auditor])
            func ended(_ token: String) async -> Bool {
                await failure { try registry.authenticate(accessToken: token) }?.reason
                    == HostReasons.tokenExpired
            }
            let first = try await host.accessToken(of: anna)
            let second = try await host.accessToken(of: anna)
            _ = try await identity.revokeToken(.with { $0.accessToken = first })
            #expect(await ended(first))
            #expect(await !ended(second))
            let own = Pcs_Host_V1_IdentityServiceClient(try await host.transport(as: anna))
            #expect(try await own.whoAmI(.init()).personID == "anna")
            let third = try await host.accessToken(of: anna)
            _ = try await own.revokeToken(.init(), options: CallOptions(accessToken: third))
            #expect(await ended(third))

            let grantID = try #require(
                try await identity.listSubjects(.with { $0.subjectID = "anna" }).grants.first?.grantID)
            _ = try await identity.revokeGrant(
                .with {
                    $0.grantID = grantID
                    $0.reason = "moved on"
                })
            #expect(await ended(second))
            let fourth = try await host.accessToken(of: anna)
            _ = try await identity.setSubjectState(
                .with {
                    $0.subjectID = "anna"
                    $0.state = .disabled
                    $0.reason = "on leave"
                })
            #expect(await ended(fourth))
            #expect(
                await failure { try await host.accessToken(of: anna) }?.reason == HostReasons.assertionRefused
            )
            _ = try await identity.setSubjectState(
                .with {
                    $0.subjectID = "anna"
                    $0.state = .active
                    $0.reason = "back from leave"
                })
            #expect(await ended(fourth), "what ended stays ended")
            let fifth = try await host.accessToken(of: anna)
            _ = try await identity.revokeKey(
                .with {
                    $0.subjectID = "anna"
                    $0.keyID = "test"
                    $0.reason = "rotated"
                })
            #expect(await ended(fifth))
            #expect(told.withLock { $0 } == ["anna", "anna", "anna", "anna", "anna"])
        }
    }

    @Test("a restart forgets tokens and nothing else")
    func restart() async throws {
        try await TestHost.with { host in
            let anna = try await host.person("anna", roles: [Roles.auditor])
            let token = try await host.accessToken(of: anna)
            try await host.restart()
            let registry = try host.process.identity()
            #expect(
                await failure { try registry.authenticate(accessToken: token) }?.reason
                    == HostReasons.unauthenticated)
            let service = Pcs_Host_V1_IdentityServiceClient(try await host.transport(as: anna))
            let seen = try await service.whoAmI(.init())
            #expect(
                seen.grants.map(\.role) == [.auditor] && seen.actingFor == "PCS"
                    && seen.authentication == "token")
            #expect(seen.personName == "Person anna")
        }
    }

    @Test("a certificate stands for the client that has its name, while it is active")
    func certificates() async throws {
        try await TestHost.with { host in
            let uri = "spiffe://pcs/gp-system"
            _ = try await host.client("gp-system", certificateURI: uri)
            let registry = try host.process.identity()
            let principal = try registry.authenticate(certificateURI: uri)
            #expect(principal.subjectID == "gp-system" && principal.authentication == "mutual-tls")
            #expect(
                await failure { try registry.authenticate(certificateURI: uri + "2") }?.reason
                    == HostReasons.unauthenticated)
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            var second = client("other")
            second.certificateUri = uri
            #expect(
                await failure { try await identity.createClient(second) }?.violations.first?.field
                    == "certificate_uri")
            _ = try await identity.setSubjectState(
                .with {
                    $0.subjectID = "gp-system"
                    $0.state = .disabled
                    $0.reason = "not used any more"
                })
            #expect(
                await failure { try registry.authenticate(certificateURI: uri) }?.reason
                    == HostReasons.unauthenticated)
            let late = await failure {
                try registry.authorise(
                    Pcs_Host_V1_IdentityServiceMethods.whoAmI, credentials: Credentials(system: principal),
                    organisations: [])
            }
            #expect(late?.message.contains("clause account") == true)
        }
    }

    @Test("the same idempotency key makes one account, and memory follows")
    func idempotent() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            for _ in 0..<2 {
                let made = try await identity.createPerson(
                    person("anna", email: "anna@nhs.net"), options: CallOptions(idempotencyKey: "k-1"))
                #expect(made.personID == "anna")
            }
            #expect(try await identity.listSubjects(.init()).people.count == 1)
        }
    }
}
