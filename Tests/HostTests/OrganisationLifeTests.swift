import CommonContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("The life of organisations: headquarters, branches, payees, local bodies, days to come", .serialized)
struct OrganisationLifeTests {
    private static let start = CalendarDate(daysSince1970: 20_455)  // 2026-01-02

    private func code(_ text: String) throws -> ODSCode { try #require(ODSCode(text)) }
    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text)) }

    private func with(_ body: (TestHost, OrganisationLoading, OrganisationRegister) async throws -> Void)
        async throws
    {
        try await TestHost.with(clock: ManualClock(Self.start)) { host in
            let loading = OrganisationLoading(host: host)
            let commissioners = RegisterFile.commissioners([
                RegisterFile.commissioner("QT1", primary: "RO261", roles: "RO262|RO318"),
                RegisterFile.commissioner("02Q", roles: "RO319", parent: "QT1"),
            ])
            _ = try await loading.load(
                Array(commissioners.utf8), .commissioners, name: "commissioners.csv", published: Self.start)
            _ = try await loading.load(
                RegisterFile.file([
                    RegisterFile.practice("A81001", commissioner: "02Q"),
                    RegisterFile.practice("A81002", commissioner: "02Q"),
                ]), .practices, name: "epraccur.csv", published: Self.start)
            try await body(host, loading, try host.process.organisations())
        }
    }

    private func service(_ host: TestHost) async throws -> Pcs_Host_V1_OrganisationServiceClient {
        Pcs_Host_V1_OrganisationServiceClient(try await host.transport(.unixSocket))
    }

    private func changes(_ host: TestHost) throws -> [Pcs_Host_V1_OrganisationChanged] {
        try host.process.store().outbox(after: 0, limit: 10_000)
            .filter { $0.type == Pcs_Host_V1_OrganisationChanged.protoMessageName }
            .map { try Pcs_Host_V1_OrganisationChanged(serializedBytes: $0.payload) }
    }

    @Test("every report is read into its kind, with who operates or commissions it, and its address")
    func reports() async throws {
        try await with { host, loading, register in
            let files: [(Pcs_Host_V1_SnapshotKind, String, String, OrganisationKind)] = [
                (.pharmacyHeadquarters, "P79D", "", .pharmacyHeadquarters),
                (.pharmacies, "FA002", "P79D", .pharmacy),
                (.branchSurgeries, "A81001001", "A81001", .branchSurgery),
                (.opticalHeadquarters, "TQ1", "", .opticalHeadquarters),
                (.opticalSites, "TP1AB", "TQ1", .opticalSite),
                (.dentalPractices, "V25604", "02Q", .dentalPractice), (.trusts, "RVV", "", .trust),
            ]
            for (kind, code, parent, expected) in files {
                let load = try await loading.load(
                    RegisterFile.file([
                        RegisterFile.practice(code, name: "NAME OF \(code)", commissioner: parent)
                    ]),
                    kind, name: "\(kind).csv", published: Self.start)
                #expect(load.state == .applied && load.opened == 1, "\(kind)")
                let entry = register.organisation(try self.code(code), at: Self.start)
                #expect(entry?.kind == expected, "\(kind)")
            }
            func above(_ child: String) throws -> String? {
                register.operatingOrganisation(of: try code(child), at: Self.start)?.value
            }
            #expect(try above("A81001001") == "A81001" && above("FA002") == "P79D" && above("TP1AB") == "TQ1")
            #expect(try above("V25604") == nil)
            #expect(register.commissioner(of: try code("V25604"), at: Self.start)?.value == "02Q")
            let shown = try await service(host).getOrganisation(.with { $0.code = "A81001001" })
            #expect(shown.operatorCode == "A81001" && shown.kindLabel == "Branch surgery")
            #expect(shown.addressLines == ["1 HIGH STREET", "STOCKTON"] && shown.postcode == "TS18 1HU")
            var below: [String] = []
            for try await one in try await service(host).listOrganisations(.with { $0.parentCode = "A81001" })
            {
                below.append(one.code)
            }
            #expect(below == ["A81001001"])
            try await host.restart()
            #expect(
                try host.process.organisations().operatingOrganisation(of: code("TP1AB"), at: Self.start)?
                    .value
                    == "TQ1")
        }
    }

    @Test(
        "a branch whose code does not begin with its practice's, and wrong codes, are refused with their rules"
    )
    func branchRules() async throws {
        try await with { _, loading, _ in
            for (branch, main) in [("A81001001", "A81002"), ("A81001000", "A81001"), ("A8100101", "A81001")] {
                let refused = await failure {
                    try await loading.load(
                        RegisterFile.file([RegisterFile.practice(branch, commissioner: main)]),
                        .branchSurgeries,
                        name: "ebranchs.csv", published: Self.start)
                }
                #expect(refused?.violations.first?.rule == "ODS-1", "\(branch)")
            }
        }
    }

    @Test("epcn is read in both its forms, 8 columns and 12")
    func networksReport() async throws {
        try await with { host, loading, register in
            _ = try await loading.load(
                Array(RegisterFile.pcns(["U30913,BEVERLEY PCN,02Q,,20191001,,S70 1AA,BARNSLEY"]).utf8), .pcns,
                name: "pcn.csv", published: Self.start)
            let later = Self.start.adding(days: 30)
            host.clock.set(later)
            let row = [
                "U30913", "BEVERLEY NETWORK", "02Q", "BASSETLAW", "20191001", "", "THE SURGERY", "2 LANE", "",
                "BARNSLEY", "", "S70 1AA",
            ]
            let load = try await loading.load(
                RegisterFile.file([row.map { "\"\($0)\"" }.joined(separator: ",")]), .pcns, name: "epcn.csv",
                published: later)
            #expect(load.state == .applied && load.changed == 1)
            #expect(register.organisation(try code("U30913"), at: later)?.name == "BEVERLEY NETWORK")
            let shown = try await service(host).getOrganisation(.with { $0.code = "U30913" })
            #expect(shown.addressLines == ["THE SURGERY", "2 LANE", "BARNSLEY"])
        }
    }

    @Test("who receives a PCN's money, by day; a payee to come is announced on its day")
    func payees() async throws {
        try await with { host, loading, register in
            _ = try await loading.load(
                Array(RegisterFile.pcns(["U30913,BEVERLEY PCN,02Q,,20191001,,,"]).utf8), .pcns,
                name: "pcn.csv",
                published: Self.start)
            let header = "pcn_code,payee_code,start_date,end_date\n"
            let load = try await loading.load(
                Array((header + "U30913,A81001,20200401,20260131\nU30913,8GJ58,20260201,\n").utf8),
                .nominatedPayees, name: "payees.csv", published: Self.start)
            #expect(load.state == .applied && load.opened == 2 && load.pendingReferences == 1)
            func payee(_ text: String) async throws -> String {
                try await service(host).getPayee(
                    .with {
                        $0.pcnCode = "U30913"
                        $0.at = Pcs_Common_V1_Date(try day(text))
                    }
                ).payeeCode
            }
            #expect(try await payee("2020-03-31").isEmpty)
            #expect(try await payee("2026-01-31") == "A81001")
            #expect(try await payee("2026-02-01") == "8GJ58")
            #expect(
                await failure { try await service(host).getPayee(.with { $0.pcnCode = "A81001" }) } != nil)
            let overlapping = await failure {
                try await loading.load(
                    Array((header + "U30913,A81001,20200401,\nU30913,8GJ58,20260201,\n").utf8),
                    .nominatedPayees,
                    name: "payees.csv", published: Self.start)
            }
            #expect(overlapping?.violations.map(\.rule) == ["ODS-2"])
            #expect(register.payee(forPCN: try code("U30913"), at: try day("2026-02-01"))?.value == "8GJ58")

            let calendar = OrganisationCalendar(register: register)
            #expect(try await calendar.run().hasPrefix("0 changes"))
            let before = try changes(host).count
            host.clock.set(try day("2026-02-02"))
            #expect(try await calendar.run().hasPrefix("1 changes"))
            let published = try changes(host).dropFirst(before)
            #expect(published.map(\.kind) == [.payeeChanged] && published.allSatisfy(\.inForce))
            #expect(published.first?.before == "A81001" && published.first?.after == "8GJ58")
            #expect(try published.first?.effectiveOn.calendarDate == day("2026-02-01"))
            #expect(try await calendar.run().hasPrefix("0 changes"))
        }
    }

    @Test("a future closing and a future membership take effect by date, each announced once, on its day")
    func future() async throws {
        try await with { host, loading, register in
            _ = try await loading.load(
                Array(RegisterFile.pcns(["U30913,A PCN,02Q,,20191001,,,"]).utf8), .pcns, name: "pcn.csv",
                published: Self.start)
            _ = try await loading.load(
                RegisterFile.file([RegisterFile.member("A81001", "U30913", from: "20260401", to: "")]),
                .pcnMembers,
                name: "members.csv", published: Self.start)
            _ = try await loading.load(
                RegisterFile.file([
                    RegisterFile.practice("A81001", commissioner: "02Q"),
                    RegisterFile.practice("A81002", closed: "20260331", commissioner: "02Q"),
                ]), .practices, name: "epraccur.csv", published: Self.start.adding(days: 0))
            let calendar = OrganisationCalendar(register: register)
            _ = try await calendar.run()
            let before = try changes(host).count
            for offset in 1...120 {
                host.clock.set(Self.start.adding(days: offset))
                _ = try await calendar.run()
            }
            let published = try changes(host).dropFirst(before).map {
                "\($0.code) \($0.kind) \($0.effectiveOn.calendarDate?.description ?? "")"
            }
            #expect(published == ["A81002 closed 2026-03-31", "A81001 pcnJoined 2026-04-01"])
            #expect(register.organisation(try code("A81002"), at: try day("2026-03-31"))?.status == .active)
            #expect(register.organisation(try code("A81002"), at: try day("2026-04-01"))?.status == .inactive)
            #expect(register.pcn(of: try code("A81001"), at: try day("2026-03-31")) == nil)
        }
    }

    @Test("section 16, example 4: one succession stated on both records and in succ loads once, with its day")
    func successions() async throws {
        try await with { host, loading, register in
            let rows = [
                RegisterFile.commissioner("00G", status: "Inactive", successor: "13T"),
                RegisterFile.commissioner("13T", roles: "RO319", predecessors: "00F|00G|00H"),
            ]
            _ = try await loading.load(
                Array(RegisterFile.commissioners(rows).utf8), .commissioners, name: "tyne.csv",
                published: Self.start)
            let succ =
                "\"00G\",\"13T\",\"M\",\"20150401\",\"\"\r\n\"00F\",\"13T\",\"M\",\"20150401\",\"\"\r\n"
            let load = try await loading.load(
                Array(succ.utf8), .successions, name: "succ.csv", published: Self.start)
            #expect(load.state == .applied)
            #expect(register.successors(of: try code("00G")).map(\.value) == ["13T"])
            #expect(register.predecessors(of: try code("13T")).map(\.value) == ["00F", "00G", "00H"])
            let dated = try host.process.store().read { reader in
                try reader.all(
                    Statement(
                        "SELECT predecessor, effective_on FROM organisation_succession ORDER BY predecessor")
                ) { "\($0.text(0)) \($0.text(1))" }
            }
            #expect(dated == ["00F 2015-04-01", "00G 2015-04-01", "00H "])
            let itself = await failure {
                try await loading.load(
                    Array("13T,13T\n".utf8), .successions, name: "succ.csv", published: Self.start)
            }
            #expect(itself?.violations.map(\.rule) == ["ODS-5"])
        }
    }

    @Test(
        "section 16, example 21: a reopened code is an event, and its people stay outside until they are named anew"
    )
    func reopened() async throws {
        try await with { host, loading, register in
            let person = try await host.person("stays-out", roles: [Roles.practiceStatements], at: "A81001")
            let rows = { (status: String, closed: String, opened: String) in
                [
                    RegisterFile.practice(
                        "A81001", opened: opened, closed: closed, status: status, commissioner: "02Q"),
                    RegisterFile.practice("A81002", commissioner: "02Q"),
                ]
            }
            let manager = try await host.person("manager", roles: [Roles.organisationDataManager])
            let decider = Pcs_Host_V1_OrganisationServiceClient(try await host.transport(.tcp, as: manager))
            let closing = Self.start.adding(days: 10)
            host.clock.set(closing)
            let held = try await loading.load(
                RegisterFile.file(rows("INACTIVE", "20260110", "19740401")), .practices, name: "epraccur.csv",
                published: closing)
            #expect(held.state == .held)
            _ = try await decider.decideHeldSnapshot(
                .with {
                    $0.loadID = held.loadID
                    $0.apply = true
                    $0.reason = "one of two closes"
                })
            let reopening = Self.start.adding(days: 20)
            host.clock.set(reopening)
            let load = try await loading.load(
                RegisterFile.file(rows("ACTIVE", "", "20260122")), .practices, name: "epraccur.csv",
                published: reopening)
            #expect(load.state == .applied && load.reopened == 1)
            #expect(try changes(host).map(\.kind).contains(.reopened))
            let registry = try host.process.identity()
            let subject = try #require(registry.subject(person.id))
            #expect(!subject.grants.isEmpty && registry.inForce(subject.grants, on: reopening).isEmpty)
            let tasks = try host.process.store().outbox(after: 0, limit: 1_000).map(\.type)
            #expect(tasks.count { $0 == "pcs.casework.v1.TaskRequested" } == 1)
            #expect(tasks.count { $0 == "pcs.casework.v1.TaskSettled" } == 1)
        }
    }
}
