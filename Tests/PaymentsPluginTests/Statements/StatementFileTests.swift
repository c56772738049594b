import Accounting
import CommonContract
import Digests
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Tabular
import Testing

@Suite("Statements as files (payments.md 11)")
struct StatementFileTests {
    struct File {
        var name = ""
        var type = ""
        var bytes: [UInt8] = []
    }

    static func download(
        _ office: PaymentsOffice, _ code: String, _ runID: String, _ format: Pcs_Payments_V1_StatementFormat,
        collapsed: Bool = false, mark: Bool = false, as subject: TestSubject? = nil
    ) async throws -> File {
        var file = File()
        var size: Int64 = 0
        var hash = ""
        let stream = try await office.statements(subject).downloadStatement(
            .with {
                ($0.practiceCode, $0.runID, $0.format) = (code, runID, format)
                ($0.collapsed, $0.byteOrderMark) = (collapsed, mark)
            })
        for try await chunk in stream {
            if file.name.isEmpty {
                (file.name, file.type, size, hash) = (
                    chunk.fileName, chunk.contentType, chunk.size, chunk.sha256
                )
            }
            file.bytes += chunk.data
        }
        #expect(Int64(file.bytes.count) == size)
        #expect(Digest.hex(Digest.sha256(file.bytes)) == hash)
        return file
    }

    private func rows(_ file: File) -> [[String]] {
        String(decoding: file.bytes, as: UTF8.self).split(separator: "\r\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Arrears of a backdated price over the end of a financial year, on a London practice: many lines and both kinds
    /// of year to date.
    private func office(_ body: (PaymentsOffice) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.setRate("global_sum_price", "102.28", from: "2023-04-01", to: "2024-04-01")
            try await office.setRate("global_sum_price", "107.57", from: "2024-04-01", to: "2025-04-01")
            try await office.loadContracts(
                "E83003,Three \\(of) Café & Sons,GMS,2023-04-01,,16C,Y56,,Y,,3600.00,,COUNTED,,,,")
            for quarter in ["2024-01-01", "2024-04-01"] {
                try await office.loadLists(quarter, "E83003,12400,11873.42,11952")
            }
            try await office.pay("2024-02")
            try await office.pay("2024-03")
            try await office.setRate("global_sum_price", "104.73", from: "2023-04-01", to: "2024-04-01")
            try await office.pay("2024-04")
            try await body(office)
        }
    }

    @Test("the PDF holds every number of the CSV, in both forms, and nothing moves when it is made again")
    func sameNumbers() async throws {
        try await office { office in
            for collapsed in [false, true] {
                let csv = try await Self.download(office, "E83003", "2024-04-1", .csv, collapsed: collapsed)
                let pdf = try await Self.download(office, "E83003", "2024-04-1", .pdf, collapsed: collapsed)
                #expect(pdf.name == "statement-2024-04-1-E83003.pdf")
                #expect((pdf.type, csv.type) == ("application/pdf", "text/csv; charset=utf-8"))
                let again = try await Self.download(office, "E83003", "2024-04-1", .pdf, collapsed: collapsed)
                #expect(again.bytes == pdf.bytes)
                var texts = PDFText.texts(pdf.bytes).map { PDFText.plain($0) }[...]
                let rows = rows(csv).dropFirst()
                #expect(rows.count == (collapsed ? 4 : 8))
                // Line by line, in the order of the statement: quantity, rate, amount, year to date.
                for row in rows {
                    for cell in [row[7], row[11], row[12], row[14], row[15]] {
                        let place = try #require(texts.firstIndex(of: cell), "\(cell) of \(row[7])")
                        texts = texts[(place + 1)...]
                    }
                }
                let whole = PDFText.texts(pdf.bytes)
                let statement = try await office.statement("E83003", "2024-04")
                let net = rows.reduce(Int64(0)) { $0 + (Money($1[14])?.pence ?? 0) }
                #expect(statement.netPence == net)
                #expect(whole.contains("£" + grouped(Money(pence: net).description)))
                #expect(whole.contains("SHA-256 " + statement.sha256))
                #expect(whole.contains("Three \\(of) Café & Sons"))
                #expect(whole.contains { $0.hasPrefix("Page 1 of ") })
            }
        }
    }

    private func grouped(_ text: String) -> String {
        var result = ""
        let whole = text.prefix { $0 != "." }
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return result + text.dropFirst(whole.count)
    }

    @Test("the text that pdftotext reads has every amount, where that program is installed")
    func otherReader() async throws {
        let program = "/usr/bin/pdftotext"
        guard FileManager.default.isExecutableFile(atPath: program) else { return }
        try await office { office in
            let pdf = try await Self.download(office, "E83003", "2024-04-1", .pdf)
            let folder = FileManager.default.temporaryDirectory
            let file = folder.appendingPathComponent("statement-\(UUID().uuidString).pdf")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(pdf.bytes).write(to: file)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["-layout", file.path, "-"]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            for line in try await office.statement("E83003", "2024-04").lines {
                let amount = Money(pence: line.amountPence).description
                #expect(PDFText.plain(text).contains(amount), "\(line.paycode) \(amount)")
            }
            #expect(text.contains("Three \\(of) Café & Sons"))
        }
    }

    @Test(
        "the CSV has just the twenty columns, and the rows of the run's export; a byte-order mark when wanted"
    )
    func columns() async throws {
        try await office { office in
            let file = try await Self.download(office, "E83003", "2024-04-1", .csv)
            let header =
                "statementId,payeeOds,payeeName,contractType,paymentDate,runId,lineNo,paycode,description,periodFrom,"
                + "periodTo,quantity,rate,basis,amount,ytdAmount,isRetro,originalMonth,sourceType,sourceRef"
            #expect(rows(file).first?.joined(separator: ",") == header)
            var exported: [UInt8] = []
            let stream = try await office.runs().exportRun(.with { $0.runID = "2024-04-1" })
            for try await chunk in stream { exported += chunk.data }
            #expect(exported == file.bytes)
            let marked = try await Self.download(office, "E83003", "2024-04-1", .csv, mark: true)
            #expect(marked.bytes == [0xEF, 0xBB, 0xBF] + file.bytes)
            let wrong = try await refusal {
                _ = try await Self.download(office, "?", "2024-04-1", .unspecified, mark: true)
            }
            #expect(wrong.violations.map(\.field) == ["practice_code", "format"])
        }
    }

    @Test(
        "year to date is shown on the cash basis, and on the period basis where arrears of another year were paid"
    )
    func bothBases() async throws {
        try await office { office in
            let lines = try await office.statement("E83003", "2024-04").lines.filter { $0.paycode == "GSUM" }
            // April itself, then what February and March were short of, both paid in the new year.
            #expect(lines.map(\.isRetro) == [false, true, true])
            let old = try await office.statement("E83003", "2024-03").lines[0]
            #expect(old.yearToDatePence == 2 * old.amountPence)
            #expect(old.yearToDatePeriodPence == old.yearToDatePence)
            #expect(lines[0].yearToDatePence == lines[0].amountPence)
            #expect(lines[0].yearToDatePeriodPence == lines[0].amountPence)
            #expect(lines[2].yearToDatePence == lines.map(\.amountPence).reduce(0, +))
            #expect(
                lines[2].yearToDatePeriodPence
                    == old.yearToDatePence + lines[1].amountPence + lines[2].amountPence)
            let pdf = try await Self.download(office, "E83003", "2024-04-1", .pdf)
            let shown = PDFText.texts(pdf.bytes).map { PDFText.plain($0) }
            #expect(
                shown.contains("for the year " + Money(pence: lines[2].yearToDatePeriodPence).description))
        }
    }

    @Test("a long statement goes over pages, each with its number and the hash")
    func pages() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,PMS,2024-01-01,,16C,Y63,,,,,,,FIXED,1200.00,,")
            for month in 0..<40 { try await office.pay(try month0(month)) }
            try await office.loadContracts("A81001,One,PMS,2024-01-01,,16C,Y63,,,,,,,FIXED,2400.00,,")
            let last = try await office.pay(try month0(40))
            let pdf = try await Self.download(office, "A81001", last.runID, .pdf)
            let texts = PDFText.texts(pdf.bytes)
            let numbers = texts.filter { $0.hasPrefix("Page ") }
            #expect(numbers.count >= 2 && numbers.last == "Page \(numbers.count) of \(numbers.count)")
            #expect(texts.count { $0.hasPrefix("SHA-256 ") } == numbers.count)
            #expect(texts.count { $0 == "PMSB" } == 41)
        }
    }

    private func month0(_ index: Int) throws -> String {
        try month("2024-01").adding(months: index).description
    }
}
