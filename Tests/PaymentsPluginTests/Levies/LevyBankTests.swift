import CaseworkContract
import CaseworkPlugin
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Committees have bank details of their own (payments.md 9.6, 12.5)")
struct LevyBankTests {
    private func proposal(_ change: (inout Pcs_Payments_V1_ProposeBankDetailsRequest) -> Void = { _ in })
        -> Pcs_Payments_V1_ProposeBankDetailsRequest
    {
        var request = Pcs_Payments_V1_ProposeBankDetailsRequest.with {
            $0.payeeCode = LevyOffice.committee
            ($0.account.accountName, $0.account.sortCode) = ("CLEVELAND LMC", "08-99-99")
            $0.account.accountNumber = "66374958"
            $0.effectiveFrom = .on("2026-04-01")
            ($0.signatories, $0.reason) = (["Lena Chair", "Theo Treasurer"], "first details")
        }
        change(&request)
        return request
    }

    @Test("without details the committee is held; with details signed, verified and authorised its levies are paid over")
    func wholeLife() async throws {
        try await LevyOffice.with { desk in
            let office = desk.office
            try await desk.setExample11()
            try await office.setOriginator()
            try await office.setDetails("A81001", "66374974")
            let april = try await office.pay("2026-04")
            let first = try await office.files(office.submitter).buildPaymentFile(.with { $0.runID = april.runID })
            let held = try #require(first.held.first { $0.payeeCode == LevyOffice.committee })
            #expect(held.because == "no verified bank details" && held.pence == 39_493)

            // The committee's own people sign; nobody of another committee can.
            let lena = try await office.bank(desk.viewer)
            var change = try await lena.proposeBankDetails(proposal())
            #expect(change.state == .draft && change.signedBy == ["Lena Chair"])
            #expect(change.account.accountNumber == "****4958" && change.account.sortCode.isEmpty)
            let signing = Pcs_Payments_V1_SignBankDetailsRequest.with {
                ($0.changeID, $0.payeeCode) = (change.changeID, LevyOffice.committee)
                ($0.sha256, $0.signatory) = (change.sha256, "Theo Treasurer")
            }
            let alone = try await refusal { _ = try await lena.signBankDetails(signing) }
            #expect(alone.reason == HostReasons.secondPersonRequired)
            let stranger = try await office.host.person(
                "otto", roles: [Roles.lmcViewer], at: LevyOffice.otherCommittee)
            let denied = try await refusal { _ = try await office.bank(stranger).signBankDetails(signing) }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
            let early = try await refusal {
                _ = try await office.bank(office.approver).authoriseBankDetails(
                    .with { ($0.changeID, $0.sha256) = (change.changeID, change.sha256) })
            }
            #expect(early.reason == PaymentsReasons.bankChangeStateWrong)
            let theo = try await office.host.person("theo", roles: [Roles.lmcViewer], at: LevyOffice.committee)
            change = try await office.bank(theo).signBankDetails(signing)
            #expect(change.state == .submitted)

            // The same checks as for everybody: nobody who signed takes a later step.
            let both = try await office.host.grant([Roles.paymentsOperator], at: "PCS", to: theo).acting(for: "PCS")
            let own = try await refusal {
                _ = try await office.bank(both).verifyBankDetails(
                    .with {
                        ($0.changeID, $0.sha256, $0.payeeConfirmation) = (change.changeID, change.sha256, .match)
                        ($0.callBackNumber, $0.callBackNumberOnFileSince) = ("01642 000000", .on("2025-01-01"))
                        $0.calledOn = .on("2026-03-02")
                    })
            }
            #expect(own.reason == HostReasons.secondPersonRequired)
            #expect(try await office.authorise(change).state == .authorised)
            let seen = try await lena.getBankDetails(
                .with { ($0.payeeCode, $0.at) = (LevyOffice.committee, .on("2026-04-01")) })
            #expect(seen.inForce.account.accountNumber == "****4958" && seen.changes.count == 1)

            // The first payment to it is looked at, and goes with a reference of its own.
            let may = try await office.calculate(try await office.open("2026-05").runID)
            let exceptions = try await office.exceptions(may.runID).filter { $0.kind == .newBankDetails }
            #expect(exceptions.map(\.practiceCode) == [LevyOffice.committee])
            try await office.approve(may)
            let second = try await office.files(office.submitter).buildPaymentFile(.with { $0.runID = may.runID })
            #expect(!second.held.map(\.payeeCode).contains(LevyOffice.committee))
            let statement = try await office.statement(LevyOffice.committee, "2026-05", as: desk.viewer)
            #expect(statement.bankAccountLastFour == "4958" && statement.bankReference == "LOCALLMC1 2605-1")
            #expect(shown(statement.lines) == ["LMCP 345.55", "LMCP 49.36"])
            // What was held in April is paid by a file beside the monthly one.
            let beside = try await office.files(office.submitter).buildPaymentFile(
                .with { ($0.paymentIds, $0.paymentDate) = ([held.paymentID], .on("2026-05-15")) })
            #expect(beside.credits == 1 && beside.totalPence == 39_493)
        }
    }

    @Test("an account that a practice has too needs a reason, and old details are not paid while they are frozen")
    func shared() async throws {
        try await LevyOffice.with { desk in
            let office = desk.office
            try await desk.setExample11()
            try await office.setDetails("A81001", "66374958")
            let change = try await office.bank(desk.viewer).proposeBankDetails(
                proposal {
                    $0.signatories = ["Lena Chair"]
                    $0.singleSignatoryReason = "the chair signs alone by the committee's rules"
                })
            #expect(change.state == .submitted)
            let refused = try await refusal { try await office.authorise(change) }
            #expect(refused.reason == PaymentsReasons.bankDetailsRefused && refused.message.contains("A81001"))
        }
    }

    @Test("what happens to an account is told to the people who read the payee's statements, whatever the payee is")
    func messages() async throws {
        try await PaymentsOffice.with(plugins: [PaymentsPlugin.self, CaseworkPlugin.self]) { office in
            try await office.host.loadOrganisations()
            try await LevyOffice.registerCommittees(office)
            let readers = [
                try await office.host.person("lena", roles: [Roles.lmcViewer], at: LevyOffice.committee),
                try await office.host.person("nia", roles: [Roles.pcnViewer], at: "U89141"),
                try await office.host.person("pat", roles: [Roles.practiceStatements], at: "A81001"),
            ]
            for (reader, number) in zip(readers, ["66374958", "66374974", "66374990"]) {
                let code = try #require(reader.actingFor)
                let change = try await office.bank(reader).proposeBankDetails(
                    proposal {
                        ($0.payeeCode, $0.signatories) = (code, ["Only One"])
                        $0.singleSignatoryReason = "there is no other partner"
                        $0.account.accountNumber = number
                    })
                #expect(change.state == .submitted)
            }
            try await office.host.eventsDelivered()
            for reader in readers {
                let client = Pcs_Casework_V1_MessageServiceClient(try await office.transport(reader))
                let titles = try await client.listMessages(.init()).messages.map(\.title)
                #expect(titles == ["Bank details of \(reader.actingFor ?? "")"])
            }
        }
    }

    @Test("a reference has room for another attempt, also with the longest code")
    func reference() throws {
        func reference(_ code: String) throws -> String {
            PaymentFileBuilding.reference(
                try #require(ODSCode(code)), try #require(YearMonth(iso8601: "2026-04")), number: 1)
        }
        #expect(try reference("A81001") == "A81001 2604-1")
        #expect(try reference("LOCALLMC1") == "LOCALLMC1 2604-1")
        #expect(try reference("LOCALNOTTSHR") == "L-NOTTSHR 2604-1")
        for code in ["LOCALNOTTSHR", "LOCALABCDEF", "LOCALABCDE"] {
            let text = try reference(code)
            #expect(text.utf8.count <= 17 && BacsText.field(text, 18).contains(text))
        }
    }
}
