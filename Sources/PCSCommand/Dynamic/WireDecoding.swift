extension DynamicMessage {
    /// Deeper messages are refused, as every protobuf library does.
    private static let maximumDepth = 100

    /// Reads the encoding of a message. Fields that the type does not know are passed over.
    package init(decoding bytes: some Collection<UInt8>, as type: MessageType, pool: DescriptorPool) throws {
        self.init(type)
        try merge(ArraySlice(Array(bytes)), pool: pool, depth: 0, path: "")
    }

    private mutating func merge(_ bytes: ArraySlice<UInt8>, pool: DescriptorPool, depth: Int, path: String)
        throws
    {
        guard depth < Self.maximumDepth else { throw DynamicError(path: path, problem: "nested too deeply") }
        var reader = WireReader(bytes, path: path)
        while !reader.isAtEnd {
            let tag = try reader.varint()
            let wireType = UInt8(tag & 7)
            guard let field = type.field(number: Int(truncatingIfNeeded: tag >> 3)) else {
                try reader.skip(wireType)
                continue
            }
            let inner = DynamicError.join(path, field.name)
            if wireType == 2, field.isRepeated, field.kind.isPackable {
                var packed = WireReader(try reader.delimited(), path: inner)
                while !packed.isAtEnd { append(field, try packed.scalar(field.kind)) }
            } else if wireType != field.kind.wireType {
                try reader.skip(wireType)
            } else if case .message(let name) = field.kind {
                guard let nested = pool.message(name) else {
                    throw DynamicError(path: inner, problem: "the descriptor set does not hold \(name)")
                }
                try merge(
                    message: try reader.delimited(), nested, into: field, pool: pool, depth: depth,
                    path: inner)
            } else {
                let value = try reader.scalar(field.kind)
                field.isRepeated ? append(field, value) : set(field, value)
            }
        }
    }

    /// A message that comes again is merged into the one before, unless repeated.
    private mutating func merge(
        message bytes: ArraySlice<UInt8>, _ nested: MessageType, into field: FieldType, pool: DescriptorPool,
        depth: Int, path: String
    ) throws {
        var message = DynamicMessage(nested)
        if !field.isRepeated, case .message(let before) = value(of: field) { message = before }
        try message.merge(bytes, pool: pool, depth: depth + 1, path: path)
        field.isRepeated ? append(field, .message(message)) : set(field, .message(message))
    }
}

/// Walks the fields of one encoded message.
private struct WireReader {
    private var rest: ArraySlice<UInt8>
    private let path: String

    init(_ bytes: ArraySlice<UInt8>, path: String) {
        rest = bytes
        self.path = path
    }

    var isAtEnd: Bool { rest.isEmpty }

    private var truncated: DynamicError {
        DynamicError(path: path, problem: "the encoded message ends too early")
    }

    mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw truncated }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw DynamicError(path: path, problem: "a number is longer than ten bytes")
    }

    mutating func delimited() throws -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(rest.count) else { throw truncated }
        let content = rest.prefix(Int(length))
        rest = rest.dropFirst(Int(length))
        return content
    }

    private mutating func fixed<Bits: FixedWidthInteger & UnsignedInteger>(_: Bits.Type) throws -> Bits {
        let width = Bits.bitWidth / 8
        guard rest.count >= width else { throw truncated }
        var value: Bits = 0
        for byte in rest.prefix(width).reversed() { value = value << 8 | Bits(byte) }
        rest = rest.dropFirst(width)
        return value
    }

    mutating func skip(_ wireType: UInt8) throws {
        switch wireType {
        case 0: _ = try varint()
        case 1: _ = try fixed(UInt64.self)
        case 2: _ = try delimited()
        case 5: _ = try fixed(UInt32.self)
        default: throw DynamicError(path: path, problem: "wire type \(wireType) is not known")
        }
    }

    mutating func scalar(_ kind: FieldType.Kind) throws -> DynamicValue {
        switch kind {
        case .int32: return .signed(Int64(Int32(truncatingIfNeeded: try varint())))
        case .int64: return .signed(Int64(bitPattern: try varint()))
        case .uint32: return .unsigned(UInt64(UInt32(truncatingIfNeeded: try varint())))
        case .uint64: return .unsigned(try varint())
        case .sint32:
            let bits = UInt32(truncatingIfNeeded: try varint())
            return .signed(Int64(Int32(bitPattern: bits >> 1) ^ -Int32(bits & 1)))
        case .sint64:
            let bits = try varint()
            return .signed(Int64(bitPattern: bits >> 1) ^ -Int64(bits & 1))
        case .fixed32: return .unsigned(UInt64(try fixed(UInt32.self)))
        case .fixed64: return .unsigned(try fixed(UInt64.self))
        case .sfixed32: return .signed(Int64(Int32(bitPattern: try fixed(UInt32.self))))
        case .sfixed64: return .signed(Int64(bitPattern: try fixed(UInt64.self)))
        case .float: return .float(Float(bitPattern: try fixed(UInt32.self)))
        case .double: return .double(Double(bitPattern: try fixed(UInt64.self)))
        case .bool: return .bool(try varint() != 0)
        case .enumeration: return .enumeration(Int32(truncatingIfNeeded: try varint()))
        case .bytes: return .bytes(Array(try delimited()))
        case .string:
            guard let text = String(validating: try delimited(), as: UTF8.self) else {
                throw DynamicError(path: path, problem: "a text is not UTF-8")
            }
            return .string(text)
        case .message(let name): throw DynamicError(path: path, problem: "\(name) is not a plain value")
        }
    }
}
