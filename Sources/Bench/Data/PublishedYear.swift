import Foundation

/// The published file of a year, as England's month is run on, and the same with ten times the practices.
struct PublishedYear {
    let financialYear = "2019/20"
    let fileName: String
    let bytes: [UInt8]
    let practices: Int

    /// Unpacks the committed file.
    init(repository: String, folder: String) throws {
        fileName = "nhs_payments_gp_practice_2019-20.csv"
        let unpack = try ChildProcess(
            Programs.find("gzip"), ["-dc", "\(repository)/opendata/nhs-payments-gp/\(fileName).gz"],
            name: "published-year", folder: folder)
        try unpack.waitForSuccess(within: 20)
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: unpack.outputPath)))
        practices = bytes.split(separator: 0x0A).count - 1
    }

    private init(fileName: String, bytes: [UInt8], practices: Int) {
        self.fileName = fileName
        self.bytes = bytes
        self.practices = practices
    }

    /// Each practice `factor` times: once as it is, and again with codes of the same form that the file does not use.
    /// The addresses of the copies are left out, so that the file stays within the largest that a load takes.
    func multiplied(by factor: Int) throws -> PublishedYear {
        let lines = bytes.split(separator: 0x0A)
        guard let header = lines.first else { throw BenchError("\(fileName) is empty") }
        let headings = CSVLine.fields(of: header).map { String(decoding: header[$0], as: UTF8.self) }
        guard let code = headings.firstIndex(of: "Practice Code"),
            let address = headings.firstIndex(of: "Practice Address")
        else { throw BenchError("\(fileName) has no column of practice codes") }

        let rows = lines.dropFirst().map { ($0, CSVLine.fields(of: $0)) }
        var codes = PracticeCodes(used: Set(rows.map { String(decoding: $0[$1[code]], as: UTF8.self) }))
        var result = Array(header) + [0x0A]
        result.reserveCapacity(bytes.count * factor)
        for (row, _) in rows { result += row + [0x0A] }
        for _ in 1..<factor {
            for (row, fields) in rows {
                let fresh = try codes.next()
                result += row[row.startIndex..<fields[code].lowerBound] + fresh
                result += row[fields[code].upperBound..<fields[address].lowerBound]
                result += row[fields[address].upperBound...] + [0x0A]
            }
        }
        return PublishedYear(
            fileName: "ten-times-\(fileName)", bytes: result, practices: rows.count * factor)
    }
}

/// Lines of the open data.
enum CSVLine {
    /// Where the fields of a line lie, quotes included: RFC 4180, no line breaks inside fields.
    static func fields(of line: ArraySlice<UInt8>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start = line.startIndex
        var isQuoted = false
        for index in line.indices {
            if line[index] == 0x22 { isQuoted.toggle() }
            if line[index] == 0x2C, !isQuoted {
                fields.append(start..<index)
                start = index + 1
            }
        }
        fields.append(start..<line.endIndex)
        return fields
    }

    /// The text of each field, without its quotes.
    static func texts(of line: ArraySlice<UInt8>) -> [String] {
        fields(of: line).map { range in
            let isQuoted = range.count > 1 && line[range.lowerBound] == 0x22
            let inside = isQuoted ? range.lowerBound + 1..<range.upperBound - 1 : range
            return String(decoding: line[inside], as: UTF8.self).replacing("\"\"", with: "\"")
        }
    }
}

/// Codes of the form of an English GP practice's that are not in use, in order.
struct PracticeCodes {
    let used: Set<String>
    private var position = 0
    private static let letters = Array("ABCDEFGHJKLMNPY".utf8)

    init(used: Set<String>) { self.used = used }

    mutating func next() throws -> [UInt8] {
        while position < PracticeCodes.letters.count * 100_000 {
            let digits = String(position % 100_000)
            let code =
                [PracticeCodes.letters[position / 100_000]]
                + [UInt8](repeating: 0x30, count: 5 - digits.utf8.count) + digits.utf8
            position += 1
            if !used.contains(String(decoding: code, as: UTF8.self)) { return code }
        }
        throw BenchError("no practice code is left")
    }
}
