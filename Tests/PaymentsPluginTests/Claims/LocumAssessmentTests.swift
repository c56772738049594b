import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

@Suite("Locum cover (payments.md 6.4)")
struct LocumAssessmentTests {
    private let rates = RateTable(RateFile.read(PackageResources.rates_csv).rows)

    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text)) }

    private func paid(_ from: CalendarDate, absentFrom: CalendarDate) -> ApprovedPart {
        ApprovedPart(claimID: "C1", kind: .sickness, from: from, absentFrom: absentFrom, pence: 100)
    }

    private func weeks(_ from: CalendarDate, _ pence: [Int64]) -> [ClaimedWeek] {
        pence.enumerated().map { ClaimedWeek(from: from.adding(days: 7 * $0), days: 7, invoicedPence: $1) }
    }

    @Test("E10: maternity cover of six weeks in 2025/26")
    func workedExample10() throws {
        let start = try day("2025-09-01")
        let invoices: [Int64] = [135_000, 150_000, 230_000, 215_196, 198_050, 230_000]
        let parts = try LocumAssessment(
            cover: ClaimedCover(
                kind: .parentalLeave, gmcNumber: "1234567", absentFrom: start, weeks: weeks(start, invoices)),
            approved: [], rates: rates
        ).parts()
        #expect(parts.map(\.payablePence) == [135_000, 141_843, 215_196, 215_196, 198_050, 215_196])
        #expect(parts.reduce(0) { $0 + $1.payablePence } == 1_120_481)
        #expect(parts.map(\.reduction) == ["", "CEILING", "CEILING", "", "", "CEILING"])
        #expect(parts.allSatisfy { $0.reduction.isEmpty == $0.rule.isEmpty })
    }

    @Test("E9: 12 weeks, three months back at work, then 20 weeks: the look-back halves the last six")
    func workedExample9() throws {
        let first = try day("2025-04-07")
        let firstCover = ClaimedCover(
            kind: .sickness, gmcNumber: "1234567", absentFrom: first,
            weeks: weeks(first.adding(days: 14), [Int64](repeating: 240_000, count: 12)))
        let firstParts = try LocumAssessment(cover: firstCover, approved: [], rates: rates).parts()
        #expect(firstParts.reduce(0) { $0 + $1.payablePence } == 2_582_352)
        let second = try day("2025-10-06")
        let secondCover = ClaimedCover(
            kind: .sickness, gmcNumber: "1234567", absentFrom: second,
            weeks: weeks(second.adding(days: 14), [Int64](repeating: 240_000, count: 20)))
        let approved = firstCover.weeks.map { paid($0.from, absentFrom: first) }
        let parts = try LocumAssessment(cover: secondCover, approved: approved, rates: rates).parts()
        #expect(parts.prefix(14).reduce(0) { $0 + $1.payablePence } == 3_012_744)
        #expect(parts.suffix(6).reduce(0) { $0 + $1.payablePence } == 645_588)
        #expect(parts.suffix(6).allSatisfy { $0.reduction == "HALF_RATE" })
        let total = (firstParts + parts).reduce(0) { $0 + $1.payablePence }
        #expect(total == 6_240_684)
    }

    @Test("the first two weeks of sickness, too short absences, weeks after the 52nd: nothing, and the rule says why")
    func nothing() throws {
        let start = try day("2025-06-02")
        func parts(_ kind: ClaimKind, _ count: Int, approved: [ApprovedPart] = []) throws -> [AssessedPart] {
            try LocumAssessment(
                cover: ClaimedCover(
                    kind: kind, gmcNumber: "1", absentFrom: start,
                    weeks: weeks(start, [Int64](repeating: 100_000, count: count))), approved: approved, rates: rates
            ).parts()
        }
        #expect(try parts(.sickness, 2).map(\.reduction) == ["LEAVE_TOO_SHORT", "LEAVE_TOO_SHORT"])
        #expect(try parts(.sickness, 3).map(\.reduction) == ["WAITING_TIME", "WAITING_TIME", ""])
        #expect(try parts(.parentalLeave, 1).map(\.reduction) == ["LEAVE_TOO_SHORT"])
        #expect(try parts(.parentalLeave, 28).suffix(2).map(\.reduction) == ["EXHAUSTED", "EXHAUSTED"])
        let before = start.adding(days: -400)
        let earlier = (1...52).map { paid(start.adding(days: -7 * $0), absentFrom: before) }
        #expect(try parts(.sickness, 3, approved: earlier).last?.reduction == "EXHAUSTED")
        let all = try parts(.sickness, 3) + parts(.parentalLeave, 28)
        #expect(all.allSatisfy { $0.payablePence <= $0.claimedPence && $0.payablePence >= 0 })
        #expect(all.allSatisfy { $0.payablePence == $0.claimedPence || !$0.rule.isEmpty })
    }

    @Test("a part week has as many sevenths of the ceiling")
    func partWeek() throws {
        let start = try day("2025-09-01")
        let parts = try LocumAssessment(
            cover: ClaimedCover(
                kind: .suspension, gmcNumber: "1", absentFrom: start,
                weeks: [ClaimedWeek(from: start, days: 3, invoicedPence: 100_000)]), approved: [], rates: rates
        ).parts()
        // 1,404.38 x 3 / 7 = 601.877...
        #expect(parts.map(\.payablePence) == [60_188])
    }
}
