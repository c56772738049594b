import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Statements, through the public door")
struct StatementTests {
    @Test("a practice sees its own statement once the run is approved, and nobody else's")
    func visibility() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(
                "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
                "A81002,Two,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0", "A81002,5000,5000.00,0")
            let manager = try await office.host.person(
                "mary", roles: [Roles.practiceStatements], at: "A81001")
            let run = try await office.calculate(try await office.open("2026-04").runID)
            #expect(run.warnings == 0)
            #expect(try await office.statement("A81001", "2026-04").published == false)
            let early = try await refusal { _ = try await office.statement("A81001", "2026-04", as: manager) }
            #expect(early.reason.name == "STATEMENT_UNKNOWN")
            try await office.approve(run)
            let statement = try await office.statement("A81001", "2026-04", as: manager)
            #expect(statement.published)
            #expect(shown(statement.lines) == ["GSUM 108391.67", "GSOOH -5094.41", "NPP 1467.50"])
            #expect(statement.netPence == 10_476_476)
            #expect(statement.weightedPatientsHundredths == 1_000_000)
            #expect(statement.sha256.count == 64)
            let other = try await refusal { _ = try await office.statement("A81002", "2026-04", as: manager) }
            #expect(other.reason.code == .permissionDenied)
            let commissioner = try await office.host.person(
                "carl", roles: [Roles.commissionerApprover], at: "16C")
            #expect(try await office.statement("A81002", "2026-04", as: commissioner).netPence == 5_238_238)
        }
    }

    @Test("every line explains itself, and the explanation leads to its amount")
    func explanation() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("E83003,Three,GMS,2026-04-01,,16C,Y56,,Y,Y,3600.00,,COUNTED,,,,")
            try await office.loadLists("2026-04-01", "E83003,12400,11873.42,11952")
            try await office.pay("2026-04")
            let statement = try await office.statement("E83003", "2026-04")
            #expect(
                shown(statement.lines) == [
                    "GSUM 128697.98", "GSLON 2171.28", "GSTPA 300.00", "GSOOH -6164.96", "GSMIN -787.02",
                ])
            for line in statement.lines {
                let explained = try await office.statements().explainLine(
                    .with {
                        ($0.practiceCode, $0.runID) = ("E83003", "2026-04-1")
                        $0.lineNumber = line.lineNumber
                    })
                #expect(explained.replayedPence == line.amountPence)
                #expect(explained.line == line)
                #expect(explained.inputs.allSatisfy { !$0.source.isEmpty && $0.hasAsOf })
            }
            let global = try await office.statements().explainLine(
                .with {
                    $0.practiceCode = "E83003"
                    $0.month = Pcs_Common_V1_Month(year: 2026, month: 4)
                    $0.lineNumber = 1
                })
            #expect(global.rule == "3.1 global sum")
            #expect(
                global.inputs.map { "\($0.name) \($0.value) \($0.unit)" } == [
                    "weighted_patients 11873.42 patients", "price 130.07 pounds",
                ])
            #expect(
                global.steps.map { "\($0.expression) = \($0.value)" } == [
                    "annual = weighted_patients x price = 1544375.7394",
                    "month = annual / 12 = 128697.978283333333…",
                    "amount = month to pence = 128697.98",
                ])
            #expect(global.inputs[1].source.contains("S6"))
            let missing = try await refusal {
                _ = try await office.statements().explainLine(
                    .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("E83003", "2026-04-1", 6) })
            }
            #expect(missing.message == "Statement 2026-04-1/E83003 has lines 1 to 5.")
        }
    }

    @Test("E3 through the door: arrears of a backdated price, collapsed, compared, and paid once")
    func backdatedPrice() async throws {
        try await PaymentsOffice.with { office in
            try await office.setRate("global_sum_price", "107.57", from: "2024-04-01", to: "2025-04-01")
            try await office.loadContracts("A81001,One,GMS,2024-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2024-04-01", "A81001,8000,8214.66,0")
            try await office.loadLists("2024-07-01", "A81001,8000,8301.10,0")
            try await office.loadLists("2024-10-01", "A81001,8000,8301.10,0")
            for month in ["2024-04", "2024-05", "2024-06", "2024-07", "2024-08"] {
                try await office.pay(month)
            }
            let set = try await office.setRate(
                "global_sum_price", "112.50", from: "2024-04-01", to: "2025-04-01")
            #expect(set.firstPaidMonthAffected == Pcs_Common_V1_Month(year: 2024, month: 4))
            let september = try await office.pay("2024-09")
            #expect(september.retroLines == 10)
            #expect(september.retroPence == 1_614_044)
            let statement = try await office.statement("A81001", "2024-09")
            #expect(statement.netPence == 9_026_667)
            #expect(statement.lines.last?.originalMonth == Pcs_Common_V1_Month(year: 2024, month: 8))
            let collapsed = try await office.statements().getStatement(
                .with {
                    ($0.practiceCode, $0.collapsed) = ("A81001", true)
                    $0.month = Pcs_Common_V1_Month(year: 2024, month: 9)
                })
            #expect(shown(collapsed.lines) == ["GSUM 94768.13", "GSOOH -4501.46"])
            #expect(collapsed.lines[0].yearToDatePence == 3 * 7_363_758 + 2 * 7_441_244 + 9_476_813)
            var differences: [Pcs_Payments_V1_RunDifference] = []
            let stream = try await office.statements().compareRuns(
                .with { ($0.beforeRunID, $0.afterRunID) = ("2024-08-1", "2024-09-1") })
            for try await difference in stream { differences.append(difference) }
            let price = try #require(differences.first { $0.paycode == "GSUM" && !$0.hasOriginalMonth })
            #expect(
                price.causes.map { "\($0.input): \($0.before) -> \($0.after)" } == ["price: 107.57 -> 112.50"]
            )
            #expect(differences.filter { $0.hasOriginalMonth }.count == 10)
            #expect(try await office.pay("2024-10").retroLines == 0)
        }
    }

    @Test("statements are listed by year, without lines")
    func listing() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,PMS,2026-03-01,,16C,Y63,,,,,,,FIXED,1200.00,,")
            for month in ["2026-03", "2026-04", "2026-05"] { try await office.pay(month) }
            let all = try await office.statements().listStatements(.with { $0.practiceCode = "A81001" })
            #expect(all.statements.map(\.runID) == ["2026-03-1", "2026-04-1", "2026-05-1"])
            let year = try await office.statements().listStatements(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
            #expect(year.statements.map(\.netPence) == [10_000, 10_000])
            #expect(year.statements.allSatisfy { $0.lines.isEmpty })
        }
    }

    @Test("a stored statement that was changed behind the system's back is refused")
    func damaged() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,PMS,2026-03-01,,16C,Y63,,,,,,,FIXED,1200.00,,")
            let run = try await office.calculate(try await office.open("2026-04").runID)
            _ = try await office.runs().reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, 1) })
            _ = try await office.runs(office.approver).approveRun(
                .with { ($0.runID, $0.calculation) = (run.runID, 1) })
            try await office.host.store(of: "payments").write(actor: "test") { transaction in
                try transaction.run(Statement("UPDATE statement SET body = ?1"), [.blob([1, 2, 3])])
                return ()
            }
            let read = try await refusal { _ = try await office.statement("A81001", "2026-04") }
            #expect(read.reason.name == "STATEMENT_DAMAGED")
            let approval = try await refusal {
                _ = try await office.runs(office.secondApprover).approveRun(
                    .with {
                        ($0.runID, $0.calculation) = (run.runID, 1)
                        $0.controlTotalPence = run.netPence
                    })
            }
            #expect(approval.reason.name == "STATEMENT_DAMAGED")
        }
    }
}
