/// Writes messages as JSON, by the protobuf JSON mapping. Every field that has a value by rule is written, zeros and
/// empty lists too, so that a program finds the same names each time; a message, a member of a oneof or an `optional`
/// field that is not set is left out.
package struct DynamicJSONEncoder {
    private let pool: DescriptorPool

    package init(pool: DescriptorPool) { self.pool = pool }

    package func json(_ message: DynamicMessage) -> JSONValue {
        if let known = WellKnownTypes.json(message) { return known }
        if message.type.fullName == "google.protobuf.Any", let content = any(message) { return content }
        var members: [JSONValue.Member] = []
        for field in message.type.fields {
            let values = message.values(of: field)
            if field.isRepeated {
                members.append(JSONValue.Member(field.jsonName, list(values, of: field)))
            } else if let value = values.last {
                members.append(JSONValue.Member(field.jsonName, json(value, kind: field.kind)))
            } else if !field.hasPresence {
                members.append(JSONValue.Member(field.jsonName, zero(field.kind)))
            }
        }
        return .object(members)
    }

    private func list(_ values: [DynamicValue], of field: FieldType) -> JSONValue {
        guard case .message(let name) = field.kind, let entry = pool.message(name), entry.isMapEntry,
            let key = entry.field(number: 1), let content = entry.field(number: 2)
        else { return .array(values.map { json($0, kind: field.kind) }) }
        let members = values.compactMap { value -> JSONValue.Member? in
            guard case .message(let pair) = value else { return nil }
            let name = pair.value(of: key).map { json($0, kind: key.kind) } ?? zero(key.kind)
            let value = pair.value(of: content).map { json($0, kind: content.kind) } ?? zero(content.kind)
            let text =
                switch name {
                case .string(let text), .number(let text): text
                default: name.compact
                }
            return JSONValue.Member(text, value)
        }
        return .object(members.sorted { $0.name < $1.name })
    }

    private func json(_ value: DynamicValue, kind: FieldType.Kind) -> JSONValue {
        switch value {
        case .signed(let number):
            switch kind {
            case .int64, .sint64, .sfixed64: .string(String(number))
            default: .number(String(number))
            }
        case .unsigned(let number):
            switch kind {
            case .uint64, .fixed64: .string(String(number))
            default: .number(String(number))
            }
        case .float(let number): NumberText.json(number)
        case .double(let number): NumberText.json(number)
        case .bool(let flag): .bool(flag)
        case .string(let text): .string(text)
        case .bytes(let bytes): .string(Base64.encode(bytes))
        case .enumeration(let number): enumeration(number, kind)
        case .message(let message): json(message)
        }
    }

    private func enumeration(_ number: Int32, _ kind: FieldType.Kind) -> JSONValue {
        guard case .enumeration(let type) = kind, let name = pool.enumeration(type)?.name(of: number) else {
            return .number(String(number))
        }
        return .string(name)
    }

    private func zero(_ kind: FieldType.Kind) -> JSONValue {
        switch kind {
        case .int64, .sint64, .sfixed64, .uint64, .fixed64: .string("0")
        case .int32, .sint32, .sfixed32, .uint32, .fixed32, .float, .double: .number("0")
        case .bool: .bool(false)
        case .string, .bytes: .string("")
        case .enumeration: enumeration(0, kind)
        case .message: .object([])
        }
    }

    /// An `Any` whose type the pool holds: the message itself, with its type first.
    private func any(_ message: DynamicMessage) -> JSONValue? {
        guard let url = message.type.field(named: "type_url"),
            let content = message.type.field(named: "value"),
            case .string(let typeURL)? = message.value(of: url),
            let type = pool.message(String(typeURL.split(separator: "/").last ?? ""))
        else { return nil }
        var bytes: [UInt8] = []
        if case .bytes(let value)? = message.value(of: content) { bytes = value }
        guard let inner = try? DynamicMessage(decoding: bytes, as: type, pool: pool) else { return nil }
        let typeMember = JSONValue.Member("@type", .string(typeURL))
        guard case .object(let members) = json(inner) else {
            return .object([typeMember, JSONValue.Member("value", json(inner))])
        }
        return .object([typeMember] + members)
    }
}
