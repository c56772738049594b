package import PluginAPI

/// Collects every rule that a file breaks and keeps the first ones: a person mends a file in one go, and a hostile file
/// cannot fill the memory.
package struct ViolationList: Sendable {
    /// The first `limit` violations, in the order found.
    package private(set) var listed: [Violation] = []
    /// How many were found in all.
    package private(set) var count = 0
    private let limit: Int

    package init(limit: Int = 1_000) { self.limit = limit }

    package var isEmpty: Bool { count == 0 }

    package mutating func add(
        _ rule: FileRule, row: Int, column: Int = 0, field: String = "", _ message: String
    ) {
        count += 1
        guard listed.count < limit else { return }
        listed.append(
            Violation(field: field, rule: rule.rawValue, message: message, row: row, column: column))
    }
}

/// The rules that every uploaded register file must keep; the name is what a violation cites.
package enum FileRule: String, Sendable, CaseIterable {
    /// UTF-8, with or without byte-order mark.
    case encoding = "CSV-1"
    /// Quotes as in RFC 4180: around the whole field, doubled inside.
    case quoting = "CSV-2"
    /// Every row has the number of columns of its layout. One row that has not fails the file.
    case columnCount = "CSV-3"
    /// The header names the columns of the layout, in its order.
    case header = "CSV-4"
    /// Bytes, rows and bytes of a field stay within the limits.
    case limit = "CSV-5"
    /// No control characters or line breaks inside a field.
    case controlCharacter = "CSV-6"
    /// A file has at least one row.
    case notEmpty = "CSV-7"
    /// A code has the form of its kind (identity-and-organisations.md 2.4); catches typing errors only.
    case codeForm = "ODS-1"
    /// A key appears once.
    case unique = "ODS-2"
    /// A date is a real day in the layout's form.
    case realDay = "ODS-3"
    /// An end is not before its start.
    case endAfterStart = "ODS-4"
    /// A value is one of its vocabulary.
    case vocabulary = "ODS-5"
    /// A value that must be there is there.
    case required = "ODS-6"
    /// The code belongs to this system and is in no ODS file.
    case reserved = "ODS-7"
    /// One kind of file states an organisation; another kind cannot take it over.
    case ownedByOtherKind = "ODS-8"
    /// An inactive organisation has a closing day.
    case closingDay = "ODS-9"
}
