/// A value of one field, by the field's kind.
package indirect enum DynamicValue: Sendable {
    /// int32, int64, sint32, sint64, sfixed32, sfixed64.
    case signed(Int64)
    /// uint32, uint64, fixed32, fixed64.
    case unsigned(UInt64)
    case float(Float)
    case double(Double)
    case bool(Bool)
    case string(String)
    case bytes([UInt8])
    case enumeration(Int32)
    case message(DynamicMessage)

    /// The value that a field without presence need not send.
    var isZero: Bool {
        switch self {
        case .signed(let value): value == 0
        case .unsigned(let value): value == 0
        case .float(let value): value.bitPattern == 0
        case .double(let value): value.bitPattern == 0
        case .bool(let value): !value
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .enumeration(let value): value == 0
        case .message: false
        }
    }
}

/// A message of a type known only at run time, from a descriptor set.
package struct DynamicMessage: Sendable {
    package let type: MessageType
    /// By field number. A field that is not repeated holds one value.
    private(set) var values: [Int: [DynamicValue]] = [:]

    package init(_ type: MessageType) { self.type = type }

    package func values(of field: FieldType) -> [DynamicValue] { values[field.number] ?? [] }
    package func value(of field: FieldType) -> DynamicValue? { values[field.number]?.last }

    /// Sets or replaces; another member of the same oneof is cleared.
    mutating func set(_ field: FieldType, _ value: DynamicValue) {
        if let oneof = field.oneof {
            for other in type.fields where other.oneof == oneof { values[other.number] = nil }
        }
        values[field.number] = [value]
    }

    mutating func append(_ field: FieldType, _ value: DynamicValue) {
        values[field.number, default: []].append(value)
    }

    /// The member of the oneof that is set already.
    func member(of oneof: String) -> FieldType? {
        type.fields.first { $0.oneof == oneof && values[$0.number] != nil }
    }
}

/// Input or bytes that do not fit the contract, and where.
package struct DynamicError: Error, CustomStringConvertible {
    /// Path of the field, for example `lines[2].amount`; empty for the whole message.
    package let path: String
    package let problem: String

    package init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { path.isEmpty ? problem : "\(path): \(problem)" }

    /// `outer` + `.inner`.
    static func join(_ outer: String, _ inner: String) -> String {
        outer.isEmpty ? inner : "\(outer).\(inner)"
    }
}
