extension Table {
    /// Reads a CSV file strictly: RFC 4180, CRLF or LF, UTF-8 with an optional byte-order mark.
    ///
    /// All rules of the layout are checked on the whole file and all breaches added to `violations`; only a wrong header
    /// ends the reading, because nothing below it can be judged.
    package static func read(
        csv bytes: [UInt8], layout: TableLayout, into violations: inout ViolationList
    ) -> Table {
        let limit = min(layout.limits.bytes, Int(Int32.max))
        var sound = bytes
        if bytes.count > limit {
            violations.add(
                layout.rules.limit, row: 0, "the file has \(bytes.count) bytes; the limit is \(limit)")
            sound = []
        } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            violations.add(layout.rules.encoding, row: 1, "the file is UTF-16; it must be UTF-8")
            sound = []
        }
        // A guess that saves growing: 27 columns of 8 bytes each is about the shape of the ODS reports.
        let builder = TableBuilder(
            layout, bytes: sound, cellsExpected: sound.count / 8, violations: violations)
        var scanner = CSVScanner(builder)
        sound.withUnsafeBufferPointer { scanner.scan($0) }
        let table = scanner.builder.finish()
        violations = scanner.builder.violations
        return table
    }
}

/// Finds rows and cells in the bytes of a CSV file, in one pass.
struct CSVScanner {
    var builder: TableBuilder

    private let rules: TableRules
    private let cellLimit: Int
    private let isFromPerson: Bool
    private var line = 1
    /// Where the row at hand began; what is wrong in it is reported there.
    private var rowLine = 1
    private var position = 0

    init(_ builder: TableBuilder) {
        self.builder = builder
        rules = builder.layout.rules
        cellLimit = builder.layout.limits.cellBytes
        isFromPerson = builder.layout.origin == .person
    }

    mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
        while position < bytes.count {
            rowLine = line
            if isFromPerson, isAtLineEnd(bytes) {
                endLine(bytes)
                continue
            }
            var isSound = true
            while true {
                isSound = scanCell(bytes) && isSound
                guard position < bytes.count, bytes[position] == CSVByte.comma else { break }
                position += 1
            }
            endLine(bytes)
            guard builder.endRow(line: rowLine, isSound: isSound) else { return }
        }
    }

    private func isAtLineEnd(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard position < bytes.count else { return true }
        if bytes[position] == CSVByte.lineFeed { return true }
        return bytes[position] == CSVByte.carriageReturn && position + 1 < bytes.count
            && bytes[position + 1] == CSVByte.lineFeed
    }

    private mutating func endLine(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard position < bytes.count else { return }
        if bytes[position] == CSVByte.carriageReturn { position += 1 }
        if position < bytes.count, bytes[position] == CSVByte.lineFeed { position += 1 }
        line += 1
    }

    /// Leaves `position` at the comma or line end after the cell.
    private mutating func scanCell(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if position < bytes.count, bytes[position] == CSVByte.quote { return scanQuoted(bytes) }
        let start = position
        var isASCII = true
        var isSound = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == CSVByte.comma || byte == CSVByte.lineFeed { break }
            if byte < 0x20 || byte == CSVByte.delete || byte == CSVByte.quote {
                if byte == CSVByte.carriageReturn, isAtLineEnd(bytes) { break }
                if isSound {
                    if byte == CSVByte.quote {
                        refuse(rules.quoting, "a quote stands inside a cell without quotes")
                    } else {
                        refuse(rules.control, CSVScanner.words(for: byte))
                    }
                }
                isSound = false
            } else if byte >= 0x80 {
                isASCII = false
            }
            position += 1
        }
        return add(bytes, start, position, isEscaped: false, isASCII: isASCII) && isSound
    }

    private mutating func scanQuoted(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        position += 1
        let start = position
        var isASCII = true
        var isSound = true
        var isEscaped = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == CSVByte.quote {
                guard position + 1 < bytes.count, bytes[position + 1] == CSVByte.quote else { break }
                isEscaped = true
                position += 1
            } else if byte < 0x20 || byte == CSVByte.delete {
                if isSound, !isLetPass(byte) {
                    refuse(rules.control, CSVScanner.words(for: byte))
                    isSound = false
                }
                if byte == CSVByte.lineFeed { line += 1 }
            } else if byte >= 0x80 {
                isASCII = false
            }
            position += 1
        }
        guard position < bytes.count else {
            refuse(rules.quoting, "the quote that opens this cell is never closed")
            builder.addEmpty()
            return false
        }
        let end = position
        position += 1
        while !isAtLineEnd(bytes), bytes[position] != CSVByte.comma {
            if isSound { refuse(rules.quoting, "text follows the closing quote of a cell") }
            isSound = false
            position += 1
        }
        return add(bytes, start, end, isEscaped: isEscaped, isASCII: isASCII) && isSound
    }

    private func isLetPass(_ byte: UInt8) -> Bool {
        isFromPerson
            && (byte == CSVByte.lineFeed || byte == CSVByte.carriageReturn || byte == CSVByte.tab)
    }

    /// Notes what is wrong with the cell that is being read.
    private mutating func refuse(_ rule: String, _ message: String) {
        builder.violations.add(rule, row: rowLine, column: builder.cellsInRow + 1, message)
    }

    private static func words(for control: UInt8) -> String {
        control == CSVByte.lineFeed || control == CSVByte.carriageReturn
            ? "a line break stands inside a cell" : "the control character \(control) stands inside a cell"
    }

    private mutating func add(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, isEscaped: Bool, isASCII: Bool
    ) -> Bool {
        let length = end - start
        var isSound = true
        if length > cellLimit {
            refuse(rules.limit, "the cell has \(length) bytes; the limit is \(cellLimit)")
            isSound = false
        } else if !isASCII, String(validating: bytes[start..<end], as: UTF8.self) == nil {
            let offset = start + CSVScanner.lengthOfUTF8(bytes[start..<end])
            refuse(
                rules.encoding,
                "the cell is not UTF-8: byte 0x\(String(bytes[offset], radix: 16, uppercase: true)), "
                    + "\(offset) bytes into the file")
            isSound = false
        }
        builder.add(Table.Cell(start: Int32(start), length: Int32(isEscaped ? -length : length)))
        return isSound
    }

    /// How many bytes at the beginning are UTF-8; fewer than there are.
    private static func lengthOfUTF8(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var length = 0
        while case .valid(let scalar) = parser.parseScalar(from: &iterator) { length += scalar.count }
        return min(length, bytes.count - 1)
    }
}
