import Testing

@testable import Tabular

@Suite("CSV is read strictly")
struct CSVReaderTests {
    private func read(
        _ text: String, _ header: TableLayout.Header = .none(columns: 3),
        origin: TableLayout.Origin = .system,
        limits: TableLimits = TableLimits()
    ) -> (Table, [String]) {
        read(bytes: Array(text.utf8), header, origin: origin, limits: limits)
    }

    private func read(
        bytes: [UInt8], _ header: TableLayout.Header = .none(columns: 3),
        origin: TableLayout.Origin = .system,
        limits: TableLimits = TableLimits()
    ) -> (Table, [String]) {
        var violations = ViolationList(limit: 100)
        let table = Table.read(
            csv: bytes, layout: TableLayout(header, origin: origin, limits: limits), into: &violations)
        return (table, violations.listed.map { "\($0.row):\($0.column) \($0.rule)" })
    }

    private func rows(_ table: Table) -> [[String]] { (0..<table.rowCount).map { table.texts($0) } }

    @Test("line ends, quotes, a byte-order mark and empty cells are read as RFC 4180 says")
    func wellFormed() {
        for text in [
            "a,b,c\n\"x,1\",\"say \"\"so\"\"\",\n", "a,b,c\r\n\"x,1\",\"say \"\"so\"\"\",\r\n",
            "\u{FEFF}a,b,c\n\"x,1\",\"say \"\"so\"\"\",\"\"",
        ] {
            let (table, found) = read(text)
            #expect(found.isEmpty)
            #expect(rows(table) == [["a", "b", "c"], ["x,1", "say \"so\"", ""]])
            #expect(table.line(1) == 2)
            #expect(table.isEmpty(1, 2) && !table.isEmpty(1, 1))
        }
        let (quotes, none) = read("\"\"\"\",\"a\"\"\"\"b\",é\n")
        #expect(none.isEmpty)
        #expect(rows(quotes) == [["\"", "a\"\"b", "é"]])
    }

    @Test("every broken row is reported with its line, column and rule, and none is passed over")
    func broken() {
        let (table, found) = read("a,b,c\na,b\na,b,c,d\nx\"y,b,c\n\"a\"b,c,d\na,\u{7},c\n\n\"open,b,c\n")
        #expect(
            found == [
                "2:0 CSV-3", "3:0 CSV-3", "4:1 CSV-2", "5:1 CSV-2", "6:2 CSV-6", "7:0 CSV-3", "8:1 CSV-6",
                "8:1 CSV-2",
            ])
        #expect(rows(table) == [["a", "b", "c"]])
    }

    @Test("a row between broken ones keeps its own cells")
    func soundRowsStand() {
        let (table, found) = read("a,b\nd,e,f\na,b,c,d\ng,h,i\n")
        #expect(found == ["1:0 CSV-3", "3:0 CSV-3"])
        #expect(rows(table) == [["d", "e", "f"], ["g", "h", "i"]])
        #expect((0..<2).map(table.line) == [2, 4])
    }

    @Test("another encoding is refused at its byte, line breaks and lone carriage returns where they stand")
    func encodings() {
        let latin = Array("a,b,c\na,caf".utf8) + [0xE9] + Array(",c\n".utf8)
        #expect(read(bytes: latin).1 == ["2:2 CSV-1"])
        var violations = ViolationList()
        _ = Table.read(
            csv: latin, layout: TableLayout(.none(columns: 3), origin: .system), into: &violations)
        #expect(
            violations.listed.first?.message == "the cell is not UTF-8: byte 0xE9, 11 bytes into the file")
        #expect(read(bytes: [0xFF, 0xFE, 0x61, 0x00]).1 == ["1:0 CSV-1"])
        #expect(read("a,\"b\nb\",c\nd,e,f\n").1 == ["1:2 CSV-6"])
        #expect(read("a,b\rb,c\n").1 == ["1:2 CSV-6"])
        #expect(read(bytes: Array("a,b,c\n".utf8) + [0xC0, 0x80] + Array(",b,c".utf8)).1 == ["2:1 CSV-1"])
        #expect(read(bytes: Array("a,b,caf".utf8) + [0xC3]).1 == ["1:3 CSV-1"])
    }

    @Test(
        "what a person's spreadsheet leaves behind is let pass: blank rows, empty cells, line breaks in quotes"
    )
    func person() {
        let (table, found) = read(
            "x,y,,\r\n\r\n1,\"two\r\nlines\",,\r\n\r\n\"\",4\r\n", .exact(["x", "y"]), origin: .person)
        #expect(found.isEmpty)
        #expect(rows(table) == [["1", "two\r\nlines"], ["", "4"]])
        #expect((0..<2).map(table.line) == [3, 6])
        #expect(
            read("x,y\n1,2,,3\n1\n", .exact(["x", "y"]), origin: .person).1 == ["2:4 CSV-3", "3:0 CSV-3"])
        #expect(read("x,y\n1,2,\n", .exact(["x", "y"])).1 == ["2:0 CSV-3"], "an extract has no such cells")
    }

    @Test("limits on bytes, rows, columns and cells hold, and an empty file is no file")
    func limits() {
        var limits = TableLimits()
        limits.rows = 2
        #expect(read("a,b,c\na,b,c\na,b,c\nx\n", limits: limits).1 == ["3:0 CSV-5"])
        #expect(read("x,y,z\na,b,c\na,b,c\n", .asGiven, limits: limits).1.isEmpty)
        limits.cellBytes = 4
        #expect(read("a,bbbbb,c\n", limits: limits).1 == ["1:2 CSV-5"])
        limits.columns = 5
        #expect(read("a,b,c,d,e,f,g\n1,2,3\n", limits: limits).1 == ["1:6 CSV-5"])
        limits.cells = 4
        #expect(read("a,b,c\nd,e,f\nx\n", limits: limits).1 == ["2:0 CSV-5"])
        limits.bytes = 5
        #expect(read("a,b,c\n", limits: limits).1 == ["0:0 CSV-5"])
        #expect(read("").1 == ["1:0 CSV-7"])
        #expect(read("", .exact(["x"])).1 == ["1:0 CSV-7"])
        #expect(read("x,y,z\n", .exact(["x", "y", "z"])).1 == ["2:0 CSV-7"])
    }

    @Test("a header must be that of the layout; nothing below a wrong one is judged")
    func header() {
        let names = TableLayout.Header.exact(["x", "y", "z"])
        #expect(read("x,why,z\n1,2\n", names).1 == ["1:2 CSV-4"])
        #expect(read("x\n1\n", names).1 == ["1:2 CSV-4", "1:3 CSV-4"])
        #expect(read("x,y,z,more\n", names).1 == ["1:4 CSV-4"])
        let (table, found) = read("x,y,z\n1,2,3\n", names)
        #expect(found.isEmpty && rows(table) == [["1", "2", "3"]] && table.line(0) == 2)
        let (given, none) = read("one,two\n1,2\n", .asGiven)
        #expect(none.isEmpty && given.header == ["one", "two"] && given.columns == 2)
    }

    @Test("whatever bytes come, reading ends, and a sound table has the columns it should")
    func noise() {
        var generator = Numbers(seed: 42)
        let alphabet: [UInt8] = Array("ab,\"\n\r\u{1}".utf8) + [0xC3, 0xA9, 0xFF]
        for round in 0..<4_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let header: TableLayout.Header = round % 3 == 0 ? .asGiven : .none(columns: 2)
            let (table, _) = read(bytes: bytes, header, origin: round % 2 == 0 ? .system : .person)
            for row in rows(table) {
                #expect(row.count == table.columns)
                for text in row { #expect(text.utf8.count <= bytes.count && !text.contains("\u{FFFD}")) }
            }
        }
    }
}

/// The same numbers in each run.
struct Numbers: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
