/// An amount of pounds sterling in whole pence, positive or negative.
///
/// Range: ±92,233,720,368,547,758.07 pounds. Addition and subtraction are checked and throw
/// `ArithmeticError.overflow`. There is no multiplication: amounts come from exact figures through a named rounding
/// rule (`Rounding`).
public struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let pence: Int64

    public static let zero = Money(pence: 0)

    public init(pence: Int64) { self.pence = pence }

    /// Parses plain pounds with exactly two decimals, or whole pounds: `1234.56`, `-0.05`, `1234`. No sign `+`, no
    /// grouping, no spaces; `nil` otherwise or when out of range.
    public init?(_ text: some StringProtocol) {
        guard let decimal = ExactDecimal(text, maximumScale: 2), decimal.scale != 1,
            let scaled = decimal.scaled(to: 2)
        else { return nil }
        pence = scaled
    }

    public func adding(_ other: Money) throws(ArithmeticError) -> Money {
        let (sum, overflow) = pence.addingReportingOverflow(other.pence)
        if overflow { throw .overflow }
        return Money(pence: sum)
    }

    public func subtracting(_ other: Money) throws(ArithmeticError) -> Money {
        let (difference, overflow) = pence.subtractingReportingOverflow(other.pence)
        if overflow { throw .overflow }
        return Money(pence: difference)
    }

    public func negated() throws(ArithmeticError) -> Money { try Money.zero.subtracting(self) }

    /// The checked sum; zero when there is nothing to add.
    public static func sum(_ amounts: some Sequence<Money>) throws(ArithmeticError) -> Money {
        var total = Money.zero
        for amount in amounts { total = try total.adding(amount) }
        return total
    }

    /// The amount as exact pounds.
    public var pounds: ExactDecimal { ExactDecimal(mantissa: pence, scale: 2) }

    /// Plain pounds with two decimals: `-1234.56`.
    public var description: String { pounds.description }

    public static func < (left: Money, right: Money) -> Bool { left.pence < right.pence }
}
