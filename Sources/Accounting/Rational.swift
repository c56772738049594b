/// An exact fraction of 128-bit integers, always in lowest terms with a positive denominator (RND-1: no binary
/// floating point, no rounding in between). Every operation is checked.
public struct Rational: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let numerator: Int128
    public let denominator: Int128

    public static let zero = Rational(0)

    public init(_ whole: Int64) {
        numerator = Int128(whole)
        denominator = 1
    }

    /// Throws `divisionByZero` when the denominator is zero, `overflow` for the one numerator that has no magnitude.
    public init(_ numerator: Int128, over denominator: Int128) throws(ArithmeticError) {
        if denominator == 0 { throw .divisionByZero }
        if numerator == .min || denominator == .min { throw .overflow }
        let negative = (numerator < 0) != (denominator < 0)
        let top = numerator < 0 ? -numerator : numerator
        let bottom = denominator < 0 ? -denominator : denominator
        self.init(reducing: negative ? -top : top, over: bottom)
    }

    /// For a denominator known to be positive and a numerator known to have a magnitude.
    init(reducing numerator: Int128, over denominator: Int128) {
        let divisor = Rational.greatestCommonDivisor(numerator < 0 ? -numerator : numerator, denominator)
        self.numerator = numerator / divisor
        self.denominator = denominator / divisor
    }

    private static func greatestCommonDivisor(_ left: Int128, _ right: Int128) -> Int128 {
        var (a, b) = (left, right)
        while b != 0 {
            if a <= Int128(Int64.max), b <= Int128(Int64.max) {
                var (small, smaller) = (Int64(a), Int64(b))
                while smaller != 0 { (small, smaller) = (smaller, small % smaller) }
                return max(Int128(small), 1)
            }
            (a, b) = (b, a % b)
        }
        return max(a, 1)
    }

    public func adding(_ other: Rational) throws(ArithmeticError) -> Rational {
        let common = Rational.greatestCommonDivisor(denominator, other.denominator)
        let left = try Rational.product(numerator, other.denominator / common)
        let right = try Rational.product(other.numerator, denominator / common)
        let (sum, overflow) = left.addingReportingOverflow(right)
        if overflow { throw .overflow }
        return try Rational(sum, over: try Rational.product(denominator, other.denominator / common))
    }

    public func subtracting(_ other: Rational) throws(ArithmeticError) -> Rational {
        try adding(try other.negated())
    }

    public func negated() throws(ArithmeticError) -> Rational {
        try Rational(0 - numerator, over: denominator)
    }

    public func multiplied(by other: Rational) throws(ArithmeticError) -> Rational {
        // Crosswise first, so that what cancels cannot overflow.
        let left = Rational(reducing: numerator, over: other.denominator)
        let right = Rational(reducing: other.numerator, over: denominator)
        return try Rational(
            try Rational.product(left.numerator, right.numerator),
            over: try Rational.product(left.denominator, right.denominator))
    }

    public func divided(by other: Rational) throws(ArithmeticError) -> Rational {
        try multiplied(by: try Rational(other.denominator, over: other.numerator))
    }

    private static func product(_ left: Int128, _ right: Int128) throws(ArithmeticError) -> Int128 {
        let (value, overflow) = left.multipliedReportingOverflow(by: right)
        if overflow { throw .overflow }
        return value
    }

    /// Compares exactly; values too far apart to cross-multiply are compared by their whole parts first.
    public static func < (left: Rational, right: Rational) -> Bool {
        let (leftWhole, leftRest) = left.floored()
        let (rightWhole, rightRest) = right.floored()
        if leftWhole != rightWhole { return leftWhole < rightWhole }
        // Both rests are in 0..<1: compare their reciprocals' continued fractions by turns.
        return Rational.fraction(leftRest, left.denominator, isBelow: rightRest, right.denominator)
    }

    private func floored() -> (whole: Int128, rest: Int128) {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        return remainder < 0 ? (quotient - 1, remainder + denominator) : (quotient, remainder)
    }

    /// Whether a/b < c/d for 0 <= a < b, 0 <= c < d.
    private static func fraction(_ a: Int128, _ b: Int128, isBelow c: Int128, _ d: Int128) -> Bool {
        var (a, b, c, d) = (a, b, c, d)
        while true {
            if a == 0 { return c != 0 }
            if c == 0 { return false }
            // a/b < c/d  <=>  b/a > d/c
            let (leftWhole, leftRest) = b.quotientAndRemainder(dividingBy: a)
            let (rightWhole, rightRest) = d.quotientAndRemainder(dividingBy: c)
            if leftWhole != rightWhole { return leftWhole > rightWhole }
            // rest(right)/c < rest(left)/a
            (a, b, c, d) = (rightRest, c, leftRest, a)
        }
    }

    /// Decimal text: exact when it has at most `decimals` decimals, otherwise cut there and marked with an ellipsis.
    public func text(decimals: Int = 12) -> String {
        let magnitude = numerator < 0 ? -numerator : numerator
        var (whole, rest) = magnitude.quotientAndRemainder(dividingBy: denominator)
        var digits = ""
        while rest != 0, digits.utf8.count < decimals {
            let (tenfold, overflow) = rest.multipliedReportingOverflow(by: 10)
            if overflow { break }
            (whole, rest) = (whole, tenfold % denominator)
            digits += String(Int(tenfold / denominator))
        }
        return (numerator < 0 ? "-" : "") + String(whole) + (digits.isEmpty ? "" : "." + digits)
            + (rest == 0 ? "" : "…")
    }

    public var description: String { text() }
}
