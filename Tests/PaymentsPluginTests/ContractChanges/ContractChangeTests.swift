import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Contract changes and stop instructions, through the public door (payments.md 2.4)")
struct ContractChangeTests {
    struct Desk {
        let office: PaymentsOffice
        let editor: TestSubject
        let approver: TestSubject
        let second: TestSubject

        func service(_ subject: TestSubject? = nil) async throws
            -> Pcs_Payments_V1_ContractChangeServiceClient
        {
            Pcs_Payments_V1_ContractChangeServiceClient(try await office.transport(subject ?? editor))
        }

        func variations(_ subject: TestSubject) async throws -> Pcs_Payments_V1_VariationServiceClient {
            Pcs_Payments_V1_VariationServiceClient(try await office.transport(subject))
        }

        /// Monthly payments, approved; their ids by paycode.
        func monthly(_ rows: String...) async throws -> [String: String] {
            let header =
                "practiceCode,paycode,narrative,paymentType,amount,firstPaymentMonth,lastPaymentMonth,totalAmount,"
                + "nppPaymentMonth,nppQofFinancialYear\n"
            let upload = try await variations(editor).uploadVariations([
                .with {
                    ($0.commissionerCode, $0.fileName) = ("16C", "cv.csv")
                    $0.data = Data((header + rows.joined(separator: "\n") + "\n").utf8)
                }
            ])
            _ = try await variations(editor).submitVariations(
                .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, "16C") })
            _ = try await variations(approver).decideVariations(
                .with {
                    ($0.uploadID, $0.commissionerCode, $0.approve) = (upload.uploadID, "16C", true)
                    $0.sha256 = upload.sha256
                })
            var ids: [String: String] = [:]
            for try await row in try await variations(editor).listVariations(
                .with { $0.commissionerCode = "16C" })
            {
                ids[row.paycode] = row.variationID
            }
            return ids
        }

        func draft(
            _ code: String = "A81001", kind: Pcs_Payments_V1_ContractChangeKind = .type, from text: String,
            _ change: (inout Pcs_Payments_V1_ContractChangeContents) throws -> Void = { _ in }
        ) async throws -> Pcs_Payments_V1_ContractChange {
            var contents = Pcs_Payments_V1_ContractChangeContents()
            contents.kind = kind
            contents.reason = "agreed with the contractor"
            contents.effectiveFrom = Pcs_Common_V1_Date(try day(text))
            try change(&contents)
            return try await service().draftContractChange(
                .with { ($0.practiceCode, $0.contents) = (code, contents) })
        }

        func submit(_ change: Pcs_Payments_V1_ContractChange) async throws -> Pcs_Payments_V1_ContractChange {
            try await service().submitContractChange(
                .with { ($0.practiceCode, $0.changeID) = (change.practiceCode, change.changeID) })
        }

        func decide(
            _ change: Pcs_Payments_V1_ContractChange, as subject: TestSubject, approve: Bool = true
        ) async throws -> Pcs_Payments_V1_ContractChange {
            try await service(subject).decideContractChange(
                .with {
                    ($0.practiceCode, $0.changeID, $0.version) = (
                        change.practiceCode, change.changeID, change.version
                    )
                    ($0.approve, $0.reason) = (approve, approve ? "" : "figures missing")
                })
        }

        /// Submitted, authorised and approved by a second person.
        func enact(_ draft: Pcs_Payments_V1_ContractChange) async throws -> Pcs_Payments_V1_ContractChange {
            _ = try await decide(try await submit(draft), as: approver)
            return try await decide(draft, as: second)
        }

        /// Field and rule of everything for which a draft cannot be submitted.
        func breaches(of draft: Pcs_Payments_V1_ContractChange) async throws -> [String] {
            let failure = try await refusal { _ = try await submit(draft) }
            return failure.violations.map { "\($0.field) \($0.rule)" }
        }

        func close(_ revision: Pcs_Payments_V1_ContractRevision) async throws -> Pcs_Payments_V1_ContractRevision {
            try await office.contracts(approver).decideContractRevision(
                .with {
                    ($0.practiceCode, $0.revisionID, $0.approve) = (revision.practiceCode, revision.revisionID, true)
                })
        }

        func get(_ change: Pcs_Payments_V1_ContractChange) async throws -> Pcs_Payments_V1_ContractChange {
            try await service().getContractChange(
                .with { ($0.practiceCode, $0.changeID) = (change.practiceCode, change.changeID) })
        }

        /// Lines of a statement, without those of networks.
        func lines(_ month: String, _ code: String = "A81001") async throws -> [String] {
            shown(try await office.statement(code, month).lines.filter { $0.paycode != "NPP" })
        }
    }

    static func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(
                "A81001,One,PMS,2026-01-01,,16C,Y63,,,,,,,FIXED,120000.00,,",
                "A81002,Two,GMS,2026-01-01,,16C,Y63,,Y,,,,,,,,")
            try await body(
                Desk(
                    office: office,
                    editor: try await office.host.person(
                        "eddie", roles: [Roles.commissionerEditor], at: "16C"),
                    approver: try await office.host.person(
                        "cas", roles: [Roles.commissionerApprover], at: "16C"),
                    second: try await office.host.person(
                        "dee", roles: [Roles.commissionerApprover], at: "16C")))
        }
    }

    private static func apms(
        _ contents: inout Pcs_Payments_V1_ContractChangeContents, pence: Int64 = 15_000_000
    ) throws {
        contents.validTo = Pcs_Common_V1_Date(try day("2030-04-01"))
        contents.terms = .with {
            ($0.contractType, $0.practiceName) = (.apms, "One")
            ($0.baselineBasis, $0.baselineAnnualPence) = (.fixed, pence)
        }
    }

    @Test(
        "a change of type closes the old contract, stops what the new type does not know, and is applied by the next run"
    )
    func wholeLife() async throws {
        try await Self.withDesk { desk in
            let ids = try await desk.monthly(
                "A81001,SENI,seniority,MONTHLY,100.00,2026-03,,,,",
                "A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,",
                "A81001,LIS,winter scheme,MONTHLY,50.00,2026-03,,,,")
            try await desk.office.pay("2026-03")
            #expect(try await desk.lines("2026-03").count == 4)
            let draft = try await desk.draft(from: "2026-05-01") { contents in
                try Self.apms(&contents)
                contents.stopVariationIds = [ids["LIS"] ?? ""]
            }
            #expect(
                draft.state == .draft && draft.version == 1 && draft.fromType == .pms && draft.toType == .apms
            )
            let early = try await refusal { _ = try await desk.decide(draft, as: desk.approver) }
            #expect(early.reason == PaymentsReasons.contractChangeStateWrong)
            let submitted = try await desk.submit(draft)
            #expect(submitted.state == .submitted)
            let effects = submitted.payments.map {
                "\($0.paycodeBefore) \($0.paycodeAfter) \($0.because.prefix(5))"
            }
            #expect(Set(effects) == ["SENIG  2.4: ", "LISG  named", "PRNTG PRNTA "])
            let both = try await desk.office.host.grant(
                [Roles.commissionerApprover], at: "16C", to: desk.editor)
            let own = try await refusal { _ = try await desk.decide(draft, as: both) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            #expect(try desk.office.published(Pcs_Payments_V1_ContractChangeAuthorised.self).isEmpty)
            let authorised = try await desk.decide(draft, as: desk.approver)
            #expect(authorised.state == .submitted && authorised.authorisedBy == "cas")
            let again = try await refusal { _ = try await desk.decide(draft, as: desk.approver) }
            #expect(again.reason == HostReasons.secondPersonRequired)
            let approved = try await desk.decide(draft, as: desk.second)
            #expect(
                approved.state == .approved && approved.secondApprovedBy == "dee"
                    && approved.contractVersion > 0)

            // The performers team is told with the second approval, and not before.
            let told = try desk.office.published(Pcs_Payments_V1_ContractChangeAuthorised.self)
            #expect(told.map(\.changeID) == [draft.changeID] && told[0].practiceCode == "A81001")
            #expect(told[0].kind == .type && told[0].fromType == .pms && told[0].toType == .apms)
            #expect(told[0].effectiveFrom.calendarDate == (try day("2026-05-01")))
            #expect(told[0].authorisedBy == "cas" && told[0].secondApprovedBy == "dee")

            try await desk.office.pay("2026-04")
            #expect(
                try await desk.lines("2026-04") == [
                    "PMSB 10000.00", "SENI 100.00", "PRNT 1000.00", "LIS 50.00",
                ])
            let applied = try await desk.get(draft)
            #expect(applied.state == .applied && applied.appliedInRunID == "2026-04-1")
            try await desk.office.pay("2026-05")
            #expect(try await desk.lines("2026-05") == ["APMSB 12500.00", "PRNT 1000.00"])
            #expect(applied.history.map(\.step) == ["drafted", "submitted", "authorised", "approved"])
            let listed = try await desk.service().listContractChanges(.with { $0.practiceCode = "A81001" })
            #expect(listed.changes.map(\.changeID) == [draft.changeID])
        }
    }

    @Test(
        "a change from a day already paid makes differences; only another request takes it back, with its stops"
    )
    func pastAndReversed() async throws {
        try await Self.withDesk { desk in
            _ = try await desk.monthly("A81001,SENI,seniority,MONTHLY,100.00,2026-03,,,,")
            try await desk.office.pay("2026-03")
            let late = try await desk.draft(from: "2026-03-01") { try Self.apms(&$0) }
            try await desk.office.host.advance(days: 10)
            let refused = try await refusal { _ = try await desk.submit(late) }
            #expect(refused.violations.map(\.field) == ["contents.accept_recovery"])
            let redrafted = try await desk.service().draftContractChange(
                .with {
                    ($0.practiceCode, $0.changeID, $0.contents) = ("A81001", late.changeID, late.contents)
                    $0.contents.acceptRecovery = true
                })
            #expect(redrafted.version == 2)
            _ = try await desk.enact(redrafted)
            try await desk.office.pay("2026-04")
            #expect(
                try await desk.lines("2026-04") == [
                    "APMSB 12500.00", "PMSB -10000.00", "APMSB 12500.00", "SENI -100.00",
                ])
            let reversal = try await desk.draft(kind: .reversal, from: "2026-03-01") {
                $0.reversesChangeID = late.changeID
            }
            #expect(try await desk.enact(reversal).state == .approved)
            let reversed = try await desk.get(late)
            #expect(reversed.state == .reversed && reversed.reversedByChangeID == reversal.changeID)
            try await desk.office.pay("2026-05")
            let may = try await desk.lines("2026-05")
            #expect(may.prefix(2) == ["PMSB 10000.00", "SENI 100.00"])
            #expect(
                may.filter { $0 == "PMSB 10000.00" }.count == 3
                    && may.filter { $0 == "APMSB -12500.00" }.count == 2)
            #expect(may.filter { $0 == "SENI 100.00" }.count == 3)
            let twice = try await desk.draft(kind: .reversal, from: "2026-03-01") {
                $0.reversesChangeID = late.changeID
            }
            let gone = try await refusal { _ = try await desk.submit(twice) }
            #expect(gone.violations.map(\.field) == ["contents.reverses_change_id"])
        }
    }

    @Test(
        "a stop instruction stops the payments it names from a month on, nine working days before the payment"
    )
    func stopInstruction() async throws {
        try await Self.withDesk { desk in
            let ids = try await desk.monthly(
                "A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,",
                "A81001,LIS,winter scheme,MONTHLY,50.00,2026-03,,,,")
            let none = try await desk.draft(kind: .stop, from: "2026-04-01") {
                $0.stopVariationIds = ["unknown"]
            }
            let unknown = try await refusal { _ = try await desk.submit(none) }
            #expect(unknown.violations.map(\.field) == ["contents.stop_variation_ids"])
            try await desk.office.pay("2026-03")
            // Paid on 30 April: in time up to 17 April.
            let draft = try await desk.draft(kind: .stop, from: "2026-04-01") {
                $0.stopVariationIds = [ids["PRNT"] ?? ""]
            }
            try await desk.office.host.advance(days: 32)
            _ = try await desk.submit(draft)
            let returned = try await desk.decide(draft, as: desk.approver, approve: false)
            #expect(returned.state == .returned)
            let again = try await desk.service().draftContractChange(
                .with {
                    ($0.practiceCode, $0.changeID, $0.contents) = ("A81001", draft.changeID, draft.contents)
                })
            let stale = try await refusal {
                _ = try await desk.decide(try await desk.submit(again), as: desk.approver)
                // Of the first draft, which is no longer the present one.
                _ = try await desk.decide(draft, as: desk.second)
            }
            #expect(stale.reason == PaymentsReasons.contractChangeStateWrong)
            #expect(try await desk.decide(again, as: desk.second).payments.map(\.stops) == [true])
            let other = try await desk.submit(
                try await desk.draft(kind: .stop, from: "2026-04-01") {
                    $0.stopVariationIds = [ids["LIS"] ?? ""]
                })
            _ = try await desk.decide(other, as: desk.approver)
            try await desk.office.host.advance(days: 1)
            let tooLate = try await refusal { _ = try await desk.decide(other, as: desk.second) }
            #expect(tooLate.violations.map(\.rule) == ["2.3"])
            try await desk.office.pay("2026-04")
            #expect(try await desk.lines("2026-04") == ["PMSB 10000.00", "LIS 50.00"])
        }
    }

    @Test("a reversal gives back the stop that held before the change, and a stop instruction can be reversed too")
    func stopsGivenBack() async throws {
        try await Self.withDesk { desk in
            let ids = try await desk.monthly(
                "A81001,SENI,seniority,MONTHLY,100.00,2026-03,,,,",
                "A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,")
            _ = try await desk.variations(desk.approver).stopVariation(
                .with {
                    ($0.variationID, $0.commissionerCode) = (ids["SENI"] ?? "", "16C")
                    ($0.fromMonth, $0.reason) = (.with { ($0.year, $0.month) = (2026, 6) }, "ends in May")
                })
            let change = try await desk.enact(try await desk.draft(from: "2026-05-01") { try Self.apms(&$0) })
            let stop = try await desk.enact(
                try await desk.draft(kind: .stop, from: "2026-05-01") {
                    $0.stopVariationIds = [ids["PRNT"] ?? ""]
                })
            let stopReversal = try await desk.draft(kind: .reversal, from: "2026-05-01") {
                $0.reversesChangeID = stop.changeID
            }
            #expect(try await desk.enact(stopReversal).state == .approved)
            #expect(try await desk.get(stop).state == .reversed)
            let reversal = try await desk.draft(kind: .reversal, from: "2026-05-01") {
                $0.reversesChangeID = change.changeID
            }
            #expect(try await desk.enact(reversal).state == .approved)
            for month in ["2026-03", "2026-04", "2026-05", "2026-06"] { try await desk.office.pay(month) }
            #expect(try await desk.lines("2026-05") == ["PMSB 10000.00", "SENI 100.00", "PRNT 1000.00"])
            #expect(try await desk.lines("2026-06") == ["PMSB 10000.00", "PRNT 1000.00"])
        }
    }

    private static func broken(_ contents: inout Pcs_Payments_V1_ContractChangeContents) throws {
        try globalSum(&contents)
        contents.validTo = Pcs_Common_V1_Date(try day("2028-04-01"))
        contents.reason = ""
    }

    private static func globalSum(_ contents: inout Pcs_Payments_V1_ContractChangeContents) throws {
        contents.terms.contractType = .gms
        contents.terms.practiceName = "One"
    }

    @Test("the rules of a change of type are all named at once")
    func rules() async throws {
        try await Self.withDesk { desk in
            let broken = try await desk.draft(from: "2026-05-02", Self.broken)
            let found = try await desk.breaches(of: broken)
            #expect(
                found.sorted() == [
                    "contents.effective_from 2.4", "contents.effective_from CON05", "contents.reason reason",
                    "contents.valid_to 2.1",
                ])
            // The global sum starts on a quarter day: 1 May is none, 1 July is.
            let early = try await desk.draft(from: "2026-05-01", Self.globalSum)
            let earlyFaults = try await desk.breaches(of: early)
            #expect(earlyFaults == ["contents.effective_from CON05"])
            let inTime = try await desk.submit(try await desk.draft(from: "2026-07-01", Self.globalSum))
            #expect(inTime.state == .submitted)
            let same = try await desk.draft("A81002", from: "2026-07-01", Self.globalSum)
            let sameFaults = try await desk.breaches(of: same)
            #expect(sameFaults == ["contents.terms.contract_type 2.4"])
        }
    }

    @Test("a commissioner asks for its own practices only")
    func foreign() async throws {
        try await Self.withDesk { desk in
            let other = try await desk.office.host.person("ola", roles: [Roles.commissionerEditor], at: "02Q")
            let service = try await desk.service(other)
            let failure = try await refusal {
                _ = try await service.listContractChanges(.with { $0.practiceCode = "A81001" })
            }
            #expect(failure.reason.name == "ORGANISATION_OUT_OF_SCOPE")
        }
    }

    @Test("2.2: a contract does not close while a claim is undecided, or approved and unpaid")
    func openClaims() async throws {
        try await Self.withDesk { desk in
            let admin = try await desk.office.host.person(
                "ann", roles: [Roles.practiceClaimsAdmin], at: "A81001")
            let claims = Pcs_Payments_V1_ClaimServiceClient(try await desk.office.transport(admin))
            let deciding = Pcs_Payments_V1_ClaimServiceClient(try await desk.office.transport(desk.approver))
            let (first, last) = (try day("2026-03-01"), try day("2026-03-31"))
            let claim = try await claims.createClaim(
                .with {
                    $0.claim = .with {
                        ($0.practiceCode, $0.type, $0.amountPence) = ("A81001", .actualRent, 100_000)
                        ($0.invoiceNumber, $0.evidenceDocumentIds) = ("R-1", ["doc-1"])
                        $0.periodFrom = Pcs_Common_V1_Date(first)
                        $0.periodTo = Pcs_Common_V1_Date(last)
                    }
                })
            _ = try await claims.submitClaim(
                .with { ($0.claimID, $0.practiceCode) = (claim.claimID, "A81001") })
            let from = Pcs_Common_V1_Date(try day("2026-05-01"))
            let revision = try await desk.office.contracts().reviseContract(
                .with {
                    ($0.practiceCode, $0.effectiveFrom, $0.endContract) = ("A81001", from, true)
                    $0.reason = "the practice closes"
                })
            let submitted = try await refusal { _ = try await desk.close(revision) }
            #expect(
                submitted.reason == PaymentsReasons.claimsOpen && submitted.message.contains(claim.claimID))
            _ = try await deciding.decideClaim(
                .with {
                    ($0.claimID, $0.practiceCode, $0.version) = (claim.claimID, "A81001", 1)
                    ($0.decision, $0.reason) = (.approve, "checked")
                })
            #expect(try await refusal { _ = try await desk.close(revision) }.reason == PaymentsReasons.claimsOpen)
            try await desk.office.pay("2026-03")
            #expect(try await desk.close(revision).state == .approved)
            try await desk.office.pay("2026-04")
            try await desk.office.pay("2026-05")
            let closed = try await refusal { _ = try await desk.lines("2026-05") }
            #expect(closed.reason == PaymentsReasons.statementUnknown)
        }
    }
}
