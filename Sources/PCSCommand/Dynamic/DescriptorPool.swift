package import SwiftProtobuf

/// A message type: its fields by name and number.
package struct MessageType: Sendable {
    package let fullName: String
    /// In order of number.
    package let fields: [FieldType]
    package let isMapEntry: Bool
    private let byName: [String: Int]
    private let byNumber: [Int: Int]

    init(fullName: String, fields: [FieldType], isMapEntry: Bool) {
        self.fullName = fullName
        self.fields = fields.sorted { $0.number < $1.number }
        self.isMapEntry = isMapEntry
        var byName: [String: Int] = [:]
        var byNumber: [Int: Int] = [:]
        for (index, field) in self.fields.enumerated() {
            byName[field.name] = index
            byName[field.jsonName] = index
            byNumber[field.number] = index
        }
        self.byName = byName
        self.byNumber = byNumber
    }

    /// Under its name in proto or its name in JSON.
    package func field(named name: String) -> FieldType? { byName[name].map { fields[$0] } }
    package func field(number: Int) -> FieldType? { byNumber[number].map { fields[$0] } }
}

/// An enum type: numbers by name and back.
package struct EnumType: Sendable {
    package let fullName: String
    /// In order of declaration.
    package let names: [String]
    private let numbers: [String: Int32]
    private let byNumber: [Int32: String]

    init(fullName: String, values: [(name: String, number: Int32)]) {
        self.fullName = fullName
        names = values.map(\.name)
        numbers = Dictionary(values.map { ($0.name, $0.number) }) { first, _ in first }
        byNumber = Dictionary(values.map { ($0.number, $0.name) }) { first, _ in first }
    }

    package func number(of name: String) -> Int32? { numbers[name] }
    package func name(of number: Int32) -> String? { byNumber[number] }
}

/// A method as the contract declares it.
package struct MethodType: Sendable {
    /// `pcs.payments.v1.RunService/GetRun`.
    package let path: String
    package let requestType: String
    package let replyType: String
    package let clientStreaming: Bool
    package let serverStreaming: Bool
}

/// All types and methods of a descriptor set.
package struct DescriptorPool: Sendable {
    private var messages: [String: MessageType] = [:]
    private var enums: [String: EnumType] = [:]
    package private(set) var methods: [String: MethodType] = [:]

    /// Several sets may share files.
    package init(_ sets: [Google_Protobuf_FileDescriptorSet]) {
        for file in sets.flatMap(\.file) { add(file) }
    }

    /// - Parameter serializedSets: encoded `google.protobuf.FileDescriptorSet`s.
    package init(serializedSets: [[UInt8]]) throws {
        self.init(try serializedSets.map { try Google_Protobuf_FileDescriptorSet(serializedBytes: $0) })
    }

    package func message(_ fullName: String) -> MessageType? { messages[fullName] }
    package func enumeration(_ fullName: String) -> EnumType? { enums[fullName] }

    /// The method of that path, or of the unambiguous end of one: `RunService/GetRun`, `GetRun`.
    package func method(_ name: String) throws -> MethodType {
        if let exact = methods[name] { return exact }
        let ends = methods.keys.filter { $0.hasSuffix("." + name) || $0.hasSuffix("/" + name) }.sorted()
        if ends.count == 1, let method = methods[ends[0]] { return method }
        if ends.count > 1 {
            throw DynamicError(
                path: "", problem: "\"\(name)\" could be \(ends.joined(separator: " or ")); write more of it")
        }
        let short = methods.keys.map { path in
            name.contains("/")
                ? String(path.split(separator: ".").last ?? "")
                : String(path.split(separator: "/").last ?? "")
        }
        let wanted = String(name.split(separator: ".").last ?? "")
        let question = Suggestions.question(for: wanted, among: Set(short))
        throw DynamicError(path: "", problem: "the host serves no method \"\(name)\"\(question)")
    }

    private mutating func add(_ file: Google_Protobuf_FileDescriptorProto) {
        let prefix = file.package.isEmpty ? "" : file.package + "."
        for type in file.enumType { add(type, prefix) }
        for type in file.messageType { add(type, prefix) }
        for service in file.service {
            for method in service.method {
                let path = "\(prefix)\(service.name)/\(method.name)"
                methods[path] = MethodType(
                    path: path,
                    requestType: String(method.inputType.drop { $0 == "." }),
                    replyType: String(method.outputType.drop { $0 == "." }),
                    clientStreaming: method.clientStreaming,
                    serverStreaming: method.serverStreaming)
            }
        }
    }

    private mutating func add(_ type: Google_Protobuf_EnumDescriptorProto, _ prefix: String) {
        let name = prefix + type.name
        enums[name] = EnumType(fullName: name, values: type.value.map { ($0.name, $0.number) })
    }

    private mutating func add(_ type: Google_Protobuf_DescriptorProto, _ prefix: String) {
        let name = prefix + type.name
        let oneofs = type.oneofDecl.map(\.name)
        messages[name] = MessageType(
            fullName: name,
            fields: type.field.compactMap { FieldType($0, oneofs: oneofs) },
            isMapEntry: type.options.mapEntry)
        for nested in type.enumType { add(nested, name + ".") }
        for nested in type.nestedType { add(nested, name + ".") }
    }
}
