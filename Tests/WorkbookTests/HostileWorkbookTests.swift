import Tabular
import Testing

@testable import Workbook

@Suite("Hostile and damaged workbooks are refused")
struct HostileWorkbookTests {
    private static let row = "<row><c><v>1</v></c></row>"

    private func rules(_ bytes: [UInt8], limits: TableLimits = TableLimits()) -> [String] {
        var violations = ViolationList(limit: 100)
        _ = Table.read(
            workbook: bytes, layout: TableLayout(.none(columns: 1), origin: .person, limits: limits),
            into: &violations)
        return violations.listed.map { "\($0.row) \($0.rule)" }
    }

    @Test("a file cut short at any byte, or with any byte changed, is refused or read, and never half read")
    func damaged() {
        let sound = WorkbookFile(rows: Self.row).bytes()
        #expect(rules(sound).isEmpty)
        for length in 0..<sound.count { #expect(rules(Array(sound.prefix(length))) == ["0 XLSX-1"]) }
        for index in sound.indices {
            var bytes = sound
            bytes[index] ^= 0xFF
            let found = rules(bytes)
            #expect(found.count <= 1, "\(index): \(found)")
        }
    }

    @Test("a bomb is refused before it is unpacked")
    func bombs() {
        let spaces = String(repeating: " ", count: 4 << 20)
        let bomb = WorkbookFile(rows: spaces + Self.row)
        var limits = TableLimits()
        limits.bytes = 1 << 20
        #expect(bomb.bytes().count < 20_000)
        #expect(rules(bomb.bytes(), limits: limits) == ["0 XLSX-3"])
        #expect(rules(bomb.bytes()).isEmpty, "within the limits it is a workbook")
        // The directory lies about the size: it unpacks to more, to less, or could not unpack to so much.
        let small = WorkbookFile(rows: Self.row)
        #expect(rules(bomb.bytes(sizeStated: 500), limits: limits) == ["0 XLSX-1"])
        #expect(rules(small.bytes(sizeStated: 900_000), limits: limits) == ["0 XLSX-1"])
        #expect(rules(small.bytes(sizeStated: 0xFFFF_FFFF)) == ["0 XLSX-3"])
    }

    @Test("a short text that many cells point to fills no memory")
    func amplification() {
        var limits = TableLimits()
        limits.bytes = 100_000
        let text = "<t>" + String(repeating: "x", count: 4_000) + "</t>"
        let cells = String(repeating: "<row><c t=\"s\"><v>0</v></c></row>", count: 200)
        #expect(rules(WorkbookFile(rows: cells, strings: [text]).bytes(), limits: limits) == ["26 XLSX-3"])
    }

    @Test("entities, document types, other encodings and depth without end are refused")
    func xml() {
        let name = "xl/worksheets/sheet1.xml"
        let sheet = "<worksheet><sheetData>\(Self.row)</sheetData></worksheet>"
        let cases: [(String, String)] = [
            ("<!DOCTYPE x [<!ENTITY a \"b\">]>" + sheet, "0 XLSX-4"),
            ("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + sheet, "0 XLSX-4"),
            (String(sheet.dropLast(30)), "1 XLSX-4"),
            (sheet.replacing("<v>1</v>", with: "<v>&big;</v>"), "1 XLSX-4"),
            (sheet.replacing("<v>1</v>", with: "<v>&#0;</v>"), "1 XLSX-4"),
            (sheet.replacing("<v>1</v>", with: "<v>1</w>"), "1 XLSX-4"),
            (sheet.replacing("<v>1</v>", with: "<v>\u{1}</v>"), "1 XLSX-4"),
            (sheet.replacing("<row>", with: "<row r=\"0\">"), "0 XLSX-4"),
            (sheet.replacing("<c>", with: "<c r=\"7\">"), "1 XLSX-4"),
            (String(repeating: "<a>", count: 1_000), "0 XLSX-3"),
            ("", "0 XLSX-4"), ("text", "0 XLSX-4"),
        ]
        for (text, expected) in cases {
            var file = WorkbookFile(rows: "")
            file.replace(name, with: text)
            #expect(rules(file.bytes()) == [expected], "\(text.prefix(80))")
        }
        var latin = WorkbookFile(rows: "")
        latin.parts = latin.parts.map { $0.name == name ? ($0.name, Array("<a>".utf8) + [0xE9]) : $0 }
        #expect(rules(latin.bytes()) == ["0 XLSX-4"])
    }

    @Test("macros, wrong types, missing parts and missing sheets are refused")
    func parts() {
        func changed(_ name: String, _ from: String, _ to: String) -> [UInt8] {
            var file = WorkbookFile(rows: Self.row, strings: ["<t>a</t>"])
            #expect(file.text(of: name).contains(from))
            file.replace(name, with: file.text(of: name).replacing(from, with: to))
            return file.bytes()
        }
        let types = "[Content_Types].xml"
        #expect(rules(changed(types, "sheet.main+xml", "sheet.macroEnabled.main+xml")) == ["0 XLSX-2"])
        #expect(rules(changed(types, "worksheet+xml", "chartsheet+xml")) == ["0 XLSX-2"])
        #expect(rules(changed(types, "sharedStrings+xml", "styles+xml")) == ["0 XLSX-2"])
        #expect(rules(changed("_rels/.rels", "officeDocument\"", "other\"")) == ["0 XLSX-2"])
        #expect(rules(changed("xl/workbook.xml", "rId1", "rId7")) == ["0 XLSX-2"])
        #expect(rules(changed("xl/workbook.xml", "<sheet ", "<sheet state=\"hidden\" ")) == ["0 XLSX-2"])
        #expect(
            rules(
                changed(
                    "xl/_rels/workbook.xml.rels", "Target=\"work", "TargetMode=\"External\" Target=\"work"))
                == ["0 XLSX-2"])
        for name in WorkbookFile(rows: Self.row, strings: []).parts.map(\.name) {
            var file = WorkbookFile(rows: Self.row, strings: [])
            file.remove(name)
            #expect(rules(file.bytes()) == ["0 XLSX-2"], "\(name)")
        }
    }

    @Test("protected files, other packings and doubled parts are refused")
    func archives() {
        let file = WorkbookFile(rows: Self.row)
        #expect(rules(file.bytes(flags: 1)) == ["0 XLSX-1"])
        #expect(rules(file.bytes(method: 12)) == ["0 XLSX-1"])
        #expect(rules([0xD0, 0xCF, 0x11, 0xE0] + Array(repeating: 0, count: 600)) == ["0 XLSX-1"])
        var doubled = file
        doubled.parts.append(("XL/Workbook.xml", []))
        #expect(rules(doubled.bytes()) == ["0 XLSX-1"])
        var many = file
        many.parts += (0..<5_000).map { ("part\($0)", []) }
        #expect(rules(many.bytes()) == ["0 XLSX-3"])
    }
}
