import Accounting
import PluginAPI
import PluginTestKit
import Tabular
import Testing

@testable import CQRSPlugin

/// Real achievement, recomputed: every row of two published years that has counts and thresholds (cqrs.md 6.2, S63).
@Suite("QOF Scotland, recomputed")
struct ScotlandRecomputed {
    struct Year: Sendable, CustomStringConvertible {
        var name: String
        var rows: Int
        var matching: Int
        /// What the rows that differ are, by indicator.
        var differing: [String: Int]
        var description: String { name }
    }

    static let years = [
        // Five rows of three practices: corrections made by hand, as the publisher's notes say of DM21.
        Year(
            name: "2012-13", rows: 69_214, matching: 69_209,
            differing: ["ASTHMA09": 1, "CHD14": 1, "PP01": 1, "DM21": 2]),
        // COPD002 and DEP003 were awarded with 80 as upper threshold, the definitions print 90; the rest is one practice
        // with a framework of its own.
        Year(
            name: "2014-15", rows: 46_653, matching: 45_936,
            differing: [
                "COPD002": 312, "DEP003": 397, "DM009(S)": 1, "MH002(S)": 1, "MH003(S)": 1, "MH004(S)": 1,
                "MH005(S)": 1, "MH006(S)": 1, "MH007(S)": 1, "CS002(S)": 1,
            ]),
    ]

    private func table(_ path: String) throws -> Table {
        var violations = ViolationList()
        let table = Table.read(
            csv: try OpenData.read("qof-scotland/\(path)"), layout: TableLayout(.asGiven, origin: .system),
            into: &violations)
        #expect(violations.isEmpty)
        return table
    }

    private func column(_ name: String, _ table: Table) throws -> Int {
        try #require(table.header.firstIndex(of: name))
    }

    @Test(
        "the points of every row come out of numerator, denominator and published thresholds",
        arguments: years)
    func points(_ year: Year) throws {
        let definitions = try table("qof_scotland_definitions_\(year.name).csv.gz")
        let (code, least, most) = try (
            column("indicator", definitions), column("min_pct", definitions), column("max_pct", definitions)
        )
        var thresholds: [String: (ExactDecimal, ExactDecimal)] = [:]
        for row in 0..<definitions.rowCount {
            if let lower = ExactDecimal(definitions.text(row, least)),
                let upper = ExactDecimal(definitions.text(row, most))
            {
                thresholds[definitions.text(row, code)] = (lower, upper)
            }
        }
        let rows = try table("qof_scotland_indicators_\(year.name).csv.gz")
        let (indicator, top, bottom, available, achieved) = try (
            column("indicator", rows), column("numerator", rows), column("denominator", rows),
            column("points_available", rows), column("points_achieved", rows)
        )
        let tolerance = decimal("0.01").rational
        var (checked, matching, differing) = (0, 0, [String: Int]())
        for row in 0..<rows.rowCount {
            let name = rows.text(row, indicator)
            guard let (lower, upper) = thresholds[name], let numerator = Int64(rows.text(row, top)),
                let denominator = Int64(rows.text(row, bottom)), denominator > 0,
                let points = ExactDecimal(rows.text(row, available)),
                let printed = ExactDecimal(rows.text(row, achieved))
            else { continue }
            checked += 1
            // The published points are not rounded: compared before rounding (GEN-3).
            let exact = try IndicatorScore.exactPoints(
                points: points, lower: lower, upper: upper, numerator: numerator, denominator: denominator)
            let difference = try exact.subtracting(printed.rational)
            if difference <= tolerance, try difference.negated() <= tolerance {
                matching += 1
            } else {
                differing[name, default: 0] += 1
            }
            // What we would store is the exact figure, rounded once.
            let route = ScoringRoute(
                name: "", kind: .fraction, lower: lower.scaled(to: 2), upper: upper.scaled(to: 2),
                points: Points(hundredths: points.scaled(to: 2) ?? -1), step: .zero)
            let stored = IndicatorScore.score(route, numerator: numerator, denominator: denominator).points
            #expect(try Rounding.toPence(exact).pence == stored.hundredths)
        }
        let rate = try Rational(Int128(matching) * 100, over: Int128(checked)).text(decimals: 4)
        print("QOF Scotland \(year.name): \(matching) of \(checked) rows, \(rate) %")
        #expect(checked == year.rows)
        #expect(matching == year.matching)
        #expect(differing == year.differing)
    }

    /// Practices whose published factors are not of the national kind: one with two odd rows; two with contracts of
    /// their own (17C).
    static let ownFactors: [String: Set<String>] = ["2012-13": ["38205"], "2014-15": ["90031", "90187"]]

    @Test(
        "published prevalence factors are register over list over one constant, to six decimals",
        arguments: ["2012-13", "2014-15"])
    func prevalence(_ year: String) throws {
        let rows = try table("qof_scotland_prevalence_\(year).csv.gz")
        let (list, code) = try (column("list_size", rows), column("practice", rows))
        let areas = rows.header.filter { $0.hasSuffix("_apdf") }.map { String($0.dropLast(5)) }
        let tolerance = decimal("0.0000006").rational
        var (factors, matching) = (0, 0)
        var odd: Set<String> = []
        for area in areas {
            let (register, factor) = try (column(area + "_register", rows), column(area + "_apdf", rows))
            var practices: [(code: String, prevalence: Rational, factor: Rational)] = []
            for row in 0..<rows.rowCount {
                guard let people = ExactDecimal(rows.text(row, register)),
                    let size = ExactDecimal(rows.text(row, list)),
                    let printed = ExactDecimal(rows.text(row, factor)), size.mantissa > 0,
                    printed.mantissa > 0
                else { continue }
                practices.append(
                    (rows.text(row, code), try people.rational.divided(by: size.rational), printed.rational))
            }
            guard !practices.isEmpty else { continue }
            // The constant as the middle practice gives it.
            let constants = try practices.map { try $0.prevalence.divided(by: $0.factor) }.sorted()
            let constant = constants[constants.count / 2]
            for practice in practices {
                let difference = try practice.prevalence.divided(by: constant).subtracting(practice.factor)
                let opposite = try difference.negated()
                if difference <= tolerance, opposite <= tolerance {
                    matching += 1
                } else {
                    odd.insert(practice.code)
                }
            }
            factors += practices.count
        }
        let rate = try Rational(Int128(matching) * 100, over: Int128(factors)).text(decimals: 3)
        print(
            "QOF Scotland \(year): \(matching) of \(factors) prevalence factors, \(rate) %; apart: \(odd.sorted())"
        )
        #expect(odd == Self.ownFactors[year])
        #expect(matching * 1_000 >= factors * 997)
    }
}
