/// Writes rows as CSV (RFC 4180, CRLF, UTF-8) that `Table.read(csv:layout:into:)` reads back as they were.
///
/// Give texts that others have written as `.text` when a spreadsheet may open the file: a cell that it would take for a
/// formula gets an apostrophe in front. Figures, dates and words of ours are `.plain`.
package struct CSVWriter: Sendable {
    package enum Cell: Sendable {
        /// Guarded against being calculated by a spreadsheet.
        case text(String)
        /// Written as it is.
        case plain(String)
    }

    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// What was written since the last `take()`.
    package private(set) var bytes: [UInt8] = []

    /// - Parameter byteOrderMark: some spreadsheets need one to see that a file is UTF-8.
    package init(byteOrderMark: Bool = false) {
        if byteOrderMark { bytes = CSVWriter.byteOrderMark }
    }

    package mutating func append(_ cells: [Cell]) {
        let start = bytes.count
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(CSVByte.comma) }
            switch cell {
            case .text(let text): append(text.utf8, isGuarded: CSVWriter.startsFormula(text))
            case .plain(let text): append(text.utf8, isGuarded: false)
            }
        }
        // A row of one empty cell would be a blank line, which is no row.
        if cells.count == 1, bytes.count == start {
            bytes.append(CSVByte.quote)
            bytes.append(CSVByte.quote)
        }
        bytes.append(CSVByte.carriageReturn)
        bytes.append(CSVByte.lineFeed)
    }

    /// Hands out what was written and begins anew, for files that are sent in pieces.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private static func startsFormula(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        return first == UInt8(ascii: "=") || first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
            || first == UInt8(ascii: "@") || first == CSVByte.tab || first == CSVByte.carriageReturn
    }

    private mutating func append(_ text: String.UTF8View, isGuarded: Bool) {
        let needsQuotes = text.contains {
            $0 == CSVByte.comma || $0 == CSVByte.quote || $0 == CSVByte.lineFeed
                || $0 == CSVByte.carriageReturn
        }
        if needsQuotes { bytes.append(CSVByte.quote) }
        if isGuarded { bytes.append(UInt8(ascii: "'")) }
        if needsQuotes {
            for byte in text {
                if byte == CSVByte.quote { bytes.append(CSVByte.quote) }
                bytes.append(byte)
            }
            bytes.append(CSVByte.quote)
        } else {
            bytes.append(contentsOf: text)
        }
    }
}
