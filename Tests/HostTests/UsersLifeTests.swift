import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("Reviews, migrations, break-glass and the access log")
struct UsersLifeTests {
    @Test(
        "each quarter every grant is answered for by its own administrators, and what nobody answers lapses")
    func review() async throws {
        let clock = ManualClock.atStart
        try await UsersBench.with(clock) { bench in
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            _ = try await bench.member("kept")
            _ = try await bench.member("lapsed")
            try await bench.give(.practiceStatements, to: "kept", as: admin)
            try await bench.give(.practiceStatements, to: "lapsed", as: admin)
            clock.set(try #require(CalendarDate(year: 2026, month: 4, day: 2)))
            let job = ReviewJob(registry: try bench.host.process.identity())
            _ = try await job.run()
            _ = try await job.run()
            let tasks = try bench.published("pcs.casework.v1.TaskRequested").map {
                try Pcs_Casework_V1_TaskRequested(serializedBytes: $0.payload)
            }
            #expect(tasks.count == 1 && tasks.first?.role == .gppUserAdministrator)
            let reviews = Pcs_Host_V1_GrantReviewServiceClient(
                try await bench.host.transport(.inProcess, as: admin))
            let open = try await reviews.listReviews(.with { $0.organisationCode = UsersBench.practice })
                .reviews
            let review = try #require(open.first)
            #expect(open.count == 1 && review.grants.count == 2)
            let grant = try #require(review.grants.first { $0.accountID == "kept" })
            let answered = try await reviews.answerReview(
                .with {
                    $0.organisationCode = UsersBench.practice
                    $0.reviewID = review.reviewID
                    $0.answers = [
                        .with {
                            $0.grantID = grant.grantID
                            $0.answer = .keep
                        }
                    ]
                })
            #expect(!answered.closed)
            clock.set(try #require(CalendarDate(year: 2026, month: 5, day: 3)))
            _ = try await job.run()
            #expect(try await bench.roles(of: "kept") == [.practiceStatements])
            #expect(try await bench.roles(of: "lapsed").isEmpty)
            #expect(try bench.published("pcs.casework.v1.TaskSettled").isEmpty == false)
        }
    }

    @Test(
        "example 19: a merger moves none of nine users to the survivor; two named in an approved migration do"
    )
    func example19() async throws {
        let clock = ManualClock.atStart
        try await UsersBench.with(clock) { bench in
            let (closing, survivor) = ("B81101", UsersBench.practice)
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: closing)
            var people: [TestSubject] = []
            for number in 1...9 {
                let person = try await bench.member("user\(number)", at: closing)
                try await bench.give(.practiceClaimsAdmin, to: person.id, at: closing, as: admin)
                people.append(person)
            }
            let support = try await bench.host.person("support", roles: [Roles.pcseSupport])
            let supervisor = try await bench.host.person("supervisor", roles: [Roles.pcseSupervisor])
            func migrations(_ subject: TestSubject) async throws -> Pcs_Host_V1_GrantMigrationServiceClient {
                Pcs_Host_V1_GrantMigrationServiceClient(
                    try await bench.host.transport(.inProcess, as: subject))
            }
            func request(_ accounts: [String]) -> Pcs_Host_V1_ProposeMigrationRequest {
                .with {
                    $0.fromOrganisationCode = closing
                    $0.toOrganisationCode = survivor
                    $0.caseReference = "change/4711"
                    $0.reason = "merger"
                    $0.roles = accounts.map { account in
                        .with {
                            $0.accountID = account
                            $0.role = .practiceClaimsAdmin
                        }
                    }
                }
            }
            // Off by default: nobody reaches the survivor.
            for person in people { #expect(try await bench.roles(of: person.id, at: survivor).isEmpty) }
            let unknown = await failure {
                try await migrations(support).proposeMigration(request(["user1", "supervisor"]))
            }
            #expect(unknown?.clause == "notHeld")
            let plan = try await migrations(support).proposeMigration(request(["user1", "user2"]))
            #expect(plan.state == "OPEN" && !plan.successionRegistered)
            let approve = Pcs_Host_V1_ApproveMigrationRequest.with {
                $0.migrationID = plan.migrationID
                $0.digest = plan.digest
            }
            let byMaker = await failure { try await migrations(support).approveMigration(approve) }
            #expect(byMaker != nil)
            let done = try await migrations(supervisor).approveMigration(approve)
            #expect(done.state == "APPROVED" && done.roles.allSatisfy { !$0.grantID.isEmpty })
            for (index, person) in people.enumerated() {
                let held = try await bench.roles(of: person.id, at: survivor)
                #expect(held == (index < 2 ? [.practiceClaimsAdmin] : []))
                let acting = person.acting(for: survivor)
                let who = Pcs_Host_V1_IdentityServiceClient(
                    try await bench.host.transport(.inProcess, as: acting))
                let refused = await failure { try await who.whoAmI(.init()) }
                #expect((refused == nil) == (index < 2))
            }
        }
    }

    @Test(
        "break-glass opens reading of its scope for its time, changes nothing, is told, logged, reviewed, or suspended"
    )
    func breakGlass() async throws {
        let clock = ManualClock.atStart
        try await UsersBench.with(clock) { bench in
            let onCall = try await bench.host.person("oncall", roles: [Role("ON_CALL")])
            let lead = try await bench.host.person("lead", roles: [Role("SECURITY_LEAD")])
            _ = try await bench.member("worker")
            let list = Pcs_Host_V1_ListUsersRequest.with { $0.organisationCode = UsersBench.practice }
            let users = try await bench.users(onCall)
            #expect(await failure { try await users.listUsers(list) }?.reason == HostReasons.accessDenied)
            let glass = Pcs_Host_V1_BreakGlassServiceClient(
                try await bench.host.transport(.inProcess, as: onCall))
            let start = Pcs_Host_V1_StartGlassSessionRequest.with {
                $0.reason = "statements look wrong, payment day tomorrow"
                $0.incidentNumber = "INC-4711"
                $0.organisationCodes = [UsersBench.practice]
            }
            let session = try await glass.startSession(start)
            #expect(!session.banner.isEmpty)
            let told = try bench.published("pcs.casework.v1.MessagePosted").map {
                try Pcs_Casework_V1_MessagePosted(serializedBytes: $0.payload).role
            }
            #expect(told.contains(.securityLead))

            // Reads in scope, and nothing else.
            #expect(try await users.listUsers(list).users.contains { $0.accountID == "worker" })
            let other = await failure { try await users.listUsers(.with { $0.organisationCode = "B81101" }) }
            #expect(other != nil)
            let given = await failure { try await bench.give(.practiceStatements, to: "oncall", as: onCall) }
            #expect(given?.reason == HostReasons.accessDenied)
            #expect(await failure { try await glass.startSession(start) }?.clause == "glassOpen")

            // Once longer, then over.
            clock.advance(milliseconds: 30 * 60_000)
            let extend = Pcs_Host_V1_ExtendGlassSessionRequest.with {
                $0.sessionID = session.sessionID
                $0.reason = "not found yet"
            }
            #expect(try await glass.extendSession(extend).extensions == 1)
            #expect(await failure { try await glass.extendSession(extend) }?.clause == "glassExtensions")
            clock.advance(milliseconds: 61 * 60_000)
            #expect(await failure { try await users.listUsers(list) } != nil)

            let asLead = Pcs_Host_V1_BreakGlassServiceClient(
                try await bench.host.transport(.inProcess, as: lead))
            var read: [Pcs_Host_V1_AccessLogEntry] = []
            for try await entry in try await asLead.readLog(.with { $0.sessionID = session.sessionID }) {
                read.append(entry)
            }
            #expect(read.contains { $0.organisationCode == UsersBench.practice && $0.personID == "oncall" })

            // Nobody reviews: escalated, and the holder opens none.
            clock.advance(days: 4)
            _ = try await GlassJob(registry: try bench.host.process.identity()).run()
            let tasks = try bench.published("pcs.casework.v1.TaskRequested").map {
                try Pcs_Casework_V1_TaskRequested(serializedBytes: $0.payload).taskKey
            }
            #expect(tasks.contains("host/glass/\(session.sessionID)/escalation"))
            #expect(await failure { try await glass.startSession(start) }?.clause == "glassSuspended")
            let reviewed = try await asLead.reviewSession(
                .with {
                    $0.sessionID = session.sessionID
                    $0.justified = true
                    $0.findings = "Read the list of users once, as the incident needed."
                })
            #expect(reviewed.reviewedBy == "lead")
            #expect(try await !glass.startSession(start).banner.isEmpty)
        }
    }

    @Test(
        "sensitive reads are found by organisation, person and period; who could see what follows the grants of a day"
    )
    func accessLog() async throws {
        let clock = ManualClock.atStart
        try await UsersBench.with(clock) { bench in
            let admin = try await bench.host.person(
                "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
            let auditor = try await bench.host.person("auditor", roles: [Roles.auditor])
            _ = try await bench.users(admin).listUsers(.with { $0.organisationCode = UsersBench.practice })
            let log = Pcs_Host_V1_AccessLogServiceClient(
                try await bench.host.transport(.inProcess, as: auditor))
            func reads(_ organisation: String, _ person: String, _ day: CalendarDate) async throws -> Int {
                var count = 0
                for try await _ in try await log.listSensitiveReads(
                    .with {
                        $0.organisationCode = organisation
                        $0.subjectID = person
                        $0.from = Pcs_Common_V1_Date(day)
                        $0.to = Pcs_Common_V1_Date(day)
                    })
                {
                    count += 1
                }
                return count
            }
            let today = clock.today
            #expect(try await reads(UsersBench.practice, "admin", today) == 1)
            #expect(try await reads("B81101", "admin", today) == 0)
            #expect(try await reads(UsersBench.practice, "", today.adding(days: -1)) == 0)

            clock.advance(days: 1)
            let list = try await bench.users(admin).listUsers(
                .with { $0.organisationCode = UsersBench.practice })
            let grant = try #require(list.users.first { $0.accountID == "admin" }?.roles.first)
            _ = try await bench.users(nil).revokeRole(
                .with {
                    $0.organisationCode = UsersBench.practice
                    $0.grantID = grant.grantID
                    $0.reason = "no longer"
                })
            func sight(_ day: CalendarDate) async throws -> [Pcs_Host_V1_SightRow] {
                var rows: [Pcs_Host_V1_SightRow] = []
                for try await row in try await log.whoCouldSee(
                    .with {
                        $0.organisationCode = UsersBench.practice
                        $0.on = Pcs_Common_V1_Date(day)
                        $0.sensitiveOnly = true
                    })
                {
                    rows.append(row)
                }
                return rows
            }
            clock.advance(days: 1)
            let then = try await sight(today)
            let own = try #require(then.first { $0.subjectID == "admin" })
            #expect(own.relation == "own" && own.methods.contains("pcs.host.v1.UserService/ListUsers"))
            #expect(then.contains { $0.subjectID == "auditor" && $0.relation == "national" })
            #expect(try await !sight(clock.today).contains { $0.subjectID == "admin" })
        }
    }

    @Test(
        "no sequence of giving, ending, leaving and returning leaves more than four administrators, two Main Contacts, or a role outside the catalogue"
    )
    func property() async throws {
        for seed in [1, 2, 3] as [UInt64] {
            try await UsersBench.with { bench in
                let admin = try await bench.host.person(
                    "admin", roles: [Roles.gppUserAdministrator], at: UsersBench.practice)
                let support = try await bench.host.person("support", roles: [Roles.pcseSupport])
                let supervisor = try await bench.host.person("supervisor", roles: [Roles.pcseSupervisor])
                for number in 0..<7 { _ = try await bench.member("person\(number)") }
                var random = Generator(state: seed)
                let roles: [Pcs_Access_V1_Role] = [
                    .gppUserAdministrator, .gppUserAdministrator, .practiceStatements, .mainContact,
                    .hostOperator, .commissionerApprover, .orderEntryClerk, .icbViewer,
                ]
                for _ in 0..<80 {
                    let account = "person\(random.next() % 7)"
                    switch random.next() % 6 {
                    case 0...2:
                        _ = await bench.refusal(roles[Int(random.next() % 8)], to: account, as: admin)
                    case 3:
                        _ = await failure {
                            try await bench.approved(
                                random.next() % 2 == 0 ? .mainContact : .gppUserAdministrator, for: account,
                                support, supervisor)
                        }
                    case 4:
                        _ = await failure {
                            try await bench.users(admin).deactivateMembership(
                                .with {
                                    $0.organisationCode = UsersBench.practice
                                    $0.accountID = account
                                    $0.reason = "random"
                                })
                        }
                    default:
                        _ = await failure {
                            try await bench.users(admin).reactivateMembership(
                                .with {
                                    $0.organisationCode = UsersBench.practice
                                    $0.accountID = account
                                    $0.reason = "random"
                                })
                        }
                    }
                    try bench.requireInvariants()
                }
            }
        }
    }
}

/// A fixed sequence for a seed (SplitMix64).
private struct Generator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension UsersBench {
    func requireInvariants() throws {
        let identity = try host.process.identity()
        let today = host.clock.today
        let catalogue = identity.catalogue.current(on: today)
        let grants = try identity.store.read { reader in
            try reader.all(UserTables.grantsAt, [.text(Self.practice)], GrantRow.init(row:))
        }.filter { $0.holds(on: today) }
        for (role, held) in Dictionary(grouping: grants, by: \.role) {
            let entry = try #require(catalogue.entry(role, on: today))
            #expect(entry.kinds.contains(RoleCatalogue.Kind(word: "practice")), "\(role)")
            if let most = entry.mostHolders { #expect(Set(held.map(\.subjectID)).count <= most, "\(role)") }
        }
        // Whoever holds a role is a member, and memory says the same as the tables.
        for grant in grants {
            let subject = try #require(identity.subject(grant.subjectID))
            #expect(subject.memberships.contains { $0.organisation.value == Self.practice })
            #expect(subject.grants.contains { $0.id == grant.id })
        }
    }
}
