import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("Guessing registration codes, through the socket", .serialized)
struct RegistrationGuessingTests {
    private static let start = CalendarDate(daysSince1970: 20_528)

    @Test(
        "five wrong codes lock the organisation for an hour, a good code included, and raise the alarm once")
    func lock() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let letters = try await world.letters(try await world.campaign(["A81001", "A81002"]))
            let code = try RegistrationWorld.code(letters[0])
            var answers: Set<String> = []
            for _ in 0..<5 {
                let refused = await failure {
                    try await world.redeem(RegistrationCode.random().grouped, "A81001")
                }
                answers.insert("\(refused?.reason.name ?? "") \(refused?.message ?? "")")
            }
            let locked = await failure { try await world.redeem(code, "A81001") }
            answers.insert("\(locked?.reason.name ?? "") \(locked?.message ?? "")")
            #expect(answers == ["REGISTRATION_CODE_REFUSED \(HostReasons.registrationCodeRefused.summary)"])
            #expect(
                try await world.operations.getRegistration(.with { $0.organisationCode = "A81001" }).locked)
            let types = try world.host.process.store().outbox(after: 0, limit: 1_000).map(\.type)
            #expect(types.count { $0 == Pcs_Host_V1_RegistrationLocked.protoMessageName } == 1)
            #expect(types.count { $0 == "pcs.casework.v1.MessagePosted" } == 2)
            // The neighbour is served; a restart is no way round; the lock ends after its hour.
            #expect(
                try await world.redeem(try RegistrationWorld.code(letters[1]), "A81002").state == .registered)
            try await world.host.restart()
            let anybody = Pcs_Host_V1_OrganisationRegistrationServiceClient(
                try world.host.process.transport(.none))
            let request = RegistrationWorld.request(code, "A81001", administrators: ["cara"])
            #expect(await failure { try await anybody.redeemCode(request) } != nil)
            world.host.clock.advance(milliseconds: 3_599_000)
            #expect(await failure { try await anybody.redeemCode(request) } != nil)
            world.host.clock.advance(milliseconds: 1_000)
            #expect(try await anybody.redeemCode(request).state == .registered)
        }
    }

    @Test("wrong codes spread over more than an hour lock nothing, and a good one forgives them")
    func window() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let letters = try await world.letters(try await world.campaign(["A81001"]))
            for _ in 0..<3 {
                for _ in 0..<4 {
                    _ = await failure { try await world.redeem(RegistrationCode.random().text, "A81001") }
                }
                world.host.clock.advance(milliseconds: 3_601_000)
            }
            #expect(
                try await world.redeem(try RegistrationWorld.code(letters[0]), "A81001").state == .registered)
            #expect(try world.causes().count == 12)
        }
    }

    @Test("many at once get no more looks than one after the other")
    func burst() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            _ = try await world.letters(try await world.campaign(["A81001"]))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<48 {
                    group.addTask {
                        _ = await failure { try await world.redeem(RegistrationCode.random().text, "A81001") }
                    }
                }
            }
            let looks = try world.causes().count { $0.hasSuffix(IssuedCode.Cause.wrong.rawValue) }
            #expect(looks <= 5, "\(looks) codes were compared")
        }
    }

    @Test("10,000 wrong codes: the service stays available, the locks act, every organisation is safe")
    func flood() async throws {
        try await RegistrationWorld.with(from: Self.start, practices: 200) { world in
            let practices = (0..<200).map { "A8\(1_001 + $0)" }
            let letters = try await world.letters(try await world.campaign(practices))
            let quiet = try #require(letters.last)
            let targets = Array(practices.dropLast())
            let clock = ContinuousClock()
            let began = clock.now
            var inBetween: Duration = .zero
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        for turn in 0..<625 {
                            let target = targets[(worker * 625 + turn) % targets.count]
                            let refused = await failure {
                                try await world.redeem(RegistrationCode.random().text, target)
                            }
                            guard refused?.reason == HostReasons.registrationCodeRefused else { return false }
                        }
                        return true
                    }
                }
                // In the middle of it somebody has their letter before them.
                try await Task.sleep(for: .milliseconds(300))
                let before = clock.now
                let reply = try await world.redeem(
                    try RegistrationWorld.code(quiet), quiet.organisationCode, administrators: ["quiet"])
                inBetween = clock.now - before
                #expect(reply.state == .registered)
                for try await passed in group { #expect(passed) }
            }
            let took = clock.now - began
            print("registration: 10,000 wrong codes in \(took), a good one among them in \(inBetween)")
            let compared = try world.causes().count { $0.hasSuffix(IssuedCode.Cause.wrong.rawValue) }
            #expect(compared <= targets.count * 5)
            let registered = try world.host.process.store().read { reader in
                try reader.all(
                    RegistrationTables.records, [.text(""), .integer(1_000)], RegistrationRecord.init(row:))
            }.compactMap { $0 }.filter { $0.standing == .registered }
            #expect(registered.map(\.organisation.value) == [quiet.organisationCode])
            #expect(try world.host.process.store().verifyAudit().isWhole)
        }
    }

    @Test("organisations that the register does not have cost no rows and get the same answer")
    func unknown() async throws {
        try await RegistrationWorld.with(from: Self.start) { world in
            let before = try world.host.process.store().auditRows(from: 0, limit: 10_000).count
            for index in 0..<300 {
                let refused = await failure {
                    try await world.redeem(RegistrationCode.random().text, "X\(10_000 + index)")
                }
                #expect(refused?.message == HostReasons.registrationCodeRefused.summary)
            }
            let after = try world.host.process.store().auditRows(from: 0, limit: 10_000).count
            #expect(after - before < 20, "\(after - before) rows")
        }
    }
}
