import PluginAPI

/// A provider's own figures of a declaration that it disputes; the extracted ones stay where they are (R6).
enum DisputeStore {
    struct Figure: Hashable, Sendable {
        var indicator: String
        var field: String
        var value: Int64
    }

    private static let next = Statement(
        "SELECT COALESCE(MAX(number), 0) + 1 FROM disputed_count WHERE declaration_id = ?1")
    private static let insert = Statement(
        "INSERT INTO disputed_count (declaration_id, number, indicator_code, field, value) VALUES (?1, ?2, ?3, ?4, ?5)"
    )
    private static let figuresOf = Statement(
        "SELECT indicator_code, field, value FROM disputed_count WHERE declaration_id = ?1 ORDER BY number")

    static func add(_ figures: [Figure], to declaration: String, in transaction: any Transaction) throws {
        let first = try transaction.first(next, [.text(declaration)]) { $0.integer(0) } ?? 1
        for (index, figure) in figures.enumerated() {
            try transaction.run(
                insert,
                [
                    .text(declaration), .integer(first + Int64(index)), .text(figure.indicator),
                    .text(figure.field),
                    .integer(figure.value),
                ])
        }
    }

    static func figures(of declaration: String, _ reader: any Reader) throws -> [Figure] {
        try reader.all(figuresOf, [.text(declaration)]) {
            Figure(indicator: $0.text(0), field: $0.text(1), value: $0.integer(2))
        }
    }
}
