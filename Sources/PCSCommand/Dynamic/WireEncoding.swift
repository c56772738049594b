extension DynamicMessage {
    /// Its protobuf encoding, fields in order of number.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for field in type.fields {
            let values = values(of: field)
            if field.isPacked, !values.isEmpty {
                var packed: [UInt8] = []
                for value in values { Self.append(value, of: field.kind, to: &packed) }
                Self.append(tag: field, wireType: 2, to: &bytes)
                Self.append(varint: UInt64(packed.count), to: &bytes)
                bytes += packed
                continue
            }
            for value in values where field.isRepeated || field.hasPresence || !value.isZero {
                Self.append(tag: field, wireType: field.kind.wireType, to: &bytes)
                Self.append(value, of: field.kind, to: &bytes)
            }
        }
        return bytes
    }

    private static func append(tag field: FieldType, wireType: UInt8, to bytes: inout [UInt8]) {
        append(varint: UInt64(field.number) << 3 | UInt64(wireType), to: &bytes)
    }

    private static func append(varint value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func append<Bits: FixedWidthInteger>(fixed value: Bits, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func append(_ value: DynamicValue, of kind: FieldType.Kind, to bytes: inout [UInt8]) {
        switch value {
        case .signed(let number):
            switch kind {
            case .sint32, .sint64: append(varint: UInt64(bitPattern: number << 1 ^ number >> 63), to: &bytes)
            case .sfixed32: append(fixed: Int32(truncatingIfNeeded: number), to: &bytes)
            case .sfixed64: append(fixed: number, to: &bytes)
            default: append(varint: UInt64(bitPattern: number), to: &bytes)
            }
        case .unsigned(let number):
            switch kind {
            case .fixed32: append(fixed: UInt32(truncatingIfNeeded: number), to: &bytes)
            case .fixed64: append(fixed: number, to: &bytes)
            default: append(varint: number, to: &bytes)
            }
        case .float(let number): append(fixed: number.bitPattern, to: &bytes)
        case .double(let number): append(fixed: number.bitPattern, to: &bytes)
        case .bool(let flag): bytes.append(flag ? 1 : 0)
        case .enumeration(let number): append(varint: UInt64(bitPattern: Int64(number)), to: &bytes)
        case .string(let text): append(delimited: Array(text.utf8), to: &bytes)
        case .bytes(let content): append(delimited: content, to: &bytes)
        case .message(let message): append(delimited: message.encoded(), to: &bytes)
        }
    }

    private static func append(delimited content: [UInt8], to bytes: inout [UInt8]) {
        append(varint: UInt64(content.count), to: &bytes)
        bytes += content
    }
}
