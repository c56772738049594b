import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Files of dispensing")
struct DispensingFileTests {
    private func faults(_ rows: [String]) throws -> [String] {
        let text = DispensingFile.columns.joined(separator: ",") + "\n" + rows.joined(separator: "\n") + "\n"
        let file = DispensingFile(month: try month("2025-04")) { $0.value != "A81009" }
        return file.read(Array(text.utf8)).violations.listed.map { "\($0.rule) \($0.row):\($0.field)" }
    }

    @Test(
        "each rule of the monthly data, by row and column",
        arguments: [
            ("X,2025-04,DISPENSING,1,1,1.00,0,0", "DSP01 2:practice_code"),
            ("A81009,2025-04,DISPENSING,1,1,1.00,0,0", "DSP01 2:practice_code"),
            ("A81001,2025-05,DISPENSING,1,1,1.00,0,0", "DSP02 2:dispensing_month"),
            ("A81001,2025-04,SELLING,1,1,1.00,0,0", "DSP03 2:kind"),
            ("A81001,2025-04,DISPENSING,-1,1,1.00,0,0", "DSP04 2:prescriptions"),
            ("A81001,2025-04,DISPENSING,1.5,1,1.00,0,0", "DSP04 2:prescriptions"),
            ("A81001,2025-04,DISPENSING,1,0,1.00,0,0", "DSP05 2:practitioners"),
            ("A81001,2025-04,DISPENSING,1,,1.00,0,0", "DSP05 2:practitioners"),
            ("A81001,2025-04,DISPENSING,1,1,1.001,0,0", "DSP06 2:basic_price"),
            ("A81001,2025-04,DISPENSING,1,1,1.00,1.01,0", "DSP07 2:vat_base"),
            ("A81001,2025-04,DISPENSING,1,1,1.00,x,0", "DSP07 2:vat_base"),
            ("A81001,2025-04,DISPENSING,1,1,1.00,0,-1", "DSP08 2:charges_collected"),
        ])
    func rules(row: String, expected: String) throws { #expect(try faults([row]) == [expected]) }

    @Test("all faults of all rows are listed together; the second row of a practice and kind is one")
    func together() throws {
        let good = "A81001,2025-04,DISPENSING,1,1,1.00,0,0"
        #expect(try faults([good, "A81001,2025-04,PRESCRIBING,1,1,1.00,1.00,0"]).isEmpty)
        #expect(
            try faults([good, good, ",2025-04,NONE,1,501,1.00,0,"]) == [
                "DSP01 3:practice_code", "DSP01 4:practice_code", "DSP03 4:kind", "DSP05 4:practitioners",
                "DSP08 4:charges_collected",
            ])
        let empty = DispensingFile(month: try month("2025-04")) { _ in true }.read([])
        #expect(!empty.violations.isEmpty)
    }

    private func bandFaults(_ rows: [String]) -> [String] {
        let text =
            DispensingBandFile.columns.joined(separator: ",") + "\n" + rows.joined(separator: "\n") + "\n"
        return DispensingBandFile.read(Array(text.utf8)).violations.listed.map {
            "\($0.rule) \($0.row):\($0.field)"
        }
    }

    @Test(
        "each rule of the bands, by row and column",
        arguments: [
            ("TAX,2025-04-01,,1,,1,P,S,", "BND01 2:scale"),
            ("DISCOUNT,2025-04-02,,1,,1,P,S,", "BND02 2:effective_from"),
            ("DISCOUNT,2025-04-01,2025-04-01,1,,1,P,S,", "BND02 2:effective_to"),
            ("DISCOUNT,2025-04-01,,2,,1,P,S,", "BND03 2:lower"),
            ("DISCOUNT,2025-04-01,,1,100,1,P,S,", "BND03 2:upper"),
            ("DISCOUNT,2025-04-01,,1,,100.01,P,S,", "BND04 2:value"),
            ("DISPENSING_FEE,2025-04-01,,1,,-1,P,S,", "BND04 2:value"),
            ("DISPENSING_FEE,2025-04-01,,1,,1.00001,P,S,", "BND04 2:value"),
            ("DISCOUNT,2025-04-01,,1,,1,Q,S,", "BND05 2:grade"),
            ("DISCOUNT,2025-04-01,,1,,1,P,\(String(repeating: "s", count: 201)),", "BND06 2:source"),
        ])
    func bands(row: String, expected: String) { #expect(bandFaults([row]) == [expected]) }

    @Test("bands of a scale and first day leave no gap, do not overlap, and end together")
    func contiguous() {
        let (first, last) = ("DISCOUNT,2025-04-01,,1,10,1,P,S,", "DISCOUNT,2025-04-01,,11,,2,P,S,")
        #expect(bandFaults([last, first]).isEmpty)
        #expect(bandFaults([first, "DISCOUNT,2025-04-01,,12,,2,P,S,"]) == ["BND03 3:lower"])
        #expect(bandFaults([first, "DISCOUNT,2025-04-01,,10,,2,P,S,"]) == ["BND03 3:lower"])
        #expect(bandFaults([first, "DISCOUNT,2025-04-01,2025-10-01,11,,2,P,S,"]) == ["BND02 3:effective_to"])
        // Another first day is another edition.
        #expect(bandFaults([first, last, "DISCOUNT,2025-10-01,,1,,2,P,S,"]).isEmpty)
    }
}
