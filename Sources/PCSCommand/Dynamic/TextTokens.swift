/// The tokens of protobuf text format.
struct TextTokens {
    struct Token {
        enum Kind { case word, quoted, symbol }
        let kind: Kind
        let text: String
        /// Of a quoted text: its bytes, escapes resolved.
        let bytes: [UInt8]
        let line: Int
    }

    private var tokens: [Token] = []
    private var position = 0

    init(_ text: String) throws {
        let bytes = Array(text.utf8)
        var line = 1
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x0A:
                line += 1
                index += 1
            case 0x20, 0x09, 0x0D: index += 1
            case UInt8(ascii: "#"): while index < bytes.count, bytes[index] != 0x0A { index += 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let content = try Self.quoted(bytes, from: &index, line: line)
                tokens.append(
                    Token(
                        kind: .quoted, text: String(decoding: content, as: UTF8.self), bytes: content,
                        line: line))
            case _ where Self.isWord(byte):
                let start = index
                while index < bytes.count, Self.isWord(bytes[index]) { index += 1 }
                tokens.append(
                    Token(
                        kind: .word, text: String(decoding: bytes[start..<index], as: UTF8.self), bytes: [],
                        line: line))
            case _ where "{}<>[]:,;".utf8.contains(byte):
                tokens.append(Token(kind: .symbol, text: String(UnicodeScalar(byte)), bytes: [], line: line))
                index += 1
            default: throw TextFormatError(line: line, problem: "unexpected character")
            }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func quoted(_ bytes: [UInt8], from index: inout Int, line: Int) throws -> [UInt8] {
        let quote = bytes[index]
        index += 1
        var content: [UInt8] = []
        while index < bytes.count, bytes[index] != 0x0A {
            let byte = bytes[index]
            index += 1
            if byte == quote { return content }
            guard byte == UInt8(ascii: "\\") else {
                content.append(byte)
                continue
            }
            guard index < bytes.count else { break }
            content.append(try escape(bytes, from: &index, line: line))
        }
        throw TextFormatError(line: line, problem: "the text has no closing quote")
    }

    private static func escape(_ bytes: [UInt8], from index: inout Int, line: Int) throws -> UInt8 {
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "?"): return byte
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            let digits = bytes[index...].prefix(2)
            guard let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { break }
            index += digits.count
            return value
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            let digits = bytes[(index - 1)...].prefix(3).prefix { (0x30...0x37).contains($0) }
            guard let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) else { break }
            index += digits.count - 1
            return value
        default: break
        }
        throw TextFormatError(line: line, problem: "no such escape")
    }

    mutating func next() -> Token? {
        guard position < tokens.count else { return nil }
        defer { position += 1 }
        return tokens[position]
    }

    mutating func take(_ symbol: String) -> Bool {
        guard position < tokens.count, tokens[position].kind == .symbol, tokens[position].text == symbol
        else { return false }
        position += 1
        return true
    }

    /// Neighbouring quoted texts are one text.
    mutating func takeQuoted() -> [UInt8]? {
        guard position < tokens.count, tokens[position].kind == .quoted else { return nil }
        defer { position += 1 }
        return tokens[position].bytes
    }

    func failure(_ problem: String) -> TextFormatError {
        TextFormatError(
            line: tokens.isEmpty ? 1 : tokens[max(0, min(position, tokens.count) - 1)].line, problem: problem)
    }
}
