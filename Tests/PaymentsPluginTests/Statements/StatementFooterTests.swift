import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("What stands below a statement: how it was paid (payments.md 11)")
struct StatementFooterTests {
    private func withRun(_ body: (PaymentsOffice, Pcs_Payments_V1_Run) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            for code in ["A81001", "A81002"] {
                try await office.loadContracts("\(code),P \(code),PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            }
            try await office.setOriginator()
            try await office.setDetails("A81001", "66374958")
            try await body(office, try await office.pay("2026-04"))
        }
    }

    /// The texts below the lines, from "Payment" on.
    private func footer(_ office: PaymentsOffice, _ code: String) async throws -> [String] {
        let pdf = try await StatementFileTests.download(office, code, "2026-04-1", .pdf)
        let texts = PDFText.texts(pdf.bytes)
        return Array(texts[(try #require(texts.firstIndex(of: "Payment")))...].prefix(9))
    }

    private func words(date: String = "30 Apr 2026", account: String, reference: String) -> [String] {
        [
            "Payment", "Payment date", date, "Account ending", account, "Bacs reference", reference,
            "Debt carried on", "0.00",
        ]
    }

    @Test("before a file there is no account; then its last four, the reference and the day; a held payee says so")
    func wholeLife() async throws {
        try await withRun { office, run in
            let before = try await office.statement("A81001", "2026-04")
            #expect(before.bankAccountLastFour.isEmpty && before.bankReference.isEmpty)
            #expect(
                try await footer(office, "A81001")
                    == words(account: "not in a payment file yet", reference: "none"))

            let file = try await office.files(office.submitter).buildPaymentFile(.with { $0.runID = run.runID })
            #expect(
                try await footer(office, "A81001") == words(account: "4958", reference: "A81001 2604-1"))
            #expect(
                try await footer(office, "A81002") == words(account: "held: no bank details", reference: "none"))
            let after = try await office.statement("A81001", "2026-04")
            #expect(after.bankAccountLastFour == "4958" && after.bankReference == "A81001 2604-1")
            // The payment is no part of the statement.
            #expect(after.sha256 == before.sha256)

            // What the bank sent back is not shown as paid.
            _ = try await office.files(office.submitter).recordSubmission(
                .with {
                    ($0.fileID, $0.sha256) = (file.fileID, file.sha256)
                    $0.submissionReference = "sent 1"
                })
            let returned = try await office.files(office.submitter).recordReturns(
                .with {
                    $0.fileID = file.fileID
                    $0.returns = [
                        .with { ($0.reference, $0.pence, $0.code) = ("A81001 2604-1", file.totalPence, "B") }
                    ]
                })
            #expect(
                try await footer(office, "A81001") == words(account: "returned by the bank", reference: "none"))
            #expect(try await office.statement("A81001", "2026-04").bankAccountLastFour.isEmpty)

            // Paid again on another day, to another account.
            office.host.clock.advance(milliseconds: 1_000)
            try await office.setDetails("A81001", "66374974")
            _ = try await office.files(office.submitter).buildPaymentFile(
                .with {
                    $0.paymentIds = returned.outstanding.map(\.paymentID)
                    $0.paymentDate = .on("2026-05-15")
                })
            #expect(
                try await footer(office, "A81001")
                    == words(date: "15 May 2026", account: "4974", reference: "A81001 2604-11"))
            #expect(try await office.statement("A81001", "2026-04").sha256 == before.sha256)
        }
    }

    @Test("a statement that comes to nothing is in no file, and says that there is nothing to pay")
    func nothing() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,PMS,2026-03-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await office.pay("2026-03")
            // Never a contract at all: what was paid comes back, more than April's.
            try await office.loadContracts("A81001,One,PMS,2026-03-01,,16C,Y63,,,,,,,FIXED,12.00,,")
            try await office.pay("2026-04")
            #expect(try await office.statement("A81001", "2026-04").netPence == 0)
            let pdf = try await StatementFileTests.download(office, "A81001", "2026-04-1", .pdf)
            #expect(PDFText.texts(pdf.bytes).contains("nothing to pay"))
        }
    }
}
