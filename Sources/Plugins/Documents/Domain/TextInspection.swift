import Tabular

/// Text: UTF-8 without control characters and without markup.
enum TextInspection {
    /// UTF-8, and no control characters but tab and line ends.
    static func isText(_ bytes: [UInt8]) -> Bool {
        let hasControl = bytes.contains { byte in
            (byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D) || byte == 0x7F
        }
        return !hasControl && String(validating: bytes, as: UTF8.self) != nil
    }

    /// Begins as a page of markup does: HTML, SVG, XML.
    static func isMarkup(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        guard rest.first == 0x3C, let next = rest.dropFirst().first else { return false }
        // `<` and then a letter, `!`, `?` or `/`.
        return (0x41...0x5A).contains(next & 0xDF) || next == 0x21 || next == 0x3F || next == 0x2F
    }

    private static let running = ["<script", "<svg", "<iframe", "<html", "<!doctype html", "javascript:"].map
    {
        Array($0.utf8)
    }

    static func inspect(_ bytes: [UInt8]) throws {
        let lower = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        for tag in running where ByteSearch.first(tag, in: lower) != nil {
            throw ContentRefusal.dangerous("the text holds \(String(decoding: tag, as: UTF8.self))")
        }
    }

    /// Every row has the columns of the header, quoted as RFC 4180 says.
    static func inspectColumns(_ bytes: [UInt8]) throws {
        var limits = TableLimits()
        limits.cellBytes = 32_767
        var violations = ViolationList(limit: 1)
        _ = Table.read(
            csv: bytes, layout: TableLayout(.asGiven, origin: .person, limits: limits), into: &violations)
        if let first = violations.listed.first {
            throw ContentRefusal.untrue("it is no CSV: row \(first.row): \(first.message)")
        }
    }
}
