import PluginAPI

/// A number with thirty decimals, held as a whole number of 10^-30 in 128 bits: the formula's quotients, products and
/// powers need 28 significant digits (RND-1), which fractions of 128 bits cannot carry through six factors.
///
/// Every product and quotient goes through 256 bits and is rounded once, half away from zero, so it is off by at most
/// half a unit; powers by at most 10^-28. Magnitudes reach 170 million; what is larger throws `overflow`.
struct PreciseDecimal: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Units of 10^-30.
    let units: Int128

    static let decimals = 30
    static let unitsOfOne = Int128(1_000_000_000_000_000) * Int128(1_000_000_000_000_000)
    static let zero = PreciseDecimal(units: 0)
    static let one = PreciseDecimal(units: unitsOfOne)
    /// Natural logarithm of two.
    private static let logarithmOfTwo =
        Int128(693_147_180_559_945) * Int128(1_000_000_000_000_000) + Int128(309_417_232_121_458)

    init(units: Int128) { self.units = units }

    init(ratio numerator: Int128, _ denominator: Int128) throws(ArithmeticError) {
        units = try PreciseDecimal.scaled(numerator, PreciseDecimal.unitsOfOne, over: denominator)
    }

    init(_ value: ExactDecimal) throws(ArithmeticError) {
        self = try PreciseDecimal(ratio: value.rational.numerator, value.rational.denominator)
    }

    /// Parses what `description` writes.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == PreciseDecimal.decimals,
            let units = Int128(String(parts[0] + parts[1]))
        else { return nil }
        self.units = units
    }

    func multiplied(by other: PreciseDecimal) throws(ArithmeticError) -> PreciseDecimal {
        PreciseDecimal(units: try PreciseDecimal.scaled(units, other.units, over: PreciseDecimal.unitsOfOne))
    }

    func divided(by other: PreciseDecimal) throws(ArithmeticError) -> PreciseDecimal {
        PreciseDecimal(units: try PreciseDecimal.scaled(units, PreciseDecimal.unitsOfOne, over: other.units))
    }

    /// `self * count` to a whole number, half away from zero.
    func times(_ count: Int64) throws(ArithmeticError) -> Int64 {
        let whole = try PreciseDecimal.scaled(units, Int128(count), over: PreciseDecimal.unitsOfOne)
        guard let result = Int64(exactly: whole) else { throw .overflow }
        return result
    }

    static func < (left: PreciseDecimal, right: PreciseDecimal) -> Bool { left.units < right.units }

    /// `left * right / divisor` with a product of 256 bits, half away from zero.
    static func scaled(_ left: Int128, _ right: Int128, over divisor: Int128) throws(ArithmeticError)
        -> Int128
    {
        if divisor == 0 { throw .divisionByZero }
        let isNegative = ((left < 0) != (right < 0)) != (divisor < 0)
        let product = left.magnitude.multipliedFullWidth(by: right.magnitude)
        let bottom = divisor.magnitude
        guard product.high < bottom else { throw .overflow }
        let (quotient, rest) = bottom.dividingFullWidth(product)
        let (rounded, overflow) = quotient.addingReportingOverflow(rest >= bottom - rest ? 1 : 0)
        guard !overflow, let result = Int128(exactly: rounded) else { throw .overflow }
        return isNegative ? -result : result
    }

    /// Decimals beyond the first `count` are rounded away.
    func text(decimals count: Int) -> String {
        var unit = Int128(1)
        for _ in count..<PreciseDecimal.decimals { unit *= 10 }
        let magnitude = units < 0 ? -units : units
        var (whole, rest) = magnitude.quotientAndRemainder(dividingBy: unit)
        if rest >= unit - rest, rest > 0 { whole += 1 }
        rest = whole
        let digits = String(rest)
        let padded = String(repeating: "0", count: max(0, count + 1 - digits.utf8.count)) + digits
        let point = padded.index(padded.endIndex, offsetBy: -count)
        return (units < 0 && rest != 0 ? "-" : "") + padded[..<point] + (count > 0 ? "." : "")
            + padded[point...]
    }

    var description: String { text(decimals: PreciseDecimal.decimals) }
}

// Powers with a fraction as exponent, for rurality: distance^a x density^-b = exp(a ln distance - b ln density).
extension PreciseDecimal {
    /// Natural logarithm of a positive number: `k ln 2 + 2 artanh((m - 1) / (m + 1))` with m from 3/4 to 3/2.
    func naturalLogarithm() throws(ArithmeticError) -> PreciseDecimal {
        guard units > 0 else { throw .divisionByZero }
        var twos = 0
        var reduced = units
        while reduced < PreciseDecimal.unitsOfOne / 4 * 3 {
            reduced *= 2
            twos -= 1
        }
        var divisor = Int128(1)
        while units / divisor >= PreciseDecimal.unitsOfOne / 2 * 3 {
            divisor *= 2
            twos += 1
        }
        if divisor > 1 { reduced = try PreciseDecimal.scaled(units, 1, over: divisor) }
        let one = PreciseDecimal.unitsOfOne
        let tangent = PreciseDecimal(
            units: try PreciseDecimal.scaled(reduced - one, one, over: reduced + one))
        let square = try tangent.multiplied(by: tangent)
        var power = tangent
        var sum = tangent.units
        var odd = Int128(3)
        while power.units != 0 {
            power = try power.multiplied(by: square)
            sum += try PreciseDecimal.scaled(power.units, 1, over: odd)
            odd += 2
        }
        return PreciseDecimal(units: 2 * sum + Int128(twos) * PreciseDecimal.logarithmOfTwo)
    }

    /// e to this power, for exponents from -60 to 18: `2^n` times the series of what is left, at most ln 2 / 2.
    func exponential() throws(ArithmeticError) -> PreciseDecimal {
        let limit = PreciseDecimal.unitsOfOne
        guard units <= 18 * limit, units >= -60 * limit else { throw .overflow }
        let twos = try PreciseDecimal.scaled(units, 1, over: PreciseDecimal.logarithmOfTwo)
        let rest = PreciseDecimal(units: units - twos * PreciseDecimal.logarithmOfTwo)
        var term = PreciseDecimal.one
        var sum = term.units
        var count = Int128(1)
        while term.units != 0 {
            term = PreciseDecimal(
                units: try PreciseDecimal.scaled(try term.multiplied(by: rest).units, 1, over: count))
            sum += term.units
            count += 1
        }
        let factor = Int128(1) << (twos < 0 ? -twos : twos)
        return PreciseDecimal(
            units: twos < 0
                ? try PreciseDecimal.scaled(sum, 1, over: factor)
                : try PreciseDecimal.scaled(sum, factor, over: 1))
    }
}

/// A sum of products in 256 bits, of which the mean is wanted.
struct WideSum: Sendable {
    private var high: UInt128 = 0
    private var low: UInt128 = 0

    /// Adds `value * count`; both are not negative.
    mutating func add(_ value: PreciseDecimal, times count: Int64) {
        let product = value.units.magnitude.multipliedFullWidth(by: UInt128(count.magnitude))
        let (sum, carry) = low.addingReportingOverflow(product.low)
        low = sum
        high += product.high + (carry ? 1 : 0)
    }

    func mean(over count: Int64) throws(ArithmeticError) -> PreciseDecimal {
        let divisor = UInt128(count.magnitude)
        if divisor == 0 { throw .divisionByZero }
        guard high < divisor else { throw .overflow }
        let (quotient, rest) = divisor.dividingFullWidth((high, low))
        guard let units = Int128(exactly: quotient) else { throw .overflow }
        return PreciseDecimal(units: rest >= divisor - rest ? units + 1 : units)
    }
}
