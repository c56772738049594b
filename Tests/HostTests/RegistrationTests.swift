import CommonContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("Registration of organisations, through the socket")
struct RegistrationTests {
    private static let start = CalendarDate(daysSince1970: 18_140)  // 2019-09-01

    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text)) }

    @Test(
        "section 16, example 5: the last day counts to midnight in England; a new letter ends the one before at once"
    )
    func lastDayAndReissue() async throws {
        let last = try day("2020-03-31")
        try await RegistrationWorld.with(from: Self.start) { world in
            let campaign = try await world.campaign(["A81001", "A81002", "A81003"], expiresOn: last)
            let letters = try await world.letters(campaign)
            #expect(letters.map(\.organisationCode) == ["A81001", "A81002", "A81003"])
            #expect(letters.allSatisfy { $0.expiresOn.calendarDate == last && $0.notIssuedBecause.isEmpty })
            let codes = try letters.map { try RegistrationWorld.code($0) }

            world.host.clock.set(try day("2020-03-15"))
            let again = try await world.operations.reissueLetter(
                .with {
                    $0.organisationCode = "A81003"
                    $0.channel = .post
                    $0.reason = "the letter was lost"
                })
            #expect(again.expiresOn.calendarDate == last)
            let dead = await failure { try await world.redeem(codes[2], "A81003") }
            #expect(dead?.reason == HostReasons.registrationCodeRefused)

            world.host.clock.set(last, hour: 23, minute: 59)
            #expect(try await world.redeem(codes[0], "A81001").state == .registered)
            #expect(
                try await world.redeem(try RegistrationWorld.code(again), "A81003", administrators: ["ben"])
                    .state
                    == .registered)

            world.host.clock.set(try day("2020-04-01"), hour: 0, minute: 0)
            let late = await failure { try await world.redeem(codes[1], "A81002") }
            #expect(late?.reason == dead?.reason && late?.message == dead?.message)
            #expect(try await world.state("A81002") == .expired)
            #expect(
                try world.causes().map { String($0.split(separator: ":").last ?? "") } == [
                    " a later letter took the code's place", " the code has expired",
                ])
        }
    }

    @Test(
        "a registered practice has its administrators in both services, and the contract holder without a role"
    )
    func people() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let letters = try await world.letters(try await world.campaign(["A81001", "A81002"]))
            let code = try RegistrationWorld.code(letters[0])
            let reply = try await world.redeem(code, "A81001", administrators: ["anna", "ben"])
            #expect(reply.people.map(\.name) == ["Holder", "Anna", "Ben"])
            #expect(
                reply.people.map { Set($0.roles) } == [
                    [], [.gppUserAdministrator, .plOrganisationAdministrator],
                    [.gppUserAdministrator, .plOrganisationAdministrator],
                ])
            #expect(reply.people.allSatisfy { !$0.activationCode.isEmpty })
            let registry = try world.host.process.identity()
            let anna = try #require(registry.subject(reply.people[1].personID))
            #expect(Set(anna.grants.map(\.organisation.value)) == ["A81001"])
            let holder = try #require(registry.subject(reply.people[0].personID))
            #expect(holder.grants.isEmpty && holder.memberships.map(\.organisation.value) == ["A81001"])

            // The same person at a second practice: one account, no second invitation.
            let second = try await world.redeem(
                try RegistrationWorld.code(letters[1]), "A81002", administrators: ["anna"])
            #expect(second.people[1].personID == anna.id && second.people[1].activationCode.isEmpty)
            let used = await failure { try await world.redeem(code, "A81001") }
            #expect(used?.reason == HostReasons.registrationCodeRefused)
            #expect(try world.causes().last?.hasSuffix(IssuedCode.Cause.used.rawValue) == true)
            let shown = try await world.operations.getRegistration(.with { $0.organisationCode = "A81001" })
            #expect(shown.history.map(\.state) == [.invited, .codeAccepted, .registered])
            #expect(shown.contractHolderEmail == "holder@surgery.example")
            let changes = try world.changes(of: "A81001")
            #expect(changes == [.invited, .codeAccepted, .registered])
        }
    }

    @Test("an optician's administrators get the ophthalmic role; a pharmacy waits for PCSE to complete it")
    func kinds() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let letters = try await world.letters(
                try await world.campaign([RegistrationWorld.optician, RegistrationWorld.pharmacy]))
            let pharmacy = try await world.redeem(
                try RegistrationWorld.code(letters[0]), RegistrationWorld.pharmacy)
            #expect(pharmacy.state == .codeAccepted && pharmacy.people.allSatisfy { $0.roles.isEmpty })
            let optician = try await world.redeem(
                try RegistrationWorld.code(letters[1]), RegistrationWorld.optician, administrators: ["olga"])
            #expect(optician.state == .registered)
            #expect(optician.people.last?.roles.contains(.ophthalmicUserAdministrator) == true)
            let completed = try await world.operations.setRegistrationState(
                .with {
                    $0.organisationCode = RegistrationWorld.pharmacy
                    $0.state = .registered
                    $0.reason = "main contact set"
                })
            #expect(completed.state == .registered)
            let types = try world.host.process.store().outbox(after: 0, limit: 1_000).map(\.type)
            #expect(
                types.contains("pcs.casework.v1.TaskRequested")
                    && types.contains("pcs.casework.v1.TaskSettled"))
        }
    }

    @Test("none, five, twice the same, no acknowledgement: refused by name, and the code stays good")
    func badRequests() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let letter = try #require(try await world.letters(try await world.campaign(["A81001"])).first)
            let code = try RegistrationWorld.code(letter)
            func ask(_ change: (inout Pcs_Host_V1_RedeemCodeRequest) -> Void) async -> Failure? {
                var request = RegistrationWorld.request(code, "A81001")
                change(&request)
                return await failure { try await world.stranger.redeemCode(request) }
            }
            let five = (0..<5).map { RegistrationWorld.person("person\($0)") }
            #expect(await ask { $0.administrators = [] }?.violations.first?.field == "administrators")
            #expect(
                await ask { $0.administrators = five }?.violations.first?.rule
                    == "registration.administrators")
            #expect(await ask { $0.administrators = [five[0], five[0]] }?.reason == HostReasons.fieldInvalid)
            #expect(await ask { $0.acknowledged = false }?.violations.first?.field == "acknowledged")
            #expect(
                await ask { $0.administrators[0].email = "no address" }?.violations.first?.rule
                    == "email.form")
            #expect(
                await ask { $0.contractHolder.name = "" }?.violations.first?.field == "contract_holder.name")
            let mistyped = String(code.dropLast()) + (code.last == "A" ? "B" : "A")
            #expect(await ask { $0.code = mistyped }?.violations.first?.rule == "code.check")
            #expect(await ask { $0.code = "0" }?.violations.first?.rule == "code.form")
            #expect(try await world.state("A81001") == .invited)
            let four = ["anna", "ben", "cara", "dan"]
            #expect(try await world.redeem(code, "A81001", administrators: four).people.count == 5)
        }
    }

    @Test("a code is seen once: in its letter, and nowhere on disk, in the audit or under a repeated key")
    func seenOnce() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let campaign = try await world.campaign(["A81001", "A81002", "A81003"])
            let first = try await world.letters(campaign, limit: 2)
            #expect(first.map(\.organisationCode) == ["A81001", "A81002"])
            #expect(try await world.letters(campaign).map(\.organisationCode) == ["A81003"])
            #expect(try await world.letters(campaign).isEmpty)
            #expect(first[0].text.contains("SURGERY {code} 0\n1 HIGH STREET\nSTOCKTON\nTS18 1HU"))
            let request = Pcs_Host_V1_ReissueLetterRequest.with {
                $0.organisationCode = "A81001"
                $0.channel = .post
                $0.reason = "lost in the post"
            }
            let options = CallOptions(idempotencyKey: "letter-1")
            let letter = try await world.operations.reissueLetter(request, options: options)
            let repeated = try await world.operations.reissueLetter(request, options: options)
            #expect(!letter.text.isEmpty && repeated.text.isEmpty && repeated.organisationCode == "A81001")
            let code = try RegistrationWorld.code(letter)
            let reply = try await world.redeem(code, "A81001", key: "redeem-1")
            let same = try await world.redeem(code, "A81001", key: "redeem-1")
            #expect(same.people.map(\.personID) == reply.people.map(\.personID))
            #expect(same.people.allSatisfy { $0.activationCode.isEmpty })
            let secrets = [code, code.replacing("-", with: "")] + reply.people.map(\.activationCode)
            let databases = world.host.folder + "/databases"
            for name in try FileManager.default.subpathsOfDirectory(atPath: databases) {
                guard let bytes = FileManager.default.contents(atPath: databases + "/" + name) else {
                    continue
                }
                for secret in secrets { #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)") }
            }
        }
    }

    @Test(
        "by e-mail only to the contract holder on record; revoked codes are dead; closed organisations get no letter"
    )
    func channels() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let code = try RegistrationWorld.code(
                try #require(try await world.letters(try await world.campaign(["A81001"])).first))
            func reissue(_ email: String) async -> (Pcs_Host_V1_RegistrationLetter?, Failure?) {
                var letter: Pcs_Host_V1_RegistrationLetter?
                let refused = await failure {
                    letter = try await world.operations.reissueLetter(
                        .with {
                            $0.organisationCode = "A81001"
                            $0.channel = .email
                            $0.email = email
                            $0.reason = "asked by e-mail"
                        })
                }
                return (letter, refused)
            }
            #expect(await reissue("holder@surgery.example").1?.reason == HostReasons.stateWrong)
            _ = try await world.operations.recordContractHolder(
                .with {
                    $0.organisationCode = "A81001"
                    $0.name = "Holder"
                    $0.email = "holder@surgery.example"
                    $0.reason = "contract of 2013"
                })
            #expect(await reissue("thief@surgery.example").1?.violations.first?.rule == "registration.holder")
            let sent = await reissue("Holder@surgery.example").0
            #expect(sent?.email == "holder@surgery.example")
            #expect(await failure { try await world.redeem(code, "A81001") } != nil)
            let revoked = try await world.operations.revokeCode(
                .with {
                    $0.organisationCode = "A81001"
                    $0.reason = "the letter was opened"
                })
            #expect(revoked.state == .revoked)
            let dead = try RegistrationWorld.code(try #require(sent))
            #expect(await failure { try await world.redeem(dead, "A81001") } != nil)
            #expect(try world.causes().last?.hasSuffix(IssuedCode.Cause.revoked.rawValue) == true)
            // A code of one organisation means nothing at another.
            let other = try RegistrationWorld.code(
                try #require(
                    try await world.letters(try await world.campaign(["A81002"], name: "More")).first))
            #expect(
                await failure { try await world.redeem(other, "A81003") }?.reason
                    == HostReasons.registrationCodeRefused)
            #expect(try await world.redeem(other, "A81002").state == .registered)
        }
    }

    @Test("a branch is set up under its main practice, whose users get nothing there")
    func branch() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let loading = OrganisationLoading(host: world.host)
            _ = try await loading.load(
                RegisterFile.file([
                    RegisterFile.practice("A81001001", name: "THE BRANCH", commissioner: "A81001")
                ]),
                .branchSurgeries, name: "ebranchs.csv", published: Self.start)
            let request = Pcs_Host_V1_SetUpBranchRequest.with {
                $0.mainPracticeCode = "A81001"
                $0.branchCode = "A81001001"
                $0.reason = "form of the practice"
            }
            #expect(
                await failure { try await world.operations.setUpBranch(request) }?.reason
                    == HostReasons.stateWrong)
            let letter = try #require(try await world.letters(try await world.campaign(["A81001"])).first)
            let reply = try await world.redeem(try RegistrationWorld.code(letter), "A81001")
            let branch = try await world.operations.setUpBranch(request)
            #expect(branch.state == .registered && branch.mainPracticeCode == "A81001")
            #expect(branch.contractHolderEmail == "holder@surgery.example")
            let registry = try world.host.process.identity()
            for person in reply.people {
                let subject = try #require(registry.subject(person.personID))
                #expect(subject.memberships.map(\.organisation.value) == ["A81001"])
            }
            var wrong = request
            wrong.mainPracticeCode = "A81002"
            #expect(
                await failure { try await world.operations.setUpBranch(wrong) }?.violations.first?.rule
                    == "registration.branch")
        }
    }

    @Test("a night closes the registration of a practice that has closed, and says which codes expired")
    func upkeep() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            _ = try await world.letters(try await world.campaign(["A81001", "A81002"]))
            world.host.clock.set(Self.start.adding(days: 91))
            let rows = (0..<3).map { index -> String in
                let row = RegisterFile.practice("A8\(1_001 + index)", name: "SURGERY", commissioner: "02Q")
                return index > 0
                    ? row
                    : row.replacing("\"ACTIVE\"", with: "\"INACTIVE\"").replacing(
                        "\"19740401\",\"\"", with: "\"19740401\",\"20191101\"")
            }
            let load = try await OrganisationLoading(host: world.host).load(
                RegisterFile.file(rows), .practices, name: "epraccur.csv",
                published: Self.start.adding(days: 91))
            let manager = try await world.host.person("manager", roles: [Roles.organisationDataManager])
            _ = try await Pcs_Host_V1_OrganisationServiceClient(world.host.transport(as: manager))
                .decideHeldSnapshot(
                    .with {
                        $0.loadID = load.loadID
                        $0.apply = true
                        $0.reason = "one of three closed"
                    })
            let upkeep = RegistrationUpkeep(register: try world.host.process.organisations())
            #expect(
                try await upkeep.run() == "2 codes expired, 1 registrations closed with their organisations")
            #expect(try await world.state("A81001") == .closed)
            #expect(try await world.state("A81002") == .expired)
            #expect(
                try await upkeep.run() == "0 codes expired, 0 registrations closed with their organisations")
            let refused = await failure {
                try await world.operations.reissueLetter(
                    .with {
                        $0.organisationCode = "A81001"
                        $0.channel = .post
                        $0.reason = "asked again"
                    })
            }
            #expect(refused?.reason == HostReasons.stateWrong)
        }
    }
}
