import PluginAPI

/// A fraction of whole factors, multiplied out with a check of every step and divided once, half away from zero.
///
/// Hundreds of thousands of lines pass through here in a national run; `Rational` would reduce after each factor.
struct ExactProduct: Sendable {
    private var numerator: Int128
    private var denominator: Int128
    private var hasOverflowed = false

    init(_ numerator: Int64, over denominator: Int64 = 1) {
        self.numerator = Int128(numerator)
        self.denominator = Int128(denominator)
    }

    mutating func multiply(by factor: Int64) {
        let (product, overflow) = numerator.multipliedReportingOverflow(by: Int128(factor))
        numerator = product
        if overflow { hasOverflowed = true }
    }

    mutating func divide(by factor: Int64) {
        let (product, overflow) = denominator.multipliedReportingOverflow(by: Int128(factor))
        denominator = product
        if overflow { hasOverflowed = true }
    }

    mutating func multiply(by value: ExactDecimal) {
        multiply(by: value.mantissa)
        divide(by: ExactProduct.powers[Int(value.scale)])
    }

    mutating func divide(by value: ExactDecimal) {
        divide(by: value.mantissa)
        multiply(by: ExactProduct.powers[Int(value.scale)])
    }

    /// To the nearest whole number.
    func rounded() throws(ArithmeticError) -> Int64 {
        if hasOverflowed { throw .overflow }
        return try Rounding.quotient(numerator, denominator)
    }

    private static let powers: [Int64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]
}
