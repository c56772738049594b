import CommonContract
import FrameClient
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("Sessions of people")
struct AccountsSessionTests {
    private func minutes(_ world: AccountsWorld, _ count: Int64) {
        world.host.clock.advance(milliseconds: count * 60_000)
    }

    private func own(_ world: AccountsWorld, _ session: Pcs_Host_V1_OpenedSession, _ code: String = "A81001")
        async
        -> Failure?
    {
        await failure {
            try await world.stranger.trial(TrialPlugin.own, text: code, options: world.by(session))
        }
    }

    @Test("section 16, example 14: 12 hours at most, 30 minutes idle, five minutes of freshness")
    func lives() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna")
            let long = try await world.logIn(anna)
            for _ in 0..<29 {
                minutes(world, 24)
                #expect(await own(world, long) == nil)
            }
            minutes(world, 14)  // 11 h 50 min
            #expect(await own(world, long) == nil)
            minutes(world, 10)
            #expect(await own(world, long)?.reason == HostReasons.tokenExpired)

            let idle = try await world.logIn(anna)
            minutes(world, 29)
            #expect(await own(world, idle) == nil)
            minutes(world, 30)
            #expect(await own(world, idle)?.reason == HostReasons.tokenExpired)
        }
    }

    @Test(
        "section 16, example 14: a dangerous act six minutes after the last proof needs a step-up; an operator is not asked"
    )
    func stepUp() async throws {
        try await AccountsWorld.with { world in
            let root = try await world.person("root", [Roles.identityAdministrator], at: ["PCS"])
            _ = try await world.person("anna")
            let session = try await world.logIn(root)
            let request = Pcs_Host_V1_ChangeAccountRequest.with {
                $0.accountID = "anna"
                $0.reason = "seen to misuse it"
            }
            minutes(world, 6)
            let stale = await failure {
                try await world.accounts.disableAccount(request, options: world.by(session))
            }
            #expect(
                stale?.reason == HostReasons.stepUpRequired
                    && stale?.message.contains("clause stepUp") == true)
            let fresh = try await world.accounts.stepUp(
                .with {
                    $0.password = root.password
                    $0.oneTimeCode = world.code(of: root)
                }, options: world.by(session))
            #expect(fresh.organisationCode == "PCS" && fresh.sessionID != session.sessionID)
            minutes(world, 5)
            #expect(
                try await world.accounts.disableAccount(request, options: world.by(fresh)).state == .disabled)
            #expect(
                await failure { try await world.accounts.getProfile(.init(), options: world.by(session)) }?
                    .reason == HostReasons.tokenExpired)
            // Systems do not do it for themselves.
            let system = try await world.host.client("a-system", roles: [Roles.identityAdministrator])
            let byItself = Pcs_Host_V1_AccountServiceClient(try await world.host.transport(.tcp, as: system))
            #expect(
                await failure { try await byItself.reactivateAccount(request) }?.reason
                    == HostReasons.stepUpRequired)
            // A token from a signed assertion is a fresh proof.
            let keyed = try await world.host.person("keyed", roles: [Roles.identityAdministrator])
            let byKey = Pcs_Host_V1_AccountServiceClient(try await world.host.transport(.tcp, as: keyed))
            #expect(try await byKey.reactivateAccount(request).state == .active)
            #expect(try await world.operations.disableAccount(request).state == .disabled)
        }
    }

    @Test(
        "section 16, example 9: a session acts for one organisation; records of another look as if they were not there"
    )
    func oneOrganisation() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna", at: ["A81001", "A81002"])
            let open = try await world.logIn(anna)
            #expect(open.organisationCode.isEmpty && open.organisationCodes == ["A81001", "A81002"])
            #expect(await own(world, open)?.reason == HostReasons.actingForRequired)
            let first = try await world.accounts.chooseOrganisation(
                .with { $0.organisationCode = "A81001" }, options: world.by(open))
            #expect(await own(world, first) == nil)
            #expect(await own(world, open)?.reason == HostReasons.tokenExpired)
            let byURL = await own(world, first, "A81002")
            let unknown = await own(world, first, "A81003")
            #expect(byURL?.reason == HostReasons.notFound && byURL?.message == unknown?.message)
            var asked = world.by(first)
            asked.actingFor = "A81002"
            let acting = await failure {
                try await world.stranger.trial(TrialPlugin.own, text: "A81002", options: asked)
            }
            #expect(acting?.message.contains("clause sessionOrganisation") == true)
            let second = try await world.accounts.chooseOrganisation(
                .with { $0.organisationCode = "A81002" }, options: world.by(first))
            #expect(await own(world, second, "A81002") == nil)
            #expect(second.expiresAt == open.expiresAt && second.provedAt == open.provedAt)
            let refused = await failure {
                try await world.accounts.chooseOrganisation(
                    .with { $0.organisationCode = "A81003" }, options: world.by(second))
            }
            #expect(refused?.message.contains("clause membership") == true)
            let details = try await world.audit()
            #expect(
                details.contains { $0.contains("clause sessionOrganisation") && $0.contains("names A81002") })
            #expect(details.contains { $0.contains("session organisation changed from A81001 to A81002") })
        }
    }

    @Test(
        "who is deactivated loses the open connection at once: calls under way, streams, and the connection itself"
    )
    func revocation() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna")
            let session = try await world.logIn(anna)
            var configuration = FrameClientConfiguration(address: world.host.address(.tcp))
            configuration.accessToken = session.accessToken
            let client = FrameClient(configuration)
            let waiting = Task {
                await failure { try await client.trial(TrialPlugin.gate, text: "never-\(session.sessionID)") }
            }
            try await Task.sleep(for: .milliseconds(100))
            let began = ContinuousClock.now
            _ = try await world.operations.disableAccount(
                .with {
                    $0.accountID = "anna"
                    $0.reason = "left"
                })
            let ended = await waiting.value
            #expect(ended != nil && ContinuousClock.now - began < .seconds(2))
            #expect(await failure { try await client.trial(TrialPlugin.own, text: "A81001") } != nil)
            #expect(await own(world, session)?.reason == HostReasons.tokenExpired)
            await client.close()
        }
    }

    @Test("a person sees and ends the own sessions, and a new password or second factor ends all others")
    func ownSessions() async throws {
        try await AccountsWorld.with { world in
            var anna = try await world.person("anna")
            let first = try await world.logIn(anna)
            let second = try await world.logIn(anna)
            let third = try await world.logIn(anna)
            let listed = try await world.accounts.listSessions(.init(), options: world.by(third)).sessions
            #expect(Set(listed.map(\.sessionID)) == [first.sessionID, second.sessionID, third.sessionID])
            #expect(listed.filter(\.present).map(\.sessionID) == [third.sessionID])
            _ = try await world.accounts.endSession(
                .with { $0.sessionID = first.sessionID }, options: world.by(third))
            #expect(await own(world, first)?.reason == HostReasons.tokenExpired)
            let other = try await world.logIn(try await world.person("ben"))
            #expect(
                await failure {
                    try await world.accounts.endSession(
                        .with { $0.sessionID = third.sessionID }, options: world.by(other))
                }?.reason == HostReasons.notFound)

            let weak = await failure {
                try await world.accounts.changePassword(
                    change(world, anna, to: "anna-anna-anna"), options: world.by(third))
            }
            #expect(weak?.violations.first?.field == "new_password")
            _ = try await world.accounts.changePassword(
                change(world, anna, to: "kestrel lantern quayside"), options: world.by(third))
            anna.password = "kestrel lantern quayside"
            #expect(await own(world, second)?.reason == HostReasons.tokenExpired)
            #expect(await own(world, third) == nil)

            let enrolled = try await world.accounts.replaceSecondFactor(
                .with {
                    $0.password = anna.password
                    $0.oneTimeCode = world.code(of: anna)
                }, options: world.by(third))
            // The old one holds until the new one has shown a code.
            let fourth = try await world.logIn(anna)
            anna.secret = try AccountsWorld.unbase32(enrolled.secret)
            _ = try await world.accounts.confirmReplacement(
                .with { $0.oneTimeCode = world.code(of: anna) }, options: world.by(third))
            #expect(await own(world, fourth)?.reason == HostReasons.tokenExpired)
            let fifth = try await world.logIn(anna)
            _ = try await world.accounts.logOut(.init(), options: world.by(fifth))
            #expect(await own(world, fifth)?.reason == HostReasons.tokenExpired)
        }
    }

    private func change(
        _ world: AccountsWorld, _ person: AccountsWorld.Person, to new: String
    ) -> Pcs_Host_V1_ChangePasswordRequest {
        .with {
            $0.password = person.password
            $0.newPassword = new
            $0.oneTimeCode = world.code(of: person)
        }
    }

    @Test("a restart ends every session; passwords and second factors hold")
    func restart() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna")
            let session = try await world.logIn(anna)
            try await world.host.restart()
            let client = FrameClient(FrameClientConfiguration(address: world.host.address(.tcp)))
            let accounts = Pcs_Host_V1_AccountServiceClient(client)
            #expect(
                await failure { try await accounts.getProfile(.init(), options: world.by(session)) }?.reason
                    == HostReasons.unauthenticated)
            #expect(try await accounts.logIn(world.request(anna)).accountID == "anna")
            await client.close()
        }
    }
}
