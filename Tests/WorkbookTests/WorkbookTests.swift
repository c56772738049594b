import PluginAPI
import Tabular
import Testing

@testable import Workbook

@Suite("The first sheet of a workbook is read like a CSV file")
struct WorkbookTests {
    private func read(
        _ bytes: [UInt8], _ header: TableLayout.Header = .asGiven, origin: TableLayout.Origin = .person
    ) -> (Table, [String]) {
        var violations = ViolationList(limit: 100)
        let table = Table.read(
            upload: bytes, layout: TableLayout(header, origin: origin), into: &violations)
        return (table, violations.listed.map { "\($0.row):\($0.column) \($0.rule)" })
    }

    private func rows(_ table: Table) -> [[String]] { (0..<table.rowCount).map { table.texts($0) } }

    private static let header =
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"C1\" s=\"3\"/></row>"
    private static let strings = ["<t>practice</t>", "<r><t>amo</t></r><r><rPr><b/></rPr><t>unt</t></r>"]

    @Test(
        "texts, numbers, truths, formulas with their values, gaps and blank rows", arguments: [true, false])
    func cells(isDeflated: Bool) {
        var file = WorkbookFile(
            rows: Self.header
                + "<row r=\"3\" spans=\"1:2\"><c r=\"A3\" t=\"inlineStr\"><is><t>A81001</t><rPh><t>no</t></rPh></is></c>"
                + "<c r=\"B3\"><f>1+1</f><v>2</v></c></row>"
                + "<row r=\"4\"><c r=\"A4\" s=\"1\"/></row>"
                + "<row r=\"7\"><c r=\"B7\"><v>1.1000000000000001</v></c></row>"
                + "<row><c t=\"str\"><f>A1</f><v>a &amp; b&#10;_x0041__x005F_x</v></c><c t=\"b\"><v>1</v></c></row>",
            strings: Self.strings)
        file.isDeflated = isDeflated
        let (table, found) = read(file.bytes(), .exact(["practice", "amount"]))
        #expect(found.isEmpty)
        #expect(rows(table) == [["A81001", "2"], ["", "1.1"], ["a & b\nA_x", "TRUE"]])
        #expect((0..<3).map(table.line) == [3, 7, 8])
    }

    @Test(
        "a number is what the person sees, written out",
        arguments: [
            ("0", "0"), ("-0.5", "-0.5"), ("130.07", "130.07"), ("1.1000000000000001", "1.1"),
            ("0.10000000000000001", "0.1"), ("1234567.8900000001", "1234567.89"),
            ("9.9999999999999999", "10"),
            ("85.549999999999997", "85.55"), ("1E-3", "0.001"), ("1.5e+3", "1500"),
            ("12345678901234567", "12345678901234567"),
            ("-2.50", "-2.5"), ("1E+300", "1E+300"), ("007", "7"), ("", nil), ("1e", nil), ("1.2.3", nil),
            ("NaN", nil),
            ("-", nil),
        ] as [(String, String?)])
    func numbers(stored: String, text: String?) { #expect(CellText.number(stored) == text) }

    @Test("days stay numbers until a rule asks for a day, in the calendar of the workbook")
    func days() {
        let row =
            "<row><c t=\"inlineStr\"><is><t>day</t></is></c></row><row><c s=\"2\"><v>46113</v></c></row>"
        for (properties, day) in [("", "2026-04-01"), ("date1904=\"1\"", "2030-04-02")] {
            var violations = ViolationList()
            let table = Table.read(
                workbook: WorkbookFile(rows: row, workbookProperties: properties).bytes(),
                layout: TableLayout(.exact(["day"]), origin: .person), into: &violations)
            #expect(violations.isEmpty && table.text(0, 0) == "46113")
            var reader = RowReader(table, violations: violations)
            _ = reader.next()
            let read = reader.date(
                "day", "R", in: CalendarDate(daysSince1970: 0)...CalendarDate(daysSince1970: 40_000))
            #expect(read?.description == day)
        }
    }

    @Test("a cell without a value is refused by its row and column; the others are read")
    func brokenCells() {
        let (table, found) = read(
            WorkbookFile(
                rows: Self.header
                    + "<row r=\"2\"><c r=\"A2\" t=\"e\"><v>#REF!</v></c><c r=\"B2\"><v>abc</v></c></row>"
                    + "<row r=\"3\"><c r=\"A3\" t=\"s\"><v>9</v></c><c r=\"B3\"><f>A1*2</f></c></row>"
                    + "<row r=\"4\"><c r=\"A4\" t=\"inlineStr\"><is><t>_x0007_</t></is></c></row>"
                    + "<row r=\"5\"><c r=\"A5\"><v>1</v></c><c r=\"D5\"><v>4</v></c></row>"
                    + "<row r=\"6\"><c r=\"B6\"><v>2</v></c></row>",
                strings: Self.strings
            ).bytes(), .exact(["practice", "amount"]))
        #expect(
            found == [
                "2:1 XLSX-5", "2:2 XLSX-5", "3:1 XLSX-5", "3:2 XLSX-5", "4:1 CSV-6", "5:4 CSV-3",
            ])
        #expect(rows(table) == [["", "2"]])
    }

    @Test("the header is held to the layout, and an empty sheet is no file")
    func header() {
        let wrong = WorkbookFile(rows: Self.header, strings: Self.strings).bytes()
        #expect(read(wrong, .exact(["practice", "month"])).1 == ["1:2 CSV-4"])
        #expect(read(wrong, .exact(["practice", "amount"])).1 == ["2:0 CSV-7"])
        #expect(read(WorkbookFile(rows: "").bytes()).1 == ["1:0 CSV-7"])
    }

    @Test("hidden sheets are passed over; the first that a person sees is read")
    func hidden() {
        let file = WorkbookFile(
            sheets:
                "<sheet name=\"Codes\" state=\"veryHidden\" r:id=\"rId9\"/><sheet name=\"Data\" r:id=\"rId1\"/>",
            worksheet:
                "<x:worksheet xmlns:x=\"y\"><x:sheetData><x:row><x:c t=\"inlineStr\"><x:is><x:t>a</x:t></x:is></x:c>"
                + "</x:row><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>", strings: nil)
        let (table, found) = read(file.bytes())
        #expect(found.isEmpty && rows(table) == [["1"]])
    }

    @Test("a CSV file and a workbook with the same cells are the same table")
    func sameAsCSV() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab,\"\n <>&é€")
        for _ in 0..<50 {
            let rows = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                ["k"]
                    + (0..<3).map { _ in
                        String(
                            (0..<Int.random(in: 0...6, using: &random)).map { _ in
                                alphabet.randomElement() ?? "a"
                            })
                    }
            }
            var writer = CSVWriter()
            for row in rows { writer.append(row.map { .plain($0) }) }
            let xml = rows.map { row in
                "<row>"
                    + row.map { cell in
                        let text = cell.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
                        return "<c t=\"inlineStr\"><is><t>\(text)</t></is></c>"
                    }.joined() + "</row>"
            }
            let layout = TableLayout.Header.none(columns: 4)
            let (csv, csvFound) = read(writer.take(), layout)
            let (workbook, found) = read(WorkbookFile(rows: xml.joined()).bytes(), layout)
            #expect(csvFound.isEmpty && found.isEmpty)
            #expect(self.rows(csv) == self.rows(workbook) && self.rows(csv) == rows)
        }
    }
}
