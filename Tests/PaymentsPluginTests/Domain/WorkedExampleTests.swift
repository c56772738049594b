import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Worked examples of payments.md 15")
struct WorkedExampleTests {
    @Test("E1: global sum of 2026/27 with the out-of-hours opt-out")
    func e1() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        let lines = try world.lines("A81001", "2026-04")
        #expect(shown(lines) == ["GSUM 108391.67", "GSOOH -5094.41"])
        #expect(try net(lines) == "103297.26")
        #expect(try lines.allSatisfy { try $0.explanation.replay().pence == $0.pence })
    }

    @Test("E2: a London practice with a temporary patients adjustment and both opt-outs")
    func e2() throws {
        var world = try World()
        try world.contract(
            "E83003", from: "2026-04-01",
            try .gms(minorSurgery: true, temporary: "3600.00", london: .counted))
        try world.list(
            "E83003", quarter: "2026-04-01", weighted: "11873.42", registered: 12_400, london: 11_952)
        let lines = try world.lines("E83003", "2026-05")
        #expect(
            shown(lines) == [
                "GSUM 128697.98", "GSLON 2171.28", "GSTPA 300.00", "GSOOH -6164.96", "GSMIN -787.02",
            ])
        #expect(try net(lines) == "124217.28")
        #expect(try lines.allSatisfy { try $0.explanation.replay().pence == $0.pence })
    }

    @Test("E3: a price raised in September back to April pays the arrears month by month")
    func e3() throws {
        var world = try World()
        world.rates.removeAll { $0.name == .globalSumPrice }
        try world.rate(.globalSumPrice, "107.57", from: "2024-04-01", to: "2025-04-01")
        try world.contract("A81001", from: "2024-04-01", try .gms())
        try world.list("A81001", quarter: "2024-04-01", weighted: "8214.66")
        try world.list("A81001", quarter: "2024-07-01", weighted: "8301.10")
        for text in ["2024-04", "2024-05", "2024-06"] {
            #expect(
                shown(try world.pay(text).statement("A81001").lines) == ["GSUM 73637.58", "GSOOH -3497.79"])
        }
        for text in ["2024-07", "2024-08"] {
            #expect(
                shown(try world.pay(text).statement("A81001").lines) == ["GSUM 74412.44", "GSOOH -3534.59"])
        }
        try world.rate(.globalSumPrice, "112.50", from: "2024-04-01", to: "2025-04-01")
        let statement = try world.build("2024-09").statement("A81001")
        let own = statement.lines.filter { $0.source == .contract }
        let retro = statement.lines.filter { $0.source == .retro }
        #expect(shown(own) == ["GSUM 77822.81", "GSOOH -3696.58"])
        #expect(try net(own) == "74126.23")
        #expect(retro.count == 10)
        #expect(
            shown(retro.filter { $0.month.description == "2024-04" }) == ["GSUM 3374.86", "GSOOH -160.30"])
        #expect(
            shown(retro.filter { $0.month.description == "2024-08" }) == ["GSUM 3410.37", "GSOOH -161.99"])
        #expect(try net(retro.filter { $0.paycode == .globalSum }) == "16945.32")
        #expect(try net(retro.filter { $0.paycode == .outOfHours }) == "-804.88")
        #expect(try net(retro) == "16140.44")
        #expect(try net(statement.lines) == "90266.67")
        #expect(try statement.lines.allSatisfy { try $0.explanation.replay().pence == $0.pence })
        // The year to date is on a cash basis: five months at the old price, and this statement.
        let last = try #require(statement.lines.last { $0.paycode == .globalSum })
        #expect(last.yearToDatePence == 3 * 7_363_758 + 2 * 7_441_244 + 7_782_281 + 1_694_532)
        // Once paid, looking again finds nothing.
        try world.pay("2024-09")
        #expect(try world.build("2024-10").totals.all.retroLines == 0)
    }

    @Test(
        "E4: the deduction is a percentage of the total; the printed figure for each patient is for reading only"
    )
    func e4() throws {
        let percent = try #require(ExactDecimal("4.75"))
        #expect(
            try Rounding.deduction(percent: percent, of: ExactDecimal(mantissa: 10_228, scale: 2).rational)
                .description == "-4.86")
        #expect(
            try Rounding.deduction(percent: percent, of: ExactDecimal(mantissa: 12_179, scale: 2).rational)
                .description == "-5.79")
        var world = try World()
        try world.contract("A81001", from: "2025-04-01", try .gms())
        try world.list("A81001", quarter: "2025-04-01", weighted: "10000.00")
        // 10,000 x 5.79 / 12 would be 4,825.00.
        #expect(shown(try world.lines("A81001", "2025-04")) == ["GSUM 101491.67", "GSOOH -4820.85"])
    }

    @Test(
        "E15: the correction factor runs off by a seventh a year",
        arguments: [
            ("2014-04", "1200.00"), ("2015-04", "1000.00"), ("2016-04", "800.00"), ("2018-04", "400.00"),
            ("2019-04", "200.00"), ("2020-04", nil), ("2022-04", nil),
        ] as [(String, String?)])
    func e15(text: String, amount: String?) throws {
        var world = try World()
        // Without lists and opt-outs only the correction factor comes out.
        try world.contract(
            "A81001", from: "2014-04-01", try .gms(outOfHours: false, correctionFactor: "1400.00"))
        let lines = try world.lines("A81001", text)
        #expect(shown(lines) == (amount.map { ["MPIG \($0)"] } ?? []))
        #expect(try lines.allSatisfy { try $0.explanation.replay().pence == $0.pence })
    }

    @Test("E16: a PMS baseline with its uplift, a twelfth a month")
    func e16() throws {
        let uplift = try Rounding.toPence(
            ExactDecimal(mantissa: 284, scale: 2).rational.multiplied(
                by: ExactDecimal(mantissa: 912_040, scale: 2).rational))
        #expect(uplift.description == "25901.94")
        let baseline = try Money(pence: pence("912345.60")).adding(uplift)
        #expect(baseline.description == "938247.54")
        var world = try World()
        try world.contract("B81001", from: "2024-04-01", .pms(.fixed(annualPence: baseline.pence)))
        let lines = try world.lines("B81001", "2024-04")
        #expect(shown(lines) == ["PMSB 78187.30"])
        #expect(try lines[0].explanation.replay().description == "78187.30")
    }

    @Test(
        "E19: after a merger both lists are paid to the survivor until the quarter ends, in two labelled groups"
    )
    func e19() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.contract("A81002", from: "2026-04-01", to: "2026-07-01", try .gms(), payee: "A81001")
        try world.list("A81001", quarter: "2026-04-01", weighted: "5210.40")
        try world.list("A81002", quarter: "2026-04-01", weighted: "3844.10")
        let built = try world.build("2026-06")
        let (survivor, merged) = (try built.statement("A81001"), try built.statement("A81002"))
        #expect(shown(survivor.lines) == ["GSUM 56476.39", "GSOOH -2654.39"])
        #expect(shown(merged.lines) == ["GSUM 41666.84", "GSOOH -1958.34"])
        #expect(try net(survivor.lines) == "53822.00")
        #expect(try net(merged.lines) == "39708.50")
        #expect(merged.payee == survivor.practice)
        #expect(built.totals.all.netPence == 9_353_050)
        try world.list("A81001", quarter: "2026-07-01", weighted: "9054.50")
        #expect(try world.build("2026-07").statements.map(\.practice.value) == ["A81001"])
    }

    @Test(
        "3.2: prices less the deduction are the commonest published amounts",
        arguments: [
            (2018, "84.63"), (2019, "85.55"), (2020, "89.00"),
        ])
    func netPrices(year: Int, price: String) throws {
        let world = try World()
        let comparison = PublishedComparison(
            year: try #require(FinancialYear(startYear: year)), rates: RateTable(world.rates))
        #expect(comparison.netPricePence == (try pence(price)))
    }

    @Test("3.2: a rate that is only a parameter is refused, never taken from another year")
    func parameters() throws {
        var world = try World()
        try world.contract("A81001", from: "2012-04-01", try .gms())
        for quarter in ["2012-04-01", "2021-04-01", "2030-04-01"] {
            try world.list("A81001", quarter: quarter, weighted: "1000.00")
        }
        let cases: [(String, RateName, String)] = [
            ("2021-05", .globalSumPrice, "2021-05-01"), ("2012-04", .globalSumPrice, "2012-04-01"),
            ("2030-06", .globalSumPrice, "2030-06-01"),
        ]
        for (text, name, missing) in cases {
            let day = try day(missing)
            #expect(throws: PaymentsError.rateMissing(name, day)) { try world.lines("A81001", text) }
        }
        try world.rate(.globalSumPrice, "96.78", from: "2021-04-01", to: "2022-04-01")
        let first = try day("2021-05-01")
        #expect(throws: PaymentsError.rateMissing(.outOfHoursPercent, first)) {
            try world.lines("A81001", "2021-05")
        }
        try world.rate(.outOfHoursPercent, "4.75", from: "2021-04-01", to: "2022-04-01")
        #expect(shown(try world.lines("A81001", "2021-05")) == ["GSUM 8065.00", "GSOOH -383.09"])
    }
}
