import Accounting
import PluginAPI
import Testing

@testable import CQRSPlugin

/// The worked examples of cqrs.md 15 that are calculation, by number.
@Suite("CQRS worked examples, points")
struct WorkedPoints {
    @Test("W1: HYP008 812 of 1,187 earns 23.99 points")
    func w1() { #expect(points(fraction("38", "40", "85"), 812, 1_187) == "23.99") }

    @Test("W2: exactly the lower threshold earns nothing, the upper everything")
    func w2() {
        let route = fraction("12", "70", "95")
        #expect(points(route, 140, 200) == "0.00")
        #expect(points(route, 141, 200) == "0.24")
        #expect(points(route, 190, 200) == "12.00")
    }

    @Test("W3: an empty cohort earns nothing and is not earnable (CALC-1)")
    func w3() {
        let score = IndicatorScore.score(fraction("15", "45", "80"), numerator: 0, denominator: 0)
        #expect(score.points == .zero)
        #expect(score.standing == .emptyCohort)
    }

    @Test("W4: points are taken net of adjustments; gross would be 18.69")
    func w4() {
        let route = fraction("38", "40", "85")
        #expect(points(route, 812, 1_307 - 120) == "23.99")
        #expect(points(route, 812, 1_307) == "18.69")
        #expect(ResultView.percent(120, of: 1_307).hasPrefix("9.18"))
    }

    @Test("W5: VI002 82 of 90, sliding and stepped")
    func w5() {
        #expect(points(fraction("18", "86", "96"), 82, 90) == "9.20")
        #expect(points(fraction("18", "90", "95", kind: .stepped, step: "7"), 82, 90) == "9.44")
    }

    @Test("W5b: VI001 81 of 90 is exactly 90 %")
    func w5b() {
        #expect(points(fraction("18", "89", "96"), 81, 90) == "2.57")
        #expect(points(fraction("18", "90", "95", kind: .stepped, step: "3"), 81, 90) == "3.00")
    }

    @Test("W15b: an inverse indicator, 29 of 613")
    func w15b() { #expect(points(fraction("12", "3", "9", kind: .inverse), 29, 613) == "8.54") }
}

@Suite("CQRS worked examples, pounds")
struct WorkedPounds {
    private static let national2023 = [
        OneProvider.national("value_per_point", "QOF", "2023-04-01", "213.43", to: "2024-03-31"),
        OneProvider.national("average_list_size", "QOF", "2023-01-01", "9639"),
        OneProvider.national("national_list", "", "2024-03-31", "61727998"),
        OneProvider.national("national_register", "AF", "2024-03-31", "1316260"),
    ]

    /// QOF 2023/24 with these indicators only.
    private func qof2023(_ codes: Set<String>) throws -> ServiceDefinition {
        var definition = try Shipped.definition("QOF2324")
        definition.indicators.removeAll { !codes.contains($0.code) }
        return definition
    }

    private func amounts(_ result: ProviderResult) -> [String] { result.lines.map { $0.amount.description } }

    @Test("W6: atrial fibrillation 2023/24 is 9,390.57 pounds, each line explained and replayed")
    func w6() throws {
        var one = OneProvider(definition: try qof2023(["AF001", "AF006", "AF008"]), on: day("2024-03-31"))
        let register = "Atrial Fibrillation Register"
        one.counts = [
            "AF001 \(register)": 341, "AF006 Numerator": 330, "AF006 Denominator": 341,
            "AF006 \(register)": 341,
            "AF008 Numerator": 212, "AF008 Denominator": 236, "AF008 \(register)": 341,
        ]
        one.bases.list = OneProvider.figure("11420")
        one.bases.prevalenceList = OneProvider.figure("11420")
        one.figures = Self.national2023
        let (result, explainer) = try one.result()
        #expect(result.lines.map(\.points.description) == ["5.00", "12.00", "9.52"])
        #expect(amounts(result) == ["1770.47", "4249.13", "3370.97"])
        #expect(result.total == pounds("9390.57"))
        for line in result.lines {
            let explanation = explainer.explain(line)
            #expect(try explanation.replay() == line.amount)
        }
        // 6.3: the list cancels, so another list changes nothing.
        one.bases.list = OneProvider.figure("5000")
        one.bases.prevalenceList = OneProvider.figure("5000")
        #expect(try one.result().0.total == result.total)
    }

    @Test("R2: without one factor the explanation no longer leads to the amount")
    func withoutFactor() throws {
        var one = OneProvider(definition: try qof2023(["AF001"]), on: day("2024-03-31"))
        one.counts = ["AF001 Atrial Fibrillation Register": 341]
        one.bases.list = OneProvider.figure("11420")
        one.bases.prevalenceList = OneProvider.figure("11420")
        one.figures = Self.national2023
        let (result, explainer) = try one.result()
        let whole = explainer.explain(result.lines[0])
        for index in whole.inputs.indices where whole.inputs[index].name != "registered list" {
            var broken = whole
            broken.inputs[index].value = ExactDecimal(1)
            let isUsed = whole.steps.contains { $0.left == .input(index) || $0.right == .input(index) }
            guard isUsed else { continue }
            #expect((try? broken.replay()) != whole.amount, "\(whole.inputs[index].name)")
        }
    }

    @Test("W7: unweighted indicators of the same practice")
    func w7() throws {
        var one = OneProvider(definition: try qof2023(["CS005", "CS006"]), on: day("2024-03-31"))
        one.counts = [
            "CS005 Numerator": 742, "CS005 Denominator": 1_031, "CS006 Numerator": 598,
            "CS006 Denominator": 740,
        ]
        one.bases.list = OneProvider.figure("11420")
        one.bases.prevalenceList = OneProvider.figure("11420")
        one.figures = Self.national2023
        let result = try one.result().0
        #expect(result.lines.map(\.points.description) == ["5.39", "4.00"])
        #expect(amounts(result) == ["1362.95", "1011.46"])
        #expect(result.total == pounds("2374.41"))
    }

    @Test("W8: aspiration of 2024/25 and its balance")
    func w8() throws {
        func input(_ name: String, _ value: String) -> Explanation.Input {
            .init(name, decimal(value), .pounds, from: .init("test"), asOf: day("2024-04-01"))
        }
        let aspiration = try AspirationPayment.monthly(
            prior: input("prior", "148236.40"), value: input("value", "220.62"),
            priorValue: input("before", "213.43"),
            rate: input("rate", "80"))
        #expect(aspiration.amount == pounds("10215.34"))
        #expect(try aspiration.replay() == aspiration.amount)
        let paid = Array(repeating: aspiration.amount, count: 12)
        #expect(try Money.sum(paid) == pounds("122584.08"))
        #expect(
            try AspirationPayment.balance(achievement: pounds("161904.77"), paid: paid) == pounds("39320.69"))
    }

    @Test(
        "W9: learning disability health checks at 140 pounds",
        arguments: [(8, "1120.00"), (13, "1820.00"), (12, "1680.00"), (19, "2660.00")])
    func w9(_ checks: Int, _ amount: String) throws {
        var one = OneProvider(definition: try Shipped.definition("LDHC2526"), on: day("2025-06-30"))
        one.counts = ["LD001 Count": Int64(checks), "LD001 Maximum": 55]
        let (result, explainer) = try one.result()
        #expect(result.total.description == amount)
        #expect(try explainer.explain(result.lines[0]).replay() == result.total)
    }

    @Test("W10: 23 routine childhood doses and 8 pertussis in May 2025")
    func w10() throws {
        var routine = OneProvider(definition: try Shipped.definition("6IN12526"), on: day("2025-05-31"))
        routine.counts = ["6IN101 Count": 23]
        var pertussis = OneProvider(definition: try Shipped.definition("PERT2526"), on: day("2025-05-31"))
        pertussis.counts = ["PERT01 Count": 8]
        let total = try routine.result().0.total.adding(try pertussis.result().0.total)
        #expect(total == pounds("357.86"))
    }

    @Test("W11: 17 weight-management referrals")
    func w11() throws {
        var one = OneProvider(definition: try Shipped.definition("WM2526"), on: day("2025-06-30"))
        one.counts = ["WM001 Count": 17]
        #expect(try one.result().0.total == pounds("195.50"))
    }

    @Test("W12 and W12b: core funding on two populations, rounded once a month (PCN-1)")
    func w12() throws {
        var core = OneProvider(definition: try Shipped.definition("PCNCORE2425"), on: day("2024-04-30"))
        core.bases.list = OneProvider.figure("48210")
        core.bases.adjusted = OneProvider.figure("46733.52")
        let (result, explainer) = try core.result()
        #expect(result.total == pounds("11629.15"))
        #expect(try explainer.explain(result.lines[0]).replay() == result.total)
        let year = try TariffPayment.pence(
            [(decimal("2.218"), decimal("48210")), (decimal("0.698"), decimal("46733.52"))], dividedBy: 1)
        #expect(year == pounds("139549.78"))
        var access = OneProvider(definition: try Shipped.definition("PCNEA2425"), on: day("2024-04-30"))
        access.bases.adjusted = OneProvider.figure("46733.52")
        #expect(try access.result().0.total == pounds("29886.09"))
    }

    @Test("W13: care home beds at 10 pounds a month")
    func w13() throws {
        var total = Money.zero
        for beds in ["212", "212", "218", "218", "218", "205"] {
            var one = OneProvider(definition: try Shipped.definition("PCNCARE2425"), on: day("2024-04-30"))
            one.bases.beds = OneProvider.figure(beds)
            total = try total.adding(try one.result().0.total)
        }
        #expect(total == pounds("12830.00"))
    }

    @Test(
        "W14, W17 and GEN-2: network participation on the weighted list",
        arguments: [("8123.45", "1194.15"), ("7310.2", "1074.60"), ("8005", "1176.74")])
    func w14(_ list: String, _ amount: String) throws {
        var one = OneProvider(definition: try Shipped.definition("PCNNPP2021"), on: day("2020-07-31"))
        one.bases.weighted = OneProvider.figure(list)
        #expect(try one.result().0.total.description == amount)
    }

    @Test("W15: a network is summed first, then scored; 4,306.49 pounds")
    func w15() throws {
        let sums = [(41, 58), (33, 40), (66, 92), (12, 15)].reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        #expect(sums == (152, 205))
        var definition = try Shipped.definition("NCD2425")
        definition.indicators.removeAll { $0.code != "HI03" }
        var one = OneProvider(definition: definition, on: day("2025-03-31"))
        one.counts = ["HI03 Numerator": 152, "HI03 Denominator": 205]
        one.bases.list = OneProvider.figure("52340")
        one.bases.prevalenceList = OneProvider.figure("52340")
        one.figures = [
            OneProvider.national("value_per_point", "IIF", "2024-04-01", "198"),
            OneProvider.national("national_list", "", "2025-03-31", "63500000"),
            OneProvider.national("network_count", "", "2024-04-01", "1271", to: "2025-03-31"),
            OneProvider.national("national_register", "HI03", "2025-03-31", "305000"),
        ]
        let (result, explainer) = try one.result()
        #expect(result.points.description == "25.46")
        #expect(result.total == pounds("4306.49"))
        #expect(try explainer.explain(result.lines[0]).replay() == result.total)
    }

    @Test("W21: childhood repayment only below the coverage")
    func w21() throws {
        let repaid = try TariffPayment.childhoodRepayment(
            fee: decimal("10.06"), cohort: 96, vaccinated: 76, coverage: decimal("80"), percent: decimal("50")
        )
        #expect(repaid == pounds("482.88"))
        let reached = try TariffPayment.childhoodRepayment(
            fee: decimal("10.06"), cohort: 95, vaccinated: 76, coverage: decimal("80"), percent: decimal("50")
        )
        #expect(reached == .zero)
    }

    @Test("W22: the published 2022/23 case, with exact factors")
    func w22() throws {
        let payment = QualityPayment(
            valuePerPoint: decimal("207.56"), averageList: decimal("9374"), nationalList: decimal("1000"))
        let amount = try payment.pence(
            Points(hundredths: 29_00), list: 16_000, prevalenceList: 16_000, weight: (488, decimal("21")))
        #expect(amount == pounds("14921.66"))
    }

    @Test("6.5: income protection pays last year's points, also when this year's are higher")
    func incomeProtection() throws {
        var definition = try Shipped.definition("QOF2425")
        definition.indicators = definition.indicators.filter(\.isIncomeProtected)
        #expect(definition.indicators.count == 32)
        #expect(definition.points.description == "212.00")
        definition.indicators = definition.indicators.filter { $0.code == "DM006" || $0.code == "SMOK005" }
        guard let code = definition.indicators.first?.code else { return }
        var one = OneProvider(definition: definition, on: day("2025-03-31"))
        for indicator in definition.indicators {
            for field in indicator.requiredFields { one.counts["\(indicator.code) \(field.name)"] = 100 }
        }
        one.prior = [code: Points(hundredths: 1_23)]
        one.bases.list = OneProvider.figure("10000")
        one.bases.prevalenceList = OneProvider.figure("10000")
        one.figures = [
            OneProvider.national("value_per_point", "QOF", "2024-04-01", "220.62"),
            OneProvider.national("average_list_size", "QOF", "2024-01-01", "9964"),
            OneProvider.national("national_list", "", "2025-03-31", "62000000"),
            OneProvider.national("national_register", "DM", "2025-03-31", "4000000"),
            OneProvider.national("national_register", "SMOK", "2025-03-31", "14000000"),
        ]
        let result = try one.result().0
        #expect(result.lines[0].points.description == "1.23")
        #expect(result.lines[0].standing == .incomeProtected)
    }

    @Test("R1: the average list is that of the January before the year")
    func januaryBefore() throws {
        let figures = NationalFigures([
            OneProvider.national("average_list_size", "QOF", "2013-01-01", "7000"),
            OneProvider.national("average_list_size", "QOF", "2014-01-01", "7200"),
        ])
        let year = try #require(FinancialYear("2013/14"))
        #expect(try figures.averageListSize("QOF", for: year).value == ExactDecimal(7_000))
        let next = try #require(FinancialYear("2015/16"))
        #expect(throws: CQRSError.self) { try figures.averageListSize("QOF", for: next) }
    }
}
