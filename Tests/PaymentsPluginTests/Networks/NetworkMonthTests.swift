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
    @Test("a network gets a statement of its own; beds set late make a difference line; the same file changes nothing")
    func wholeMonths() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let row = "U89141,43210,44872.35,44000.00"
            let loaded = try await office.loadNetworks("2026/27", row)
            #expect(loaded.added == 1)
            #expect(try await office.proposeNetworks("2026/27", [row]).alreadyLoaded)
            try await office.pay("2026-04")
            let first = try await office.statement("U89141", "2026-04")
            #expect(first.payeeKind == .pcn && first.contractType == .unspecified)
            #expect(shown(first.lines) == ["PCNCOR 11118.57"])
            try await office.setRate(
                "network_care_home_bed", "130.253", from: "2026-04-01", to: "2027-04-01")
            let april = try month("2026-04")
            _ = try await office.networks().setCareHomeBeds(
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
            let broken = try await refusal {
                _ = try await office.proposeNetworks("2026/27", ["U89141,x,1.234,1", "U89141,1,1,1"])
            }
            #expect(broken.violations.map { "\($0.row) \($0.rule)" } == ["2 NET02", "2 NET03", "3 NET01"])
            let unknown = try await refusal {
                _ = try await office.proposeNetworks("2026/27", ["U99998,1,1,1", "A81001,1,1,1"])
            }
            #expect(unknown.violations.map(\.row) == [2, 3])
            let stranger = try await office.host.person("eve", roles: [Roles.pcnViewer], at: "A81001")
            let denied = try await refusal {
                _ = try await office.networks(stranger).setCareHomeBeds(.with { $0.pcnCode = "U89141" })
            }
            #expect(denied.reason == HostReasons.accessDenied)
        }
    }

    @Test("populations pay nothing until another person states their totals and puts them in force")
    func populationsByTwo() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let load = try await office.proposeNetworks("2026/27", ["U89141,43210,44872.35,44000.00"])
            #expect(load.state == .proposed)
            #expect((load.registeredPatients, load.adjustedPatientsHundredths) == (43_210, 4_487_235))
            let run = try await office.calculate(try await office.open("2026-04").runID)
            #expect(run.statements == 0)
            func decide(_ subject: TestSubject, _ registered: Int64, _ approve: Bool = true) async throws {
                _ = try await office.networks(subject).decideNetworkPopulations(
                    .with {
                        ($0.loadID, $0.approve, $0.reason) = (load.loadID, approve, "looked at")
                        ($0.controlTotalRegistered, $0.controlTotalAdjustedHundredths) = (registered, 4_487_235)
                    })
            }
            let own = try await refusal { try await decide(office.operating, 43_210) }
            #expect(own.reason.code == .permissionDenied)
            let wrong = try await refusal { try await decide(office.approver, 43_211) }
            #expect(wrong.reason == PaymentsReasons.controlTotalMismatch)
            try await decide(office.approver, 43_210)
            let twice = try await refusal { try await decide(office.secondApprover, 43_210) }
            #expect(twice.reason == PaymentsReasons.alreadyDecided)
            let network = try await office.networks().getNetwork(.with { $0.pcnCode = "U89141" })
            #expect(network.populations.map(\.registeredPatients) == [43_210])
        }
    }

    @Test("a rate that is not set stops the run once, with the networks named; one without a row is no item of the time")
    func unsetRates() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadNetworks(
                "2026/27", "U89141,43210,44872.35,44000.00", "U00254,41000,42000.00,41500.00")
            let run = try await office.calculate(try await office.open("2026-04").runID)
            func missing() async throws -> [String] {
                try await office.exceptions(run.runID, openOnly: true).filter { $0.kind == .expectedMissing }
                    .map(\.message)
            }
            // Of 2026/27 enhanced access is a parameter; nobody has beds; capacity support is withdrawn.
            #expect(
                try await missing() == [
                    "rate network_enhanced_access is not set for 2026-04: U00254, U89141 are not paid PCNEA"
                ])
            let blocked = try await refusal {
                _ = try await office.runs().reviewRun(
                    .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
            }
            #expect(blocked.reason == PaymentsReasons.exceptionsOpen)
            try await office.setRate("network_enhanced_access", "8.427", from: "2026-04-01", to: "2027-04-01")
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "the rate is known") })
            try await office.approve(try await office.calculate(run.runID))
            #expect(try await missing().isEmpty)
            #expect(
                shown(try await office.statement("U89141", "2026-04").lines)
                    == ["PCNCOR 11118.57", "PCNEA 31511.61"])
        }
    }

    @Test("a practice that takes part and has no list stops the run; with the list it is paid")
    func withoutList() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,APMS,2026-01-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let run = try await office.calculate(try await office.open("2026-04").runID)
            let found = try await office.exceptions(run.runID, openOnly: true).filter { $0.paycode == "NPP" }
            #expect(found.map(\.message) == ["no list of 2026-04-01: A81001 is not paid NPP"])
            #expect(found.map(\.practiceCode) == ["A81001"])
            try await office.loadLists("2026-04-01", "A81001,9873,10000.00,0")
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "the list is there") })
            try await office.approve(try await office.calculate(run.runID))
            #expect(
                shown(try await office.statement("A81001", "2026-04").lines) == ["APMSB 10000.00", "NPP 1467.50"])
        }
    }

    @Test("core funding of 2024/25 is paid as of April and warned of until somebody loads the split of 2.967")
    func unsplitCore() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadNetworks("2024/25", "U89141,43210,44872.35,44000.00")
            let run = try await office.calculate(try await office.open("2024-04").runID)
            func warnings(_ runID: String) async throws -> [String] {
                try await office.exceptions(runID).filter { $0.paycode == "PCNCOR" }.map { "\($0.severity): \($0.message)" }
            }
            #expect(
                try await warnings(run.runID) == [
                    "warning: core funding of 2024/25 is paid at 2.916 pounds a patient; the revised 2.967 has no split: "
                        + "load network_core_registered and network_core_adjusted"
                ])
            try await office.approve(run)
            // (2.218 x 43,210 + 0.698 x 44,872.35) / 12
            #expect(shown(try await office.statement("U89141", "2024-04").lines).first == "PCNCOR 10596.72")
            try await office.setRate("network_core_registered", "2.257", from: "2024-04-01", to: "2025-04-01")
            try await office.setRate("network_core_adjusted", "0.710", from: "2024-04-01", to: "2025-04-01")
            let next = try await office.calculate(try await office.open("2024-05").runID)
            #expect(try await warnings(next.runID).isEmpty)
            try await office.approve(next)
            // 10,782.03 less 10,596.72, for April.
            let retro = try await office.statement("U89141", "2024-05").lines.filter { $0.isRetro }
            #expect(shown(retro) == ["PCNCOR 185.31"])
        }
    }
}
