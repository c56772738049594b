package import SwiftProtobuf

/// Printing of any message by its contract.
extension Session {
    /// One record.
    package func show(_ message: some Message) throws {
        try show(message) { terminal in
            (try? ContractJSON.view.text(ContractJSON.dynamic(message), for: terminal)) ?? ""
        }
    }

    /// The rows of a reply; with `-o json` the reply itself.
    /// - Parameters:
    ///   - columns: names of fields in the contract; empty = all that hold something.
    ///   - nothing: said instead of an empty table.
    package func show<Row: Message>(
        _ reply: some Message, rows: [Row], columns: [String] = [], nothing: String
    ) throws {
        try show(reply) { terminal in
            guard let records = try? rows.map({ try ContractJSON.dynamic($0) }), !records.isEmpty else {
                return nothing
            }
            return ContractJSON.view.table(records, columns: columns).rendered(for: terminal)
        }
    }

    /// Rows of a stream: one JSON object a line as they come, or a table once all are there.
    package func show<Row: Message>(
        stream: AsyncThrowingStream<Row, any Error>, columns: [String] = [], nothing: String
    ) async throws {
        var records: [DynamicMessage] = []
        for try await row in stream {
            switch settings.output {
            case .json: Console.out(try ContractJSON.json(row).compact)
            case .table: records.append(try ContractJSON.dynamic(row))
            }
        }
        guard settings.output == .table else { return }
        Console.out(
            records.isEmpty
                ? nothing : ContractJSON.view.table(records, columns: columns).rendered(for: terminal))
    }

    /// Rows as they come, for feeds that go on: one JSON object, or one line, each.
    package func follow<Row: Message>(
        _ stream: AsyncThrowingStream<Row, any Error>, _ line: (Row) -> String
    ) async throws {
        for try await row in stream {
            switch settings.output {
            case .json: Console.out(try ContractJSON.json(row).compact)
            case .table: Console.out(TextSafety.clean(line(row)))
            }
        }
    }
}
