/// Reads messages from JSON, by the protobuf JSON mapping: names in proto or lowerCamelCase, 64-bit numbers as numbers
/// or texts, enums by name or number, bytes in base64, `null` = not set. Beyond the mapping, a `pcs.common.v1.Date` may
/// be written "2019-04-01" and a `pcs.common.v1.Month` "2019-04".
package struct DynamicJSONDecoder {
    private let pool: DescriptorPool

    package init(pool: DescriptorPool) { self.pool = pool }

    /// - Throws: `DynamicError` naming the field.
    package func message(_ type: MessageType, from json: JSONValue) throws -> DynamicMessage {
        try message(type, from: json, path: "")
    }

    private func message(_ type: MessageType, from json: JSONValue, path: String) throws -> DynamicMessage {
        if let known = try WellKnownTypes.message(type, from: json, path: path) { return known }
        guard case .object(let members) = json else {
            throw DynamicError(
                path: path, problem: "\(type.fullName) is written as an object, not as \(json.kindInWords)")
        }
        var message = DynamicMessage(type)
        for member in members {
            guard let field = type.field(named: member.name) else {
                let question = Suggestions.question(for: member.name, among: type.fields.map(\.jsonName))
                throw DynamicError(
                    path: path, problem: "\(type.fullName) has no field \"\(member.name)\"\(question)")
            }
            if case .null = member.value { continue }
            let inner = DynamicError.join(path, field.jsonName)
            guard message.values(of: field).isEmpty else {
                throw DynamicError(path: inner, problem: "is given twice")
            }
            if let oneof = field.oneof, let other = message.member(of: oneof) {
                throw DynamicError(
                    path: inner, problem: "excludes \(other.jsonName): only one of \(oneof) can be set")
            }
            try set(field, of: &message, to: member.value, path: inner)
        }
        return message
    }

    private func set(
        _ field: FieldType, of message: inout DynamicMessage, to json: JSONValue, path: String
    ) throws {
        guard field.isRepeated else {
            return message.set(field, try value(field.kind, from: json, path: path))
        }
        if case .message(let name) = field.kind, let entry = pool.message(name), entry.isMapEntry {
            return try setMap(field, entry, of: &message, to: json, path: path)
        }
        guard case .array(let elements) = json else {
            throw DynamicError(path: path, problem: "is a list, written in [ ], not \(json.kindInWords)")
        }
        for (index, element) in elements.enumerated() {
            message.append(field, try value(field.kind, from: element, path: "\(path)[\(index)]"))
        }
    }

    private func setMap(
        _ field: FieldType, _ entry: MessageType, of message: inout DynamicMessage, to json: JSONValue,
        path: String
    ) throws {
        guard case .object(let members) = json, let key = entry.field(number: 1),
            let content = entry.field(number: 2)
        else {
            throw DynamicError(
                path: path, problem: "is a map, written as an object, not as \(json.kindInWords)")
        }
        for member in members {
            let inner = "\(path)[\(member.name)]"
            var pair = DynamicMessage(entry)
            let name: JSONValue =
                switch key.kind {
                case .bool: .bool(member.name == "true")
                default: .string(member.name)
                }
            pair.set(key, try value(key.kind, from: name, path: inner))
            pair.set(content, try value(content.kind, from: member.value, path: inner))
            message.append(field, .message(pair))
        }
    }

    private func value(_ kind: FieldType.Kind, from json: JSONValue, path: String) throws -> DynamicValue {
        func wrong() -> DynamicError {
            DynamicError(path: path, problem: "must be \(kind.inWords), not \(Self.shown(json))")
        }
        switch kind {
        case .message(let name):
            guard let nested = pool.message(name) else {
                throw DynamicError(path: path, problem: "the descriptor set does not hold \(name)")
            }
            return .message(try message(nested, from: json, path: path))
        case .enumeration(let name):
            return .enumeration(try enumeration(name, from: json, path: path))
        case .bool:
            guard case .bool(let flag) = json else { throw wrong() }
            return .bool(flag)
        case .string:
            guard case .string(let text) = json else { throw wrong() }
            return .string(text)
        case .bytes:
            guard case .string(let text) = json, let bytes = Base64.decode(text) else { throw wrong() }
            return .bytes(bytes)
        case .float, .double, .int32, .int64, .uint32, .uint64, .sint32, .sint64, .fixed32, .fixed64,
            .sfixed32,
            .sfixed64:
            let literal: String
            switch json {
            case .number(let text), .string(let text): literal = text
            default: throw wrong()
            }
            guard let number = NumberText.value(literal, of: kind) else { throw wrong() }
            return number
        }
    }

    private func enumeration(_ name: String, from json: JSONValue, path: String) throws -> Int32 {
        guard let type = pool.enumeration(name) else {
            throw DynamicError(path: path, problem: "the descriptor set does not hold \(name)")
        }
        switch json {
        case .string(let text):
            if let number = type.number(of: text) { return number }
            let question = Suggestions.question(for: text, among: type.names)
            let all = question.isEmpty ? "; it has " + type.names.joined(separator: ", ") : question
            throw DynamicError(path: path, problem: "\(name) has no value \"\(text)\"\(all)")
        case .number(let literal):
            if let number = Int32(literal) { return number }
            fallthrough
        default:
            throw DynamicError(path: path, problem: "must be a value of \(name), not \(Self.shown(json))")
        }
    }

    private static func shown(_ json: JSONValue) -> String {
        switch json {
        case .array, .object: json.kindInWords
        default: json.compact
        }
    }
}
