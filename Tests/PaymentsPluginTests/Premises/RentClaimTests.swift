import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Claims for rent (payments.md 6.3)")
struct RentClaimTests {
    @Test("actual rent is paid up to the market rent of its period; without one as billed, and the commissioner knows")
    func actualRent() async throws {
        try await RentDesk.with { desk in
            let unknown = try await desk.submit(
                .actualRent, "7000.00", from: "2025-10-01", to: "2025-12-31", invoice: "R-0")
            #expect(unknown.warnings == ["no market rent is known for 2025-10-01: the rent is paid as billed"])
            #expect(try await desk.approve(unknown).approvedPence == 700_000)
            _ = try await desk.approve(try RentDesk.request(.marketRent, "24000.00", from: "2026-01-01"))
            // A quarter of the year's rent is a quarter of the year, whatever its days.
            let equal = try await desk.submit(.actualRent, "6000.00", from: "2026-01-01", to: "2026-03-31")
            #expect(equal.warnings.isEmpty)
            #expect(try await desk.approve(equal).state == .approved)
            let above = try await desk.submit(
                .actualRent, "6000.01", from: "2026-04-01", to: "2026-06-30", invoice: "R-2")
            let preview = try await desk.claims(desk.approver).previewClaim(
                .with { ($0.claimID, $0.practiceCode) = (above.claimID, "A81001") })
            #expect(preview.payablePence == 600_000 && preview.parts.map(\.reduction) == ["MARKET_RENT"])
            #expect(preview.parts.first?.rule.hasPrefix("payments.md 6.3 actual rent: lower of the bill") == true)
            let adjusted = try await desk.approve(above)
            #expect(adjusted.state == .adjusted && adjusted.approvedPence == 600_000)
            #expect(adjusted.reason == "MARKET_RENT")
            // From 16 July another rent: 2,000 x 15/31 + 1,000 x 16/31.
            _ = try await desk.approve(try RentDesk.request(.marketRent, "12000.00", from: "2026-07-16"))
            let changed = try await desk.submit(
                .actualRent, "5000.00", from: "2026-07-01", to: "2026-07-31", invoice: "R-3")
            #expect(try await desk.approve(changed).approvedPence == 148_387)
            let run = try await desk.office.pay("2026-03")
            let lines = try await desk.office.statement("A81001", "2026-03").lines.filter { $0.paycode == "PACT" }
            #expect(lines.count == 4 && lines.allSatisfy { $0.displayedCode == "PACTG" })
            for line in lines {
                let explained = try await desk.office.statements().explainLine(
                    .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", run.runID, line.lineNumber) })
                #expect(explained.replayedPence == line.amountPence)
            }
        }
    }

    @Test("private use takes its share off the lower of the two")
    func privateUse() async throws {
        try await RentDesk.with { desk in
            var request = try RentDesk.request(.marketRent, "24000.00", from: "2026-01-01")
            request.privateUseHundredths = 2_000
            _ = try await desk.approve(request)
            let before = try await desk.submit(.actualRent, "1000.00", from: "2026-01-01", to: "2026-01-31")
            #expect(before.warnings.first?.contains("no threshold is set") == true)
            #expect(try await desk.approve(before).approvedPence == 100_000)
            try await desk.office.setRate(
                "premises_private_use_percent", "10", from: "2026-01-01", to: "2027-04-01", unit: .percent)
            let below = try await desk.submit(
                .actualRent, "1000.00", from: "2026-02-01", to: "2026-02-28", invoice: "R-2")
            #expect(try await desk.approve(below).approvedPence == 80_000)
            let above = try await desk.submit(
                .actualRent, "3000.00", from: "2026-03-01", to: "2026-03-31", invoice: "R-3")
            let decided = try await desk.approve(above)
            #expect(decided.approvedPence == 160_000 && decided.reason == "MARKET_RENT, PRIVATE_USE")
        }
    }

    @Test("cost rent is closed to new entrants and ends with a notional rent, unless the commissioner says why not")
    func costRent() async throws {
        try await RentDesk.with { desk in
            let first = try await desk.submit(
                .costRent, "1000.00", from: "2025-01-01", to: "2025-01-31", invoice: "C-1")
            let closed = try await refusal { _ = try await desk.approve(first) }
            #expect(closed.reason == PaymentsReasons.costRentClosed)
            #expect(closed.violations.first?.message.contains("closed to new entrants") == true)
            #expect(
                try await desk.approve(first, costRentReason: "in the scheme since 1998").approvedPence == 100_000)
            // It had one before: no more reason is needed.
            let second = try await desk.submit(
                .costRent, "1000.00", from: "2025-02-01", to: "2025-02-28", invoice: "C-2")
            #expect(try await desk.approve(second).state == .approved)
            _ = try await desk.approve(try RentDesk.request(.notional, "24000.00", from: "2025-03-16"))
            let third = try await desk.submit(
                .costRent, "1000.00", from: "2025-03-01", to: "2025-03-31", invoice: "C-3")
            let actual = try await desk.submit(
                .actualRent, "9.00", from: "2025-03-01", to: "2025-03-31", invoice: "C-4")
            #expect(actual.warnings.first == "a notional rent is paid on 2025-03-16")
            let converted = try await refusal { _ = try await desk.approve(third) }
            #expect(converted.violations.first?.message.contains("notional rent, paid on 2025-03-16") == true)
        }
    }

    @Test("the day of closing is a parameter: before it entrants are taken, after it only those who had a cost rent")
    func closingDay() async throws {
        try await RentDesk.with { desk in
            try await desk.office.setRate(
                "premises_cost_rent_closed", "0", from: "2004-04-01", to: "2025-06-01", unit: .count)
            try await desk.office.setRate(
                "premises_cost_rent_closed", "1", from: "2025-06-01", to: "2030-04-01", unit: .count)
            let late = try await desk.submit(
                .costRent, "1000.00", from: "2025-06-01", to: "2025-06-30", invoice: "C-1")
            let closed = try await refusal { _ = try await desk.approve(late) }
            #expect(closed.violations.first?.message.contains("none before 2025-06-01") == true)
            let early = try await desk.submit(
                .costRent, "1000.00", from: "2025-05-01", to: "2025-05-31", invoice: "C-2")
            #expect(try await desk.approve(early).state == .approved)
            #expect(try await desk.approve(late).state == .approved)
        }
    }
}
