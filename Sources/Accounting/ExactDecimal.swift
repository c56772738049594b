/// A decimal number held exactly: a 64-bit mantissa and 0 to 9 decimals. Populations, prices and percentages are read,
/// stored and shown in this form; calculations on them go through `Rational` or `CapitationMath`.
///
/// The number of decimals is part of the value as shown (`10.00` and `10` print differently and are different values);
/// compare `rational` to compare amounts.
public struct ExactDecimal: Hashable, Sendable, CustomStringConvertible {
    public let mantissa: Int64
    /// Decimals, 0 to 9.
    public let scale: UInt8

    static let powersOfTen: [Int64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]
    /// Most decimals that can be held.
    public static let maximumScale: UInt8 = 9

    /// `mantissa / 10^scale`. Precondition: at most 9 decimals.
    public init(mantissa: Int64, scale: UInt8) {
        precondition(scale <= ExactDecimal.maximumScale, "an exact decimal has at most 9 decimals")
        self.mantissa = mantissa
        self.scale = scale
    }

    public init(_ whole: Int64) { self.init(mantissa: whole, scale: 0) }

    /// Parses plain decimal text: an optional `-`, digits, and optionally `.` with 1 to `maximumScale` digits. No
    /// exponent, grouping, plus sign or spaces; `nil` otherwise or when out of range.
    public init?(_ text: some StringProtocol, maximumScale: UInt8 = ExactDecimal.maximumScale) {
        var magnitude: Int64 = 0
        var digits = 0
        var decimals: UInt8 = 0
        var seenPoint = false
        var negative = false
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case 0x2D where index == 0:
                negative = true
            case 0x2E where !seenPoint && digits > 0:
                seenPoint = true
            case 0x30...0x39:
                if seenPoint {
                    decimals += 1
                    if decimals > min(maximumScale, ExactDecimal.maximumScale) { return nil }
                }
                digits += 1
                let (tenfold, high) = magnitude.multipliedReportingOverflow(by: 10)
                let (next, carry) = tenfold.addingReportingOverflow(Int64(byte - 0x30))
                if high || carry { return nil }
                magnitude = next
            default:
                return nil
            }
        }
        guard digits > 0, !seenPoint || decimals > 0 else { return nil }
        self.init(mantissa: negative ? -magnitude : magnitude, scale: decimals)
    }

    /// The mantissa at another number of decimals, or `nil` when that loses a digit that is not zero or does not fit.
    public func scaled(to wanted: UInt8) -> Int64? {
        guard wanted <= ExactDecimal.maximumScale else { return nil }
        if wanted >= scale {
            let (value, overflow) = mantissa.multipliedReportingOverflow(
                by: ExactDecimal.powersOfTen[Int(wanted - scale)])
            return overflow ? nil : value
        }
        let (quotient, remainder) = mantissa.quotientAndRemainder(
            dividingBy: ExactDecimal.powersOfTen[Int(scale - wanted)])
        return remainder == 0 ? quotient : nil
    }

    /// The same number with trailing zeros of the decimals dropped, but at least `decimals` of them kept.
    public func trimmed(keeping decimals: UInt8 = 0) -> ExactDecimal {
        var mantissa = mantissa
        var scale = scale
        while scale > decimals, mantissa % 10 == 0 {
            mantissa /= 10
            scale -= 1
        }
        return ExactDecimal(mantissa: mantissa, scale: scale)
    }

    public var rational: Rational {
        Rational(reducing: Int128(mantissa), over: Int128(ExactDecimal.powersOfTen[Int(scale)]))
    }

    public var description: String {
        guard scale > 0 else { return String(mantissa) }
        let digits = String(mantissa.magnitude)
        let decimals = Int(scale)
        let padded =
            digits.utf8.count > decimals
            ? digits : String(repeating: "0", count: decimals + 1 - digits.utf8.count) + digits
        let point = padded.index(padded.endIndex, offsetBy: -decimals)
        return (mantissa < 0 ? "-" : "") + padded[..<point] + "." + padded[point...]
    }
}
