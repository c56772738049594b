import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Statements as CSV")
struct StatementCSVTests {
    @Test("twenty columns in the order of payments.md 11")
    func header() {
        #expect(StatementCSV.columns.count == 20)
        #expect(
            String(decoding: StatementCSV.header(), as: UTF8.self)
                == "statementId,payeeOds,payeeName,contractType,paymentDate,runId,lineNo,paycode,description,"
                + "periodFrom,periodTo,quantity,"
                + "rate,basis,amount,ytdAmount,isRetro,originalMonth,sourceType,sourceRef\r\n")
    }

    @Test(
        "text that a spreadsheet would calculate is disarmed; quotes, commas and line ends are quoted",
        arguments: [
            ("Plain name", "Plain name"), ("=1+1", "'=1+1"), ("+44", "'+44"), ("-5", "'-5"),
            ("@cmd", "'@cmd"),
            ("\tx", "'\tx"), ("A, B", "\"A, B\""), ("The \"Old\" Surgery", "\"The \"\"Old\"\" Surgery\""),
            ("two\nlines", "\"two\nlines\""), ("=\"a\",b", "\"'=\"\"a\"\",b\""), ("", ""),
        ])
    func cells(text: String, cell: String) { #expect(StatementCSV.text(text) == cell) }

    @Test("a line as it is exported; negative amounts stay numbers")
    func line() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        var bytes: [UInt8] = []
        StatementCSV.append(try world.build("2026-04").statement("A81001"), to: &bytes)
        let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        #expect(
            rows == [
                "2026-04-1/A81001,A81001,Practice A81001,GMS,2026-04-30,2026-04-1,1,GSUM,Global sum,"
                    + "2026-04-01,2026-04-30,10000.00,130.07,WEIGHTED_PATIENTS/12,"
                    + "108391.67,108391.67,false,,CONTRACT,A81001-GMS version 1",
                "2026-04-1/A81001,A81001,Practice A81001,GMS,2026-04-30,2026-04-1,2,GSOOH,Out-of-hours deduction,"
                    + "2026-04-01,2026-04-30,108391.666667,-4.70,PERCENT_OF_INITIAL,"
                    + "-5094.41,-5094.41,false,,CONTRACT,A81001-GMS version 1",
            ])
    }

    @Test("what is exported is read back as the same cells")
    func roundTrip() {
        var random = SeededGenerator(seed: 21)
        let alphabet = Array("ab,\"\n\r =+-@é")
        for _ in 0..<500 {
            let texts = (0..<3).map { _ in
                "x"
                    + String(
                        (0..<Int.random(in: 0...8, using: &random)).map { _ in
                            alphabet.randomElement(using: &random) ?? "a"
                        })
            }
            let line = texts.map(StatementCSV.text).joined(separator: ",") + "\r\n"
            let table = CSVTable(Array(("a,b,c\r\n" + line).utf8), columns: ["a", "b", "c"])
            #expect(table.violations.isEmpty, "\(texts)")
            #expect(table.rows.first?.cells == texts)
        }
    }
}
