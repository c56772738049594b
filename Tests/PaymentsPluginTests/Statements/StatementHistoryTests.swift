import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Statements over years, and what changed (payments.md 11)")
struct StatementHistoryTests {
    @Test("six whole years and the current one can be read, year by year and month by month")
    func history() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,PMS,2020-04-01,,16C,Y63,,,,,,,FIXED,1200.00,,")
            let first = try month("2020-04")
            for index in 0..<75 { try await office.pay(first.adding(months: index).description) }
            let client = try await office.statements()
            let started = ContinuousClock.now
            let all = try await client.listStatements(.with { $0.practiceCode = "A81001" }).statements
            print("statements of 75 months listed in \(ContinuousClock.now - started)")
            #expect(all.count == 75)
            #expect(all.map(\.statementID) == (0..<75).map { "\(first.adding(months: $0))-1/A81001" })
            #expect(all.allSatisfy { $0.netPence == 10_000 && $0.sha256.count == 64 })
            for year in ["2020/21", "2021/22", "2022/23", "2023/24", "2024/25", "2025/26"] {
                let found = try await client.listStatements(
                    .with { ($0.practiceCode, $0.financialYear) = ("A81001", year) })
                #expect(found.statements.count == 12, "\(year)")
            }
            let oldest = try await office.statement("A81001", "2020-04")
            #expect(shown(oldest.lines) == ["PMSB 100.00"] && oldest.lines[0].lineID == "2020-04-1/A81001#1")
            let last = try await office.statement("A81001", "2026-06")
            #expect(last.lines[0].yearToDatePence == 30_000 && last.lines[0].yearToDatePeriodPence == 30_000)
        }
    }

    @Test(
        "what changed since last month, and why: a rate, a list, a correction, an item; the first statement is all new"
    )
    func changes() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.setRate("global_sum_price", "130.00", from: "2026-03-01", to: "2026-07-01")
            try await office.loadContracts("A81001,One,GMS,2026-04-01,,16C,Y63,,,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0")
            try await office.loadLists("2026-07-01", "A81001,10400,10100.00,0")
            let manager = try await office.host.person(
                "mary", roles: [Roles.practiceStatements], at: "A81001")
            func changes(_ text: String) async throws -> (Pcs_Payments_V1_StatementChanges, [String]) {
                let month = try month(text)
                let reply = try await office.statements(manager).getStatementChanges(
                    .with {
                        $0.practiceCode = "A81001"
                        $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
                    })
                let sum = reply.changes.reduce(Int64(0)) { $0 + $1.afterPence - $1.beforePence }
                #expect(sum == reply.afterNetPence - reply.beforeNetPence)
                return (
                    reply,
                    reply.changes.flatMap { change in
                        change.reasons.map {
                            "\(change.paycode)\(change.hasOriginalMonth ? " of \(change.originalMonth.month)" : "") "
                                + "\($0.kind) \($0.cause.input)"
                        }
                    }
                )
            }
            try await office.pay("2026-04")
            let (first, new) = try await changes("2026-04")
            #expect(first.beforeStatementID.isEmpty && first.beforeNetPence == 0)
            #expect(new == ["GSUM line line", "NPP line line"])
            try await office.pay("2026-05")
            #expect(try await changes("2026-05").1.isEmpty)
            try await office.setRate("global_sum_price", "131.00", from: "2026-04-01", to: "2027-04-01")
            try await office.pay("2026-06")
            let (june, because) = try await changes("2026-06")
            #expect(june.beforeStatementID == "2026-05-1/A81001")
            #expect(
                because == ["GSUM rate price", "GSUM of 4 correction line", "GSUM of 5 correction line"])
            try await office.pay("2026-07")
            #expect(
                try await changes("2026-07").1 == [
                    "GSUM list weighted_patients", "NPP list weighted_patients", "GSUM of 4 correction line",
                    "GSUM of 5 correction line",
                ])
            let post = QualityPost(host: office.host)
            try await post.instruct(
                QualityPost.instruction(
                    "L1", "D1", "A81001", pence: 70_000, release: "2026-08-01", payCode: "LDHC"))
            try await office.pay("2026-08")
            let (august, items) = try await changes("2026-08")
            #expect(items == ["ESLD item item"])
            #expect(august.changes[0].reasons[0].cause.source == "cqrs/L1")
            #expect(august.changes[0].reasons[0].cause.after == "700.00")
            // Practices cannot compare others, nor all.
            let other = try await refusal {
                for try await _ in try await office.statements(manager).compareRuns(
                    .with { ($0.beforeRunID, $0.afterRunID) = ("2026-07-1", "2026-08-1") })
                {}
            }
            #expect(other.reason.code == .permissionDenied)
        }
    }
}
