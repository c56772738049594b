/// A PDF file (1.4) of texts, rules and grounds in the standard fonts. Pages are not compressed and hold nothing of the
/// moment at which they were written: the same document is the same bytes, and its texts can be read in them.
package struct PortableDocument: Sendable {
    /// What the file says of itself.
    package struct Description: Sendable {
        package var title: String
        package var author: String
        package var subject: String
        /// `YYYYMMDDHHMMSS` in UTC; empty = none.
        package var createdAt: String
        /// 16 bytes that name the content.
        package var identity: [UInt8]

        package init(title: String, author: String, subject: String, createdAt: String, identity: [UInt8]) {
            (self.title, self.author, self.subject) = (title, author, subject)
            (self.createdAt, self.identity) = (createdAt, identity)
        }
    }

    private let description: Description
    private let pages: [PortablePage]

    package init(_ description: Description, pages: [PortablePage]) {
        self.description = description
        self.pages = pages
    }

    /// Objects: 1 catalogue, 2 tree of pages, 3 description, 4 and 5 fonts, then page and content by turns.
    package func encode() -> [UInt8] {
        var file = Objects()
        let first = 6
        file.add(
            "<< /Type /Catalog /Pages 2 0 R /Lang (en-GB) /ViewerPreferences << /DisplayDocTitle true >> >>")
        let kids = pages.indices.map { "\(first + 2 * $0) 0 R" }.joined(separator: " ")
        let box =
            "[0 0 \(PortableDocument.points(PortablePage.width)) \(PortableDocument.points(PortablePage.height))]"
        file.add("<< /Type /Pages /Kids [\(kids)] /Count \(pages.count) >>")
        file.add(information())
        for font in PortableFont.allCases {
            file.add(
                "<< /Type /Font /Subtype /Type1 /BaseFont /\(font.baseName) /Encoding /WinAnsiEncoding >>")
        }
        let fonts = PortableFont.allCases.map { "/\($0.resourceName) \($0.rawValue + 3) 0 R" }.joined(
            separator: " ")
        for (index, page) in pages.enumerated() {
            file.add(
                "<< /Type /Page /Parent 2 0 R /MediaBox \(box) /Resources << /Font << \(fonts) >> >> "
                    + "/Contents \(first + 2 * index + 1) 0 R >>")
            file.add(
                Array("<< /Length \(page.content.count) >>\nstream\n".utf8) + page.content
                    + Array("endstream".utf8))
        }
        return file.finish(identity: description.identity)
    }

    private func information() -> [UInt8] {
        func entry(_ name: String, _ text: String) -> [UInt8] {
            text.isEmpty
                ? [] : Array("/\(name) (".utf8) + PortableText.escaped(WinAnsi.bytes(text)) + Array(") ".utf8)
        }
        let created = description.createdAt.isEmpty ? "" : "D:" + description.createdAt + "Z"
        return Array("<< ".utf8) + entry("Title", description.title) + entry("Author", description.author)
            + entry("Subject", description.subject) + entry("Producer", "Primary Care Services")
            + entry("CreationDate", created) + Array(">>".utf8)
    }

    private static func points(_ hundredths: Int) -> String {
        "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// The file's body with the place of each object.
    private struct Objects {
        private var bytes: [UInt8]
        private var places: [Int] = []

        init() {
            // Four bytes above 127 tell transfer programs that the file is not text.
            bytes = Array("%PDF-1.4\n%".utf8) + [0xE2, 0xE3, 0xCF, 0xD3, 0x0A]
        }

        mutating func add(_ body: String) { add(Array(body.utf8)) }

        mutating func add(_ body: [UInt8]) {
            places.append(bytes.count)
            bytes += Array("\(places.count) 0 obj\n".utf8) + body + Array("\nendobj\n".utf8)
        }

        func finish(identity: [UInt8]) -> [UInt8] {
            var table = "xref\n0 \(places.count + 1)\n0000000000 65535 f \n"
            for place in places {
                let digits = String(place)
                table += String(repeating: "0", count: 10 - digits.utf8.count) + digits + " 00000 n \n"
            }
            let name = identity.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            table +=
                "trailer\n<< /Size \(places.count + 1) /Root 1 0 R /Info 3 0 R /ID [<\(name)> <\(name)>] >>\n"
            return bytes + Array((table + "startxref\n\(bytes.count)\n%%EOF\n").utf8)
        }
    }
}
