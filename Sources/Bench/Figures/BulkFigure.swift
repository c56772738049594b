import Accounting
import Foundation

/// England's lists weighed and priced in bulk: our fixed point against `Foundation.Decimal` on the same figures, with
/// the same rounding, to the same pence.
enum BulkFigure: Measurement {
    static let names = ["bulk_vs_decimal"]
    private static let practices = 7_000
    /// Age and sex bands of a list.
    private static let cells = 38

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("bulk calculation ...")
        let input = Input()
        var ours: [Double] = []
        var decimal: [Double] = []
        for _ in 0..<bench.repetitions {
            let (decimalTime, decimalTotal) = timed { input.decimalTotal() }
            decimal.append(decimalTime)
            // One pass takes well under a millisecond: a hundred of them, so that the clock's grain does not count.
            let (time, total) = try timed {
                var total: Int64 = 0
                for _ in 0..<100 {
                    total = try CapitationMath.monthlyPayments(
                        counts: input.counts, weights: input.weights, prices: input.prices
                    ).total
                }
                return total
            }
            ours.append(time / 100)
            guard total == decimalTotal else {
                throw BenchError("fixed point makes \(total) pence and Decimal \(decimalTotal)")
            }
        }
        return [
            Figure(
                "bulk_vs_decimal", medianRatio(decimal, ours), "x",
                [
                    Figure.Detail(name: "ours", value: median(ours) * 1_000, unit: "ms"),
                    Figure.Detail(name: "Decimal", value: median(decimal) * 1_000, unit: "ms"),
                ])
        ]
    }

    private static func timed(_ body: () throws -> Int64) rethrows -> (Double, Int64) {
        let watch = Stopwatch()
        let result = try body()
        return (watch.seconds, result)
    }

    /// Lists of about the size of England's, the same in every run.
    private struct Input {
        let counts: [Int32]
        let weights: CapitationMath.CellWeights
        let prices: [Int64]
        // The peer's figures, made beforehand: the conversion is not part of its time.
        private let decimalCounts: [Decimal]
        private let decimalWeights: [Decimal]
        private let decimalPrices: [Decimal]

        init() {
            var state: UInt64 = 0x9E37_79B9_7F4A_7C15
            func next(_ bound: UInt64) -> UInt64 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (state >> 33) % bound
            }
            counts = (0..<practices * cells).map { _ in Int32(next(480)) }
            let tenThousandths = (0..<cells).map { _ in Int32(3_000 + next(60_000)) }
            prices = (0..<practices).map { _ in Int64(85_000_000 + next(10_000_000)) }
            do {
                weights = try CapitationMath.CellWeights(tenThousandths: tenThousandths)
            } catch {
                preconditionFailure("38 weights below 7 are within the bound")
            }
            decimalCounts = counts.map { Decimal(Int($0)) }
            decimalWeights = tenThousandths.map { Decimal(Int($0)) / 10_000 }
            decimalPrices = prices.map { Decimal($0) / 1_000_000 }
        }

        /// The same in `Decimal`: weighted list to two decimals (RND-7), a twelfth of list times price to pence
        /// (RND-2, RND-3). All figures are positive, so rounding half up is rounding half away from zero.
        func decimalTotal() -> Int64 {
            var total = Decimal(0)
            for practice in 0..<practices {
                var list = Decimal(0)
                for cell in 0..<cells {
                    list += decimalCounts[practice * cells + cell] * decimalWeights[cell]
                }
                var weighted = Decimal()
                NSDecimalRound(&weighted, &list, 2, .plain)
                var exact = weighted * decimalPrices[practice] / 12
                var pounds = Decimal()
                NSDecimalRound(&pounds, &exact, 2, .plain)
                total += pounds
            }
            return NSDecimalNumber(decimal: total * 100).int64Value
        }
    }
}
