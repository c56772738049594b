/// Numbers of protobuf fields, read from text exactly.
enum NumberText {
    /// The number, or `nil` when the text is none or out of the kind's range. Whole numbers may carry an exponent or a
    /// zero fraction ("1e3", "2.0"), as the protobuf JSON mapping allows.
    static func value(_ literal: String, of kind: FieldType.Kind) -> DynamicValue? {
        switch kind {
        case .int32, .sint32, .sfixed32:
            return signed(literal).flatMap { Int32(exactly: $0) }.map { .signed(Int64($0)) }
        case .int64, .sint64, .sfixed64: return signed(literal).map { .signed($0) }
        case .uint32, .fixed32:
            return unsigned(literal).flatMap { UInt32(exactly: $0) }.map { .unsigned(UInt64($0)) }
        case .uint64, .fixed64: return unsigned(literal).map { .unsigned($0) }
        case .double: return floating(literal).map { .double($0) }
        case .float:
            guard let number = floating(literal) else { return nil }
            let single = Float(number)
            return number.isFinite && !single.isFinite ? nil : .float(single)
        default: return nil
        }
    }

    private static func signed(_ literal: String) -> Int64? {
        guard !literal.hasPrefix("+") else { return nil }
        return Int64(literal) ?? whole(literal).flatMap { Int64(exactly: $0) }
    }

    private static func unsigned(_ literal: String) -> UInt64? {
        guard !literal.hasPrefix("+") else { return nil }
        return UInt64(literal) ?? whole(literal).flatMap { UInt64(exactly: $0) }
    }

    /// Only for literals with a point or exponent, and only where a double holds every whole number.
    private static func whole(_ literal: String) -> Double? {
        guard literal.contains(where: { ".eE".contains($0) }), let number = Double(literal),
            number.magnitude <= 9_007_199_254_740_992
        else { return nil }
        return number
    }

    private static func floating(_ literal: String) -> Double? {
        switch literal {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default:
            guard let first = literal.first, first.isNumber || first == "-" || first == ".",
                let number = Double(literal), number.isFinite
            else { return nil }
            return number
        }
    }

    /// A double in JSON: shortest digits that read back the same.
    static func json(_ number: Double) -> JSONValue {
        if number.isNaN { return .string("NaN") }
        if number.isInfinite { return .string(number < 0 ? "-Infinity" : "Infinity") }
        if number == number.rounded(), number.magnitude < 1e15 { return .number(String(Int64(number))) }
        return .number("\(number)")
    }

    static func json(_ number: Float) -> JSONValue {
        if number.isNaN || number.isInfinite { return json(Double(number)) }
        if number == number.rounded(), number.magnitude < 1e6 { return .number(String(Int64(number))) }
        return .number("\(number)")
    }
}
