import Accounting
import PluginAPI
import Testing

@testable import CQRSPlugin

/// What must hold whatever the counts are.
@Suite("CQRS scoring properties")
struct ScoringProperties {
    /// Numbers that look random and are the same at each run.
    struct Numbers {
        var state: UInt64
        mutating func next(_ range: ClosedRange<Int64>) -> Int64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return range.lowerBound + Int64(state % UInt64(range.upperBound - range.lowerBound + 1))
        }
    }

    static let kinds: [IndicatorKind] = [.fraction, .stepped, .inverse]

    @Test("points are bounded, and move one way with the numerator", arguments: kinds)
    func monotone(_ kind: IndicatorKind) {
        var numbers = Numbers(state: 0x9E37_79B9_7F4A_7C15)
        for _ in 0..<2_000 {
            let lower = numbers.next(0...9_000)
            let upper = numbers.next((lower + 1)...10_000)
            let all = numbers.next(1...50_00)
            let route = ScoringRoute(
                name: "", kind: kind, lower: lower, upper: upper, points: Points(hundredths: all),
                step: Points(hundredths: kind == .stepped ? numbers.next(0...all) : 0))
            let denominator = numbers.next(1...3_000)
            let numerator = numbers.next(0...denominator)
            let score = IndicatorScore.score(route, numerator: numerator, denominator: denominator)
            #expect((0...all).contains(score.points.hundredths))
            if numerator < denominator {
                let more = IndicatorScore.score(route, numerator: numerator + 1, denominator: denominator)
                if kind == .inverse {
                    #expect(more.points <= score.points)
                } else {
                    #expect(more.points >= score.points)
                }
            }
        }
    }

    @Test("the best of several routes is never less than any of them")
    func bestRoute() {
        var numbers = Numbers(state: 42)
        for _ in 0..<500 {
            let routes = [fraction("18", "89", "96"), fraction("9", "50", "80"), fraction("4", "0.01", "40")]
            let denominator = numbers.next(1...500)
            let numerator = numbers.next(0...denominator)
            let best = IndicatorScore.best(routes, numerator: numerator, denominator: denominator)
            for route in routes {
                #expect(
                    best.points
                        >= IndicatorScore.score(route, numerator: numerator, denominator: denominator).points)
            }
        }
    }

    @Test("the lines of any practice add up to its total, and every explanation replays to its line")
    func linesAndExplanations() throws {
        var definition = try Shipped.definition("QOF2526")
        definition.indicators[0].routes.append(fraction("6", "10", "40"))
        var figures = [
            OneProvider.national("value_per_point", "QOF", "2025-04-01", "225.49"),
            OneProvider.national("average_list_size", "QOF", "2025-01-01", "10184"),
            OneProvider.national("national_list", "", "2026-03-31", "63000000"),
        ]
        for group in Set(definition.indicators.map(\.weightingGroup)) where !group.isEmpty {
            figures.append(OneProvider.national("national_register", group, "2026-03-31", "1234567"))
        }
        var numbers = Numbers(state: 7)
        for _ in 0..<40 {
            var one = OneProvider(definition: definition, figures: figures, on: day("2026-03-31"))
            for indicator in definition.indicators {
                let denominator = numbers.next(0...900)
                for field in indicator.requiredFields {
                    one.counts["\(indicator.code) \(field.name)"] =
                        switch field.role {
                        case .numerator: numbers.next(0...denominator)
                        case .denominator: denominator
                        default: numbers.next(0...1_500)
                        }
                }
            }
            one.bases.list = OneProvider.figure(String(numbers.next(1_500...40_000)))
            one.bases.prevalenceList = OneProvider.figure(String(numbers.next(1_500...40_000)))
            let (result, explainer) = try one.result()
            #expect(result.isComplete)
            #expect(try Money.sum(result.lines.map(\.amount)) == result.total)
            for line in result.lines {
                let explanation = explainer.explain(line)
                #expect(try explanation.replay() == line.amount, "\(explanation.rule)")
            }
            // What is stored reads back as what was calculated.
            var read = result
            read.lines = []
            try ResultCoding.read(ResultCoding.bytes(result), into: &read)
            #expect(read == result)
        }
    }

    @Test("a missing figure makes the result incomplete and earns nothing")
    func missing() throws {
        var definition = try Shipped.definition("QOF2526")
        definition.indicators.removeAll { $0.code != "BP002" }
        var one = OneProvider(definition: definition, on: day("2026-03-31"))
        one.counts = ["BP002 Numerator": 90]
        one.bases.list = OneProvider.figure("10000")
        one.bases.prevalenceList = OneProvider.figure("10000")
        one.figures = [
            OneProvider.national("value_per_point", "QOF", "2025-04-01", "225.49"),
            OneProvider.national("average_list_size", "QOF", "2025-01-01", "10184"),
        ]
        let result = try one.result().0
        #expect(!result.isComplete)
        #expect(result.total == .zero)
        #expect(result.lines[0].standing == .missing)
    }
}
