import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

@testable import Host

@Suite("Loads of the register: compared, held, decided on, applied entirely or not at all")
struct OrganisationLoadTests {
    private static let start = CalendarDate(daysSince1970: 20_455)  // 2026-01-02

    private func code(_ text: String) throws -> ODSCode { try #require(ODSCode(text)) }

    /// A host that knows one Sub ICB Location and a hundred practices of it.
    private func withPractices(_ body: (TestHost, OrganisationLoading) async throws -> Void) async throws {
        try await TestHost.with(clock: ManualClock(Self.start)) { host in
            let loading = OrganisationLoading(host: host)
            let commissioners = RegisterFile.commissioners([
                RegisterFile.commissioner("QT1", primary: "RO261", roles: "RO262|RO318"),
                RegisterFile.commissioner("02Q", roles: "RO319", parent: "QT1"),
                RegisterFile.commissioner("52R", roles: "RO319", parent: "QT1"),
            ])
            _ = try await loading.load(
                Array(commissioners.utf8), .commissioners, name: "commissioners.csv", published: Self.start)
            let first = try await loading.load(
                RegisterFile.file(practices()), .practices, name: "epraccur-2026-01.csv",
                published: Self.start)
            #expect(first.state == .applied && first.opened == 100)
            try await body(host, loading)
        }
    }

    private func practices(_ change: (Int, String) -> String? = { _, row in row }) -> [String] {
        (0..<100).compactMap { index in
            change(
                index,
                RegisterFile.practice("A8\(1_000 + index)", name: "SURGERY \(index)", commissioner: "02Q"))
        }
    }

    private func events(_ host: TestHost) throws -> [Pcs_Host_V1_OrganisationChanged] {
        try host.process.store().outbox(after: 0, limit: 10_000)
            .filter { $0.type == Pcs_Host_V1_OrganisationChanged.protoMessageName }
            .map { try Pcs_Host_V1_OrganisationChanged(serializedBytes: $0.payload) }
    }

    @Test(
        "each kind of change is reported, published and in force; the first load of a kind publishes nothing")
    func changes() async throws {
        try await withPractices { host, loading in
            #expect(try events(host).isEmpty)
            let later = Self.start.adding(days: 31)
            host.clock.set(later)
            let rows =
                practices { index, row in
                    switch index {
                    case 0:
                        row.replacing("\"ACTIVE\"", with: "\"INACTIVE\"").replacing(
                            "\"19740401\",\"\"", with: "\"19740401\",\"20260131\"")
                    case 1: row.replacing("SURGERY 1", with: "NEW NAME")
                    case 2: row.replacing("TS18 1HU", with: "TS18 9ZZ")
                    case 3: row.replacing("\"02Q\",\"20130401\"", with: "\"52R\",\"20260201\"")
                    case 4: row.replacing("\"ACTIVE\"", with: "\"DORMANT\"")
                    default: row
                    }
                } + [RegisterFile.practice("B81001", opened: "20260201", commissioner: "02Q")]
            let load = try await loading.load(
                RegisterFile.file(rows), .practices, name: "epraccur-2026-02.csv", published: later)
            #expect(load.state == .applied)
            #expect(
                [load.opened, load.closed, load.changed, load.unchanged, load.missing] == [1, 1, 4, 95, 0])
            let kinds = try await loading.differences(load.loadID).map { "\($0.code) \($0.kind)" }.sorted()
            #expect(
                kinds == [
                    "A81000 closed", "A81001 renamed", "A81002 moved", "A81003 commissionerChanged",
                    "A81004 corrected",
                    "B81001 opened",
                ])
            let published = try events(host)
            #expect(published.map(\.code).sorted() == kinds.map { String($0.prefix(6)) })
            #expect(published.allSatisfy { $0.loadID == load.loadID })
            let register = try host.process.organisations()
            #expect(register.organisation(try code("A81000"), at: later)?.status == .inactive)
            #expect(register.organisation(try code("A81000"), at: Self.start)?.status == .active)
            #expect(register.commissioner(of: try code("A81003"), at: later.adding(days: -3))?.value == "02Q")
            #expect(register.commissioner(of: try code("A81003"), at: later)?.value == "52R")
            #expect(register.practices(commissionedBy: try code("52R"), at: later) == [try code("A81003")])
            #expect(register.practices(commissionedBy: try code("02Q"), at: later).count == 99)

            let knownThen = try await Pcs_Host_V1_OrganisationServiceClient(host.transport()).getOrganisation(
                .with {
                    $0.code = "A81000"
                    $0.at = Pcs_Common_V1_Date(later)
                    $0.knownOn = Pcs_Common_V1_Date(Self.start)
                })
            #expect(
                knownThen.status == .active && knownThen.commissionerCode == "02Q"
                    && knownThen.icbCode == "QT1")
        }
    }

    @Test("section 16, example 2: what was known on a day stays known as of that day")
    func knownThen() async throws {
        try await withPractices { host, loading in
            let before = RegisterFile.member("A81001", "U30913", from: "20191001", to: "")
            _ = try await loading.load(
                Array(RegisterFile.pcns(["U30913,BEVERLEY PCN,02Q,,20191001,,,"]).utf8), .pcns,
                name: "pcn.csv",
                published: Self.start)
            _ = try await loading.load(
                RegisterFile.file([before]), .pcnMembers, name: "members.csv", published: Self.start)
            let later = Self.start.adding(days: 59)
            host.clock.set(later)
            // A membership of one that ends is more than the breaker lets through: a person decides.
            let after = [
                RegisterFile.member("A81001", "U30913", from: "20191001", to: "20260331"),
                RegisterFile.member("A81001", "U59979", from: "20260401", to: ""),
            ]
            let load = try await loading.load(
                RegisterFile.file(after), .pcnMembers, name: "members-2.csv", published: later)
            #expect(load.state == .held && load.pendingReferences == 1)
            let manager = try await host.person("manager", roles: [Roles.organisationDataManager])
            let service = Pcs_Host_V1_OrganisationServiceClient(try await host.transport(as: manager))
            let decided = try await service.decideHeldSnapshot(
                .with {
                    $0.loadID = load.loadID
                    $0.apply = true
                    $0.reason = "the practice moves on 1 April"
                })
            #expect(decided.state == .applied)
            func pcn(_ at: String, known: CalendarDate) async throws -> String {
                try await service.getOrganisation(
                    .with {
                        $0.code = "A81001"
                        $0.at = Pcs_Common_V1_Date(CalendarDate(iso8601: at) ?? .unboundedStart)
                        $0.knownOn = Pcs_Common_V1_Date(known)
                    }
                ).pcnCode
            }
            #expect(try await pcn("2026-03-31", known: later) == "U30913")
            #expect(try await pcn("2026-04-01", known: later) == "U59979")
            #expect(try await pcn("2026-03-31", known: Self.start) == "U30913")
            #expect(try await pcn("2026-04-01", known: Self.start) == "U30913")
            await #expect(throws: Failure.self) {
                try await service.getOrganisation(
                    .with {
                        $0.code = "U59979"
                        $0.knownOn = Pcs_Common_V1_Date(Self.start)
                    })
            }
            // The PCN file catches up: the reference is resolved.
            let caughtUp = try await loading.load(
                Array(
                    RegisterFile.pcns([
                        "U30913,BEVERLEY PCN,02Q,,20191001,,,", "U59979,GREENGATES PCN,02Q,,20260401,,,",
                    ]).utf8),
                .pcns, name: "pcn.csv", published: later)
            #expect(caughtUp.opened == 1 && caughtUp.pendingReferences == 0)
            let pending = try host.process.store().read {
                try $0.all(OrganisationTables.pending) { $0.text(0) }
            }
            #expect(pending.isEmpty)
        }
    }

    @Test("more than 2 % closing holds the load; the loader cannot decide, another person can, once")
    func breakerAndSecondPerson() async throws {
        try await withPractices { host, loading in
            let closing = practices { index, row in
                index < 3
                    ? row.replacing("\"ACTIVE\"", with: "\"INACTIVE\"").replacing(
                        "\"19740401\",\"\"", with: "\"19740401\",\"20251231\"")
                    : row
            }
            let anna = try await host.person("anna", roles: [Roles.organisationDataManager])
            let ben = try await host.person("ben", roles: [Roles.organisationDataManager])
            let load = try await OrganisationLoading(host: host, subject: anna).load(
                RegisterFile.file(closing), .practices, name: "epraccur.csv", published: Self.start)
            #expect(load.state == .held)
            #expect(load.heldBecause == "3 of 100 active organisations close (3.0 %; the limit is 2 %)")
            #expect(load.loadedBy == "anna")
            let register = try host.process.organisations()
            #expect(register.organisation(try code("A81000"), at: Self.start)?.status == .active)
            let request = Pcs_Host_V1_DecideHeldSnapshotRequest.with {
                $0.loadID = load.loadID
                $0.apply = true
                $0.reason = "confirmed by telephone"
            }
            let own = await failure {
                try await Pcs_Host_V1_OrganisationServiceClient(host.transport(as: anna)).decideHeldSnapshot(
                    request)
            }
            #expect(own?.reason == HostReasons.secondPersonRequired)
            let other = Pcs_Host_V1_OrganisationServiceClient(try await host.transport(as: ben))
            #expect(try await other.decideHeldSnapshot(request).state == .applied)
            #expect(register.organisation(try code("A81000"), at: Self.start)?.status == .inactive)
            #expect(
                await failure { try await other.decideHeldSnapshot(request) }?.reason
                    == HostReasons.stateWrong)
            // Two per cent exactly is let through.
            let two = practices { index, row in
                index < 3
                    ? row.replacing("\"ACTIVE\"", with: "\"INACTIVE\"").replacing(
                        "\"19740401\",\"\"", with: "\"19740401\",\"20251231\"")
                    : index == 10 ? nil : row
            }
            let missing = try await loading.load(
                RegisterFile.file(two), .practices, name: "epraccur.csv", published: Self.start)
            #expect(missing.state == .applied && missing.missing == 1)
            #expect(
                register.organisation(try code("A81010"), at: Self.start)?.status == .active,
                "missing is flagged, never closed")
        }
    }

    @Test("a discarded load changes nothing, and its file may be offered again; an older file is held")
    func discardedAndOlder() async throws {
        try await withPractices { host, loading in
            let half = RegisterFile.file(practices { index, row in index < 50 ? row : nil })
            let load = try await loading.load(half, .practices, name: "epraccur.csv", published: Self.start)
            #expect(load.state == .held)
            let again = try await loading.load(half, .practices, name: "epraccur.csv", published: Self.start)
            #expect(again.alreadyLoaded && again.loadID == load.loadID)
            let manager = try await host.person("manager", roles: [Roles.organisationDataManager])
            let service = Pcs_Host_V1_OrganisationServiceClient(try await host.transport(as: manager))
            let discarded = try await service.decideHeldSnapshot(
                .with {
                    $0.loadID = load.loadID
                    $0.reason = "it was cut short"
                })
            #expect(discarded.state == .discarded)
            let fresh = try await loading.load(half, .practices, name: "epraccur.csv", published: Self.start)
            #expect(fresh.state == .held && fresh.loadID != load.loadID)
            let older = try await loading.load(
                RegisterFile.file(practices { $0 == 0 ? $1.replacing("SURGERY 0", with: "OLD NAME") : $1 }),
                .practices,
                name: "epraccur.csv", published: Self.start.adding(days: -31))
            #expect(older.state == .held && older.heldBecause.contains("already holds"))
        }
    }

    @Test("a dry run reports and changes nothing, and the file can be loaded after it")
    func dryRun() async throws {
        try await withPractices { host, loading in
            let renamed = RegisterFile.file(
                practices { $0 == 0 ? $1.replacing("SURGERY 0", with: "NEW NAME") : $1 })
            let dry = try await loading.load(
                renamed, .practices, name: "epraccur.csv", published: Self.start, dryRun: true)
            #expect(dry.state == .dryRun && dry.changed == 1)
            #expect(try await loading.differences(dry.loadID).map(\.kind) == [.renamed])
            let register = try host.process.organisations()
            #expect(register.organisation(try code("A81000"), at: Self.start)?.name == "SURGERY 0")
            let real = try await loading.load(
                renamed, .practices, name: "epraccur.csv", published: Self.start)
            #expect(real.state == .applied && !real.alreadyLoaded)
            #expect(register.organisation(try code("A81000"), at: Self.start)?.name == "NEW NAME")
        }
    }

    @Test("a broken file is refused with all its violations, and nothing of it is applied")
    func brokenFile() async throws {
        try await withPractices { host, loading in
            var rows = practices { $0 == 5 ? $1.replacing("SURGERY 5", with: "CHANGED") : $1 }
            rows[7] = rows[7] + ",\"extra\""
            rows[9] = rows[9].replacing("19740401", with: "19740431")
            let refused = await failure {
                try await loading.load(
                    RegisterFile.file(rows), .practices, name: "epraccur.csv", published: Self.start)
            }
            #expect(refused?.reason == HostReasons.fileInvalid)
            #expect(
                refused?.violations.map { "\($0.row):\($0.column) \($0.rule)" } == [
                    "8:0 CSV-3", "10:11 ODS-3",
                ])
            let register = try host.process.organisations()
            #expect(register.organisation(try code("A81005"), at: Self.start)?.name == "SURGERY 5")
            let wrongKind = await failure {
                try await loading.load(
                    RegisterFile.file(practices()), .pcns, name: "pcn.csv", published: Self.start)
            }
            #expect(wrongKind?.violations.first?.rule == "CSV-4" && wrongKind?.violationCount == 27)
            let taken = await failure {
                try await loading.load(
                    Array(RegisterFile.commissioners([RegisterFile.commissioner("A81000")]).utf8),
                    .commissioners,
                    name: "x.csv", published: Self.start)
            }
            #expect(taken?.violations.map(\.rule) == ["ODS-8"])
        }
    }

    @Test("what the first message says is checked, and only it may say it")
    func description() async throws {
        try await withPractices { host, loading in
            let bytes = RegisterFile.file(practices())
            func field(_ kind: Pcs_Host_V1_SnapshotKind, _ name: String, _ day: CalendarDate) async -> String?
            {
                await failure { try await loading.load(bytes, kind, name: name, published: day) }?.violations
                    .first?.field
            }
            #expect(await field(.unspecified, "a.csv", Self.start) == "kind")
            #expect(await field(.UNRECOGNIZED(99), "a.csv", Self.start) == "kind")
            #expect(await field(.practices, "", Self.start) == "file_name")
            #expect(await field(.practices, "../a.csv", Self.start) == "file_name")
            #expect(await field(.practices, "a.csv", Self.start.adding(days: 1)) == "published_on")
            let service = Pcs_Host_V1_OrganisationServiceClient(try await host.transport())
            let twice = Pcs_Host_V1_LoadSnapshotRequest.with {
                $0.kind = .practices
                $0.fileName = "a.csv"
                $0.publishedOn = Pcs_Common_V1_Date(Self.start)
            }
            #expect(
                await failure { try await service.loadSnapshot([twice, twice]) }?.violations.first?.field
                    == "kind")
            #expect(
                await failure { try await service.getOrganisation(.with { $0.code = "nonsense" }) }?
                    .violations.first?.field == "code")
            #expect(
                await failure { try await service.getOrganisation(.with { $0.code = "ZZZ99" }) }?.reason
                    == HostReasons.notFound)
            #expect(try await service.getOrganisation(.with { $0.code = "PCS" }).kind == .national)
        }
    }

    @Test("successions run in circles without end, and successors that disagree decide nothing")
    func circles() async throws {
        try await withPractices { host, loading in
            let rows = [
                RegisterFile.commissioner("QF7", primary: "RO261", roles: "RO262|RO318"),
                RegisterFile.commissioner("03L", roles: "RO319", parent: "QF7"),
                RegisterFile.commissioner("90A", status: "Inactive", successor: "90B"),
                RegisterFile.commissioner("90B", status: "Inactive", successor: "90A"),
                RegisterFile.commissioner("90C", status: "Inactive", successor: "02Q|52R"),
                RegisterFile.commissioner("90D", status: "Inactive", successor: "02Q|03L"),
            ]
            let load = try await loading.load(
                Array(RegisterFile.commissioners(rows).utf8), .commissioners, name: "more.csv",
                published: Self.start)
            #expect(load.state == .applied)
            let register = try host.process.organisations()
            #expect(register.icb(of: try code("90A"), at: Self.start) == nil)
            #expect(register.icb(of: try code("90C"), at: Self.start)?.value == "QT1")
            #expect(register.icb(of: try code("90D"), at: Self.start) == nil)
        }
    }
}

/// The typed refusal with which `body` ends; `nil` when it does not fail.
func failure(_ body: () async throws -> some Any) async -> Failure? {
    do {
        _ = try await body()
        return nil
    } catch let failure as Failure {
        return failure
    } catch {
        Issue.record("not a typed refusal: \(error)")
        return nil
    }
}
