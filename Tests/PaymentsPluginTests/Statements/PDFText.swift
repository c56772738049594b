import Testing

/// Reads the texts of an uncompressed PDF, in the order in which they are drawn: what a reader of the file sees.
enum PDFText {
    static func texts(_ bytes: [UInt8]) -> [String] {
        var texts: [String] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "(") else {
                index += 1
                continue
            }
            var text: [UInt8] = []
            index += 1
            while index < bytes.count, bytes[index] != UInt8(ascii: ")") {
                if bytes[index] == UInt8(ascii: "\\") {
                    index += 1
                    if (0x30...0x37).contains(bytes[index]) {
                        let octal = bytes[index..<index + 3].reduce(0) { $0 * 8 + Int($1 - 0x30) }
                        text.append(UInt8(truncatingIfNeeded: octal))
                        index += 3
                        continue
                    }
                }
                text.append(bytes[index])
                index += 1
            }
            let isDrawn = bytes[index...].prefix(4).elementsEqual(Array(") Tj".utf8))
            if isDrawn { texts.append(String(text.map { Character(Unicode.Scalar($0)) })) }
            index += 1
        }
        return texts
    }

    /// Without the commas between thousands.
    static func plain(_ text: String) -> String { text.filter { $0 != "," && $0 != "£" } }
}
