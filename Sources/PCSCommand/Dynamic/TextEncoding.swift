/// Writes messages in protobuf text format, as `protoc --decode` does: fields that are set, in order of number.
package struct DynamicTextEncoder {
    private let pool: DescriptorPool

    package init(pool: DescriptorPool) { self.pool = pool }

    package func text(_ message: DynamicMessage) -> String {
        var lines: [String] = []
        write(message, indentation: "", to: &lines)
        return lines.joined(separator: "\n")
    }

    private func write(_ message: DynamicMessage, indentation: String, to lines: inout [String]) {
        for field in message.type.fields {
            for value in message.values(of: field)
            where field.isRepeated || field.hasPresence || !value.isZero {
                guard case .message(let nested) = value else {
                    lines.append("\(indentation)\(field.name): \(text(value, field.kind))")
                    continue
                }
                lines.append("\(indentation)\(field.name) {")
                write(nested, indentation: indentation + "  ", to: &lines)
                lines.append("\(indentation)}")
            }
        }
    }

    private func text(_ value: DynamicValue, _ kind: FieldType.Kind) -> String {
        switch value {
        case .signed(let number): return String(number)
        case .unsigned(let number): return String(number)
        case .float(let number): return floating(Double(number), NumberText.json(number))
        case .double(let number): return floating(number, NumberText.json(number))
        case .bool(let flag): return flag ? "true" : "false"
        case .string(let text): return quoted(Array(text.utf8), keepingUTF8: true)
        case .bytes(let bytes): return quoted(bytes, keepingUTF8: false)
        case .enumeration(let number):
            guard case .enumeration(let type) = kind, let name = pool.enumeration(type)?.name(of: number)
            else {
                return String(number)
            }
            return name
        case .message: return "{}"
        }
    }

    private func floating(_ number: Double, _ json: JSONValue) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        return json.compact
    }

    private func quoted(_ bytes: [UInt8], keepingUTF8: Bool) -> String {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case 0x0A: text += Array("\\n".utf8)
            case 0x0D: text += Array("\\r".utf8)
            case 0x09: text += Array("\\t".utf8)
            case 0x20..<0x7F: text.append(byte)
            case 0x80... where keepingUTF8: text.append(byte)
            default:
                let digits = String(byte, radix: 8)
                text += Array(("\\" + String(repeating: "0", count: 3 - digits.count) + digits).utf8)
            }
        }
        return String(decoding: text + [UInt8(ascii: "\"")], as: UTF8.self)
    }
}
