import PluginAPI
import Tabular

/// Finds rows and cells in an extract that comes in pieces: strict CSV of a program, no line breaks inside cells. Built
/// for millions of rows: cells are ranges of the piece at hand, and nothing is copied unless a cell is quoted.
struct ExtractScanner {
    private let columns: Int
    private var rest: [UInt8] = []
    /// Line of the file that is read next, the first being 1.
    private(set) var line = 1

    /// Longest line taken.
    static let longestLine = 16_384

    init(columns: Int) { self.columns = columns }

    enum Problem: Error, Hashable {
        case columnCount(Int)
        case quoting
        case control
        case tooLong
    }

    /// Gives every whole line of the piece to `row`, with its cells, and every broken one to `broken`.
    mutating func feed(
        _ piece: [UInt8], row: (Cells, Int) throws -> Void, broken: (Problem, Int) throws -> Void
    ) rethrows {
        var bytes = piece
        if !rest.isEmpty {
            bytes = rest
            bytes.append(contentsOf: piece)
            rest = []
        }
        guard let last = bytes.lastIndex(of: 0x0A) else {
            if bytes.count > ExtractScanner.longestLine { try broken(.tooLong, line) } else { rest = bytes }
            return
        }
        rest = Array(bytes[(last + 1)...])
        try scan(bytes, upTo: last + 1, row, broken)
    }

    /// The last line, when it has no line end.
    mutating func finish(row: (Cells, Int) throws -> Void, broken: (Problem, Int) throws -> Void) rethrows {
        guard !rest.isEmpty else { return }
        let bytes = rest + [0x0A]
        rest = []
        try scan(bytes, upTo: bytes.count, row, broken)
    }

    /// The cells of one row. Valid only inside the closure that receives it.
    struct Cells {
        fileprivate var bytes: UnsafeBufferPointer<UInt8>
        fileprivate var starts: UnsafeBufferPointer<Int>
        fileprivate var ends: UnsafeBufferPointer<Int>
        fileprivate var unquoted: [Int: [UInt8]]

        /// The bytes of a cell.
        @inline(__always)
        func with<T>(_ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> T) rethrows -> T {
            if !unquoted.isEmpty, let own = unquoted[column] { return try own.withUnsafeBufferPointer(body) }
            return try body(UnsafeBufferPointer(rebasing: bytes[starts[column]..<ends[column]]))
        }

        func text(_ column: Int) -> String { with(column) { String(decoding: $0, as: UTF8.self) } }
    }

    private mutating func scan(
        _ bytes: [UInt8], upTo end: Int, _ row: (Cells, Int) throws -> Void,
        _ broken: (Problem, Int) throws -> Void
    ) rethrows {
        var starts = [Int](repeating: 0, count: columns)
        var ends = [Int](repeating: 0, count: columns)
        var position = 0
        try bytes.withUnsafeBufferPointer { buffer in
            if line == 1, end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { position = 3 }
            while position < end {
                var unquoted: [Int: [UInt8]] = [:]
                let problem = cells(buffer, &position, &starts, &ends, &unquoted)
                if let problem {
                    try broken(problem, line)
                } else {
                    try starts.withUnsafeBufferPointer { starts in
                        try ends.withUnsafeBufferPointer { ends in
                            try row(
                                Cells(bytes: buffer, starts: starts, ends: ends, unquoted: unquoted), line)
                        }
                    }
                }
                line += 1
            }
        }
    }

    /// Leaves `position` behind the line's end. The piece ends with a line feed.
    private func cells(
        _ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int, _ starts: inout [Int],
        _ ends: inout [Int],
        _ unquoted: inout [Int: [UInt8]]
    ) -> Problem? {
        var column = 0
        var problem: Problem?
        let lineStart = position
        while true {
            let start = position
            var end = position
            if bytes[position] == 0x22 {
                if let cell = quoted(bytes, &position) {
                    if column < columns { unquoted[column] = cell }
                } else {
                    problem = .quoting
                    while bytes[position] != 0x0A { position += 1 }
                }
                end = position
            } else {
                while bytes[position] != 0x2C, bytes[position] != 0x0A {
                    if bytes[position] == 0x22 { problem = .quoting }
                    if bytes[position] < 0x20, bytes[position] != 0x0D { problem = .control }
                    position += 1
                }
                end = position
                if bytes[position] == 0x0A, end > start, bytes[end - 1] == 0x0D { end -= 1 }
            }
            if bytes[position] == 0x0D, bytes[position + 1] == 0x0A { position += 1 }
            if column < columns {
                starts[column] = start
                ends[column] = end
            }
            column += 1
            let delimiter = bytes[position]
            position += 1
            if delimiter == 0x0A { break }
            if delimiter != 0x2C {
                problem = .quoting
                while bytes[position - 1] != 0x0A { position += 1 }
                break
            }
        }
        if position - lineStart > ExtractScanner.longestLine { return .tooLong }
        return problem ?? (column == columns ? nil : .columnCount(column))
    }

    /// The text of a quoted cell; leaves `position` behind its closing quote. `nil` when the line ends before.
    private func quoted(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> [UInt8]? {
        var cell: [UInt8] = []
        position += 1
        while bytes[position] != 0x0A {
            if bytes[position] == 0x22 {
                if bytes[position + 1] == 0x22 {
                    position += 1
                } else {
                    position += 1
                    return cell
                }
            }
            cell.append(bytes[position])
            position += 1
        }
        return nil
    }
}
