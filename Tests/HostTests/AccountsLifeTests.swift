import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("The life of an account, through the sockets")
struct AccountsLifeTests {
    @Test(
        "an invited person sets a password and a second factor, and logs in; codes and secrets lie on disk only hashed or sealed"
    )
    func invited() async throws {
        try await AccountsWorld.with { world in
            _ = try await world.host.person("anna", roles: [Roles.practiceStatements], at: "A81001")
            let first = try await world.operations.invite(.with { $0.accountID = "anna" })
            let second = try await world.operations.invite(.with { $0.accountID = "anna" })
            let refused = await failure { try await world.accept(first.code, id: "anna") }
            #expect(refused?.reason == HostReasons.codeRefused)
            let weak = await failure {
                try await world.accept(second.code, id: "anna", password: "Password12345!")
            }
            #expect(weak?.violations.first?.rule == "password.guessed")
            let anna = try await world.accept(second.code, id: "anna")
            let used = await failure { try await world.accept(second.code, id: "anna") }
            #expect(used?.reason == HostReasons.codeRefused && used?.message == refused?.message)

            let session = try await world.logIn(anna)
            #expect(session.organisationCode == "A81001" && session.idleMinutes == 30)
            let reply = try await world.stranger.trial(
                TrialPlugin.own, text: "A81001", options: world.by(session))
            #expect(reply.text == "A81001")

            let details = try await world.audit()
            #expect(details.contains { $0.contains("a later code took its place") })
            #expect(details.contains { $0.contains("the code was used before") })
            for secret in [first.code, second.code, anna.password, session.accessToken] {
                #expect(!details.contains { $0.contains(secret) })
            }
            let notices = try await world.notices()
            #expect(notices.filter { $0.kind == .invitation }.map(\.code) == [first.code, second.code])
            #expect(notices.first?.email == "anna@example.nhs.uk")
            #expect(try await world.notices().isEmpty)
        }
    }

    @Test("an invitation lives 72 hours, and who was not invited cannot log in")
    func expired() async throws {
        try await AccountsWorld.with { world in
            _ = try await world.host.person("anna", roles: [Roles.practiceStatements], at: "A81001")
            let invitation = try await world.operations.invite(.with { $0.accountID = "anna" })
            world.host.clock.advance(milliseconds: 72 * 3_600_000)
            #expect(
                await failure { try await world.accept(invitation.code, id: "anna") }?.reason
                    == HostReasons.codeRefused)
            let none = AccountsWorld.Person(
                id: "anna", password: AccountsWorld.password, secret: TimeBasedCode.makeSecret())
            #expect(await failure { try await world.logIn(none) }?.reason == HostReasons.logInRefused)
        }
    }

    @Test("every failure at the door reads the same, and the audit has the clause")
    func refusals() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna")
            var wrongPassword = anna
            wrongPassword.password += "x"
            var wrongSecret = anna
            wrongSecret.secret = TimeBasedCode.makeSecret()
            let nobody = AccountsWorld.Person(id: "nobody", password: anna.password, secret: anna.secret)
            var messages: Set<String> = []
            for person in [wrongPassword, wrongSecret, nobody] {
                let refused = await failure { try await world.logIn(person) }
                #expect(refused?.reason == HostReasons.logInRefused && refused?.violations.isEmpty == true)
                messages.insert(refused?.message ?? "")
            }
            let elsewhere = await failure { try await world.logIn(anna, at: "A81002") }
            messages.insert(elsewhere?.message ?? "")
            #expect(messages.count == 1)

            // A code serves once.
            let request = world.request(anna)
            _ = try await world.accounts.logIn(request)
            #expect(await failure { try await world.accounts.logIn(request) }?.message == messages.first)

            let details = try await world.audit()
            for words in [
                "clause account: the password of anna",
                "clause secondFactor: the one-time code of anna is wrong",
                "clause account: no account has this address",
                "clause sessionOrganisation: anna is no member of A81002",
                "clause secondFactor: the one-time code of anna was used before",
            ] { #expect(details.contains { $0.contains(words) }, "\(words)") }
        }
    }

    @Test(
        "section 16, example 11: one who is deactivated everywhere logs in, edits the own profile and reaches nothing"
    )
    func nowhere() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna", [], at: [])
            let session = try await world.logIn(anna)
            #expect(session.organisationCode.isEmpty && session.organisationCodes.isEmpty)
            let changed = try await world.accounts.updateProfile(
                .with {
                    $0.name = "Anna K"
                    $0.jobTitle = "Nurse"
                    $0.telephone = "020 7946 0000"
                }, options: world.by(session))
            #expect(changed.name == "Anna K" && changed.organisationCodes.isEmpty)
            let read = try await world.accounts.getProfile(.init(), options: world.by(session))
            #expect(read == changed)
            let refused = await failure {
                try await world.stranger.trial(TrialPlugin.own, text: "A81001", options: world.by(session))
            }
            #expect(refused?.message.contains("clause sessionOrganisation") == true)
        }
    }

    @Test(
        "a lock holds 30 minutes; a reset unlocks at once, serves once for 30 minutes, and keeps the second factor"
    )
    func resets() async throws {
        try await AccountsWorld.with { world in
            var anna = try await world.person("anna")
            var wrong = anna
            wrong.password += "x"
            for _ in 0..<10 {
                _ = await failure { try await world.logIn(wrong) }
                world.host.clock.advance(milliseconds: 500_000)
            }
            #expect(await failure { try await world.logIn(anna) }?.reason == HostReasons.logInRefused)
            try await eventually {
                try await world.operations.getAccount(.with { $0.accountID = "anna" }).state == .locked
            }
            for email in [anna.email, "nobody@example.nhs.uk"] {
                _ = try await world.accounts.requestPasswordReset(.with { $0.email = email })
            }
            var codes: [String] = []
            try await eventually {
                codes += try await world.notices().filter { $0.kind == .passwordReset }.map(\.code)
                return codes.count == 1
            }
            let reset = Pcs_Host_V1_CompletePasswordResetRequest.with {
                $0.code = codes[0]
                $0.newPassword = "kestrel lantern quayside"
            }
            _ = try await world.accounts.completePasswordReset(reset)
            #expect(
                await failure { try await world.accounts.completePasswordReset(reset) }?.reason
                    == HostReasons.codeRefused)
            #expect(await failure { try await world.logIn(anna) }?.reason == HostReasons.logInRefused)
            anna.password = "kestrel lantern quayside"
            _ = try await world.logIn(anna)
            let account = try await world.operations.getAccount(.with { $0.accountID = "anna" })
            #expect(
                account.state == .active
                    && account.history.map(\.state) == [.invited, .active, .locked, .active])
        }
    }

    @Test("a lost second factor is replaced on an administrator's word, for privileged people a day later")
    func lost() async throws {
        try await AccountsWorld.with { world in
            var anna = try await world.person("anna", [Roles.paymentsApprover], at: ["PCS"])
            let first = try await world.operations.vouchForPerson(
                .with {
                    $0.accountID = "anna"
                    $0.reason = "telephone lost"
                })
            #expect(
                first.usableFrom.seconds > world.host.clock.now.microsecondsSince1970 / 1_000_000 + 80_000)
            let code = try await world.notices().last { $0.kind == .secondFactorReset }?.code ?? ""
            let request = Pcs_Host_V1_AcceptSecondFactorResetRequest.with {
                $0.code = code
                $0.password = anna.password
            }
            #expect(
                await failure { try await world.accounts.acceptSecondFactorReset(request) }?.reason
                    == HostReasons.codeRefused)
            world.host.clock.advance(milliseconds: 24 * 3_600_000)
            var wrong = request
            wrong.password += "x"
            #expect(
                await failure { try await world.accounts.acceptSecondFactorReset(wrong) }?.reason
                    == HostReasons.codeRefused)
            let enrolled = try await world.accounts.acceptSecondFactorReset(request)
            let old = anna
            anna.secret = try AccountsWorld.unbase32(enrolled.secret)
            _ = try await world.accounts.confirmSecondFactor(
                .with {
                    $0.code = code
                    $0.oneTimeCode = world.code(of: anna)
                })
            #expect(await failure { try await world.logIn(old) }?.reason == HostReasons.logInRefused)
            _ = try await world.logIn(anna)
        }
    }

    @Test(
        "unused accounts are warned of at 60 days, dormant at 90, and without grants at 180; an administrator brings them back"
    )
    func dormancy() async throws {
        try await AccountsWorld.with { world in
            let anna = try await world.person("anna")
            _ = try await world.logIn(anna)
            func state() async throws -> Pcs_Host_V1_AccountState {
                try await world.operations.getAccount(.with { $0.accountID = "anna" }).state
            }
            try await world.host.advance(days: 61)
            #expect(try await state() == .active)
            #expect(try await world.notices().contains { $0.kind == .dormancyWarning })
            try await world.host.advance(days: 31)
            #expect(try await state() == .dormant)
            #expect(await failure { try await world.logIn(anna) }?.reason == HostReasons.logInRefused)
            try await world.host.advance(days: 90)
            let grants = try world.host.process.identity().subject("anna")?.grants
            #expect(grants?.isEmpty == true)
            let back = try await world.operations.reactivateAccount(
                .with {
                    $0.accountID = "anna"
                    $0.reason = "back from leave"
                })
            #expect(back.state == .active && back.history.last?.reason == "back from leave")
            _ = try await world.logIn(anna)
        }
    }

    @Test(
        "an administrator of a practice acts on its own people only, with fresh proof, and never undoes a national act"
    )
    func administrators() async throws {
        try await AccountsWorld.with { world in
            let boss = try await world.person("boss", [Roles.gppUserAdministrator])
            _ = try await world.person("anna")
            _ = try await world.person("other", at: ["A81002"])
            let session = try await world.logIn(boss)
            let mine = try await world.accounts.getAccount(
                .with { $0.accountID = "anna" }, options: world.by(session))
            #expect(mine.state == .active)
            let theirs = await failure {
                try await world.accounts.getAccount(
                    .with { $0.accountID = "other" }, options: world.by(session))
            }
            #expect(theirs?.reason == HostReasons.notFound)
            let disable = Pcs_Host_V1_ChangeAccountRequest.with {
                $0.accountID = "anna"
                $0.reason = "left the practice"
            }
            #expect(
                await failure {
                    try await world.accounts.disableAccount(disable, options: world.by(session))
                }?.reason == HostReasons.accessDenied)
            #expect(try await world.operations.disableAccount(disable).state == .disabled)
            #expect(
                await failure {
                    try await world.accounts.reactivateAccount(disable, options: world.by(session))
                }?.reason == HostReasons.stateWrong)
            let own = Pcs_Host_V1_ChangeAccountRequest.with {
                $0.accountID = "boss"
                $0.reason = "for myself"
            }
            #expect(
                await failure { try await world.accounts.vouchForPerson(own, options: world.by(session)) }?
                    .reason == HostReasons.secondPersonRequired)
        }
    }
}

/// Waits until `holds` does, at most five seconds.
func eventually(_ holds: () async throws -> Bool) async throws {
    for _ in 0..<500 {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it did not come about")
}
