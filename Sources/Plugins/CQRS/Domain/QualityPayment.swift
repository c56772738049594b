import PluginAPI

/// Points become pounds in QOF: points x value x list factor x prevalence factor (cqrs.md 6.3). Factors are never
/// rounded before use (GEN-4).
struct QualityPayment: Sendable {
    var valuePerPoint: ExactDecimal
    var averageList: ExactDecimal
    /// `nil` where no indicator is weighted.
    var nationalList: ExactDecimal?

    /// - Parameters:
    ///   - list: registered list at the snapshot that weights the practice's size.
    ///   - prevalenceList: registered list that the practice's prevalence is taken of.
    ///   - weight: practice and national register; `nil` = not weighted by prevalence.
    func pence(
        _ points: Points, list: Int64, prevalenceList: Int64,
        weight: (register: Int64, national: ExactDecimal)?
    ) throws(ArithmeticError) -> Money {
        if points.hundredths == 0 { return .zero }
        // Points are in hundredths, pounds become pence: both factors of 100 cancel.
        var product = ExactProduct(points.hundredths)
        product.multiply(by: valuePerPoint)
        product.multiply(by: list)
        product.divide(by: averageList)
        if let weight {
            guard let nationalList, weight.national.mantissa != 0, prevalenceList != 0 else { return .zero }
            product.multiply(by: weight.register)
            product.multiply(by: nationalList)
            product.divide(by: prevalenceList)
            product.divide(by: weight.national)
        }
        return Money(pence: try product.rounded())
    }
}

/// Network points (IIF): sums first, then the score; payment by list and prevalence of the network (cqrs.md 6.9).
struct NetworkPayment: Sendable {
    var valuePerPoint: ExactDecimal
    var networkList: Int64
    var nationalList: ExactDecimal
    var networks: ExactDecimal

    func pence(
        _ points: Points, denominator: Int64, nationalDenominator: ExactDecimal?
    ) throws(ArithmeticError) -> Money {
        if points.hundredths == 0 { return .zero }
        var product = ExactProduct(points.hundredths)
        product.multiply(by: valuePerPoint)
        // listAdj = list / (national list / networks)
        product.multiply(by: networkList)
        product.multiply(by: networks)
        product.divide(by: nationalList)
        if let nationalDenominator {
            // prevAdj = (D / list) / (national D / national list)
            product.multiply(by: denominator)
            product.multiply(by: nationalList)
            product.divide(by: networkList)
            product.divide(by: nationalDenominator)
        }
        return Money(pence: try product.rounded())
    }
}

/// Tariff x units (cqrs.md 6.7, 6.8). Each month is rounded for itself (PCN-1).
enum TariffPayment {
    static func pence(_ parts: [(amount: ExactDecimal, units: ExactDecimal)], dividedBy: Int64)
        throws(ArithmeticError) -> Money
    {
        var pounds = Rational.zero
        for part in parts {
            pounds = try pounds.adding(try part.amount.rational.multiplied(by: part.units.rational))
        }
        return try Rounding.toPence(try pounds.divided(by: Rational(dividedBy)))
    }

    /// Units that a cap still leaves in the year: all of them or nothing beyond it is paid (DAT-10, LOC-4).
    static func remaining(cap: Int64?, before: Int64) -> Int64? { cap.map { max(0, $0 - before) } }

    /// 6.7, 2021/22 and 2022/23 only: below the coverage, half the fee of the whole cohort is paid back.
    static func childhoodRepayment(
        fee: ExactDecimal, cohort: Int64, vaccinated: Int64, coverage: ExactDecimal, percent: ExactDecimal
    ) throws(ArithmeticError) -> Money {
        guard cohort > 0 else { return .zero }
        let achieved = try Rational(Int128(vaccinated) * 100, over: Int128(cohort))
        guard achieved < coverage.rational else { return .zero }
        let whole = try fee.rational.multiplied(by: Rational(cohort))
        return try Rounding.toPence(try whole.multiplied(by: percent.rational).divided(by: Rational(100)))
    }
}

/// Money ahead of achievement (cqrs.md 6.6).
enum AspirationPayment {
    static let rule = "6.6 monthly aspiration"

    /// `round2(prior achievement x value(y)/value(y-1) x rate / 12)`, with its explanation.
    static func monthly(
        prior: Explanation.Input, value: Explanation.Input, priorValue: Explanation.Input,
        rate: Explanation.Input
    ) throws(ArithmeticError) -> Explanation {
        let whole = try prior.value.rational.multiplied(by: value.value.rational)
            .divided(by: priorValue.value.rational)
        let year = try whole.multiplied(by: rate.value.rational).divided(by: Rational(100))
        return Explanation(
            rule: rule, ruleVersion: 1, inputs: [prior, value, priorValue, rate],
            steps: [
                .init("at this year's value", .input(0), .multiply, .input(1)),
                .init("uplifted", .step(0), .divide, .input(2)),
                .init("aspiration", .step(1), .percentage, .input(3)),
                .init("a month", .step(2), .divide, .whole(12)),
                .init("monthly aspiration", rounding: .step(3)),
            ], rounding: "GEN-4", amount: try Rounding.monthlyTwelfth(ofAnnual: year))
    }

    /// Achievement less the aspiration actually paid; negative = recovered.
    static func balance(achievement: Money, paid: [Money]) throws(ArithmeticError) -> Money {
        try achievement.subtracting(try Money.sum(paid))
    }
}
