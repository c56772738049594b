import SwiftProtobuf

/// One field of a message type, as the descriptor set tells it.
package struct FieldType: Sendable {
    package enum Kind: Sendable, Hashable {
        case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64
        case bool, string, bytes
        /// Full name of the message type.
        case message(String)
        /// Full name of the enum type.
        case enumeration(String)
    }

    package let number: Int
    package let name: String
    package let jsonName: String
    package let kind: Kind
    package let isRepeated: Bool
    package let isPacked: Bool
    /// Name of the oneof that it is part of; `nil` for none and for the made-up ones of `optional` fields.
    package let oneof: String?
    /// Whether "not set" differs from "zero".
    package let hasPresence: Bool

    init?(_ field: Google_Protobuf_FieldDescriptorProto, oneofs: [String]) {
        guard let kind = Self.kind(of: field) else { return nil }
        self.kind = kind
        number = Int(field.number)
        name = field.name
        jsonName = field.hasJsonName ? field.jsonName : Self.lowerCamelCase(field.name)
        isRepeated = field.label == .repeated
        oneof = field.hasOneofIndex && !field.proto3Optional ? oneofs[Int(field.oneofIndex)] : nil
        var isMessage = false
        if case .message = kind { isMessage = true }
        hasPresence = !isRepeated && (isMessage || field.proto3Optional || oneof != nil)
        isPacked = isRepeated && kind.isPackable && !(field.options.hasPacked && !field.options.packed)
    }

    private static func kind(of field: Google_Protobuf_FieldDescriptorProto) -> Kind? {
        let typeName = String(field.typeName.drop { $0 == "." })
        return switch field.type {
        case .double: .double
        case .float: .float
        case .int64: .int64
        case .uint64: .uint64
        case .int32: .int32
        case .fixed64: .fixed64
        case .fixed32: .fixed32
        case .bool: .bool
        case .string: .string
        case .message: .message(typeName)
        case .bytes: .bytes
        case .uint32: .uint32
        case .enum: .enumeration(typeName)
        case .sfixed32: .sfixed32
        case .sfixed64: .sfixed64
        case .sint32: .sint32
        case .sint64: .sint64
        default: nil
        }
    }

    private static func lowerCamelCase(_ name: String) -> String {
        var result = ""
        var raise = false
        for character in name {
            if character == "_" {
                raise = true
            } else {
                result += raise ? character.uppercased() : String(character)
                raise = false
            }
        }
        return result
    }
}

extension FieldType.Kind {
    /// Numbers, flags and enums may stand packed in one length-delimited field.
    var isPackable: Bool {
        switch self {
        case .string, .bytes, .message: false
        default: true
        }
    }

    /// 0 = varint, 1 = eight bytes, 2 = length-delimited, 5 = four bytes.
    var wireType: UInt8 {
        switch self {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enumeration: 0
        case .double, .fixed64, .sfixed64: 1
        case .string, .bytes, .message: 2
        case .float, .fixed32, .sfixed32: 5
        }
    }

    /// For messages to people.
    var inWords: String {
        switch self {
        case .double, .float: "a number"
        case .int32, .int64, .sint32, .sint64, .sfixed32, .sfixed64: "a whole number"
        case .uint32, .uint64, .fixed32, .fixed64: "a whole number from 0"
        case .bool: "true or false"
        case .string: "a text"
        case .bytes: "bytes in base64"
        case .message(let name): name
        case .enumeration(let name): "a value of \(name)"
        }
    }
}
