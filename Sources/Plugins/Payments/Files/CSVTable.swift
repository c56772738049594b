import PluginAPI

/// A CSV file read into rows under a known header (RFC 4180; CRLF or LF; UTF-8, byte-order mark tolerated).
///
/// Rules of every file: UP01 UTF-8, UP02 header, UP03 number of columns (empty surplus columns at the end are accepted
/// and ignored, complaint C8), UP04 quotes, UP05 at least one row, UP06 at most 100,000 rows and 10,000 characters a
/// cell. Rows that cannot be read are left out; the violations say so, and the file is refused as a whole.
struct CSVTable: Sendable {
    struct Row: Sendable {
        /// Line in the file, header = 1.
        let number: Int
        let cells: [String]
    }

    static let rowLimit = 100_000
    static let cellLimit = 10_000

    private(set) var header: [String] = []
    private(set) var rows: [Row] = []
    private(set) var violations = ViolationCollector()

    /// - Parameter columns: the header expected, exactly and in this order; `nil` = taken as it comes.
    init(_ bytes: [UInt8], columns: [String]?) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            let line = CSVTable.firstBadLine(bytes)
            violations.add("UP01", row: line, "the file is not UTF-8; line \(line) holds other bytes")
            return
        }
        var scanner = CSVScanner(bytes)
        guard let first = scanner.next(&violations) else {
            if violations.isEmpty { violations.add("UP05", row: 1, "the file is empty") }
            return
        }
        header = first.cells
        if let columns, !accept(columns) { return }
        let width = columns?.count ?? header.count
        while let row = scanner.next(&violations) {
            guard rows.count < CSVTable.rowLimit else {
                violations.add("UP06", row: row.number, "the file has more than \(CSVTable.rowLimit) rows")
                return
            }
            if row.isSound, let cells = fit(row.cells, width, row.number) {
                rows.append(Row(number: row.number, cells: cells))
            }
        }
        if rows.isEmpty, violations.isEmpty { violations.add("UP05", row: 2, "the file has no rows") }
    }

    private mutating func accept(_ columns: [String]) -> Bool {
        while header.count > columns.count, header.last == "" { header.removeLast() }
        if header == columns { return true }
        for (index, column) in columns.enumerated() where index >= header.count || header[index] != column {
            let found = index < header.count ? "\"\(header[index].prefix(60))\"" : "nothing"
            violations.add(
                "UP02", row: 1, column: index + 1, field: column,
                "the heading must be \"\(column)\"; found \(found)")
        }
        for index in header.indices.dropFirst(columns.count) {
            violations.add(
                "UP02", row: 1, column: index + 1,
                "there is no column \(index + 1); found \"\(header[index].prefix(60))\"")
        }
        return false
    }

    private mutating func fit(_ cells: [String], _ width: Int, _ number: Int) -> [String]? {
        if cells.count == width { return cells }
        if cells.count < width {
            violations.add("UP03", row: number, "the row has \(cells.count) columns, the header \(width)")
            return nil
        }
        if let index = cells.indices.dropFirst(width).first(where: { !cells[$0].isEmpty }) {
            violations.add(
                "UP03", row: number, column: index + 1,
                "the header has \(width) columns; column \(index + 1) holds \"\(cells[index].prefix(60))\"")
            return nil
        }
        return Array(cells.prefix(width))
    }

    private static func firstBadLine(_ bytes: [UInt8]) -> Int {
        var start = 0
        var line = 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
            if String(validating: bytes[start..<end], as: UTF8.self) == nil { return line }
            start = end
            line += 1
        }
        return line
    }
}

/// Takes rows out of the bytes of a CSV file, one after another.
struct CSVScanner {
    struct Row {
        let number: Int
        let cells: [String]
        let isSound: Bool
    }

    private let bytes: [UInt8]
    private var position: Int
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: StatementCSV.byteOrderMark) ? 3 : 0
    }

    /// The next row that is not blank; `nil` at the end.
    mutating func next(_ violations: inout ViolationCollector) -> Row? {
        while position < bytes.count {
            let number = line
            var cells: [String] = []
            var isSound = true
            repeat {
                let (cell, sound) = cell(column: cells.count + 1, row: number, &violations)
                cells.append(cell)
                isSound = isSound && sound
            } while takeComma()
            takeLineEnd()
            if cells.count > 1 || cells[0] != "" || !isSound {
                return Row(number: number, cells: cells, isSound: isSound)
            }
        }
        return nil
    }

    private mutating func takeComma() -> Bool {
        guard position < bytes.count, bytes[position] == 0x2C else { return false }
        position += 1
        return true
    }

    private mutating func takeLineEnd() {
        if position < bytes.count, bytes[position] == 0x0D { position += 1 }
        if position < bytes.count, bytes[position] == 0x0A { position += 1 }
        line += 1
    }

    private func isAtLineEnd() -> Bool {
        guard position < bytes.count else { return true }
        if bytes[position] == 0x0A { return true }
        return bytes[position] == 0x0D && (position + 1 == bytes.count || bytes[position + 1] == 0x0A)
    }

    private mutating func cell(
        column: Int, row: Int, _ violations: inout ViolationCollector
    ) -> (String, isSound: Bool) {
        if position < bytes.count, bytes[position] == 0x22 {
            return quoted(column: column, row: row, &violations)
        }
        let start = position
        var isSound = true
        while !isAtLineEnd(), bytes[position] != 0x2C {
            let byte = bytes[position]
            if isSound, byte == 0x22 || byte < 0x20 || byte == 0x7F {
                let what =
                    byte == 0x22
                    ? "a quote inside a cell that does not begin with one" : "a control character"
                violations.add("UP04", row: row, column: column, what)
                isSound = false
            }
            position += 1
        }
        return finish(bytes[start..<position], column, row, isSound, &violations)
    }

    private mutating func quoted(
        column: Int, row: Int, _ violations: inout ViolationCollector
    ) -> (String, isSound: Bool) {
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 0x22 {
                guard position < bytes.count, bytes[position] == 0x22 else {
                    if isAtLineEnd() || bytes[position] == 0x2C {
                        return finish(content[...], column, row, true, &violations)
                    }
                    violations.add("UP04", row: row, column: column, "characters behind the closing quote")
                    while !isAtLineEnd(), bytes[position] != 0x2C { position += 1 }
                    return ("", false)
                }
                position += 1
            } else if byte == 0x0A {
                line += 1
            }
            content.append(byte)
        }
        violations.add("UP04", row: row, column: column, "a quoted cell is not closed")
        return ("", false)
    }

    private func finish(
        _ content: ArraySlice<UInt8>, _ column: Int, _ row: Int, _ isSound: Bool,
        _ violations: inout ViolationCollector
    ) -> (String, isSound: Bool) {
        guard content.count <= CSVTable.cellLimit else {
            violations.add(
                "UP06", row: row, column: column, "a cell has at most \(CSVTable.cellLimit) characters")
            return ("", false)
        }
        return (String(decoding: content, as: UTF8.self), isSound)
    }
}
