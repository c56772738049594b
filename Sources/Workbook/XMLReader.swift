/// A small strict reader of XML: what the parts of a workbook need and nothing that could be turned against us. Document
/// types, and with them entities of one's own, are refused; so is everything that is not UTF-8.
///
/// Names are given without their prefix. Call `next()` until it returns `nil`.
struct XMLReader {
    enum Event: Equatable {
        case start(String)
        case end(String)
        case text(String)
    }

    private static let deepest = 64

    private let bytes: [UInt8]
    private var position = 0
    private var open: [String] = []
    private var endsAtOnce = false
    private var hasRoot = false
    /// Of the element that began last.
    private var attributes: [(name: String, value: String)] = []

    init(_ bytes: [UInt8]) throws(WorkbookFault) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Self.fault("it is not UTF-8") }
    }

    private static func fault(_ what: String) -> WorkbookFault {
        WorkbookFault(.xml, "a part of the workbook is not well-formed: \(what)")
    }

    /// Attribute of the element that began last, by name without prefix.
    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    /// The next event, `nil` at the end of the document. Empty text is not reported.
    mutating func next() throws(WorkbookFault) -> Event? {
        if endsAtOnce {
            endsAtOnce = false
            return .end(open.removeLast())
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                let text = try content(to: UInt8(ascii: "<"))
                if open.isEmpty {
                    guard text.utf8.allSatisfy(Self.isSpace) else {
                        throw Self.fault("text outside the root")
                    }
                    continue
                }
                return .text(text)
            }
            if skips("<?") {
                try skipInstruction()
            } else if skips("<!--") {
                _ = try take(to: "-->")
            } else if !open.isEmpty, skips("<![CDATA[") {
                let text = String(decoding: try take(to: "]]>"), as: UTF8.self)
                if !text.isEmpty { return .text(text) }
            } else if skips("<!") {
                throw Self.fault("it declares a document type")
            } else if skips("</") {
                return .end(try endOfElement())
            } else {
                return .start(try startOfElement())
            }
        }
        guard hasRoot, open.isEmpty else { throw Self.fault("it ends too soon") }
        return nil
    }

    /// Passes over the rest of the element that began last.
    mutating func skipElement() throws(WorkbookFault) {
        let depth = open.count - 1
        while open.count > depth, try next() != nil {}
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private mutating func skips(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count else { return false }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] { return false }
        position += length
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private mutating func take(to end: StaticString) throws(WorkbookFault) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count {
            let here = position
            if skips(end) { return bytes[start..<here] }
            position += 1
        }
        throw Self.fault("it ends too soon")
    }

    private mutating func skipInstruction() throws(WorkbookFault) {
        let instruction = String(decoding: try take(to: "?>"), as: UTF8.self).lowercased()
        if instruction.hasPrefix("xml "), let encoding = instruction.firstRange(of: "encoding=") {
            let name = instruction[encoding.upperBound...].dropFirst().prefix { $0 != "\"" && $0 != "'" }
            guard name == "utf-8" || name == "us-ascii" else { throw Self.fault("it is not UTF-8") }
        }
    }

    /// Name without its prefix.
    private mutating func name() throws(WorkbookFault) -> String {
        var start = position
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: ":"): start = position + 1
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."),
                0x80...0xFF:
                break
            default:
                guard position > start else { throw Self.fault("a name is missing") }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            position += 1
        }
        throw Self.fault("it ends too soon")
    }

    private mutating func startOfElement() throws(WorkbookFault) -> String {
        position += 1
        guard !hasRoot || !open.isEmpty else { throw Self.fault("it has two roots") }
        hasRoot = true
        let element = try name()
        attributes.removeAll(keepingCapacity: true)
        while true {
            let before = position
            skipSpace()
            if skips(">") { break }
            if skips("/>") {
                endsAtOnce = true
                break
            }
            guard position > before, attributes.count < 256 else {
                throw Self.fault("attributes of <\(element)>")
            }
            let attribute = try name()
            skipSpace()
            guard skips("=") else { throw Self.fault("attributes of <\(element)>") }
            skipSpace()
            guard position < bytes.count,
                bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'")
            else { throw Self.fault("attributes of <\(element)>") }
            let quote = bytes[position]
            position += 1
            attributes.append((attribute, try content(to: quote)))
            position += 1
        }
        guard open.count < Self.deepest else {
            throw WorkbookFault(.limit, "a part of the workbook is more than \(Self.deepest) elements deep")
        }
        open.append(element)
        return element
    }

    private mutating func endOfElement() throws(WorkbookFault) -> String {
        let element = try name()
        skipSpace()
        guard skips(">"), open.last == element else {
            throw Self.fault("</\(element)> ends what did not begin")
        }
        return open.removeLast()
    }

    /// Text up to `end`, which stays to be read, with references resolved.
    private mutating func content(to end: UInt8) throws(WorkbookFault) -> String {
        let start = position
        while position < bytes.count, bytes[position] != end, bytes[position] != UInt8(ascii: "&") {
            try checkByte()
        }
        var text = String(decoding: bytes[start..<position], as: UTF8.self)
        while position < bytes.count, bytes[position] != end {
            let next = position
            if bytes[position] == UInt8(ascii: "&") {
                text.unicodeScalars.append(try reference())
            } else {
                while position < bytes.count, bytes[position] != end, bytes[position] != UInt8(ascii: "&") {
                    try checkByte()
                }
                text += String(decoding: bytes[next..<position], as: UTF8.self)
            }
        }
        if position == bytes.count, end != UInt8(ascii: "<") || !open.isEmpty {
            throw Self.fault("it ends too soon")
        }
        return text
    }

    private mutating func checkByte() throws(WorkbookFault) {
        let byte = bytes[position]
        guard byte >= 0x20 || Self.isSpace(byte), byte != UInt8(ascii: "<") else {
            throw Self.fault("the character \(byte) where it may not be")
        }
        position += 1
    }

    private mutating func reference() throws(WorkbookFault) -> Unicode.Scalar {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: ";"), position - start < 10 {
            position += 1
        }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        guard position < bytes.count, bytes[position] == UInt8(ascii: ";") else {
            throw Self.fault("&\(name)")
        }
        position += 1
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let digits = name.dropFirst()
            let number =
                digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
            guard name.hasPrefix("#"), let number, let scalar = Unicode.Scalar(number),
                number >= 0x20 || Self.isSpace(UInt8(number))
            else { throw Self.fault("&\(name);") }
            return scalar
        }
    }
}
