package import SwiftProtobuf

/// Enum values of the contract as words, from their names in the contract.
package enum EnumWords {
    /// `subIcbLocation` -> `sub`, `icb`, `location`; a value that this build does not know -> its number.
    private static func parts(_ value: some SwiftProtobuf.Enum) -> [String] {
        let name = "\(value)"
        guard !name.contains("(") else { return ["\(value.rawValue)"] }
        var parts: [String] = []
        for character in name {
            if character.isUppercase || parts.isEmpty {
                parts.append(character.lowercased())
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }

    /// For people: `sub icb location`; empty when not set.
    package static func words(_ value: some SwiftProtobuf.Enum) -> String {
        value.rawValue == 0 ? "" : parts(value).joined(separator: " ")
    }

    /// For the command line: `sub-icb-location`.
    package static func argument(_ value: some SwiftProtobuf.Enum) -> String {
        parts(value).joined(separator: "-")
    }

    /// As in the catalogue of roles and in abbreviations: `PAYMENTS_OPERATOR`, `GMS`; empty when not set.
    package static func upper(_ value: some SwiftProtobuf.Enum) -> String {
        value.rawValue == 0 ? "" : parts(value).joined(separator: "_").uppercased()
    }
}
