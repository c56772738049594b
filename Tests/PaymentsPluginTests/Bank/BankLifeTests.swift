import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Bank details, payment file, returns, journal (payments.md 12.5 to 12.7)")
struct BankLifeTests {
    private func row(_ code: String) -> String {
        "\(code),PRACTICE \(code),GMS,2004-04-01,,16C,Y63,\(code),Y,N,0,0,NONE,,,,N"
    }

    private func dated(_ text: String) -> Pcs_Common_V1_Date {
        CalendarDate(iso8601: text).map { Pcs_Common_V1_Date($0) } ?? Pcs_Common_V1_Date()
    }

    private func load(_ office: PaymentsOffice) async throws {
        try await office.loadContracts(row("A81001"), row("A81002"))
        try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0", "A81002,4000,4100.50,0")
    }

    @Test("a run is paid by a file, one payee is held; a returned credit freezes, and is paid again")
    func wholeLife() async throws {
        try await PaymentsOffice.with { office in
            try await load(office)
            try await office.setOriginator()
            try await office.setDetails("A81001", "66374958")
            let run = try await office.pay("2026-04")
            let built = try await office.files().buildPaymentFile(.with { $0.runID = run.runID })
            #expect(built.credits == 1 && built.held.map(\.payeeCode) == ["A81002"])
            #expect(built.held.first?.because == "no verified bank details")
            #expect(built.totalPence + (built.held.first?.pence ?? 0) == run.netPence)
            let again = try await refusal {
                _ = try await office.files().buildPaymentFile(.with { $0.runID = run.runID })
            }
            #expect(again.reason == PaymentsReasons.paymentFileStateWrong)
            let submitted = try await office.files().recordSubmission(
                .with {
                    ($0.fileID, $0.sha256) = (built.fileID, built.sha256)
                    $0.submissionReference = "sent 1"
                })
            #expect(submitted.submittedBy == "sam")
            // A credit comes back: nothing more is paid to that account.
            let reference = "A81001 2604-1"
            let returned = try await office.files().recordReturns(
                .with {
                    $0.fileID = built.fileID
                    $0.returns = [.with { ($0.reference, $0.pence, $0.code) = (reference, built.totalPence, "B") }]
                })
            #expect(returned.outstanding.map(\.because) == ["returned: account closed"])
            let payment = try #require(returned.outstanding.first?.paymentID)
            let frozen = try await refusal {
                _ = try await office.files().buildPaymentFile(
                    .with {
                        $0.paymentIds = [payment]
                        $0.paymentDate = dated("2026-05-15")
                    })
            }
            #expect(frozen.violations.first?.message.contains("frozen") == true)
            office.host.clock.advance(milliseconds: 1_000)
            try await office.setDetails("A81001", "66374974")
            let second = try await office.files().buildPaymentFile(
                .with {
                    $0.paymentIds = [payment]
                    $0.paymentDate = dated("2026-05-15")
                })
            #expect(second.credits == 1 && second.totalPence == built.totalPence)
            // The next statement shows the return and the second payment, which come to nothing.
            let next = try await office.pay("2026-05")
            let lines = try await office.statement("A81001", "2026-05").lines
            let pair = lines.filter { ["RTRN", "RISS"].contains($0.paycode) }
            #expect(pair.map(\.amountPence) == [built.totalPence, -built.totalPence])
            #expect(next.netPence == run.netPence)
            try await journalBalances(office, runs: [run, next])
        }
    }

    @Test("a claim whose payment the bank sent back says so until it is paid again")
    func returnedClaim() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await load(office)
            try await office.setOriginator()
            try await office.setDetails("A81001", "66374958")
            let desk = ClaimsDesk(
                office: office,
                admin: try await office.host.person("ann", roles: [Roles.practiceClaimsAdmin], at: "A81001"),
                viewer: try await office.host.person("vic", roles: [Roles.practiceClaimsViewer], at: "A81001"),
                approver: try await office.host.person("cas", roles: [Roles.commissionerApprover], at: "16C"))
            let (from, to) = (dated("2026-04-01"), dated("2026-04-30"))
            let claim = try await desk.submit(
                .with {
                    ($0.practiceCode, $0.type, $0.amountPence) = ("A81001", .actualRent, 100_000)
                    ($0.invoiceNumber, $0.evidenceDocumentIds) = ("R-1", ["doc-1"])
                    ($0.periodFrom, $0.periodTo) = (from, to)
                })
            _ = try await desk.decide(claim, .approve)
            func state() async throws -> Pcs_Payments_V1_ClaimState {
                try await desk.claims(desk.viewer).getClaim(desk.step(claim)).state
            }
            let run = try await office.pay("2026-04")
            let file = try await office.build(run)
            try await office.submit(file)
            #expect(try await state() == .inRun)
            office.host.clock.set(try day("2026-05-02"))
            try await office.recordPaid(run, total: file.totalPence)
            #expect(try await state() == .paid)
            let returned = try await office.bringBack(file, "A81001 2604-1", file.totalPence, code: "B")
            #expect(try await state() == .paymentReturned)
            office.host.clock.advance(milliseconds: 1_000)
            try await office.setDetails("A81001", "66374974", from: "2026-05-05")
            let payment = try #require(returned.first?.paymentID)
            _ = try await office.build([payment], on: "2026-05-15")
            #expect(try await state() == .paid)
        }
    }

    private func journalBalances(_ office: PaymentsOffice, runs: [Pcs_Payments_V1_Run]) async throws {
        var text = ""
        for try await chunk in try await office.files(office.operating).exportJournal(.init()) {
            text += String(decoding: chunk.data, as: UTF8.self)
        }
        var payees = 0
        for entry in text.components(separatedBy: "\n\n") where entry.contains("    ") {
            var sum = 0
            for line in entry.split(separator: "\n") where line.hasPrefix("    ") {
                let parts = line.components(separatedBy: "GBP ")
                let amount = try #require(parts.last?.split(separator: " ").first)
                let pence = try #require(Int(amount.replacingOccurrences(of: ".", with: "")))
                sum += pence
                if line.contains("liabilities:payees"), entry.contains(" run ") { payees += pence }
            }
            #expect(sum == 0, "\(entry)")
        }
        #expect(payees == -Int(runs.map(\.netPence).reduce(0, +)))
    }

    @Test("nobody takes two steps, an invalid account is refused, only the last four digits are shown")
    func separation() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await load(office)
            let weights = "089000 089999 MOD10 0 0 0 0 0 0 7 1 3 7 1 3 7 1\n"
            let table = try await office.bank(office.editor).loadModulusTables([
                .with { ($0.table, $0.fileName, $0.data) = (.weights, "weights.txt", Data(weights.utf8)) }
            ])
            #expect(table.rows == 1)
            let practice = try await office.host.person("pat", roles: [Roles.practiceStatements], at: "A81001")
            let proposed = try await office.bank(practice).proposeBankDetails(
                .with {
                    $0.payeeCode = "A81001"
                    ($0.account.accountName, $0.account.sortCode) = ("DR PAT", "089999")
                    $0.account.accountNumber = "66374959"
                    $0.effectiveFrom = dated("2026-06-01")
                    ($0.signatories, $0.reason) = (["Dr Pat"], "new bank")
                    $0.singleSignatoryReason = "a contractor who practises alone"
                })
            #expect(proposed.state == .submitted)
            #expect(proposed.account.accountNumber == "****4959" && proposed.account.sortCode.isEmpty)
            let verify = Pcs_Payments_V1_VerifyBankDetailsRequest.with {
                ($0.changeID, $0.sha256, $0.payeeConfirmation) = (proposed.changeID, proposed.sha256, .match)
                $0.callBackNumber = "01642 000000"
                $0.callBackNumberOnFileSince = dated("2025-01-01")
                $0.calledOn = dated("2026-03-02")
            }
            let invalid = try await refusal { _ = try await office.bank(office.operating).verifyBankDetails(verify) }
            #expect(invalid.reason == PaymentsReasons.bankDetailsRefused)
            let young = try await refusal {
                var request = verify
                request.callBackNumberOnFileSince = dated("2026-02-01")
                _ = try await office.bank(office.operating).verifyBankDetails(request)
            }
            #expect(young.violations.map(\.field) == ["call_back_number_on_file_since"])
            let early = try await refusal {
                _ = try await office.bank(office.approver).authoriseBankDetails(
                    .with { ($0.changeID, $0.sha256) = (proposed.changeID, proposed.sha256) })
            }
            #expect(early.reason == PaymentsReasons.bankChangeStateWrong)
            let changed = try await refusal {
                _ = try await office.bank(office.operating).rejectBankDetails(.with { $0.changeID = "nothing" })
            }
            #expect(changed.reason == HostReasons.fieldInvalid || changed.reason == HostReasons.notFound)
        }
    }
}
