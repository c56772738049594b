/// PDF: whole, without a password, and with nothing in it that runs.
enum PDFInspection {
    /// Bytes at the end in which the end marker must be; readers look no farther.
    private static let tail = 1_024

    /// Names of a PDF that start something or carry another file.
    private static let running: [(name: String, words: String)] = [
        ("JavaScript", "a script"), ("Launch", "a command to start a program"),
        ("EmbeddedFile", "an embedded file"), ("RichMedia", "embedded media"), ("XFA", "a form with scripts"),
    ]

    static func inspect(_ bytes: [UInt8]) throws {
        guard ByteSearch.last(Array("%%EOF".utf8), in: bytes, window: tail) != nil,
            ByteSearch.last(Array("startxref".utf8), in: bytes, window: tail * 2) != nil
        else { throw ContentRefusal.damaged("the PDF is not whole") }
        let names = names(in: bytes)
        if names.contains("Encrypt") {
            throw ContentRefusal.encrypted("the PDF has a password or is encrypted")
        }
        for entry in running where names.contains(entry.name) {
            throw ContentRefusal.dangerous("the PDF holds \(entry.words)")
        }
    }

    /// The names (`/Encrypt`) among those looked for. Each is long enough not to stand in compressed bytes by chance. A
    /// name may write its letters as `#45`, which is how one is hidden.
    private static func names(in bytes: [UInt8]) -> Set<String> {
        let wanted = Set(running.map(\.name) + ["Encrypt"])
        var found = Set<String>()
        scan(bytes[...], 3 * (wanted.map(\.count).max() ?? 0), wanted, &found)
        return found
    }

    private static func scan(
        _ bytes: ArraySlice<UInt8>, _ longest: Int, _ wanted: Set<String>, _ found: inout Set<String>
    ) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard bytes[index] == 0x2F else {
                index += 1
                continue
            }
            index += 1
            var name: [UInt8] = []
            while index < bytes.endIndex, name.count <= longest, isRegular(bytes[index]) {
                if bytes[index] == 0x23, index + 2 < bytes.endIndex, let high = hexadecimal(bytes[index + 1]),
                    let low = hexadecimal(bytes[index + 2])
                {
                    name.append(high << 4 | low)
                    index += 3
                } else {
                    name.append(bytes[index])
                    index += 1
                }
            }
            let text = String(decoding: name, as: UTF8.self)
            if wanted.contains(text) { found.insert(text) }
        }
    }

    /// Neither white space nor a delimiter.
    private static func isRegular(_ byte: UInt8) -> Bool {
        byte > 0x20 && ![0x28, 0x29, 0x3C, 0x3E, 0x5B, 0x5D, 0x7B, 0x7D, 0x2F, 0x25].contains(byte)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
