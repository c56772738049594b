import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

@Suite("Levies of Local Medical Committees (payments.md 9.6)")
struct LevyRuleTests {
    private static let year =
        ["04", "05", "06", "07", "08", "09", "10", "11", "12"].map { "2026-" + $0 }
        + ["01", "02", "03"].map { "2027-" + $0 }

    private struct Fixture {
        var book = LevyBook()
        var lists = ListTable()
        var timelines: [ContractTimeline] = []

        func lines(_ months: [YearMonth]) -> LevyLines {
            LevyLines(book, months: months, lists: lists, timelines: timelines)
        }
    }

    private func committee(_ collection: LevyCollection, byCommissioner: Bool = false) throws -> LevyCommittee
    {
        let code = try practice("LOCALLMC1")
        return LevyCommittee(
            code: code, name: "An LMC", payee: code, isRunByCommissioner: byCommissioner,
            collection: collection,
            commissioner: try practice("16C"), from: try day("2026-04-01"))
    }

    private func set(
        _ collection: LevyCollection, statutory: String, voluntary: String? = nil,
        period: LevyRatePeriod = .year,
        lists: [Int64], kind: ContractKind = .gms, mandate: Bool = false, byCommissioner: Bool = false
    ) throws -> Fixture {
        let (code, from) = (try practice("A81001"), try day("2026-04-01"))
        var set = Fixture()
        let committee = try committee(collection, byCommissioner: byCommissioner)
        set.book.add(committee)
        for (kind, text) in [(LevyKind.statutory, statutory), (.voluntary, voluntary ?? "0")] {
            let pence = try #require(ExactDecimal(text, maximumScale: 4))
            set.book.add(
                LevyRate(pence: pence, period: period, from: from, version: 7),
                LevyBook.RateKey(committee: committee.code, kind: kind))
        }
        set.book.add(
            LevyMembership(
                committee: committee.code, hasMandate: mandate, isVoluntary: voluntary != nil, from: from),
            of: code)
        for (index, patients) in lists.enumerated() {
            let quarter = Quarter(containing: try month("2026-04").adding(months: 3 * index))
            set.lists.set(
                PatientLists(registered: patients, weightedHundredths: 1, london: 0, version: 3), of: code,
                in: quarter)
        }
        var world = try World()
        try world.contract(
            "A81001", from: "2026-04-01",
            kind == .gms ? .gms() : .pms(.fixed(annualPence: 12_000_000)))
        set.timelines = world.inputs.timelines
        return set
    }

    private func amounts(_ set: Fixture, _ paycode: Paycode, of payee: String = "A81001") throws -> [Int64] {
        let months = try Self.year.map { try month($0) }
        let (lines, code) = (set.lines(months), try practice(payee))
        return try months.map { month in
            let found = try lines.lines(for: code, in: month).filter { $0.paycode == paycode }
            for line in found {
                #expect(try line.explanation.replay().pence == line.pence)
                // C1: quantity by rate on the basis is the amount to within a penny.
                let parts = line.basis.split(separator: "/")
                let parted = try line.quantity.rational.multiplied(by: line.rate.rational)
                    .divided(by: Rational(parts.count > 1 ? try #require(Int64(parts[1])) : 1))
                #expect(abs(try Rounding.toPence(parted).pence - line.pence) <= 1)
            }
            return found.reduce(0) { $0 + $1.pence }
        }
    }

    @Test("E11: 42p and 6p on a list of 9,873, by the quarter and by the month")
    func workedExample11() throws {
        let four = [Int64](repeating: 9_873, count: 4)
        let quarterly = try set(.firstMonth, statutory: "42", voluntary: "6", lists: four)
        let statutory = try amounts(quarterly, .statutoryLevy)
        #expect(statutory[0] == -103_667)
        #expect(statutory.reduce(0, +) == -414_666)
        #expect(statutory.map { $0 != 0 } == (0..<12).map { $0 % 3 == 0 })
        let voluntary = try amounts(quarterly, .voluntaryLevy)
        #expect(voluntary[0] == -14_810 && voluntary.reduce(0, +) == -59_238)

        let monthly = try set(.eachMonth, statutory: "42", voluntary: "6", lists: four)
        let months = try amounts(monthly, .statutoryLevy)
        #expect(months.prefix(3) == [-34_556, -34_555, -34_556])
        #expect(months.reduce(0, +) == -414_666)
        #expect(try amounts(monthly, .voluntaryLevy).reduce(0, +) == -59_238)
        // To the committee goes what comes off the practice, month by month.
        let paidOver = try amounts(monthly, .levyPayover, of: "LOCALLMC1")
        let both = zip(months, try amounts(monthly, .voluntaryLevy)).map { -$0 - $1 }
        #expect(paidOver == both)
    }

    @Test(
        "RND-6: for any list and rate the year adds up exactly, and a quarter is the same by month and at once"
    )
    func yearsAddUp() throws {
        var random = SeededGenerator(seed: 911)
        for _ in 0..<60 {
            let decimals = Int64.random(in: 1...1_200_000, using: &random)
            let rate = ExactDecimal(mantissa: decimals, scale: 4)
            let constant = Int64.random(in: 1...40_000, using: &random)
            let lists = [Int64](repeating: constant, count: 4)
            let monthly = try amounts(
                try set(.eachMonth, statutory: rate.description, lists: lists), .statutoryLevy)
            let exact = try Rational(constant).multiplied(by: rate.rational)
            let year = try Rounding.toPence(try exact.divided(by: Rational(100)))
            #expect(monthly.reduce(0, +) == -year.pence, "\(constant) at \(rate)")

            let changing = (0..<4).map { _ in Int64.random(in: 1...40_000, using: &random) }
            for period in [LevyRatePeriod.year, .quarter] {
                let each = try amounts(
                    try set(.eachMonth, statutory: rate.description, period: period, lists: changing),
                    .statutoryLevy)
                let once = try amounts(
                    try set(.secondMonth, statutory: rate.description, period: period, lists: changing),
                    .statutoryLevy)
                for quarter in 0..<4 {
                    let months = each[quarter * 3..<quarter * 3 + 3].reduce(0, +)
                    #expect(months == once[quarter * 3 + 1], "\(changing) at \(rate) a \(period)")
                }
            }
        }
    }

    @Test(
        "7.5p a quarter is that much each quarter; GMS always, PMS with a mandate only; a commissioner's levy not here"
    )
    func whoIsLevied() throws {
        let quarterly = try set(
            .thirdMonth, statutory: "7.5", period: .quarter, lists: [1_001, 1_001, 1_001, 1_001])
        let expected: [Int64] = (0..<12).map { $0 % 3 == 2 ? -7_508 : 0 }
        #expect(try amounts(quarterly, .statutoryLevy) == expected)
        let lists = [Int64](repeating: 1_200, count: 4)
        let without = try set(.eachMonth, statutory: "42", lists: lists, kind: .pms)
        #expect(try amounts(without, .statutoryLevy).allSatisfy { $0 == 0 })
        let with = try set(.eachMonth, statutory: "42", lists: lists, kind: .pms, mandate: true)
        #expect(try amounts(with, .statutoryLevy).allSatisfy { $0 == -4_200 })
        let theirs = try set(.eachMonth, statutory: "42", lists: lists, byCommissioner: true)
        #expect(try amounts(theirs, .statutoryLevy).allSatisfy { $0 == 0 })
        // Until the quarter's list comes, nothing is levied by an older one.
        let late = try set(.eachMonth, statutory: "42", lists: [1_200])
        #expect(try amounts(late, .statutoryLevy).map { $0 != 0 } == (0..<12).map { $0 < 3 })
    }

    @Test(
        "C3: a penny between what is deducted and what is paid over is fatal, for the committee and month concerned"
    )
    func control() throws {
        let set = try set(.eachMonth, statutory: "42", lists: [9_873])
        let (gp, lmc, april) = (try practice("A81001"), try practice("LOCALLMC1"), try month("2026-04"))
        let control = LevyControl(
            book: set.book, history: PaidHistory(), month: april, affectedMonths: [], rates: RateTable([]))
        func found(_ deducted: Int64, _ paid: Int64) throws -> [RunException] {
            try control.exceptions(
                BuiltRun(),
                [
                    .init(
                        practice: gp,
                        entries: [
                            .init(paycode: .statutoryLevy, month: april, pence: deducted, source: .recurring)
                        ]),
                    .init(
                        practice: lmc,
                        entries: [.init(paycode: .levyPayover, month: april, pence: paid, source: .recurring)]
                    ),
                ])
        }
        #expect(try found(-34_556, 34_556).isEmpty)
        for wrong in [34_555, 34_557] as [Int64] {
            let exceptions = try found(-34_556, wrong)
            #expect(exceptions.map(\.kind) == [.levyMismatch] && exceptions.map(\.severity) == [.fatal])
            #expect(exceptions.first?.practice == lmc)
            #expect(exceptions.first?.beforePence == 34_556 && exceptions.first?.nowPence == wrong)
        }
    }
}
