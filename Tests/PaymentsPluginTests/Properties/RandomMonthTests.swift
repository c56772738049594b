import Accounting
import CommonContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// Payments' months under a thousand random corrections. `PCS_TEST_SEED=n` tries another course of events.
@Suite("Random months")
struct RandomMonthTests {
    static let seeds: [UInt64] =
        ProcessInfo.processInfo.environment["PCS_TEST_SEED"].flatMap { UInt64($0) }.map { [$0] } ?? [1, 2]

    @Test(
        "a thousand corrections: books balance, statements foot, same inputs same bytes, what is due is paid once",
        arguments: seeds)
    func months(seed: UInt64) async throws {
        print("random months, seed \(seed)")
        try await SandboxArea.with { area in
            var course = RandomMonths(area, seed: seed)
            try await course.prepare()
            var audit = SandboxAudit()
            var net: Int64 = 0
            for offset in 0..<4 {
                let month = RandomMonths.start.adding(months: offset)
                area.office.host.clock.set(month.firstDay.adding(days: 1))
                if offset > 0 {
                    // The 14th, or the Monday after.
                    let fourteenth = month.firstDay.adding(days: 13)
                    let paidOn = fourteenth.adding(
                        days: fourteenth.isoWeekday > 5 ? 8 - fourteenth.isoWeekday : 0)
                    try await course.payAgain(on: paidOn.description)
                    try await course.strike(before: month)
                }
                let run = try await pay(month, &course, area)
                net += run.netPence
                try await audit.check(run, month, area)
                try await course.settle(run)
                let journal = try await SandboxJournal(of: month, area)
                #expect(journal.balances.values.reduce(0, +) == 0, "seed \(seed)")
            }
            #expect(course.corrections >= 1000, "seed \(seed): \(course.corrections)")
            var quiet: Int64 = 0
            // One quiet month pays what came in late; the one after finds nothing left to put right.
            for offset in 4...5 {
                let month = RandomMonths.start.adding(months: offset)
                area.office.host.clock.set(month.firstDay.adding(days: 1))
                let run = try await area.office.pay(month.description)
                net += run.netPence
                quiet += run.netPence
                try await audit.check(run, month, area)
                if offset == 5 { #expect(run.retroLines == 0, "seed \(seed)") }
            }
            try onceAndExactly(audit, area, seed)
            let journal = try await SandboxJournal(of: nil, area)
            // The two quiet months have no file: all of it is owed.
            let owed = try await course.bank.outstanding(area).reduce(0) { $0 + $1.pence }
            try journal.settle(audit, net: net, owed: owed + quiet)
            try HLedger.check(journal)
            print(
                "seed \(seed): \(course.corrections) corrections, \(audit.statements) statements, "
                    + "\(audit.lines) lines, "
                    + "\(audit.retroLines) differences, net \(Money(pence: net))")
        }
    }

    /// A month, calculated twice with nothing in between, and with late variations in between that change nothing.
    private func pay(
        _ month: YearMonth, _ course: inout RandomMonths, _ area: SandboxArea
    ) async throws -> Pcs_Payments_V1_Run {
        let first = try await area.office.calculate(try await area.office.open(month.description).runID)
        try await course.vary(from: month, rows: 15, acceptNextRun: true)
        let again = try await area.office.calculate(first.runID)
        #expect(first.statementsSha256 == again.statementsSha256 && first.lines == again.lines)
        return try await area.office.approve(again)
    }

    /// For each practice and month: what all runs together paid on contract lines is what is due by all that is known
    /// now, reckoned again from contracts, lists and rates alone.
    private func onceAndExactly(_ audit: SandboxAudit, _ area: SandboxArea, _ seed: UInt64) throws {
        let (timelines, lists, rates) = try area.office.host.store(of: "payments").read { reader in
            (
                try ContractStore.timelines(knownAt: .max, reader),
                try CapitationStore.lists(
                    of: Set(
                        [RandomMonths.start, RandomMonths.start.adding(months: 3)].map {
                            Quarter(containing: $0)
                        }),
                    knownAt: .max, reader),
                try ReferenceStore.rates(knownAt: .max, reader)
            )
        }
        let paycodes = Set((Paycode.globalSumFamily + [.pmsBaseline, .apmsBaseline]).map(\.code))
        var due: [String: Int64] = [:]
        for offset in 0...5 {
            let month = RandomMonths.start.adding(months: offset)
            let calculator = MonthCalculator(month: month, lists: lists, rates: rates)
            for timeline in timelines {
                for line in try calculator.calculate(timeline).lines {
                    due["\(timeline.practice) \(line.paycode.code) \(month)", default: 0] += line.pence
                }
            }
        }
        let paid = audit.paidByMonth.filter { key, pence in
            pence != 0 && paycodes.contains(String(key.split(separator: " ")[1]))
        }
        #expect(paid == due.filter { $0.value != 0 }, "seed \(seed)")
    }
}
