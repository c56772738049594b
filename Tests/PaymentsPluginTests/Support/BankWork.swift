import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

/// What the people of the bank do: details put in force, files built and sent, returns recorded.
extension PaymentsOffice {
    func bank(_ subject: TestSubject) async throws -> Pcs_Payments_V1_BankDetailsServiceClient {
        Pcs_Payments_V1_BankDetailsServiceClient(try await transport(subject))
    }

    func files(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_PaymentFileServiceClient {
        Pcs_Payments_V1_PaymentFileServiceClient(try await transport(subject ?? submitter))
    }

    // MARK: Bank details

    /// Recorded by an operator with the signed form.
    func proposeDetails(
        _ code: String, _ number: String, from: String,
        _ change: (inout Pcs_Payments_V1_ProposeBankDetailsRequest) -> Void = { _ in }
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        let recorder = try await host.person(
            "rec-\(code)-\(number)".lowercased(), roles: [Roles.paymentsOperator])
        let from = Pcs_Common_V1_Date(try day(from))
        var request = Pcs_Payments_V1_ProposeBankDetailsRequest.with {
            $0.payeeCode = code
            ($0.account.accountName, $0.account.sortCode) = ("PAYEE " + code, "08-99-99")
            ($0.account.accountNumber, $0.effectiveFrom) = (number, from)
            ($0.signatories, $0.evidenceDocumentIds) = (["Dr A", "Dr B"], ["doc-1"])
            $0.reason = "new details"
        }
        change(&request)
        return try await bank(recorder).proposeBankDetails(request)
    }

    /// By as many people as the change needs.
    func verifyDetails(_ proposed: Pcs_Payments_V1_BankDetailsChange) async throws
        -> Pcs_Payments_V1_BankDetailsChange
    {
        var change = proposed
        for number in 0..<proposed.verificationsNeeded {
            let verifier = try await host.person(
                "ver-\(number)-\(change.changeID.suffix(8))".lowercased(), roles: [Roles.paymentsOperator])
            change = try await bank(verifier).verifyBankDetails(try verification(of: change))
        }
        return change
    }

    func verification(of change: Pcs_Payments_V1_BankDetailsChange) throws -> Pcs_Payments_V1_VerifyBankDetailsRequest {
        let (since, called) = (try day("2025-01-01"), try day("2026-03-02"))
        return .with {
            ($0.changeID, $0.sha256, $0.payeeConfirmation) = (change.changeID, change.sha256, .match)
            ($0.callBackNumber, $0.callBackNumberOnFileSince) = ("01642 000000", Pcs_Common_V1_Date(since))
            $0.calledOn = Pcs_Common_V1_Date(called)
        }
    }

    func authoriseDetails(_ change: Pcs_Payments_V1_BankDetailsChange) async throws
        -> Pcs_Payments_V1_BankDetailsChange
    {
        try await bank(approver).authoriseBankDetails(
            .with { ($0.changeID, $0.sha256) = (change.changeID, change.sha256) })
    }

    /// Details in force from a day: proposed, verified, authorised.
    @discardableResult
    func setDetails(_ code: String, _ number: String, from: String = "2026-04-01") async throws
        -> Pcs_Payments_V1_BankDetailsChange
    {
        try await authoriseDetails(try await verifyDetails(try await proposeDetails(code, number, from: from)))
    }

    // MARK: Files

    func setOriginator() async throws {
        let request = Pcs_Payments_V1_SetOriginatorRequest.with {
            $0.serviceUserNumber = "123456"
            ($0.account.sortCode, $0.account.accountNumber) = ("080000", "12345678")
            $0.account.accountName = "NHS PRIMARY CARE"
        }
        #expect(try await files(approver).setOriginator(request).inForce == false)
        let same = try await refusal { _ = try await files(approver).setOriginator(request) }
        #expect(same.reason == HostReasons.secondPersonRequired)
        #expect(try await files().setOriginator(request).inForce)
    }

    func build(_ run: Pcs_Payments_V1_Run, on text: String? = nil) async throws -> Pcs_Payments_V1_PaymentFile {
        let date = try text.map { Pcs_Common_V1_Date(try day($0)) }
        return try await files().buildPaymentFile(
            .with {
                $0.runID = run.runID
                if let date { $0.paymentDate = date }
            })
    }

    func build(_ payments: [String], on text: String) async throws -> Pcs_Payments_V1_PaymentFile {
        let date = Pcs_Common_V1_Date(try day(text))
        return try await files().buildPaymentFile(.with { ($0.paymentIds, $0.paymentDate) = (payments, date) })
    }

    @discardableResult
    func submit(
        _ file: Pcs_Payments_V1_PaymentFile, as subject: TestSubject? = nil, sentOn text: String? = nil
    ) async throws -> Pcs_Payments_V1_PaymentFile {
        let sent = try text.map { Pcs_Common_V1_Date(try day($0)) }
        return try await files(subject).recordSubmission(
            .with {
                ($0.fileID, $0.sha256, $0.submissionReference) = (file.fileID, file.sha256, "sent")
                if let sent { $0.submittedOn = sent }
            })
    }

    /// The payments of a file that was never sent, in another one.
    func rebuild(
        _ file: Pcs_Payments_V1_PaymentFile, on text: String
    ) async throws -> Pcs_Payments_V1_PaymentFile {
        let date = Pcs_Common_V1_Date(try day(text))
        return try await files().buildPaymentFile(
            .with { ($0.replacesFileID, $0.paymentDate) = (file.fileID, date) })
    }

    @discardableResult
    func bringBack(
        _ file: Pcs_Payments_V1_PaymentFile, _ reference: String, _ pence: Int64, code: String
    ) async throws -> [Pcs_Payments_V1_OutstandingPayment] {
        try await files().recordReturns(
            .with {
                $0.fileID = file.fileID
                $0.returns = [.with { ($0.reference, $0.pence, $0.code) = (reference, pence, code) }]
            }
        ).outstanding
    }

    /// Credits of a file by their reference: account number and pence.
    func credits(of file: Pcs_Payments_V1_PaymentFile) async throws -> [String: (account: String, pence: Int64)] {
        var bytes: [UInt8] = []
        for try await chunk in try await files().downloadPaymentFile(.with { $0.fileID = file.fileID }) {
            bytes += chunk.data
        }
        var found: [String: (account: String, pence: Int64)] = [:]
        for line in bytes.split(separator: 0x0A).map({ Array($0.filter { $0 != 0x0D }) })
        where line.count == 100 && line[15..<17].elementsEqual("99".utf8) {
            func text(_ range: Range<Int>) -> String { String(decoding: line[range], as: UTF8.self) }
            let reference = text(64..<82).trimmingCharacters(in: .whitespaces)
            found[reference] = (text(6..<14), Int64(text(35..<46)) ?? -1)
        }
        return found
    }

    func outstanding() async throws -> [Pcs_Payments_V1_OutstandingPayment] {
        var found: [Pcs_Payments_V1_OutstandingPayment] = []
        for try await payment in try await files(operating).listOutstandingPayments(.init()) { found.append(payment) }
        return found
    }

    /// The journal of some days.
    func journal(_ from: String, _ to: String) async throws -> String {
        let (from, to) = (Pcs_Common_V1_Date(try day(from)), Pcs_Common_V1_Date(try day(to)))
        var text = ""
        for try await chunk in try await files(operating).exportJournal(.with { ($0.from, $0.to) = (from, to) }) {
            text += String(decoding: chunk.data, as: UTF8.self)
        }
        return text
    }

    @discardableResult
    func recordPaid(
        _ run: Pcs_Payments_V1_Run, total: Int64, on text: String? = nil
    ) async throws -> Pcs_Payments_V1_Run {
        let date = try text.map { Pcs_Common_V1_Date(try day($0)) } ?? run.paymentDate
        return try await runs(submitter).recordPaid(
            .with {
                ($0.runID, $0.totalPence, $0.bankReference) = (run.runID, total, "BACS 1")
                $0.paidOn = date
            })
    }

    // MARK: What others are told

    /// What payments has published of a type, oldest first.
    func published<Event: SwiftProtobuf.Message>(_: Event.Type = Event.self) throws -> [Event] {
        try host.store(of: "payments").read { reader in
            try reader.all(
                Statement("SELECT payload FROM pcs_outbox WHERE event_type = ?1 ORDER BY sequence"),
                [.text(Event.protoMessageName)]
            ) { try Event(serializedBytes: $0.blob(0)) }
        }
    }
}
