import Accounting
import Tabular
import Testing

@testable import PaymentsPlugin

@Suite("Statements as CSV")
struct StatementCSVTests {
    @Test("twenty columns in the order of payments.md 11")
    func header() {
        #expect(StatementCSV.columns.count == 20)
        var writer = CSVWriter()
        StatementCSV.appendHeader(to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == "statementId,payeeOds,payeeName,contractType,paymentDate,runId,lineNo,paycode,description,"
                + "periodFrom,periodTo,quantity,"
                + "rate,basis,amount,ytdAmount,isRetro,originalMonth,sourceType,sourceRef\r\n")
    }

    @Test("a line as it is exported; negative amounts stay numbers")
    func line() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        var writer = CSVWriter()
        StatementCSV.append(try world.build("2026-04").statement("A81001"), to: &writer)
        let rows = String(decoding: writer.bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
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
}
