import Testing

@testable import Tabular

@Suite("CSV is written so that it is read back")
struct CSVWriterTests {
    @Test(
        "text that a spreadsheet would calculate is disarmed; quotes, commas and line ends are quoted",
        arguments: [
            ("Plain name", "Plain name"), ("=1+1", "'=1+1"), ("+44", "'+44"), ("-5", "'-5"),
            ("@cmd", "'@cmd"), ("\tx", "'\tx"), ("\rx", "\"'\rx\""), ("A, B", "\"A, B\""),
            ("The \"Old\" Surgery", "\"The \"\"Old\"\" Surgery\""), ("two\nlines", "\"two\nlines\""),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
        ])
    func guarded(text: String, cell: String) {
        var writer = CSVWriter()
        writer.append([.text(text), .plain("-5")])
        #expect(String(decoding: writer.bytes, as: UTF8.self) == cell + ",-5\r\n")
    }

    @Test("what is written is read back as the same cells")
    func roundTrip() {
        var random = Numbers(seed: 21)
        let alphabet = Array("ab,\"\n\r\t =+-@é€🏥")
        for round in 0..<1_000 {
            let columns = Int.random(in: 1...4, using: &random)
            let rows = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                (0..<columns).map { _ in
                    String(
                        (0..<Int.random(in: 0...8, using: &random)).map { _ in
                            alphabet.randomElement(using: &random) ?? "a"
                        })
                }
            }
            var writer = CSVWriter(byteOrderMark: round % 2 == 0)
            for row in rows { writer.append(row.map { .plain($0) }) }
            var violations = ViolationList()
            let table = Table.read(
                csv: writer.take(), layout: TableLayout(.none(columns: columns), origin: .person),
                into: &violations)
            // A tab or control character outside quotes is refused; the writer quotes only what must be.
            let hasBareTab = rows.joined().contains { text in
                text.contains("\t") && !text.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
            }
            #expect(violations.isEmpty != hasBareTab, "\(rows)")
            if !hasBareTab { #expect((0..<table.rowCount).map { table.texts($0) } == rows) }
        }
    }

    @Test("a file sent in pieces is the file")
    func pieces() {
        var writer = CSVWriter(byteOrderMark: true)
        writer.append([.plain("x")])
        let first = writer.take()
        writer.append([.plain("")])
        #expect(first + writer.take() == [0xEF, 0xBB, 0xBF] + Array("x\r\n\"\"\r\n".utf8))
        #expect(writer.bytes.isEmpty)
    }
}
