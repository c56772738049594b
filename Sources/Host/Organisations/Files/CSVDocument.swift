import PluginAPI

/// A CSV file read strictly: RFC 4180, CRLF or LF, UTF-8 with an optional byte-order mark, a fixed number of columns.
///
/// All rules are checked on the whole file and all violations are reported; when there are any, the document must not
/// be used. Fields are slices of the file's bytes and become strings only when asked for.
package struct CSVDocument: Sendable {
    /// Bounds checked while reading.
    package struct Limits: Sendable {
        package var bytes = 64 << 20
        package var rows = 1_000_000
        package var fieldBytes = 4_096
        package init() {}
    }

    struct Field {
        var start: Int32
        /// Negative when the field holds doubled quotes.
        var length: Int32
    }

    package let columns: Int
    private let bytes: [UInt8]
    private let fields: [Field]
    private let lines: [Int32]

    /// Rows, the header not counted.
    package var rowCount: Int { lines.count }

    /// Line of the file on which row `row` (from 0) begins, the first line being 1.
    package func line(_ row: Int) -> Int { Int(lines[row]) }

    /// Field of row `row` and column `column`, both from 0.
    package func text(_ row: Int, _ column: Int) -> String {
        let field = fields[row * columns + column]
        let start = Int(field.start)
        let slice = bytes[start..<(start + abs(Int(field.length)))]
        guard field.length < 0 else { return String(decoding: slice, as: UTF8.self) }
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(slice.count)
        var previousWasQuote = false
        for byte in slice {
            previousWasQuote = byte == CSVByte.quote && !previousWasQuote
            if !(byte == CSVByte.quote && !previousWasQuote) { unescaped.append(byte) }
        }
        return String(decoding: unescaped, as: UTF8.self)
    }

    package func isEmpty(_ row: Int, _ column: Int) -> Bool { fields[row * columns + column].length == 0 }

    /// - Parameters:
    ///   - columns: how many each row must have.
    ///   - header: names that the first row must have; `nil` when the layout has no header.
    package static func read(
        _ bytes: [UInt8], columns: Int, header: [String]?, limits: Limits = Limits(),
        into violations: inout ViolationList
    ) -> CSVDocument {
        guard bytes.count <= limits.bytes else {
            violations.add(.limit, row: 0, "the file has \(bytes.count) bytes; the limit is \(limits.bytes)")
            return CSVDocument(columns: columns, bytes: [], fields: [], lines: [])
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            violations.add(.encoding, row: 1, "the file is UTF-16; it must be UTF-8")
            return CSVDocument(columns: columns, bytes: [], fields: [], lines: [])
        }
        var scanner = CSVScanner(columns: columns, limits: limits, violations: violations)
        bytes.withUnsafeBufferPointer { scanner.scan($0) }
        violations = scanner.violations
        var document = CSVDocument(
            columns: columns, bytes: bytes, fields: scanner.fields, lines: scanner.lines)
        if let header { document = document.checkingHeader(header, into: &violations) }
        if document.rowCount == 0, violations.isEmpty {
            violations.add(.notEmpty, row: 1, "the file has no rows")
        }
        return document
    }

    private func checkingHeader(_ names: [String], into violations: inout ViolationList) -> CSVDocument {
        guard rowCount > 0, line(0) == 1 else {
            if violations.isEmpty { violations.add(.header, row: 1, "the header is absent") }
            return self
        }
        for (column, name) in names.enumerated() where text(0, column) != name {
            violations.add(
                .header, row: 1, column: column + 1, field: name,
                "the column is named '\(text(0, column).prefix(60))'; the layout has '\(name)'")
        }
        return CSVDocument(
            columns: columns, bytes: bytes, fields: Array(fields.dropFirst(columns)),
            lines: Array(lines.dropFirst()))
    }

    private init(columns: Int, bytes: [UInt8], fields: [Field], lines: [Int32]) {
        self.columns = columns
        self.bytes = bytes
        self.fields = fields
        self.lines = lines
    }
}

enum CSVByte {
    static let quote = UInt8(ascii: "\"")
    static let comma = UInt8(ascii: ",")
    static let carriageReturn: UInt8 = 0x0D
    static let lineFeed: UInt8 = 0x0A
}
