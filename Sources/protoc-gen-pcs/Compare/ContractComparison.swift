import SwiftProtobuf

/// Compares a released contract with a newer one, and names everything that would break a client of the released one.
/// Additions are compatible; whatever was promised must still be there, under its name and number.
struct ContractComparison {
    private let older: ContractIndex
    private let newer: ContractIndex
    private var breaks: [String] = []

    static func breaks(
        from older: Google_Protobuf_FileDescriptorSet, to newer: Google_Protobuf_FileDescriptorSet
    ) -> [String] {
        var comparison = ContractComparison(older: ContractIndex(older), newer: ContractIndex(newer))
        comparison.compareServices()
        comparison.compareMessages()
        comparison.compareEnums()
        return comparison.breaks.sorted()
    }

    private init(older: ContractIndex, newer: ContractIndex) {
        self.older = older
        self.newer = newer
    }

    private mutating func compareServices() {
        for (name, service) in older.services {
            guard let now = newer.services[name] else {
                breaks.append("service \(name) was removed")
                continue
            }
            for method in service.method {
                guard let other = now.method.first(where: { $0.name == method.name }) else {
                    breaks.append("method \(name)/\(method.name) was removed")
                    continue
                }
                if method.inputType != other.inputType {
                    breaks.append(
                        "method \(name)/\(method.name) takes \(other.inputType.dropFirst()) instead of "
                            + "\(method.inputType.dropFirst())")
                }
                if method.outputType != other.outputType {
                    breaks.append(
                        "method \(name)/\(method.name) returns \(other.outputType.dropFirst()) instead of "
                            + "\(method.outputType.dropFirst())")
                }
                if method.clientStreaming != other.clientStreaming
                    || method.serverStreaming != other.serverStreaming
                {
                    breaks.append("method \(name)/\(method.name) changed whether it streams")
                }
            }
        }
    }

    private mutating func compareMessages() {
        for (name, message) in older.messages {
            guard let now = newer.messages[name] else {
                breaks.append("message \(name) was removed")
                continue
            }
            for field in message.field { compare(field, of: message, with: now, name) }
            let key = message.options.Pcs_Access_V1_event.keyField
            if message.options.hasPcs_Access_V1_event, now.options.Pcs_Access_V1_event.keyField != key {
                breaks.append("event \(name) is no longer ordered by \(key)")
            }
        }
    }

    private mutating func compare(
        _ field: Google_Protobuf_FieldDescriptorProto, of message: Google_Protobuf_DescriptorProto,
        with now: Google_Protobuf_DescriptorProto, _ name: String
    ) {
        let title = "field \(name).\(field.name) (\(field.number))"
        guard let other = now.field.first(where: { $0.number == field.number }) else {
            if let moved = now.field.first(where: { $0.name == field.name }) {
                breaks.append("\(title) was renumbered to \(moved.number)")
            } else {
                breaks.append("\(title) was removed")
            }
            return
        }
        if other.name != field.name { breaks.append("\(title) was renamed to \(other.name)") }
        if other.type != field.type || other.typeName != field.typeName || other.label != field.label {
            breaks.append("\(title) changed its type from \(field.typeInWords) to \(other.typeInWords)")
        }
        if message.choice(of: field) != now.choice(of: other) {
            breaks.append("\(title) moved into or out of a oneof")
        }
    }

    private mutating func compareEnums() {
        for (name, enumeration) in older.enums {
            guard let now = newer.enums[name] else {
                breaks.append("enum \(name) was removed")
                continue
            }
            for value in enumeration.value {
                guard let other = now.value.first(where: { $0.name == value.name }) else {
                    breaks.append("enum value \(name).\(value.name) (\(value.number)) was removed")
                    continue
                }
                if other.number != value.number {
                    breaks.append(
                        "enum value \(name).\(value.name) (\(value.number)) was renumbered to \(other.number)"
                    )
                }
            }
        }
    }
}

/// What a contract of ours declares, by full name.
struct ContractIndex {
    private(set) var services: [String: Google_Protobuf_ServiceDescriptorProto] = [:]
    private(set) var messages: [String: Google_Protobuf_DescriptorProto] = [:]
    private(set) var enums: [String: Google_Protobuf_EnumDescriptorProto] = [:]

    init(_ set: Google_Protobuf_FileDescriptorSet) {
        for file in set.file where file.package.hasPrefix("pcs.") {
            for service in file.service { services["\(file.package).\(service.name)"] = service }
            for enumeration in file.enumType { enums["\(file.package).\(enumeration.name)"] = enumeration }
            for message in file.messageType { add(message, in: file.package) }
        }
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, in scope: String) {
        let name = "\(scope).\(message.name)"
        messages[name] = message
        for enumeration in message.enumType { enums["\(name).\(enumeration.name)"] = enumeration }
        for nested in message.nestedType { add(nested, in: name) }
    }
}

extension Google_Protobuf_FieldDescriptorProto {
    fileprivate var typeInWords: String {
        let name = typeName.isEmpty ? "\(type)" : String(typeName.dropFirst())
        return label == .repeated ? "repeated \(name)" : name
    }
}

extension Google_Protobuf_DescriptorProto {
    /// Name of the oneof that a field stands in; the ones that protoc makes for `optional` do not count.
    fileprivate func choice(of field: Google_Protobuf_FieldDescriptorProto) -> String? {
        guard field.hasOneofIndex, !field.proto3Optional, oneofDecl.indices.contains(Int(field.oneofIndex))
        else {
            return nil
        }
        return oneofDecl[Int(field.oneofIndex)].name
    }
}
