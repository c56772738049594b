import Accounting
import Foundation
import Testing

@Suite("Fixed-point capitation arithmetic")
struct CapitationMathTests {
    @Test("E1: global sum and out-of-hours deduction of 2026/27")
    func exampleOne() throws {
        let annual = CapitationMath.annual(weightedHundredths: 1_000_000, priceMicropounds: 130_070_000)
        let base = CapitationMath.MonthlyBase(annual: annual, days: 30, daysInMonth: 30)
        #expect(try base.pence() == 10_839_167)
        #expect(try base.deduction(percentMillionths: 4_700_000) == -509_441)
    }

    @Test("fixed point and exact fractions come to the same penny")
    func agreesWithFractions() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let weighted = Int64.random(in: 0...10_000_000, using: &random)
            let price = Int64.random(in: 0...400_000_000, using: &random)
            let percent = Int64.random(in: 0...20_000_000, using: &random)
            let length = Int.random(in: 28...31, using: &random)
            let days = Int.random(in: 0...length, using: &random)
            let base = CapitationMath.MonthlyBase(
                annual: CapitationMath.annual(weightedHundredths: weighted, priceMicropounds: price),
                days: days,
                daysInMonth: length)
            let exact = try ExactDecimal(mantissa: weighted, scale: 2).rational
                .multiplied(by: ExactDecimal(mantissa: price, scale: 6).rational).divided(by: Rational(12))
                .multiplied(by: try Rational(Int128(days), over: Int128(length)))
            #expect(try base.pence() == Rounding.toPence(exact).pence)
            let deduction = try Rounding.deduction(
                percent: ExactDecimal(mantissa: percent, scale: 6), of: exact)
            #expect(try base.deduction(percentMillionths: percent) == deduction.pence)
        }
    }

    @Test("figures out of range are refused")
    func overflow() throws {
        let base = CapitationMath.MonthlyBase(annual: .max, days: 30, daysInMonth: 30)
        #expect(throws: ArithmeticError.overflow) { try base.pence() }
        #expect(throws: ArithmeticError.overflow) { try base.deduction(percentMillionths: 1_000_000) }
        #expect(throws: ArithmeticError.overflow) { try CapitationMath.CellWeights(tenThousandths: [-1]) }
        #expect(throws: ArithmeticError.overflow) {
            try CapitationMath.CellWeights(tenThousandths: [Int32](repeating: .max, count: 3))
        }
        let weights = try CapitationMath.CellWeights(tenThousandths: [10_000])
        #expect(throws: ArithmeticError.overflow) {
            try CapitationMath.monthlyPayments(counts: [-1], weights: weights, prices: [1])
        }
        #expect(throws: ArithmeticError.overflow) {
            try CapitationMath.monthlyPayments(counts: [.max], weights: weights, prices: [.max])
        }
        #expect(throws: ArithmeticError.overflow) {
            try CapitationMath.monthlyPayments(counts: [1, 2], weights: weights, prices: [1])
        }
    }

    @Test("bulk: 7,000 lists of 38 cells come to what Foundation's Decimal comes to, many times faster")
    func bulk() throws {
        var random = SeededGenerator(seed: 5)
        let (practices, cells) = (7000, 38)
        let counts = (0..<practices * cells).map { _ in Int32.random(in: 0...900, using: &random) }
        let weights = (0..<cells).map { _ in Int32.random(in: 5_000...70_000, using: &random) }
        let prices = (0..<practices).map { _ in Int64.random(in: 80_000_000...140_000_000, using: &random) }
        let cellWeights = try CapitationMath.CellWeights(tenThousandths: weights)
        let clock = ContinuousClock()
        var ours: (pence: [Int64], total: Int64) = ([], 0)
        let fast = try clock.measure {
            ours = try CapitationMath.monthlyPayments(counts: counts, weights: cellWeights, prices: prices)
        }
        let decimals = weights.map { Decimal($0) / 10_000 }
        let sample = 200
        let slow = clock.measure {
            for practice in 0..<sample {
                var sum = Decimal(0)
                for cell in 0..<cells { sum += Decimal(counts[practice * cells + cell]) * decimals[cell] }
                var weighted = Decimal()
                NSDecimalRound(&weighted, &sum, 2, .plain)
                var month = weighted * (Decimal(prices[practice]) / 1_000_000) * 100 / 12
                var pence = Decimal()
                NSDecimalRound(&pence, &month, 0, .plain)
                #expect(pence == Decimal(ours.pence[practice]))
            }
        }
        #expect(ours.total == ours.pence.reduce(0, +))
        print("bulk: \(practices) lists in \(fast); Decimal, \(sample) lists with checks, in \(slow)")
    }
}
