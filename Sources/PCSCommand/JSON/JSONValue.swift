/// A JSON value as it was written: members keep their order, numbers their digits, so that a 64-bit number loses
/// nothing and a message can name the line where something is wrong.
package indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// The literal, as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable {
        package let name: String
        package let value: JSONValue
        /// Line of the name in the text it was read from, first = 1; 0 when it was not read.
        package let line: Int

        package init(_ name: String, _ value: JSONValue, line: Int = 0) {
            self.name = name
            self.value = value
            self.line = line
        }
    }

    /// What it is, for messages: "a number", "an object".
    package var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// Text that is not JSON, and where.
package struct JSONSyntaxError: Error, CustomStringConvertible {
    package let line: Int
    package let column: Int
    package let problem: String

    package var description: String { "line \(line), column \(column): \(problem)" }
}
