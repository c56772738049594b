/// The rows of a file, all with the same number of columns, whether they came from CSV or a workbook.
///
/// `Table.read(csv:layout:into:)` makes one from CSV; the target `Workbook` makes one from an .xlsx. Cells are slices of
/// the file's bytes and become strings only when asked for. `RowReader` takes typed values out of them.
///
/// When reading it added violations, a table holds only the rows that could be read: it serves to find what is wrong
/// in those as well, and must not be used otherwise.
package struct Table: Sendable {
    struct Cell {
        var start: Int32
        /// Negative when the cell holds doubled quotes.
        var length: Int32
    }

    /// Names of the columns as the file gives them; empty when the layout has no header.
    package let header: [String]
    package let columns: Int
    /// How days are counted in cells that hold them as numbers; `nil` when the file writes days out.
    package let serialDays: SerialDays?
    private let bytes: [UInt8]
    private let cells: [Cell]
    private let lines: [Int32]

    init(
        header: [String], columns: Int, serialDays: SerialDays?, bytes: [UInt8], cells: [Cell], lines: [Int32]
    ) {
        self.header = header
        self.columns = columns
        self.serialDays = serialDays
        self.bytes = bytes
        self.cells = cells
        self.lines = lines
    }

    /// Rows, the header not counted.
    package var rowCount: Int { lines.count }

    /// Line of the file on which row `row` (from 0) begins, the first line being 1; in a workbook, the row's number.
    package func line(_ row: Int) -> Int { Int(lines[row]) }

    /// Cell of row `row` and column `column`, both from 0.
    package func text(_ row: Int, _ column: Int) -> String {
        Table.text(of: cells[row * columns + column], in: bytes)
    }

    package func isEmpty(_ row: Int, _ column: Int) -> Bool { cells[row * columns + column].length == 0 }

    /// All cells of row `row` (from 0).
    package func texts(_ row: Int) -> [String] { (0..<columns).map { text(row, $0) } }

    static func text(of cell: Cell, in bytes: [UInt8]) -> String {
        let start = Int(cell.start)
        let slice = bytes[start..<(start + abs(Int(cell.length)))]
        guard cell.length < 0 else { return String(decoding: slice, as: UTF8.self) }
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(slice.count)
        var previousWasQuote = false
        for byte in slice {
            previousWasQuote = byte == CSVByte.quote && !previousWasQuote
            if !(byte == CSVByte.quote && !previousWasQuote) { unescaped.append(byte) }
        }
        return String(decoding: unescaped, as: UTF8.self)
    }
}

enum CSVByte {
    static let quote = UInt8(ascii: "\"")
    static let comma = UInt8(ascii: ",")
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let delete: UInt8 = 0x7F
}
