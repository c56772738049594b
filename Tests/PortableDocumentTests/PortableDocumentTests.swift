import Foundation
import Testing

@testable import PortableDocument

@Suite("PDF files of texts and rules")
struct PortableDocumentTests {
    private func document(_ pages: Int) -> [UInt8] {
        let made = (1...pages).map { number in
            var page = PortablePage()
            page.ground(x: 0, y: 0, width: 1_000, height: 500, ink: .init(255, 0, 128))
            page.rule(fromX: 100, toX: 2_050, y: 300)
            page.text(
                "Page \(number) (of \\ \(pages)): £1,234.56 – café", x: 1_000, y: 2_000, size: 950,
                font: .bold)
            return page
        }
        return PortableDocument(
            .init(
                title: "A (title)", author: "Us", subject: "", createdAt: "20260401093000",
                identity: [UInt8](repeating: 0xAB, count: 16)), pages: made
        ).encode()
    }

    @Test("the same document is the same bytes, and every object stands where the table of the file says")
    func places() throws {
        let bytes = document(3)
        #expect(bytes == document(3))
        let text = String(decoding: bytes, as: Unicode.ASCII.self)
        let start = try #require(text.range(of: "startxref\n"))
        let place = try #require(Int(text[start.upperBound...].prefix { $0.isNumber }))
        let table = String(decoding: bytes[place...], as: Unicode.ASCII.self).split(separator: "\n")
        #expect(table[0] == "xref")
        #expect(table[1] == "0 12")
        for number in 1...11 {
            let offset = try #require(Int(table[2 + number].prefix(10)))
            #expect(
                String(decoding: bytes[offset...].prefix(10), as: Unicode.ASCII.self).hasPrefix(
                    "\(number) 0 obj"))
        }
        #expect(text.contains("/Count 3"))
        #expect(text.contains("/CreationDate (D:20260401093000Z)"))
        #expect(text.contains("/Title (A \\(title\\))"))
    }

    @Test("texts are escaped, and letters beyond ASCII are in the fonts' own encoding")
    func escaping() {
        let text = String(decoding: document(1), as: Unicode.ASCII.self)
        #expect(text.contains("(Page 1 \\(of \\\\ 1\\): \\2431,234.56 \\226 caf\\351) Tj"))
        #expect(WinAnsi.bytes("漢\n€’") == [0x3F, 0x20, 0x80, 0x92])
    }

    @Test("the length of each content is what stands between stream and endstream")
    func lengths() throws {
        let bytes = document(1)
        let text = String(decoding: bytes, as: Unicode.ASCII.self)
        let begin = try #require(text.range(of: "stream\n"))
        let end = try #require(text.range(of: "endstream"))
        let length = text.distance(from: begin.upperBound, to: end.lowerBound)
        #expect(text.contains("<< /Length \(length) >>"))
    }

    @Test("widths are those of the published metrics: digits alike, so that figures stand under each other")
    func widths() {
        for digit in "0123456789" {
            #expect(PortableFont.regular.width(of: String(digit), size: 1_000) == 556)
        }
        #expect(PortableFont.regular.width(of: "Wim", size: 1_000) == 944 + 222 + 833)
        #expect(PortableFont.bold.width(of: "Wim", size: 1_000) == 944 + 278 + 889)
        #expect(PortableFont.bold.width(of: "-£…", size: 1_000) == 333 + 556 + 1_000)
    }

    @Test("long texts are broken at spaces, and within a word that is wider than the column")
    func lines() {
        let width = PortableFont.regular.width(of: "global sum", size: 900)
        #expect(
            PortableTable.lines("global sum of April", width: width, size: 900) == ["global sum", "of April"])
        let pieces = PortableTable.lines("cqrs/01J0000000000000000000", width: width, size: 900)
        #expect(pieces.joined() == "cqrs/01J0000000000000000000")
        #expect(pieces.allSatisfy { PortableFont.regular.width(of: $0, size: 900) <= width })
        #expect(PortableTable.lines("", width: width, size: 900).isEmpty)
    }
}
