import PluginAPI

/// Rising numbers: positions in the feeds, and the state of the articles.
enum CounterStore {
    private static let raise = Statement("UPDATE counter SET value = value + 1 WHERE name = ?1")
    private static let value = Statement("SELECT value FROM counter WHERE name = ?1")

    static func next(_ name: String = "feed", in transaction: any Transaction) throws -> Int64 {
        try transaction.run(raise, [.text(name)])
        return try current(transaction, of: name)
    }

    static func current(_ reader: any Reader, of name: String = "feed") throws -> Int64 {
        try reader.first(value, [.text(name)]) { $0.integer(0) } ?? 0
    }
}

/// Lists of words in one column.
enum StoredList {
    static func text(_ list: [String]) -> StoredValue { .text(list.joined(separator: "\n")) }
    static func list(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }
}

extension StoredValue {
    static func optionalInstant(_ instant: Instant?) -> StoredValue {
        .optional(instant?.microsecondsSince1970)
    }
    static func flag(_ flag: Bool) -> StoredValue { .integer(flag ? 1 : 0) }
}

extension Row {
    func optionalInstant(_ column: Int) -> Instant? {
        optionalInteger(column).map { Instant(microsecondsSince1970: $0) }
    }
}
