import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Who sees which statement (payments.md 8.3, 11, 12.8)")
struct StatementViewerTests {
    private func allowed(
        _ office: PaymentsOffice, _ subject: TestSubject, _ code: String, _ text: String = "2026-04"
    ) async throws -> Bool {
        do {
            _ = try await office.statement(code, text, as: subject)
            return true
        } catch let failure as Failure {
            guard failure.reason.code == .permissionDenied else { throw failure }
            return false
        }
    }

    @Test("practice, accountant, commissioner, ICB and staff see a practice's statement, others do not")
    func practices() async throws {
        try await PaymentsOffice.with { office in
            let host = office.host
            try await host.loadOrganisations()
            try await office.loadContracts(
                "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
                "A81002,Two,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0", "A81002,5000,5000.00,0")
            try await office.pay("2026-04")
            let viewers: [(String, Set<Role>, String, Bool)] = [
                ("own", [Roles.practiceStatements], "A81001", true),
                ("neighbour", [Roles.practiceStatements], "A81002", false),
                ("accountant", [Roles.gpAccountant], "A81001", true),
                ("accountantOfOther", [Roles.gpAccountant], "A81002", false),
                ("claims", [Roles.practiceClaimsAdmin], "A81001", false),
                ("editor", [Roles.commissionerEditor], "16C", true),
                ("approver", [Roles.commissionerApprover], "16C", true),
                ("otherArea", [Roles.commissionerEditor], "00L", false),
                ("icb", [Roles.icbViewer], "QHM", true),
                ("otherIcb", [Roles.icbViewer], "QWO", false),
                ("auditor", [Roles.auditor], "PCS", true),
                ("committee", [Roles.lmcViewer], "A81002", false),
            ]
            for (name, roles, organisation, expected) in viewers {
                let viewer = try await host.person(name.lowercased(), roles: roles, at: organisation)
                #expect(try await allowed(office, viewer, "A81001") == expected, "\(name)")
                // Each way of reading has the same rule.
                let downloads: Bool
                do {
                    _ = try await StatementFileTests.download(office, "A81001", "2026-04-1", .pdf, as: viewer)
                    downloads = true
                } catch let failure as Failure {
                    #expect(failure.reason.code == .permissionDenied)
                    downloads = false
                }
                #expect(downloads == expected, "\(name)")
            }
        }
    }

    @Test(
        "a network's payee view sees its statement; members read totals by line without bank data; others nothing"
    )
    func networks() async throws {
        try await PaymentsOffice.with { office in
            let host = office.host
            try await host.loadOrganisations()
            try await office.loadNetworks("2026/27", "U89141,43210,44872.35,44000.00")
            try await office.pay("2026-04")
            let payee = try await host.person("pam", roles: [Roles.pcnViewer], at: "U89141")
            let inside = try await host.person("mel", roles: [Roles.practiceStatements], at: "A81001")
            let outside = try await host.person("otto", roles: [Roles.practiceStatements], at: "E83003")
            let own = try await office.statement("U89141", "2026-04", as: payee)
            #expect(shown(own.lines) == ["PCNCOR 11118.57"])
            #expect(own.lines[0].sourceReference.hasPrefix("network/U89141"))
            let read = try await office.statement("U89141", "2026-04", as: inside)
            #expect(shown(read.lines) == shown(own.lines))
            #expect(read.lines.allSatisfy { $0.sourceReference.isEmpty })
            #expect(read.bankAccountLastFour.isEmpty && read.bankReference.isEmpty)
            #expect(try await !allowed(office, outside, "U89141"))
            // The file has the account, so members do not get it.
            let file = try await refusal {
                _ = try await StatementFileTests.download(office, "U89141", "2026-04-1", .pdf, as: inside)
            }
            #expect(file.reason.code == .permissionDenied)
        }
    }
}
