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
            try await onceAndExactly(audit, course, area)
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

    /// For each practice and month: what all runs together paid is what is due by all that is known now, reckoned again
    /// from contracts, lists, rates and variations alone; and what is paid once came once.
    private func onceAndExactly(_ audit: SandboxAudit, _ course: RandomMonths, _ area: SandboxArea)
        async throws
    {
        let months = (0...5).map { RandomMonths.start.adding(months: $0) }
        let (timelines, lists, rates) = try area.office.host.store(of: "payments").read { reader in
            (
                try ContractStore.timelines(knownAt: .max, reader),
                try CapitationStore.lists(
                    of: Set(months.map { Quarter(containing: $0) }), knownAt: .max, reader),
                try ReferenceStore.rates(knownAt: .max, reader)
            )
        }
        let rents = try await area.rows(of: .init()).filter(\.monthly)
        var due: [String: Int64] = [:]
        var waiting: Set<String> = []
        for month in months {
            let calculator = MonthCalculator(month: month, lists: lists, rates: rates)
            for timeline in timelines {
                let result = try calculator.calculate(timeline)
                for line in result.lines {
                    due["\(timeline.practice) \(line.paycode.code) \(month)", default: 0] += line.pence
                }
                if result.isStopped, month == months.last { waiting.insert(timeline.practice.value) }
                // What recurs is due where a contract is in force on the first day.
                guard timeline.span(at: month.firstDay) != nil, !result.isStopped else { continue }
                for rent in rents where rent.practiceCode == timeline.practice.value {
                    if try isDue(rent, in: month) {
                        due["\(timeline.practice) PRNT \(month)", default: 0] += rent.amountPence
                    }
                }
            }
        }
        let paycodes = Set((Paycode.globalSumFamily + [.pmsBaseline, .apmsBaseline]).map(\.code) + ["PRNT"])
        let paid = audit.paidByMonth.filter { key, pence in
            pence != 0 && paycodes.contains(String(key.split(separator: " ")[1]))
        }
        #expect(paid == due.filter { $0.value != 0 })
        for (practice, pence) in course.once where !waiting.contains(practice) {
            let paid = ["QASP", "QACH", "VFLU", "ESLD", "ADJP", "ADJN", "LIS", "RECO"].reduce(0) {
                $0 + (audit.yearToDate["\(practice) \($1)"] ?? 0)
            }
            #expect(paid == pence, "\(practice)")
        }
        #expect(waiting.count < 20)
    }

    private func isDue(_ rent: Pcs_Payments_V1_Variation, in month: YearMonth) throws -> Bool {
        let isStopped = rent.hasStoppedFrom ? try month >= yearMonth(rent.stoppedFrom) : false
        return try month >= yearMonth(rent.firstMonth) && !isStopped
    }

    private func yearMonth(_ message: Pcs_Common_V1_Month) throws -> YearMonth {
        try #require(YearMonth(year: Int(message.year), month: Int(message.month)))
    }
}
