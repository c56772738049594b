import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Withholding and set-off through the public door (payments.md 12.4)")
struct WithholdingTests {
    private struct Desk {
        let office: PaymentsOffice
        let editor: TestSubject
        let approver: TestSubject

        func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_WithholdingServiceClient {
            Pcs_Payments_V1_WithholdingServiceClient(try await office.transport(subject))
        }

        func propose(
            _ change: (inout Pcs_Payments_V1_ProposeWithholdingRequest) -> Void
        ) async throws -> Pcs_Payments_V1_Withholding {
            var request = Pcs_Payments_V1_ProposeWithholdingRequest()
            (request.payeeCode, request.reason) = ("A81001", "list validation not returned")
            request.firstMonth = .with { ($0.year, $0.month) = (2026, 3) }
            change(&request)
            return try await service(editor).proposeWithholding(request)
        }

        func step(_ id: String, approve: Bool = true) -> Pcs_Payments_V1_DecideWithholdingRequest {
            .with {
                ($0.withholdingID, $0.payeeCode, $0.approve) = (id, "A81001", approve)
                $0.reason = approve ? "" : "not this one"
            }
        }

        func hold(
            _ change: (inout Pcs_Payments_V1_ProposeWithholdingRequest) -> Void
        ) async throws -> Pcs_Payments_V1_Withholding {
            let proposed = try await propose(change)
            return try await service(approver).decideWithholding(step(proposed.withholdingID))
        }

        func release(_ id: String) async throws {
            _ = try await service(editor).proposeRelease(
                .with { ($0.withholdingID, $0.payeeCode, $0.reason) = (id, "A81001", "returned now") })
            let released = try await service(approver).decideRelease(step(id))
            #expect(released.state == .released)
        }

        func list() async throws -> [Pcs_Payments_V1_Withholding] {
            try await service(editor).listWithholdings(.with { $0.payeeCode = "A81001" }).withholdings
        }

        func lines(_ month: String) async throws -> [String] {
            shown(try await office.statement("A81001", month).lines.filter { $0.paycode != "NPP" })
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await body(
                Desk(
                    office: office,
                    editor: try await office.host.person(
                        "eddie", roles: [Roles.commissionerEditor], at: "16C"),
                    approver: try await office.host.person(
                        "cas", roles: [Roles.commissionerApprover], at: "16C")))
        }
    }

    @Test(
        "lines of a paycode are held in every run until released, then given back whole; the lines themselves stay"
    )
    func paycode() async throws {
        try await withDesk { desk in
            let held = try await desk.hold { $0.paycode = "PMSB" }
            #expect(held.state == .inForce && held.proposedBy == "eddie" && held.approvedBy == "cas")
            func later() { desk.office.host.clock.advance(milliseconds: 1_000) }
            later()
            try await desk.office.pay("2026-03")
            #expect(try await desk.lines("2026-03") == ["PMSB 10000.00", "WHLD -10000.00"])
            try await desk.office.pay("2026-04")
            #expect(try await desk.lines("2026-04") == ["PMSB 10000.00", "WHLD -10000.00"])
            #expect(try await desk.list().map(\.heldPence) == [2_000_000])
            later()
            try await desk.release(held.withholdingID)
            later()
            try await desk.office.pay("2026-05")
            #expect(try await desk.lines("2026-05") == ["PMSB 10000.00", "WREL 20000.00"])
            try await desk.office.pay("2026-06")
            #expect(try await desk.lines("2026-06") == ["PMSB 10000.00"])
            let after = try #require(try await desk.list().first)
            #expect(after.heldPence == 0 && after.state == .released)
            #expect(
                after.history.map { $0.step + ($0.runID.isEmpty ? "" : " " + $0.runID) } == [
                    "proposed", "approved", "held 2026-03-1", "held 2026-04-1", "release proposed",
                    "released",
                    "given back 2026-05-1",
                ])
            let explained = try await desk.office.statements().explainLine(
                .with {
                    ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2026-03-1", 2)
                })
            #expect(explained.rule == "12.4 withholding" && explained.replayedPence == -1_000_000)
        }
    }

    @Test("a release decided while a run is frozen: that run still holds, the next one gives all of it back")
    func frozenRun() async throws {
        try await withDesk { desk in
            let held = try await desk.hold { $0.paycode = "PMSB" }
            try await desk.office.pay("2026-03")
            let run = try await desk.office.calculate(try await desk.office.open("2026-04").runID)
            try await desk.release(held.withholdingID)
            let again = try await desk.office.calculate(run.runID)
            #expect(again.statementsSha256 == run.statementsSha256)
            try await desk.office.approve(again)
            #expect(try await desk.lines("2026-04") == ["PMSB 10000.00", "WHLD -10000.00"])
            try await desk.office.pay("2026-05")
            #expect(try await desk.lines("2026-05") == ["PMSB 10000.00", "WREL 20000.00"])
        }
    }

    @Test("an amount is held once; the lines of one source only when it is named")
    func amountAndSource() async throws {
        try await withDesk { desk in
            let amount = try await desk.hold { $0.amountPence = 25_000 }
            _ = try await desk.hold { ($0.paycode, $0.sourceReference) = ("PMSB", "claim/none") }
            try await desk.office.pay("2026-03")
            #expect(try await desk.lines("2026-03") == ["PMSB 10000.00", "WHLD -250.00"])
            try await desk.office.pay("2026-04")
            #expect(try await desk.lines("2026-04") == ["PMSB 10000.00"])
            try await desk.release(amount.withholdingID)
            try await desk.office.pay("2026-05")
            #expect(try await desk.lines("2026-05") == ["PMSB 10000.00", "WREL 250.00"])
        }
    }

    @Test(
        "each step takes another person and the right state; what is wrong is named at once; nothing is held twice"
    )
    func refusals() async throws {
        try await withDesk { desk in
            let broken = try await refusal {
                _ = try await desk.propose {
                    ($0.reason, $0.amountPence, $0.paycode) = ("", 5, "WHLD")
                    $0.firstMonth = .with { ($0.year, $0.month) = (2026, 13) }
                }
            }
            #expect(
                broken.violations.map(\.field) == ["first_month", "amount_pence", "paycode", "reason"])
            let proposed = try await desk.propose { $0.paycode = "PMSB" }
            let twice = try await refusal { _ = try await desk.propose { $0.paycode = "PMSB" } }
            #expect(twice.reason == PaymentsReasons.withholdingStateWrong)
            let both = try await desk.office.host.grant(
                [Roles.commissionerApprover], at: "16C", to: desk.editor)
            let own = try await refusal {
                _ = try await desk.service(both).decideWithholding(desk.step(proposed.withholdingID))
            }
            #expect(own.reason == HostReasons.secondPersonRequired)
            let early = try await refusal { try await desk.release(proposed.withholdingID) }
            #expect(early.reason == PaymentsReasons.withholdingStateWrong)
            let returned = try await desk.service(desk.approver).decideWithholding(
                desk.step(proposed.withholdingID, approve: false))
            #expect(returned.state == .returned)
            try await desk.office.pay("2026-03")
            #expect(try await desk.lines("2026-03") == ["PMSB 10000.00"])
            let late = try await refusal { _ = try await desk.propose { $0.paycode = "PMSB" } }
            #expect(late.violations.map(\.field) == ["first_month"])
            let stranger = try await desk.office.host.person(
                "eve", roles: [Roles.commissionerEditor], at: "15N")
            let denied = try await refusal {
                _ = try await desk.service(stranger).listWithholdings(.with { $0.payeeCode = "A81001" })
            }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
        }
    }

    @Test("a debt is set off in months that add up to the penny, once approved by another person")
    func setOff() async throws {
        try await withDesk { desk in
            let request = Pcs_Payments_V1_ProposeSetOffRequest.with {
                ($0.payeeCode, $0.amountPence, $0.months, $0.reason) = ("A81001", 10_000, 3, .overpayment)
                ($0.debtReference, $0.note) = ("invoice 2026/17", "rent paid twice in 2025")
                $0.firstMonth = .with { ($0.year, $0.month) = (2026, 3) }
            }
            var wrong = request
            (wrong.amountPence, wrong.months, wrong.reason, wrong.debtReference) = (0, 13, .unspecified, "")
            let broken = try await refusal { _ = try await desk.service(desk.editor).proposeSetOff(wrong) }
            #expect(
                broken.violations.map(\.field) == ["amount_pence", "months", "reason", "debt_reference"])
            let proposed = try await desk.service(desk.editor).proposeSetOff(request)
            let decision = Pcs_Payments_V1_DecideSetOffRequest.with {
                ($0.setOffID, $0.payeeCode, $0.approve) = (proposed.setOffID, "A81001", true)
            }
            let both = try await desk.office.host.grant(
                [Roles.commissionerApprover], at: "16C", to: desk.editor)
            let own = try await refusal { _ = try await desk.service(both).decideSetOff(decision) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            #expect(try await desk.service(desk.approver).decideSetOff(decision).state == .approved)
            let again = try await refusal { _ = try await desk.service(desk.approver).decideSetOff(decision) }
            #expect(again.reason == PaymentsReasons.withholdingStateWrong)
            for month in ["2026-03", "2026-04", "2026-05", "2026-06"] { try await desk.office.pay(month) }
            #expect(try await desk.lines("2026-03") == ["PMSB 10000.00", "RECO -33.33"])
            #expect(try await desk.lines("2026-04") == ["PMSB 10000.00", "RECO -33.34"])
            #expect(try await desk.lines("2026-05") == ["PMSB 10000.00", "RECO -33.33"])
            #expect(try await desk.lines("2026-06") == ["PMSB 10000.00"])
            let listed = try await desk.service(desk.editor).listSetOffs(.with { $0.payeeCode = "A81001" })
                .setOffs
            #expect(listed.map(\.recoveredPence) == [10_000] && listed.map(\.decidedBy) == ["cas"])
        }
    }
}
