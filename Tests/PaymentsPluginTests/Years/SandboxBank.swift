import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Bank details, the file of each run, credits that come back and are paid again, payees without details who wait.
final class SandboxBank: SandboxKind {
    let paycodes: Set = ["RTRN", "RISS"]
    private var files: [Pcs_Payments_V1_PaymentFile] = []
    private var numbers = 0

    private func bank(_ area: SandboxArea, _ subject: TestSubject) async throws
        -> Pcs_Payments_V1_BankDetailsServiceClient
    { Pcs_Payments_V1_BankDetailsServiceClient(try await area.office.transport(subject)) }

    func service(_ area: SandboxArea, _ subject: TestSubject) async throws
        -> Pcs_Payments_V1_PaymentFileServiceClient
    { Pcs_Payments_V1_PaymentFileServiceClient(try await area.office.transport(subject)) }

    func prepare(_ area: SandboxArea) async throws {
        let request = Pcs_Payments_V1_SetOriginatorRequest.with {
            $0.serviceUserNumber = "123456"
            ($0.account.sortCode, $0.account.accountNumber) = ("080000", "12345678")
            $0.account.accountName = "NHS PRIMARY CARE"
        }
        _ = try await service(area, area.office.approver).setOriginator(request)
        _ = try await service(area, area.office.submitter).setOriginator(request)
        let payees = area.practices.prefix(36) + area.networks + area.pharmacies + [SandboxArea.opticianCode]
        for code in payees { try await authorise(area, code) }
    }

    /// Puts details in force from today: recorded with the signed form, verified, authorised.
    func authorise(_ area: SandboxArea, _ code: String) async throws {
        let today = Pcs_Common_V1_Date(area.office.host.clock.today)
        let since = try area.date("2025-01-01")
        numbers += 1
        let number = String(10_000_000 + numbers * 7)
        var change = try await bank(area, area.people.bankRecorder).proposeBankDetails(
            .with {
                $0.payeeCode = code
                ($0.account.accountName, $0.account.sortCode) = ("PAYEE " + code, "08-99-99")
                ($0.account.accountNumber, $0.effectiveFrom) = (number, today)
                ($0.signatories, $0.evidenceDocumentIds, $0.reason) = (
                    ["Dr A", "Dr B"], ["doc-1"], "new details"
                )
            })
        for verifier in area.people.bankVerifiers.prefix(Int(change.verificationsNeeded)) {
            change = try await bank(area, verifier).verifyBankDetails(
                .with {
                    ($0.changeID, $0.sha256, $0.payeeConfirmation) = (change.changeID, change.sha256, .match)
                    ($0.callBackNumber, $0.callBackNumberOnFileSince, $0.calledOn) = (
                        "01642 000000", since, today
                    )
                })
        }
        change = try await bank(area, area.office.approver).authoriseBankDetails(
            .with { ($0.changeID, $0.sha256) = (change.changeID, change.sha256) })
        #expect(change.state == .authorised || change.state == .active, "\(code)")
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        switch month.description {
        // Two credits of May came back: new details, and both are paid again in a file of their own.
        case "2026-07": try await payAgain(area, Array(area.practices.prefix(2)), on: "2026-07-15")
        // Those who waited from the start for details get what is owed since.
        case "2026-12":
            let waiting = Array(area.practices.suffix(4).prefix(2))
            for code in waiting { try await authorise(area, code) }
            try await pay(area, outstanding(area).filter { waiting.contains($0.payeeCode) }, on: "2026-12-11")
        // The same payee's second attempt comes back too, and is paid a third time.
        case "2026-09": try await payAgain(area, [area.practices[0]], on: "2026-09-15")
        default: break
        }
    }

    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        let submitter = try await service(area, area.office.submitter)
        let file = try await submitter.buildPaymentFile(.with { $0.runID = run.runID })
        #expect(file.totalPence + file.held.reduce(0) { $0 + $1.pence } == run.netPence)
        try await submit(area, file)
        let today = area.office.host.clock.today
        defer { area.office.host.clock.set(today) }
        area.office.host.clock.set(try #require(run.paymentDate.calendarDate))
        if month.month == 6 {
            try await bringBack(area, file, [(area.practices[0], "B"), (area.practices[1], "0")])
        }
        if month.month == 8, let again = files.first(where: { $0.runID.isEmpty }) {
            try await bringBack(area, again, [(area.practices[0], "5")])
        }
        _ = try await area.office.runs(area.office.submitter).recordPaid(
            .with {
                ($0.runID, $0.paidOn, $0.totalPence) = (run.runID, run.paymentDate, file.totalPence)
                $0.bankReference = "BACS \(file.serial)"
            })
    }

    func submit(_ area: SandboxArea, _ file: Pcs_Payments_V1_PaymentFile) async throws {
        _ = try await service(area, area.office.submitter).recordSubmission(
            .with {
                ($0.fileID, $0.sha256, $0.submissionReference) = (
                    file.fileID, file.sha256, "sent \(file.serial)"
                )
            })
        files.append(file)
    }

    func outstanding(_ area: SandboxArea) async throws -> [Pcs_Payments_V1_OutstandingPayment] {
        var found: [Pcs_Payments_V1_OutstandingPayment] = []
        for try await payment in try await service(area, area.office.operating).listOutstandingPayments(
            .init())
        {
            found.append(payment)
        }
        return found
    }

    private func payAgain(_ area: SandboxArea, _ payees: [String], on day: String) async throws {
        for code in payees { try await authorise(area, code) }
        let owed = try await outstanding(area).filter {
            payees.contains($0.payeeCode) && $0.because.hasPrefix("returned")
        }
        #expect(owed.count == payees.count)
        try await pay(area, owed, on: day)
    }

    func pay(_ area: SandboxArea, _ payments: [Pcs_Payments_V1_OutstandingPayment], on day: String)
        async throws
    {
        let day = try area.date(day)
        let file = try await service(area, area.office.submitter).buildPaymentFile(
            .with { ($0.paymentIds, $0.paymentDate) = (payments.map(\.paymentID), day) })
        #expect(file.totalPence == payments.reduce(0) { $0 + $1.pence })
        try await submit(area, file)
    }

    /// Credits of a file that the bank sends back, found by their amounts in the file itself.
    func bringBack(
        _ area: SandboxArea, _ file: Pcs_Payments_V1_PaymentFile, _ credits: [(payee: String, code: String)]
    ) async throws {
        let details = try await details(area, file)
        let returns = try credits.map { credit in
            let found = try #require(
                details.first { $0.reference.hasPrefix(credit.payee + " ") }, "\(credit.payee)")
            return Pcs_Payments_V1_ReturnedCredit.with {
                ($0.reference, $0.pence, $0.code) = (found.reference, found.pence, credit.code)
            }
        }
        let response = try await service(area, area.office.submitter).recordReturns(
            .with { ($0.fileID, $0.returns) = (file.fileID, returns) })
        #expect(response.outstanding.count == credits.count)
    }

    /// The credits that a file holds: amount in positions 36 to 46, reference in 65 to 82 (payments.md 12.7).
    func details(
        _ area: SandboxArea, _ file: Pcs_Payments_V1_PaymentFile
    ) async throws -> [(reference: String, pence: Int64)] {
        var bytes: [UInt8] = []
        let stream = try await service(area, area.office.submitter).downloadPaymentFile(
            .with { $0.fileID = file.fileID })
        for try await chunk in stream { bytes += chunk.data }
        return bytes.split(separator: 0x0A).compactMap { line in
            let line = Array(line.filter { $0 != 0x0D })
            guard line.count == 100, line[15..<17].elementsEqual("99".utf8),
                let pence = Int64(String(decoding: line[35..<46], as: UTF8.self))
            else { return nil }
            let reference = String(decoding: line[64..<82], as: UTF8.self)
            return (String(reference.reversed().drop { $0 == " " }.reversed()), pence)
        }
    }
}
