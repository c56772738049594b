import Accounting
import PluginAPI
import Testing

@testable import CQRSPlugin

/// The worked examples of payments.md 15 that the quality framework calculates, by number.
@Suite("QOF examples of payments.md 15")
struct PaymentExamples {
    /// Prevalences in a thousandth of the list, given as patients of a list of 10,000.
    private func amount(
        _ points: String, value: String, list: Int64, average: String,
        prevalence: (own: Int64, national: String)?
    ) throws -> Money {
        let payment = QualityPayment(
            valuePerPoint: decimal(value), averageList: decimal(average), nationalList: decimal("10000"))
        return try payment.pence(
            Points(hundredths: try #require(decimal(points).scaled(to: 2))), list: list,
            prevalenceList: 10_000,
            weight: prevalence.map { (register: $0.own, national: decimal($0.national)) })
    }

    @Test("E5: one area of 2022/23 is 14,921.66 by unrounded factors, not 14,924.71")
    func e5() throws {
        let unrounded = try amount(
            "29", value: "207.56", list: 16_000, average: "9374", prevalence: (own: 305, national: "210"))
        #expect(unrounded == pounds("14921.66"))
        let rounded = try Rounding.toPence(
            decimal("6019.24").rational.multiplied(by: decimal("1.71").rational)
                .multiplied(by: decimal("1.45").rational))
        #expect(rounded == pounds("14924.71"))
    }

    /// payments.md 7.2 rounds the year once; here each line is rounded once and the year is their sum (GEN-4), so
    /// that a breakdown adds up: a penny more.
    @Test(
        "E6: a year of 2026/27 is 53,399.30 rounded once, aspiration 3,494.04 a month, and 11,470.82 are left for June"
    )
    func e6() throws {
        let parts: [(points: String, own: Int64, national: String)] = [
            ("50.25", 1_520, "1480"), ("40.00", 610, "650"), ("61.80", 790, "740"), ("120.50", 0, ""),
        ]
        let index = try decimal("8750").rational.divided(by: decimal("10295").rational)
        #expect(index.text(decimals: 8) == "0.84992714…")
        var whole = Rational.zero
        var areas: [Money] = []
        for part in parts {
            let weight = part.national.isEmpty ? nil : (own: part.own, national: part.national)
            areas.append(
                try amount(part.points, value: "227.95", list: 8_750, average: "10295", prevalence: weight))
            var cash = try decimal(part.points).rational.multiplied(by: decimal("227.95").rational)
            if let weight {
                cash = try cash.multiplied(by: Rational(weight.own)).divided(
                    by: decimal(weight.national).rational)
            }
            whole = try whole.adding(try cash.multiplied(by: index))
        }
        let achievement = try Rounding.toPence(whole)
        #expect(achievement == pounds("53399.30"))
        #expect(areas.map(\.description) == ["9998.60", "7272.74", "12782.19", "23345.78"])
        #expect(try Money.sum(areas) == pounds("53399.31"))
        func input(_ name: String, _ value: String) -> Explanation.Input {
            .init(name, decimal(value), .pounds, from: .init("test"), asOf: day("2026-04-01"))
        }
        // The example takes last year's achievement as it was, without this year's value of a point.
        let aspiration = try AspirationPayment.monthly(
            prior: input("prior", "52410.60"), value: input("value", "227.95"),
            priorValue: input("before", "227.95"),
            rate: input("rate", "80"))
        #expect(aspiration.amount == pounds("3494.04"))
        let paid = Array(repeating: aspiration.amount, count: 12)
        #expect(try Money.sum(paid) == pounds("41928.48"))
        #expect(try AspirationPayment.balance(achievement: achievement, paid: paid) == pounds("11470.82"))
    }
}
