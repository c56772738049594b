import Accounting
import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Payment on 30 April, cut-off on the 17th, so that details count that are authorised by the 15th.
@Suite("Which bank details a run pays to (payments.md 12.1, 12.5)")
struct RunDetailsTests {
    private static func row(_ code: String) -> String {
        "\(code),PRACTICE \(code),GMS,2004-04-01,,16C,Y63,\(code),Y,N,0,0,NONE,,,,N"
    }

    /// One practice that is paid to the account ending 4958.
    private func office(_ body: (PaymentsOffice) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(Self.row("A81001"))
            try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0")
            try await office.setOriginator()
            try await office.setDetails("A81001", "66374958")
            try await body(office)
        }
    }

    private func newDetails(_ office: PaymentsOffice, _ runID: String) async throws -> [String] {
        try await office.exceptions(runID).filter { $0.kind == .newBankDetails }.map(\.message)
    }

    @Test("details authorised after the cut-off less two working days wait for the next run, where they are looked at")
    func authorisedLate() async throws {
        try await office { office in
            office.host.clock.set(try day("2026-04-14"))
            let change = try await office.verifyDetails(
                try await office.proposeDetails("A81001", "66374974", from: "2026-04-14"))
            let opened = try await office.open("2026-04")
            office.host.clock.set(try day("2026-04-16"))
            _ = try await office.authoriseDetails(change)
            office.host.clock.set(try day("2026-04-18"))
            let run = try await office.calculate(opened.runID)
            #expect(try await newDetails(office, run.runID).allSatisfy { $0.contains("4958") })
            try await office.approve(run)
            let file = try await office.build(run)
            #expect(try await office.credits(of: file)["A81001 2604-1"]?.account == "66374958")
            office.host.clock.set(try day("2026-05-18"))
            let next = try await office.calculate(try await office.open("2026-05").runID)
            let looked = try await newDetails(office, next.runID)
            #expect(looked.count == 1 && looked.allSatisfy { $0.contains("4974") })
            try await office.approve(next)
            let second = try await office.build(next)
            #expect(try await office.credits(of: second)["A81001 2605-1"]?.account == "66374974")
        }
    }

    @Test("on the last day details are in time")
    func authorisedInTime() async throws {
        try await office { office in
            office.host.clock.set(try day("2026-04-14"))
            let change = try await office.verifyDetails(
                try await office.proposeDetails("A81001", "66374974", from: "2026-04-14"))
            office.host.clock.set(try day("2026-04-15"), hour: 23)
            _ = try await office.authoriseDetails(change)
            office.host.clock.set(try day("2026-04-18"))
            let run = try await office.pay("2026-04")
            let file = try await office.build(run)
            #expect(try await office.credits(of: file)["A81001 2604-1"]?.account == "66374974")
        }
    }

    @Test("details authorised after a run was calculated are not used by it: nobody has looked at them")
    func calculatedEarly() async throws {
        try await office { office in
            office.host.clock.set(try day("2026-04-01"))
            let run = try await office.calculate(try await office.open("2026-04").runID)
            office.host.clock.set(try day("2026-04-02"))
            try await office.setDetails("A81001", "66374974", from: "2026-04-02")
            try await office.approve(run)
            let file = try await office.build(run)
            #expect(try await office.credits(of: file)["A81001 2604-1"]?.account == "66374958")
        }
    }

    @Test("a change can be rejected, with a reason, until it takes effect; the payee is told, and nothing is paid to it")
    func rejectAuthorised() async throws {
        try await office { office in
            let change = try await office.setDetails("A81001", "66374974", from: "2026-04-10")
            let reason = "the letterhead is forged"
            let none = try await refusal {
                _ = try await office.bank(office.operating).rejectBankDetails(.with { $0.changeID = change.changeID })
            }
            #expect(none.violations.map(\.field) == ["reason"])
            let rejected = try await office.bank(office.operating).rejectBankDetails(
                .with { ($0.changeID, $0.reason) = (change.changeID, reason) })
            #expect(rejected.state == .rejected && rejected.rejectedBecause == reason)
            #expect(rejected.authorisedBy == "adam")
            let told = try office.published(Pcs_Casework_V1_MessagePosted.self).filter {
                $0.messageKey.hasSuffix("rejected")
            }
            #expect(told.count == 1 && told.allSatisfy { $0.organisationCode == "A81001" && $0.body.contains(reason) })
            office.host.clock.set(try day("2026-04-18"))
            let file = try await office.build(try await office.pay("2026-04"))
            #expect(try await office.credits(of: file)["A81001 2604-1"]?.account == "66374958")
            let again = try await refusal {
                _ = try await office.bank(office.operating).rejectBankDetails(
                    .with { ($0.changeID, $0.reason) = (change.changeID, reason) })
            }
            #expect(again.reason == PaymentsReasons.alreadyDecided)
        }
    }

    @Test("details in effect are frozen, not rejected")
    func rejectActive() async throws {
        try await office { office in
            office.host.clock.set(try day("2026-04-01"))
            let known = try await office.bank(office.operating).getBankDetails(.with { $0.payeeCode = "A81001" })
            let active = try await refusal {
                _ = try await office.bank(office.operating).rejectBankDetails(
                    .with { ($0.changeID, $0.reason) = (known.inForce.changeID, "forged") })
            }
            #expect(active.reason == PaymentsReasons.bankChangeStateWrong)
            #expect(active.message.contains("freeze"))
        }
    }

    @Test("the cooling-off is counted from the calendar, whether or not the month's run is open")
    func coolingOff() async throws {
        try await PaymentsOffice.with { office in
            office.host.clock.set(try day("2026-03-31"))
            #expect(
                try await office.proposeDetails("A81001", "66374958", from: "2026-04-30").verificationsNeeded == 1)
            // Ten working days before the 17th, with Good Friday and Easter Monday in between.
            office.host.clock.set(try day("2026-04-01"))
            let near = try await office.proposeDetails("A81002", "66374958", from: "2026-04-30")
            #expect(near.verificationsNeeded == 2)
            #expect(near.risks.contains { $0.contains("cut-off") })
            office.host.clock.set(try day("2026-04-18"))
            #expect(
                try await office.proposeDetails("A81003", "66374958", from: "2026-04-30").verificationsNeeded == 1)
        }
    }

    @Test("those are told who can read of it: by the kind of payee")
    func whoIsTold() async throws {
        try await LevyOffice.with { levies in
            let office = levies.office
            let from = Pcs_Common_V1_Date(try day("2020-01-01"))
            _ = try await Pcs_Payments_V1_OphthalmicServiceClient(try await office.transport(office.operating))
                .registerContractor(
                    .with {
                        ($0.contractorCode, $0.name, $0.commissionerCode) = ("OPT01", "Clear Sight Ltd", "16C")
                        ($0.committeeName, $0.effectiveFrom) = ("Tees Local Optical Committee", from)
                    })
            let expected: [(String, Pcs_Access_V1_Role)] = [
                ("A81001", .practiceStatements), ("U89141", .pcnViewer), ("OPT01", .contractorStatements),
                (LevyOffice.committee, .lmcViewer),
            ]
            for (index, entry) in expected.enumerated() {
                try await office.setDetails(entry.0, "6637495\(index)")
            }
            let messages = try office.published(Pcs_Casework_V1_MessagePosted.self)
            for (code, role) in expected {
                let told = messages.filter { $0.organisationCode == code }
                #expect(told.map(\.role) == [role, role], "\(code)")
            }
        }
    }

    @Test("two people sign, or somebody says why one suffices; nobody has compared them with the performers list")
    func signatories() async throws {
        try await PaymentsOffice.with { office in
            func propose(_ names: [String], _ reason: String) async throws -> Pcs_Payments_V1_BankDetailsChange {
                try await office.proposeDetails("A81001", "66374958", from: "2026-04-30") {
                    ($0.signatories, $0.singleSignatoryReason) = (names, reason)
                }
            }
            let alone = try await refusal { _ = try await propose(["Dr A"], "") }
            #expect(alone.violations.map(\.field) == ["single_signatory_reason"])
        }
        try await PaymentsOffice.with { office in
            let twice = try await refusal {
                _ = try await office.proposeDetails("A81001", "66374958", from: "2026-04-30") {
                    $0.signatories = ["Dr A", "DR  A"]
                }
            }
            #expect(twice.violations.map(\.field) == ["signatories"])
        }
        try await PaymentsOffice.with { office in
            let change = try await office.proposeDetails("A81001", "66374958", from: "2026-04-30") {
                ($0.signatories, $0.singleSignatoryReason) = (["Dr A"], "a contractor who practises alone")
            }
            #expect(change.risks.contains { $0.hasPrefix("signatories_not_compared") })
            #expect(change.risks.contains("one signatory alone: a contractor who practises alone"))
            let two = try await office.proposeDetails("A81002", "66374958", from: "2026-04-30")
            #expect(two.risks.contains { $0.hasPrefix("signatories_not_compared") })
            #expect(!two.risks.contains { $0.hasPrefix("one signatory") })
        }
    }

    @Test("an address that changed within thirty days of a change of bank details is a risk")
    func contactChanged() async throws {
        try await PaymentsOffice.with { office in
            for (code, text) in [("A81001", "2026-03-01"), ("A81002", "2026-01-02"), ("A81003", "2026-04-10")] {
                let date = Pcs_Common_V1_Date(try day(text))
                try await office.host.store(of: "host").write(actor: "test") { transaction in
                    let event = Pcs_Host_V1_OrganisationChanged.with {
                        ($0.code, $0.kind, $0.effectiveOn) = (code, .moved, date)
                    }
                    try transaction.publish(event, key: code)
                }
            }
            try await office.host.eventsDelivered()
            func risky(_ code: String) async throws -> Bool {
                try await office.proposeDetails(code, "66374958", from: "2026-04-30").risks.contains {
                    $0.hasPrefix("contact_changed")
                }
            }
            #expect(try await risky("A81001"))
            #expect(try await !risky("A81002"))
            #expect(try await risky("A81003"))
        }
    }

    @Test("12.8: the commissioner of a network verifies its details, of no practice and of no other area's network")
    func commissionerVerifies() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let editor = try await office.host.person("eddie", roles: [Roles.commissionerEditor], at: "16C")
            let stranger = try await office.host.person("sue", roles: [Roles.commissionerEditor], at: "00L")
            let change = try await office.proposeDetails("U89141", "66374958", from: "2026-04-30")
            var request = try office.verification(of: change)
            let unnamed = try await refusal { _ = try await office.bank(editor).verifyBankDetails(request) }
            #expect(unnamed.reason.code == .permissionDenied)
            request.payeeCode = "U89141"
            let denied = try await refusal { _ = try await office.bank(stranger).verifyBankDetails(request) }
            #expect(denied.reason.code == .permissionDenied)
            let verified = try await office.bank(editor).verifyBankDetails(request)
            #expect(verified.verifications.map(\.verifiedFor) == ["16C"])
            #expect(verified.account.accountNumber == "****4958" && verified.account.sortCode.isEmpty)
            let practice = try await office.proposeDetails("A81001", "66374959", from: "2026-04-30")
            var other = try office.verification(of: practice)
            other.payeeCode = "A81001"
            let refused = try await refusal { _ = try await office.bank(editor).verifyBankDetails(other) }
            #expect(refused.violations.map(\.field) == ["payee_code"])
            // Named as the network's, another payee's change is not there.
            other.payeeCode = "U89141"
            let hidden = try await refusal { _ = try await office.bank(editor).verifyBankDetails(other) }
            #expect(hidden.reason == HostReasons.notFound)
        }
    }
}
