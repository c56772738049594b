import CommonContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("The life of organisations: local bodies, the nightly folder, labels, and who approves", .serialized)
struct OrganisationLifeLocalTests {
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

    @Test("bodies without an ODS code are registered with a reason, close, and no file can state them")
    func local() async throws {
        try await with { host, loading, register in
            let operations = try await service(host)
            let request = Pcs_Host_V1_RegisterLocalOrganisationRequest.with {
                $0.code = "LOCALLMC1"
                $0.kind = .localMedicalCommittee
                $0.name = "BASSETLAW LMC"
                $0.addressLines = ["3 CHURCH ROAD"]
                $0.postcode = "S81 7AA"
                $0.town = "WORKSOP"
                $0.reason = "levies are paid to it"
            }
            let made = try await operations.registerLocalOrganisation(request)
            #expect(made.kind == .localMedicalCommittee && made.kindLabel == "Local Medical Committee")
            #expect(made.addressLines == ["3 CHURCH ROAD", "WORKSOP"] && made.status == .active)
            #expect(
                await failure { try await operations.registerLocalOrganisation(request) }?.reason
                    == HostReasons.alreadyExists)
            func ask(_ change: (inout Pcs_Host_V1_RegisterLocalOrganisationRequest) -> Void) async -> String?
            {
                var wrong = request
                change(&wrong)
                return await failure { try await operations.registerLocalOrganisation(wrong) }?.violations
                    .first?.rule
            }
            #expect(await ask { $0.code = "A81009" } == "local.code")
            #expect(await ask { $0.code = "LOCAL" } == "local.code")
            #expect(await ask { $0.kind = .practice } == "local.kind")
            #expect(await ask { $0.commissionerCode = "QT1" } == "local.commissioner")
            #expect(await ask { $0.reason = "" } == "text.length")
            let file = await failure {
                try await loading.load(
                    RegisterFile.file([RegisterFile.practice("LOCALLMC1", commissioner: "")]), .trusts,
                    name: "etr.csv",
                    published: Self.start)
            }
            #expect(file?.violations.map(\.rule) == ["ODS-7"])
            let last = Self.start.adding(days: 5)
            _ = try await operations.closeLocalOrganisation(
                .with {
                    $0.code = "LOCALLMC1"
                    $0.closedOn = Pcs_Common_V1_Date(last)
                    $0.reason = "merged with its neighbour"
                })
            #expect(register.organisation(try code("LOCALLMC1"), at: last)?.status == .active)
            #expect(
                register.organisation(try code("LOCALLMC1"), at: last.adding(days: 1))?.status == .inactive)
            #expect(
                await failure {
                    try await operations.closeLocalOrganisation(
                        .with {
                            $0.code = "A81001"
                            $0.reason = "not ours"
                        })
                }?.reason == HostReasons.notFound)
        }
    }

    @Test("files dropped into the folder are loaded in order; held and refused ones are told and moved away")
    func folder() async throws {
        try await with { host, _, register in
            let folder = host.folder + "/register"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            func drop(_ name: String, _ bytes: [UInt8]) throws {
                try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
            }
            host.clock.set(Self.start.adding(days: 1))
            try drop(
                "edispensary-2026-01-03.csv",
                RegisterFile.file([RegisterFile.practice("FA002", commissioner: "P79D")]))
            try drop(
                "epharmacyhq-20260103.csv",
                RegisterFile.file([RegisterFile.practice("P79D", commissioner: "")]))
            try drop(
                "epraccur-2026-01-03.csv",
                RegisterFile.file([RegisterFile.practice("A81001", commissioner: "02Q")]))
            try drop("ebranchs.csv", Array("broken\n".utf8))
            try drop("notes.txt", Array("left alone".utf8))
            let loader = RegisterFolder(path: folder, register: register)
            #expect(
                try loader.waiting().map(\.name) == [
                    "epraccur-2026-01-03.csv", "ebranchs.csv", "epharmacyhq-20260103.csv",
                    "edispensary-2026-01-03.csv",
                ])
            #expect(try await loader.run() == "2 files loaded, 1 held, 1 refused")
            #expect(
                register.operatingOrganisation(of: try code("FA002"), at: Self.start.adding(days: 1))?.value
                    == "P79D")
            #expect(
                register.organisation(try code("A81002"), at: Self.start.adding(days: 1))?.status == .active)
            #expect(
                try Set(FileManager.default.contentsOfDirectory(atPath: folder)) == [
                    "notes.txt", "loaded", "held", "refused",
                ])
            let types = try host.process.store().outbox(after: 0, limit: 1_000).map(\.type)
            #expect(
                types.contains("pcs.casework.v1.TaskRequested")
                    && types.contains("pcs.casework.v1.MessagePosted"))
            #expect(try await loader.run() == "0 files loaded, 0 held, 0 refused")
        }
    }

    @Test("what a commissioner was called depends on the day, and its record does not (ORG-6)")
    func labels() async throws {
        try await with { host, _, _ in
            let operations = try await service(host)
            func label(_ code: String, _ text: String) async throws -> String {
                try await operations.getOrganisation(
                    .with {
                        $0.code = code
                        $0.at = Pcs_Common_V1_Date(try day(text))
                    }
                ).kindLabel
            }
            #expect(try await label("02Q", "2022-06-30") == "Clinical Commissioning Group")
            #expect(try await label("02Q", "2022-07-01") == "Sub ICB Location")
            #expect(try await label("QT1", "2022-06-30") == "Sustainability and Transformation Partnership")
            #expect(try await label("QT1", "2022-07-01") == "Integrated Care Board")
        }
    }

    @Test(
        "section 16, examples 1, 22 and 23 on the real register: who approves follows the commissioner, never the address"
    )
    func realRelations() async throws {
        let today = CalendarDate(daysSince1970: 20_514)
        try await TestHost.with(clock: ManualClock(today)) { host in
            try await host.loadOrganisations()
            let register = try host.process.organisations()
            func allowed(_ acting: String, _ target: String) throws -> String {
                let rule = AccessRule(
                    allow: [
                        Allow(
                            role: Roles.commissionerApprover, relation: .commissioner,
                            organisationField: "code")
                    ],
                    changesState: true)
                let method = MethodDescriptor(
                    path: "pcs.trial.v1.TrialService/Approve", kind: .unary, requestType: "", replyType: "",
                    access: rule)
                let question = AccessQuestion(
                    method: method, acting: try code(acting), roles: [Roles.commissionerApprover],
                    organisations: [OrganisationTarget(field: "code", code: target)], directory: register,
                    today: today)
                do {
                    try question.answer()
                    return "allowed"
                } catch let failure as Failure {
                    return failure.message.split(separator: ":").first.map(String.init) ?? ""
                }
            }
            #expect(register.icb(of: try code("C84101"), at: today)?.value == "QT1")
            let ofQF7 = register.snapshot.places(
                below: try #require(register.snapshot.place(of: try code("QF7"))), kind: .subICBLocation,
                at: today
            ).map { register.snapshot.codes[Int($0)].value }
            #expect(!ofQF7.isEmpty)
            for location in ofQF7 {
                #expect(try allowed(location, "C84101") == "Refused by the clause relation")
            }
            #expect(try allowed("02Q", "C84101") == "allowed")
            // The ICB above reads and does not act.
            #expect(try allowed("QT1", "C84101") == "Refused by the clause icbReadOnly")
            // Wye Valley is Wales's, wherever its address lies.
            #expect(register.icb(of: try code("W93019"), at: today) == nil)
            for acting in ["QR1", "11M"] { #expect(try allowed(acting, "W93019") != "allowed") }
            // Practice-level approval by the practice's own, the PCN's by its lead commissioner.
            #expect(try allowed("11N", "L82008") == "allowed" && allowed("15N", "L82008") != "allowed")
            #expect(try allowed("15N", "U41591") == "allowed" && allowed("11N", "U41591") != "allowed")
        }
    }
}
