import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("What a run took from the register stays with its snapshot (payments.md 8.1, 12.2)")
struct NetworkMembershipTests {
    /// A81001 is a member of U89141, which has a population of its own.
    private func withNetwork(_ body: (PaymentsOffice) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,GMS,2026-04-01,,16C,Y63,,,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0")
            try await office.loadNetworks("2026/27", "U89141,43210,44872.35,44000.00")
            try await body(office)
        }
    }

    /// The register's next files: the practice has left its network, and the network has another name.
    private func changeRegister(_ office: PaymentsOffice) async throws {
        let members = String(decoding: try OpenData.read("ods/epcncorepartnerdetails.csv.gz"), as: UTF8.self)
        let row = try #require(
            members.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\"A81001\",") })
        let left = members.replacing(row, with: row.replacing("\"20191001\",\"\"", with: "\"20191001\",\"20260315\""))
        try await office.host.loadOrganisations(
            Array(left.utf8), kind: .pcnMembers, fileName: "epcncorepartnerdetails.csv",
            publishedOn: try day("2026-03-10"))
        let networks = String(decoding: try OpenData.read("ods/pcn.csv.gz"), as: UTF8.self)
        let renamed = networks.replacing("U89141,STOCKTON PCN,", with: "U89141,TEES PCN,")
        try await office.host.loadOrganisations(
            Array(renamed.utf8), kind: .pcns, fileName: "pcn.csv", publishedOn: try day("2026-03-10"))
        try await office.host.eventsDelivered()
    }

    private func thaw(_ runID: String, _ office: PaymentsOffice) async throws {
        _ = try await office.runs().reopenRun(
            .with { ($0.runID, $0.thaw, $0.reason) = (runID, true, "the register has changed") })
    }

    private func participation(_ office: PaymentsOffice, _ month: String) async throws -> [String] {
        shown(try await office.statement("A81001", month).lines.filter { $0.paycode == "NPP" })
    }

    @Test("a changed register leaves a frozen run's bytes alone; thawed, the month and the one before come out anew")
    func frozen() async throws {
        try await withNetwork { office in
            try await office.pay("2026-04")
            #expect(try await participation(office, "2026-04") == ["NPP 1467.50"])
            let first = try await office.calculate(try await office.open("2026-05").runID)
            let name = try await office.statement("U89141", "2026-05").practiceName
            #expect(name == "STOCKTON PCN")
            try await changeRegister(office)

            let again = try await office.calculate(first.runID)
            #expect(again.calculation == first.calculation + 1 && again.snapshot == first.snapshot)
            #expect(again.statementsSha256 == first.statementsSha256)
            #expect(try await participation(office, "2026-05") == ["NPP 1467.50"])
            #expect(try await office.statement("U89141", "2026-05").practiceName == name)

            try await thaw(first.runID, office)
            let thawed = try await office.calculate(first.runID)
            #expect(thawed.snapshot > first.snapshot)
            // No longer a member in May, nor in April, which was paid.
            #expect(try await participation(office, "2026-05") == ["NPP -1467.50"])
            let line = try await office.statement("A81001", "2026-05").lines.last { $0.paycode == "NPP" }
            #expect(line?.isRetro == true && line?.originalMonth.month == 4)
            #expect(try await office.statement("U89141", "2026-05").practiceName == "TEES PCN")
            #expect(try await office.calculate(first.runID).statementsSha256 == thawed.statementsSha256)
            try await office.approve(try await office.calculate(first.runID))
            try await office.pay("2026-06")
            #expect(try await participation(office, "2026-06") == [])
        }
    }

    @Test("membership is that of the morning after the cut-off, whenever the run is calculated")
    func cutOff() async throws {
        try await withNetwork { office in
            let run = try await office.open("2026-04")
            office.host.clock.set(try #require(run.cutOffOn.calendarDate), hour: 23)
            try await office.host.advance(milliseconds: 2 * 3_600_000)
            #expect(try await office.runs().getRun(.with { $0.runID = run.runID }).state == .cutOff)
            try await changeRegister(office)
            let calculated = try await office.runs().calculateRun(.with { $0.runID = run.runID })
            #expect(try await participation(office, "2026-04") == ["NPP 1467.50"])
            try await office.approve(calculated)
            try await office.pay("2026-05")
            #expect(try await participation(office, "2026-05") == ["NPP -1467.50"])
        }
    }

    @Test("what has not changed is not recorded again, and disturbs no month that was paid")
    func unchanged() async throws {
        try await withNetwork { office in
            let first = try await office.pay("2026-04")
            let second = try await office.pay("2026-05")
            #expect(second.snapshot == first.snapshot && second.retroLines == 0)
        }
    }
}
