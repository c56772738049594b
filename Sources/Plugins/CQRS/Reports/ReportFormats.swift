import Tabular

/// The same table as CSV or JSON, row by row, so that a file of any length is never whole in memory (REP-1).
struct ReportWriter {
    enum Format { case csv, json }

    private let format: Format
    private let columns: [String]
    private var csv = CSVWriter()
    private var json: [UInt8] = []
    private var isFirst = true

    init(_ format: Format, columns: [String]) {
        self.format = format
        self.columns = columns
        switch format {
        case .csv: csv.append(columns.map { .plain($0) })
        case .json: json.append(UInt8(ascii: "["))
        }
    }

    mutating func append(_ row: [String]) {
        guard format == .json else {
            // Signed figures are ours; anything else that a spreadsheet would calculate is guarded.
            csv.append(row.map { $0.first == "-" && ExactDecimalText.isOne($0) ? .plain($0) : .text($0) })
            return
        }
        json += Array((isFirst ? "\n" : ",\n").utf8)
        isFirst = false
        json.append(UInt8(ascii: "{"))
        for (index, cell) in row.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            quote(columns[index])
            json.append(UInt8(ascii: ":"))
            quote(cell)
        }
        json.append(UInt8(ascii: "}"))
    }

    private mutating func quote(_ text: String) {
        json.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                json.append(UInt8(ascii: "\\"))
                json.append(byte)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                json += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
    }

    /// What was written since the last call.
    mutating func take() -> [UInt8] {
        guard format == .json else { return csv.take() }
        defer { json = [] }
        return json
    }

    mutating func finish() { if format == .json { json += Array("\n]\n".utf8) } }
}

/// Whether a text is a plain decimal figure.
private enum ExactDecimalText {
    static func isOne(_ text: String) -> Bool {
        text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }
}
