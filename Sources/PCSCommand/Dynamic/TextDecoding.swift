/// Reads messages from protobuf text format: `field: value`, `field { ... }`, lists in [ ], comments after #.
package struct DynamicTextDecoder {
    private let pool: DescriptorPool

    package init(pool: DescriptorPool) { self.pool = pool }

    package func message(_ type: MessageType, from text: String) throws -> DynamicMessage {
        var tokens = try TextTokens(text)
        let message = try fields(of: type, from: &tokens, until: nil, depth: 0)
        return message
    }

    private func fields(
        of type: MessageType, from tokens: inout TextTokens, until closing: String?, depth: Int
    ) throws -> DynamicMessage {
        guard depth < JSONParser.maximumDepth else { throw tokens.failure("nested too deeply") }
        var message = DynamicMessage(type)
        while let token = tokens.next() {
            if token.kind == .symbol {
                if token.text == closing { return message }
                if token.text == "," || token.text == ";" { continue }
            }
            guard token.kind == .word else {
                throw tokens.failure("a field name is expected, not \"\(token.text)\"")
            }
            guard let field = type.field(named: token.text) else {
                let question = Suggestions.question(for: token.text, among: type.fields.map(\.name))
                throw tokens.failure("\(type.fullName) has no field \"\(token.text)\"\(question)")
            }
            if !field.isRepeated, !message.values(of: field).isEmpty {
                throw tokens.failure("\(field.name) is given twice")
            }
            if let oneof = field.oneof, let other = message.member(of: oneof) {
                throw tokens.failure("\(field.name) excludes \(other.name): only one of \(oneof) can be set")
            }
            let hasColon = tokens.take(":")
            if field.isRepeated, tokens.take("[") {
                while !tokens.take("]") {
                    message.append(field, try value(of: field, from: &tokens, depth: depth))
                    _ = tokens.take(",")
                }
                continue
            }
            if !hasColon, field.kind.wireType != 2 || field.kind.isPlain {
                throw tokens.failure("a colon is expected after \(field.name)")
            }
            let value = try value(of: field, from: &tokens, depth: depth)
            field.isRepeated ? message.append(field, value) : message.set(field, value)
        }
        if let closing { throw tokens.failure("\(closing) is missing at the end") }
        return message
    }

    private func value(of field: FieldType, from tokens: inout TextTokens, depth: Int) throws -> DynamicValue
    {
        if case .message(let name) = field.kind {
            guard let nested = pool.message(name) else {
                throw tokens.failure("the descriptor set does not hold \(name)")
            }
            let closing: String
            if tokens.take("{") {
                closing = "}"
            } else if tokens.take("<") {
                closing = ">"
            } else {
                throw tokens.failure("{ is expected after \(field.name)")
            }
            return .message(try fields(of: nested, from: &tokens, until: closing, depth: depth + 1))
        }
        guard let token = tokens.next() else { throw tokens.failure("\(field.name) has no value") }
        func wrong() -> TextFormatError {
            tokens.failure("\(field.name) must be \(field.kind.inWords), not \"\(token.text)\"")
        }
        switch field.kind {
        case .string, .bytes:
            guard token.kind == .quoted else { throw wrong() }
            var bytes = token.bytes
            while let more = tokens.takeQuoted() { bytes += more }
            if field.kind == .bytes { return .bytes(bytes) }
            guard let text = String(validating: bytes, as: UTF8.self) else { throw wrong() }
            return .string(text)
        case .bool:
            guard token.kind == .word else { throw wrong() }
            switch token.text {
            case "true", "True", "t", "1": return .bool(true)
            case "false", "False", "f", "0": return .bool(false)
            default: throw wrong()
            }
        case .enumeration(let name):
            guard token.kind == .word, let type = pool.enumeration(name) else { throw wrong() }
            if let number = type.number(of: token.text) ?? Int32(token.text) { return .enumeration(number) }
            let question = Suggestions.question(for: token.text, among: type.names)
            throw tokens.failure("\(name) has no value \"\(token.text)\"\(question)")
        default:
            guard token.kind == .word, let number = NumberText.value(Self.number(token.text), of: field.kind)
            else {
                throw wrong()
            }
            return number
        }
    }

    /// Text format writes `inf`, `nan` and hexadecimal numbers, which JSON does not.
    private static func number(_ text: String) -> String {
        switch text.lowercased() {
        case "nan": return "NaN"
        case "inf", "infinity": return "Infinity"
        case "-inf", "-infinity": return "-Infinity"
        case let lower where lower.hasPrefix("0x"):
            return UInt64(lower.dropFirst(2), radix: 16).map(String.init) ?? text
        default: return text
        }
    }
}

extension FieldType.Kind {
    /// Text or bytes: they stand after a colon.
    fileprivate var isPlain: Bool { self == .string || self == .bytes }
}

/// Text that is not protobuf text format, or does not fit the message, and where.
package struct TextFormatError: Error, CustomStringConvertible {
    package let line: Int
    package let problem: String
    package var description: String { "line \(line): \(problem)" }
}
