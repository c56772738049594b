/// The rounding rules of the domain (payments.md 0), by name. Each is used where the rule says, once; nothing else in
/// the system rounds money.
///
/// RND-1 (exact intermediates) is what `Rational` is. RND-9 (a price to three decimals is exact) needs no function:
/// prices are `ExactDecimal` and are never rounded before they are multiplied.
public enum Rounding {
    /// RND-2: to whole pence, half away from zero. 0.005 -> 0.01; -0.005 -> -0.01.
    public static func toPence(_ pounds: Rational) throws(ArithmeticError) -> Money {
        Money(pence: try scaled(pounds, by: 100))
    }

    /// RND-3: a month's share of an annual entitlement: `round(annual / 12)`, without a true-up at the year's end.
    public static func monthlyTwelfth(ofAnnual pounds: Rational) throws(ArithmeticError) -> Money {
        try toPence(try pounds.divided(by: Rational(12)))
    }

    /// RND-4: a percentage taken off the *unrounded* base, rounded, as a line of its own: negative for a positive base.
    public static func deduction(percent: ExactDecimal, of base: Rational) throws(ArithmeticError) -> Money {
        let share = try base.multiplied(by: percent.rational).divided(by: Rational(100))
        return try toPence(share).negated()
    }

    /// RND-5: the net of a statement is the sum of its rounded lines.
    public static func net(ofLines lines: some Sequence<Money>) throws(ArithmeticError) -> Money {
        try Money.sum(lines)
    }

    /// RND-6: part `part` (1 to `count`) of a fixed sum that must be distributed exactly:
    /// `round(A*m/n) - round(A*(m-1)/n)`. The parts add up to the sum.
    public static func apportioned(_ sum: Money, part: Int, of count: Int) throws(ArithmeticError) -> Money {
        if count < 1 { throw .divisionByZero }
        if !(1...count).contains(part) { throw .overflow }
        let upTo = try cumulative(sum, part, count)
        let before = try cumulative(sum, part - 1, count)
        return try upTo.subtracting(before)
    }

    private static func cumulative(_ sum: Money, _ part: Int, _ count: Int) throws(ArithmeticError) -> Money {
        let share = try Rational(Int128(sum.pence) * Int128(part), over: Int128(count))
        return Money(pence: try scaled(share, by: 1))
    }

    /// RND-7: a weighted population to two decimals, in hundredths of a patient.
    public static func weightedPopulation(_ patients: Rational) throws(ArithmeticError) -> Int64 {
        try scaled(patients, by: 100)
    }

    /// RND-8: units at a published rate that is already rounded to pence; the annual figure is not derived again.
    public static func atPublishedRate(_ units: Int64, _ rate: Money) throws(ArithmeticError) -> Money {
        let (pence, overflow) = units.multipliedReportingOverflow(by: rate.pence)
        if overflow { throw .overflow }
        return Money(pence: pence)
    }

    /// `value * factor` to a whole number, half away from zero.
    static func scaled(_ value: Rational, by factor: Int64) throws(ArithmeticError) -> Int64 {
        let (product, overflow) = value.numerator.multipliedReportingOverflow(by: Int128(factor))
        if overflow { throw .overflow }
        return try quotient(product, value.denominator)
    }

    /// `numerator / denominator` to a whole number, half away from zero; the denominator is positive.
    @inlinable
    package static func quotient(_ numerator: Int128, _ denominator: Int128) throws(ArithmeticError) -> Int64
    {
        if denominator <= 0 { throw .divisionByZero }
        if let top = Int64(exactly: numerator), let bottom = Int64(exactly: denominator) {
            return quotient(top, bottom)
        }
        let (whole, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
        let magnitude = rest < 0 ? 0 - rest : rest
        let awayFromZero: Int128 = magnitude >= denominator - magnitude ? (numerator < 0 ? -1 : 1) : 0
        guard let result = Int64(exactly: whole + awayFromZero) else { throw .overflow }
        return result
    }

    /// As above, where all fits in 64 bits; the denominator is positive.
    @inlinable
    package static func quotient(_ numerator: Int64, _ denominator: Int64) -> Int64 {
        let (whole, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
        // rest and denominator - |rest| are within range, so the comparison cannot overflow. With a denominator of 1
        // the rest is 0, so the step away from zero cannot leave the range either.
        let magnitude = rest < 0 ? 0 - rest : rest
        if magnitude == 0 || magnitude < denominator - magnitude { return whole }
        return numerator < 0 ? whole - 1 : whole + 1
    }
}
