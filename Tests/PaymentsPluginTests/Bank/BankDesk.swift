import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Bank details and payment files, as the people of the office deal with them.
extension PaymentsOffice {
    func bank(_ subject: TestSubject) async throws -> Pcs_Payments_V1_BankDetailsServiceClient {
        Pcs_Payments_V1_BankDetailsServiceClient(try await transport(subject))
    }

    func files(_ subject: TestSubject) async throws -> Pcs_Payments_V1_PaymentFileServiceClient {
        Pcs_Payments_V1_PaymentFileServiceClient(try await transport(subject))
    }

    /// Details recorded by an operator with the signed form, verified, authorised.
    @discardableResult
    func authoriseAccount(
        _ code: String, _ number: String, from: String = "2026-04-01"
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        let recorder = try await host.person("rec-\(code)-\(number)".lowercased(), roles: [Roles.paymentsOperator])
        let change = try await bank(recorder).proposeBankDetails(
            .with {
                $0.payeeCode = code
                ($0.account.accountName, $0.account.sortCode) = ("PRACTICE " + code, "08-99-99")
                $0.account.accountNumber = number
                $0.effectiveFrom = .on(from)
                ($0.signatories, $0.evidenceDocumentIds) = (["Dr A", "Dr B"], ["doc-1"])
                $0.reason = "first details"
            })
        #expect(change.state == .submitted)
        return try await authorise(change)
    }

    /// Verifies a submitted change, as often as it needs, and authorises it.
    @discardableResult
    func authorise(
        _ change: Pcs_Payments_V1_BankDetailsChange
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        for number in 0..<change.verificationsNeeded {
            let verifier = try await host.person(
                "ver-\(change.payeeCode)-\(number)-\(change.changeID.suffix(4))".lowercased(),
                roles: [Roles.paymentsOperator])
            _ = try await bank(verifier).verifyBankDetails(
                .with {
                    ($0.changeID, $0.sha256, $0.payeeConfirmation) = (change.changeID, change.sha256, .match)
                    ($0.callBackNumber, $0.callBackNumberOnFileSince) = ("01642 000000", .on("2025-01-01"))
                    $0.calledOn = .on("2026-03-02")
                })
        }
        return try await bank(approver).authoriseBankDetails(
            .with { ($0.changeID, $0.sha256) = (change.changeID, change.sha256) })
    }

    func setOriginator() async throws {
        let request = Pcs_Payments_V1_SetOriginatorRequest.with {
            $0.serviceUserNumber = "123456"
            ($0.account.sortCode, $0.account.accountNumber) = ("080000", "12345678")
            $0.account.accountName = "NHS PRIMARY CARE"
        }
        #expect(try await files(approver).setOriginator(request).inForce == false)
        let same = try await refusal { _ = try await files(approver).setOriginator(request) }
        #expect(same.reason == HostReasons.secondPersonRequired)
        #expect(try await files(submitter).setOriginator(request).inForce)
    }
}

extension Pcs_Common_V1_Date {
    /// Of a text in a test, `2026-04-01`; unset when it is none.
    static func on(_ text: String) -> Pcs_Common_V1_Date {
        CalendarDate(iso8601: text).map { Pcs_Common_V1_Date($0) } ?? Pcs_Common_V1_Date()
    }
}
