/// Says from its content what a file is, and refuses one that is not what it was declared to be. A name or a declared
/// type is a claim; only the bytes count.
enum ContentInspector {
    /// What the head of a file shows.
    enum Content: Hashable, Sendable {
        case pdf, png, jpeg, tiff, zip, compound, text
        case program(String)
        case archive(String)
        case markup
        case unknown
    }

    private static let programs: [(head: [UInt8], name: String)] = [
        ([0x4D, 0x5A], "a Windows program"),
        ([0x7F, 0x45, 0x4C, 0x46], "a Linux program"),
        ([0xFE, 0xED, 0xFA, 0xCE], "a macOS program"),
        ([0xFE, 0xED, 0xFA, 0xCF], "a macOS program"),
        ([0xCE, 0xFA, 0xED, 0xFE], "a macOS program"),
        ([0xCF, 0xFA, 0xED, 0xFE], "a macOS program"),
        ([0xCA, 0xFE, 0xBA, 0xBE], "a Java or macOS program"),
        ([0x23, 0x21], "a script"),
        ([0x4C, 0x00, 0x00, 0x00, 0x01, 0x14, 0x02, 0x00], "a Windows shortcut"),
    ]
    private static let archives: [(head: [UInt8], name: String)] = [
        ([0x1F, 0x8B], "a gzip archive"),
        ([0x52, 0x61, 0x72, 0x21], "a RAR archive"),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive"),
        ([0x42, 0x5A, 0x68], "a bzip2 archive"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "an xz archive"),
        ([0x4D, 0x53, 0x43, 0x46], "a cabinet archive"),
    ]

    static func content(of bytes: [UInt8]) -> Content {
        if bytes.starts(with: Array("%PDF-".utf8)) { return .pdf }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if bytes.starts(with: [0x49, 0x49, 0x2A, 0x00]) || bytes.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) {
            return .tiff
        }
        if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
            return .zip
        }
        if bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) { return .compound }
        if let program = programs.first(where: { isProgram(bytes, $0.head) }) {
            return .program(program.name)
        }
        if let archive = archives.first(where: { bytes.starts(with: $0.head) }) {
            return .archive(archive.name)
        }
        if TextInspection.isMarkup(bytes) { return .markup }
        return TextInspection.isText(bytes) ? .text : .unknown
    }

    /// Two letters alone also begin honest text: a program has bytes that no text has.
    private static func isProgram(_ bytes: [UInt8], _ head: [UInt8]) -> Bool {
        guard bytes.starts(with: head) else { return false }
        return head == [0x4D, 0x5A] ? !TextInspection.isText(bytes) : true
    }

    /// Returns when the file is of its declared type, whole, and holds nothing that runs.
    ///
    /// - Throws: `ContentRefusal`.
    static func inspect(_ bytes: [UInt8], declared: FileType, limits: UnpackingLimits) throws {
        guard !bytes.isEmpty else { throw ContentRefusal.damaged("the file is empty") }
        let found = content(of: bytes)
        switch found {
        case .program(let name): throw ContentRefusal.dangerous("it is \(name)")
        case .markup: throw ContentRefusal.dangerous("it is a page with markup, which can run scripts")
        case .archive(let name): throw ContentRefusal.untrue("it is \(name)")
        case .compound:
            // Office keeps a document with a password in a compound file.
            if CompoundInspection.isEncryptedPackage(bytes) {
                throw ContentRefusal.encrypted("it is an Office document with a password")
            }
            throw ContentRefusal.untrue("it is a file of an Office version before 2007, or a mail")
        case .unknown: throw ContentRefusal.untrue("its content is of no type that is taken")
        default: break
        }
        switch (declared, found) {
        case (.pdf, .pdf): try PDFInspection.inspect(bytes)
        case (.png, .png): try ImageInspection.inspectPNG(bytes)
        case (.jpeg, .jpeg): try ImageInspection.inspectJPEG(bytes)
        case (.tiff, .tiff): try ImageInspection.inspectTIFF(bytes)
        case (.docx, .zip), (.xlsx, .zip), (.ods, .zip):
            try OfficeInspection.inspect(bytes, declared: declared, limits: limits)
        case (.text, .text): try TextInspection.inspect(bytes)
        case (.csv, .text):
            try TextInspection.inspect(bytes)
            try TextInspection.inspectColumns(bytes)
        default: throw ContentRefusal.untrue("it was declared as \(declared.name) and is \(words(found))")
        }
    }

    private static func words(_ content: Content) -> String {
        switch content {
        case .pdf: "a PDF"
        case .png: "a PNG image"
        case .jpeg: "a JPEG image"
        case .tiff: "a TIFF image"
        case .zip: "a packed file"
        case .text: "plain text"
        default: "something else"
        }
    }
}

/// Compound files: Office before 2007, mails, and documents with a password.
enum CompoundInspection {
    /// UTF-16, as the names of such a file's streams are written.
    private static let encryptedPackage = "EncryptedPackage".utf8.flatMap { (byte: UInt8) -> [UInt8] in
        [byte, 0]
    }

    static func isEncryptedPackage(_ bytes: [UInt8]) -> Bool {
        ByteSearch.first(encryptedPackage, in: bytes) != nil
    }
}

enum ByteSearch {
    /// Index of the first occurrence of `needle` at or behind `start`.
    static func first(_ needle: [UInt8], in bytes: [UInt8], from start: Int = 0) -> Int? {
        guard let head = needle.first, bytes.count >= needle.count, start >= 0 else { return nil }
        return bytes.withUnsafeBufferPointer { bytes -> Int? in
            var index = start
            let last = bytes.count - needle.count
            while index <= last {
                if bytes[index] == head {
                    var offset = 1
                    while offset < needle.count, bytes[index + offset] == needle[offset] { offset += 1 }
                    if offset == needle.count { return index }
                }
                index += 1
            }
            return nil
        }
    }

    /// Index of the last occurrence of `needle` within the last `window` bytes.
    static func last(_ needle: [UInt8], in bytes: [UInt8], window: Int) -> Int? {
        var index = bytes.count - needle.count
        let least = max(0, bytes.count - window)
        while index >= least {
            if bytes[index...].starts(with: needle) { return index }
            index -= 1
        }
        return nil
    }
}
