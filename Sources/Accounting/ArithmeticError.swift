/// Why an exact calculation has no result. Overflow is an error, never a trap and never a wrong figure.
public enum ArithmeticError: Error, Hashable, Sendable {
    /// The value does not fit: more than 64 bits of pence, or 128 bits in an intermediate value.
    case overflow
    case divisionByZero
}
