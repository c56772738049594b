import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Networks through the public door (payments.md 8.2)")
struct NetworkMonthTests {
    private func networks(_ office: PaymentsOffice, _ subject: TestSubject? = nil) async throws
        -> Pcs_Payments_V1_NetworkServiceClient
    { Pcs_Payments_V1_NetworkServiceClient(try await office.transport(subject ?? office.operating)) }

    private func load(_ office: PaymentsOffice, _ rows: String) async throws -> Pcs_Payments_V1_NetworkPopulationsLoad {
        let text = "pcn_code,registered_patients,adjusted_patients,weighted_patients\n" + rows
        return try await networks(office).loadNetworkPopulations([
            .with {
                ($0.fileName, $0.financialYear, $0.data) = ("pcn.csv", "2026/27", Data(text.utf8))
            }
        ])
    }

    @Test("a network gets a statement of its own; beds set late make a difference line; the same file changes nothing")
    func wholeMonths() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let loaded = try await load(office, "U89141,43210,44872.35,44000.00\n")
            #expect(loaded.added == 1)
            #expect(try await load(office, "U89141,43210,44872.35,44000.00\n").alreadyLoaded)
            try await office.pay("2026-04")
            let first = try await office.statement("U89141", "2026-04")
            #expect(first.payeeKind == .pcn && first.contractType == .unspecified)
            #expect(shown(first.lines) == ["PCNCOR 11118.57"])
            try await office.setRate(
                "network_care_home_bed", "130.253", from: "2026-04-01", to: "2027-04-01")
            let april = try month("2026-04")
            _ = try await networks(office).setCareHomeBeds(
                .with {
                    ($0.pcnCode, $0.beds, $0.reason) = ("U89141", 312, "register of the inspectorate")
                    $0.month = Pcs_Common_V1_Month(year: april.year, month: april.month)
                })
            try await office.pay("2026-05")
            let second = try await office.statement("U89141", "2026-05")
            #expect(shown(second.lines) == ["PCNCOR 11118.57", "PCNCHP 3386.58", "PCNCHP 3386.58"])
            #expect(second.lines.map(\.isRetro) == [false, false, true])
            for line in second.lines { #expect(try ShownFigures.agrees(line), "\(line.basis)") }
            try await office.pay("2026-06")
            #expect(
                shown(try await office.statement("U89141", "2026-06").lines) == ["PCNCOR 11118.57", "PCNCHP 3386.58"])
        }
    }

    @Test("rows with faults are refused together, unknown networks by name")
    func faults() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let broken = try await refusal { _ = try await load(office, "U89141,x,1.234,1\nU89141,1,1,1\n") }
            #expect(broken.violations.map { "\($0.row) \($0.rule)" } == ["2 NET02", "2 NET03", "3 NET01"])
            let unknown = try await refusal { _ = try await load(office, "U99998,1,1,1\nA81001,1,1,1\n") }
            #expect(unknown.violations.map(\.row) == [2, 3])
            let stranger = try await office.host.person("eve", roles: [Roles.pcnViewer], at: "A81001")
            let denied = try await refusal {
                _ = try await networks(office, stranger).setCareHomeBeds(.with { $0.pcnCode = "U89141" })
            }
            #expect(denied.reason == HostReasons.accessDenied)
        }
    }
}
