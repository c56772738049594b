/// Inserts many rows with few statements: several rows a statement, so that each row costs its values and little else.
public struct BulkInsert: Sendable {
    private let columns: Int
    private let rowsAtOnce: Int
    private let many: Statement
    private let one: Statement

    public init(into table: String, _ columns: [String], rowsAtOnce: Int = 32) {
        self.columns = columns.count
        self.rowsAtOnce = rowsAtOnce
        let head = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES "
        func row(_ index: Int) -> String {
            "(" + (1...columns.count).map { "?\(index * columns.count + $0)" }.joined(separator: ", ") + ")"
        }
        many = Statement(head + (0..<rowsAtOnce).map(row).joined(separator: ", "))
        one = Statement(head + row(0))
    }

    /// - Parameter append: adds the values of one row, in the order of the columns.
    public func run<Rows: RandomAccessCollection>(
        _ rows: Rows, in transaction: any SQLTransaction, append: (Rows.Element, inout [StoredValue]) -> Void
    ) throws {
        var values: [StoredValue] = []
        values.reserveCapacity(columns * rowsAtOnce)
        var index = rows.startIndex
        var left = rows.count
        while left > 0 {
            let batch = left >= rowsAtOnce ? rowsAtOnce : 1
            values.removeAll(keepingCapacity: true)
            for _ in 0..<batch {
                append(rows[index], &values)
                index = rows.index(after: index)
            }
            try transaction.run(batch == 1 ? one : many, values)
            left -= batch
        }
    }
}
