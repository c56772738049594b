import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("Users of an organisation and their roles")
struct UsersTests {
    @Test(
        "example 6: a fifth GPP administrator and a second Main Contact are refused, a replaced one ends at once"
    )
    func example6() async throws {
        try await UsersBench.with { bench in
            let first = try await bench.host.person(
                "admin1", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            for number in 2...5 { _ = try await bench.member("admin\(number)") }
            for number in 2...4 {
                try await bench.give(.gppUserAdministrator, to: "admin\(number)", as: first)
            }
            #expect(await bench.refusal(.gppUserAdministrator, to: "admin5", as: first) == "limit.four")

            // The Main Contact is set by PCSE, who replaces in one transaction.
            let support = try await bench.host.person("support", roles: [Roles.pcseSupport])
            let supervisor = try await bench.host.person("supervisor", roles: [Roles.pcseSupervisor])
            let one = try await bench.approved(.mainContact, for: "admin1", support, supervisor)
            #expect(one.state == .approved && one.presentHolders.isEmpty)
            #expect(await bench.refusal(.mainContact, to: "admin2", as: first) != nil)
            let second = await failure {
                _ = try await Pcs_Host_V1_IdentityServiceClient(try await bench.host.transport()).grantRole(
                    .with {
                        $0.subjectID = "admin2"
                        $0.role = .mainContact
                        $0.organisationCode = UsersBench.practice
                        $0.reason = "a second one"
                    })
            }
            #expect(second?.clause == "limit.one")
            let other = try await bench.approved(.mainContact, for: "admin2", support, supervisor)
            #expect(other.presentHolders == ["admin1"])
            #expect(try await bench.roles(of: "admin1") == [.gppUserAdministrator])
            #expect(try await bench.roles(of: "admin2").contains(.mainContact))
        }
    }

    @Test("example 7: a GPP administrator gives no supplies role, the Main Contact no GPP role")
    func example7() async throws {
        try await UsersBench.with { bench in
            let gpp = try await bench.host.person(
                "gpp", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            let contact = try await bench.host.person(
                "contact", roles: [Roles.mainContact], at: UsersBench.practice)
            _ = try await bench.member("worker")
            #expect(await bench.refusal(.orderEntryClerk, to: "worker", as: gpp) == "wrongService")
            #expect(await bench.refusal(.practiceStatements, to: "worker", as: contact) == "wrongService")
            try await bench.give(.orderEntryClerk, to: "worker", as: contact)
            try await bench.give(.practiceStatements, to: "worker", as: gpp)
            #expect(Set(try await bench.roles(of: "worker")) == [.orderEntryClerk, .practiceStatements])
        }
    }

    @Test(
        "example 8: PCSE support gives View Claims until 10 December 2025, and administrator roles only from the 11th",
        arguments: [(10, nil), (11, "adminRolesOnly"), (12, "adminRolesOnly")] as [(Int, String?)])
    func example8(_ day: Int, _ clause: String?) async throws {
        let date = try #require(CalendarDate(year: 2025, month: 12, day: day))
        try await UsersBench.with(on: date) { bench in
            let support = try await bench.host.person("support", roles: [Roles.pcseSupport])
            _ = try await bench.member("worker")
            #expect(await bench.refusal(.practiceClaimsViewer, to: "worker", as: support) == clause)
            // Administrator roles are proposed and approved, on either day.
            #expect(await bench.refusal(.gppUserAdministrator, to: "worker", as: support) == "proposalNeeded")
        }
    }

    @Test(
        "example 10: creating a user with a known address offers to add them; adding gives no role and tells them"
    )
    func example10() async throws {
        try await UsersBench.with { bench in
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            _ = try await bench.host.person("known")
            let users = try await bench.users(admin)
            let create = Pcs_Host_V1_CreateUserRequest.with {
                $0.organisationCode = UsersBench.practice
                $0.name = "Known Person"
                $0.email = "KNOWN@example.nhs.uk"
                $0.reason = "new receptionist"
            }
            let refused = await failure { try await users.createUser(create) }
            #expect(
                refused?.reason == HostReasons.alreadyExists && refused?.clause == "email.addExistingUser")
            let added = try await users.addExistingUser(
                .with {
                    $0.organisationCode = UsersBench.practice
                    $0.email = "known@example.nhs.uk"
                    $0.reason = "new receptionist"
                })
            #expect(added.active && added.accountID == "known" && added.roles.isEmpty)
            let messages = try bench.published("pcs.casework.v1.MessagePosted").map {
                try Pcs_Casework_V1_MessagePosted(serializedBytes: $0.payload)
            }
            #expect(messages.filter { $0.personID == "known" }.count == 1)

            // A new address makes an account and an invitation whose code is told once and kept nowhere.
            let transport = try await bench.host.transport(.inProcess, as: admin)
            var new = create
            new.email = "new.person@nhs.net"
            var options = CallOptions()
            options.idempotencyKey = "create-1"
            let made = try await Pcs_Host_V1_UserServiceClient(transport).createUser(new, options: options)
            #expect(!made.activationCode.isEmpty && made.user.active && made.user.roles.isEmpty)
            let again = try await Pcs_Host_V1_UserServiceClient(transport).createUser(new, options: options)
            #expect(again.user.accountID == made.user.accountID && again.activationCode.isEmpty)
        }
    }

    @Test("example 11: somebody deactivated everywhere keeps the account and reaches no organisation")
    func example11() async throws {
        try await UsersBench.with { bench in
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            let worker = try await bench.member("worker")
            try await bench.give(.practiceStatements, to: "worker", as: admin)
            let identity = Pcs_Host_V1_IdentityServiceClient(
                try await bench.host.transport(.inProcess, as: worker))
            #expect(try await identity.whoAmI(.init()).grants.count == 1)
            let left = try await bench.users(admin).deactivateMembership(
                .with {
                    $0.organisationCode = UsersBench.practice
                    $0.accountID = "worker"
                    $0.reason = "left the practice"
                })
            #expect(!left.active && left.deactivatedBy == "admin" && left.roles.allSatisfy(\.hasRevokedAt))
            let after = Pcs_Host_V1_IdentityServiceClient(
                try await bench.host.transport(.inProcess, as: worker.acting(for: nil)))
            let who = try await after.whoAmI(.init())
            #expect(who.personID == "worker" && who.grants.isEmpty && who.actingFor.isEmpty)

            // Back from leave: a member again, without roles.
            let back = try await bench.users(admin).reactivateMembership(
                .with {
                    $0.organisationCode = UsersBench.practice
                    $0.accountID = "worker"
                    $0.reason = "back from leave"
                })
            #expect(back.active && back.roles.allSatisfy(\.hasRevokedAt))
        }
    }

    @Test(
        "an administrator's loop-holes: another place, no member, no sight, a revoked grant of elsewhere, the Main Contact"
    )
    func loopHoles() async throws {
        try await UsersBench.with { bench in
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            _ = try await bench.host.person("contact", roles: [Roles.mainContact], at: UsersBench.practice)
            _ = try await bench.member("worker")
            _ = try await bench.host.person("stranger")
            let elsewhere = await failure {
                try await bench.give(.practiceStatements, to: "worker", at: "B81101", as: admin)
            }
            #expect(elsewhere?.reason == HostReasons.organisationOutOfScope)
            #expect(await bench.refusal(.practiceStatements, to: "stranger", as: admin) == "membership")
            #expect(
                await bench.refusal(.practiceStatements, to: "worker", as: admin, acknowledged: false)
                    == "sight")
            #expect(await bench.refusal(.hostOperator, to: "admin", as: admin) == "wrongService")
            #expect(await bench.refusal(.commissionerApprover, to: "admin", as: admin) == "wrongService")
            let contact = await failure {
                try await bench.users(admin).deactivateMembership(
                    .with {
                        $0.organisationCode = UsersBench.practice
                        $0.accountID = "contact"
                        $0.reason = "to be rid of them"
                    })
            }
            #expect(contact?.clause == "pcseOnly")
            #expect(try await bench.roles(of: "contact") == [.mainContact])
            // A grant of another service cannot be ended either.
            let list = try await bench.users(admin).listUsers(
                .with { $0.organisationCode = UsersBench.practice })
            let grant = try #require(list.users.first { $0.accountID == "contact" }?.roles.first)
            let ended = await failure {
                try await bench.users(admin).revokeRole(
                    .with {
                        $0.organisationCode = UsersBench.practice
                        $0.grantID = grant.grantID
                        $0.reason = "to be rid of them"
                    })
            }
            #expect(ended?.clause == "notGiven" || ended?.clause == "wrongService")
        }
    }

    @Test("a role to oneself is given, told to the other administrators, listed, and part of the history")
    func selfGrant() async throws {
        try await UsersBench.with { bench in
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            _ = try await bench.host.person(
                "other", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            _ = try await bench.host.person("contact", roles: [Roles.mainContact], at: UsersBench.practice)
            try await bench.give(.practiceClaimsAdmin, to: "admin", as: admin)
            let told = try bench.published("pcs.casework.v1.MessagePosted").map {
                try Pcs_Casework_V1_MessagePosted(serializedBytes: $0.payload).personID
            }
            #expect(Set(told) == ["other", "contact"])
            let month = Pcs_Common_V1_Month(year: 2026, month: 3)
            let listed = try await bench.users(nil).listSelfGrants(.with { $0.month = month })
            #expect(listed.grants.map(\.accountID) == ["admin"])
            #expect(listed.grants.first?.acknowledgedSight.isEmpty == false)
            var history: [Pcs_Host_V1_UserHistoryEntry] = []
            for try await entry in try await bench.users(admin).listUserHistory(
                .with { $0.organisationCode = UsersBench.practice })
            {
                history.append(entry)
            }
            #expect(history.contains { $0.personID == "admin" && $0.detail.hasPrefix("ROLE TO SELF") })
        }
    }

    @Test("National roles take NHS addresses, Local ones the address of a person, conflicts refuse or warn")
    func addressesAndConflicts() async throws {
        #expect(EmailRule.objection(to: "a.b@nhs.net", .nhs) == nil)
        #expect(EmailRule.objection(to: "a.b@trust.NHS.uk", .nhs) == nil)
        #expect(EmailRule.objection(to: "a.b@nhs.net.example.com", .nhs) != nil)
        #expect(EmailRule.objection(to: "reception.c84101@nhs.net", .named) != nil)
        #expect(EmailRule.objection(to: "anna.kovac@provider.co.uk", .named) == nil)
        try await UsersBench.with { bench in
            let region = try await bench.host.person(
                "lead", roles: [Role("COMMISSIONER_USER_ADMINISTRATOR"), Role("CQRS_LOCAL_ADMINISTRATOR")],
                at: UsersBench.commissioner)
            _ = try await bench.member("both", at: UsersBench.commissioner)
            try await bench.give(
                .cqrsLocalApproverTier1, to: "both", at: UsersBench.commissioner, as: region)
            let second = try await bench.give(
                .cqrsLocalApproverTier2, to: "both", at: UsersBench.commissioner, as: region)
            #expect(second.warnings.count == 1)

            let registrar = try await bench.host.person("registrar", roles: [Roles.identityAdministrator])
            _ = try await bench.member("clerk", at: "PCS")
            try await bench.give(.paymentsOperator, to: "clerk", at: "PCS", as: registrar)
            #expect(
                await bench.refusal(.paymentsApprover, to: "clerk", at: "PCS", as: registrar) == "separation")
        }
    }
}
