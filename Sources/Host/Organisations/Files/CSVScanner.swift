import PluginAPI

/// Finds rows and fields in the bytes of a CSV file, in one pass.
struct CSVScanner {
    private(set) var fields: [CSVDocument.Field] = []
    private(set) var lines: [Int32] = []
    private(set) var violations: ViolationList

    private let columns: Int
    private let limits: CSVDocument.Limits
    private var line = 1
    private var position = 0

    init(columns: Int, limits: CSVDocument.Limits, violations: ViolationList) {
        self.columns = columns
        self.limits = limits
        self.violations = violations
    }

    mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
        // A guess that saves growing: 27 columns of 8 bytes each is about the shape of the ODS reports.
        fields.reserveCapacity(bytes.count / 8)
        while position < bytes.count {
            guard lines.count < limits.rows else {
                violations.add(.limit, row: line, "the file has more than \(limits.rows) rows")
                return
            }
            scanRow(bytes)
        }
    }

    private mutating func scanRow(_ bytes: UnsafeBufferPointer<UInt8>) {
        let firstField = fields.count
        let firstLine = line
        var isSound = true
        while true {
            let column = fields.count - firstField + 1
            isSound = scanField(bytes, column: column) && isSound
            guard position < bytes.count, bytes[position] == CSVByte.comma else { break }
            position += 1
        }
        endLine(bytes)
        let found = fields.count - firstField
        if found != columns, isSound {
            violations.add(
                .columnCount, row: firstLine, "the row has \(found) columns; the layout has \(columns)")
        }
        guard isSound, found == columns else {
            fields.removeLast(found)
            return
        }
        lines.append(Int32(firstLine))
    }

    private mutating func endLine(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard position < bytes.count else { return }
        if bytes[position] == CSVByte.carriageReturn { position += 1 }
        if position < bytes.count, bytes[position] == CSVByte.lineFeed { position += 1 }
        line += 1
    }

    /// Leaves `position` at the comma or line end after the field.
    private mutating func scanField(_ bytes: UnsafeBufferPointer<UInt8>, column: Int) -> Bool {
        if position < bytes.count, bytes[position] == CSVByte.quote {
            return scanQuoted(bytes, column: column)
        }
        let start = position
        var isASCII = true
        var isSound = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == CSVByte.comma || byte == CSVByte.lineFeed { break }
            if byte == CSVByte.carriageReturn {
                if position + 1 < bytes.count, bytes[position + 1] == CSVByte.lineFeed { break }
                isSound = refuseControl(byte, column)
            } else if byte == CSVByte.quote, isSound {
                violations.add(
                    .quoting, row: line, column: column, "a quote stands inside a field without quotes")
                isSound = false
            } else if byte < 0x20 || byte == 0x7F {
                isSound = refuseControl(byte, column)
            }
            isASCII = isASCII && byte < 0x80
            position += 1
        }
        return append(bytes, start, position, escaped: false, isASCII: isASCII, column: column, line: line)
            && isSound
    }

    private mutating func scanQuoted(_ bytes: UnsafeBufferPointer<UInt8>, column: Int) -> Bool {
        let openedOn = line
        position += 1
        let start = position
        var isASCII = true
        var isSound = true
        var escaped = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == CSVByte.quote {
                guard position + 1 < bytes.count, bytes[position + 1] == CSVByte.quote else { break }
                escaped = true
                position += 2
                continue
            }
            if byte < 0x20 || byte == 0x7F, isSound { isSound = refuseControl(byte, column) }
            if byte == CSVByte.lineFeed { line += 1 }
            isASCII = isASCII && byte < 0x80
            position += 1
        }
        guard position < bytes.count else {
            violations.add(
                .quoting, row: openedOn, column: column, "the quote that opens this field is never closed")
            fields.append(CSVDocument.Field(start: Int32(start), length: 0))
            return false
        }
        let end = position
        position += 1
        while position < bytes.count, bytes[position] != CSVByte.comma, bytes[position] != CSVByte.lineFeed,
            !(bytes[position] == CSVByte.carriageReturn && position + 1 < bytes.count
                && bytes[position + 1] == CSVByte.lineFeed)
        {
            if isSound {
                violations.add(
                    .quoting, row: line, column: column, "text follows the closing quote of a field")
                isSound = false
            }
            position += 1
        }
        return append(bytes, start, end, escaped: escaped, isASCII: isASCII, column: column, line: openedOn)
            && isSound
    }

    private mutating func refuseControl(_ byte: UInt8, _ column: Int) -> Bool {
        let name = byte == 0x0A || byte == 0x0D ? "a line break" : "the control character \(byte)"
        violations.add(.controlCharacter, row: line, column: column, "\(name) stands inside a field")
        return false
    }

    private mutating func append(
        _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, escaped: Bool, isASCII: Bool,
        column: Int,
        line: Int
    ) -> Bool {
        let length = end - start
        // Room for a row far wider than any layout, then nothing more is kept: a hostile row cannot grow the list.
        if column <= 1_024 {
            fields.append(CSVDocument.Field(start: Int32(start), length: Int32(escaped ? -length : length)))
        }
        if length > limits.fieldBytes {
            violations.add(
                .limit, row: line, column: column,
                "the field has \(length) bytes; the limit is \(limits.fieldBytes)")
            return false
        }
        if !isASCII, String(validating: bytes[start..<end], as: UTF8.self) == nil {
            violations.add(.encoding, row: line, column: column, "the field is not UTF-8")
            return false
        }
        return true
    }
}
