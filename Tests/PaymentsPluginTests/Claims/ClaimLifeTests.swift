import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Claims through the public door (payments.md 6)")
struct ClaimLifeTests {
    private func withDesk(_ body: (ClaimsDesk) async throws -> Void) async throws {
        try await ClaimsDesk.with(
            "A81001,One,APMS,2026-03-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,", body)
    }

    private func rent(_ pence: Int64, invoice: String = "R-1") throws -> Pcs_Payments_V1_ClaimContents {
        let (from, to) = (try day("2026-03-01"), try day("2026-03-31"))
        return .with {
            ($0.practiceCode, $0.type, $0.amountPence) = ("A81001", .actualRent, pence)
            ($0.invoiceNumber, $0.evidenceDocumentIds) = (invoice, ["doc-1"])
            $0.periodFrom = Pcs_Common_V1_Date(from)
            $0.periodTo = Pcs_Common_V1_Date(to)
        }
    }

    @Test("a rent claim is submitted, adjusted, paid in the next run once, and recovered over three months")
    func wholeLife() async throws {
        try await withDesk { desk in
            let claim = try await desk.submit(try rent(500_000))
            #expect(claim.state == .submitted && claim.version == 1 && claim.paycode == "PACTA")
            _ = try await desk.claims(desk.approver).reviewClaim(desk.step(claim))
            let late = try await refusal { _ = try await desk.claims(desk.admin).withdrawClaim(desk.step(claim)) }
            #expect(late.reason == PaymentsReasons.claimStateWrong)
            let decided = try await desk.decide(claim, .adjust, pence: 450_000, reason: "current market rent", rule: "6.3")
            #expect(decided.state == .adjusted && decided.approvedPence == 450_000)
            try await desk.office.pay("2026-03")
            let lines = try await desk.office.statement("A81001", "2026-03").lines
            #expect(shown(lines) == ["APMSB 10000.00", "PACT 4500.00"])
            #expect(lines.last?.sourceType == "ITEM")
            let explained = try await desk.office.statements().explainLine(
                .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2026-03-1", 2) })
            #expect(explained.replayedPence == 450_000 && explained.inputs.count == 2)
            #expect(try await desk.claims(desk.viewer).getClaim(desk.step(claim)).state == .inRun)
            let recovered = try await desk.claims(desk.approver).recoverClaim(
                .with {
                    ($0.claimID, $0.practiceCode, $0.amountPence) = (claim.claimID, "A81001", 100_000)
                    ($0.months, $0.reason, $0.note) = (3, .overpayment, "billed twice")
                })
            #expect(recovered.recoveredPence == 100_000)
            var taken: [Int64] = []
            for month in ["2026-04", "2026-05", "2026-06", "2026-07"] {
                try await desk.office.pay(month)
                let lines = try await desk.office.statement("A81001", month).lines
                taken += lines.filter { $0.paycode == "RECO" }.map(\.amountPence)
                #expect(!lines.contains { $0.paycode == "PACT" })
            }
            #expect(taken.reduce(0, +) == -100_000 && taken.count == 3)
        }
    }

    @Test("what is wrong is listed together; duplicates are refused; who made a claim does not decide it")
    func refusals() async throws {
        try await withDesk { desk in
            let empty = try await desk.claims(desk.admin).createClaim(
                .with { ($0.claim.practiceCode, $0.claim.type) = ("A81001", .waterRates) })
            #expect(empty.state == .draft && empty.missing.count == 5)
            let incomplete = try await refusal { _ = try await desk.claims(desk.admin).submitClaim(desk.step(empty)) }
            #expect(
                incomplete.violations.map(\.field) == [
                    "claim.period_from", "claim.period_to", "claim.evidence_document_ids", "claim.amount_pence",
                    "claim.invoice_number",
                ])
            let first = try await desk.submit(try rent(500_000))
            let twin = try await refusal { _ = try await desk.submit(try rent(400_000)) }
            #expect(twin.reason == PaymentsReasons.claimDuplicate)
            let overlap = try await desk.submit(try rent(400_000, invoice: "R-2"))
            #expect(
                overlap.warnings == [
                    "claim \(first.claimID) overlaps the period",
                    "no market rent is known for 2026-03-01: the rent is paid as billed",
                ])
            let silent = try await refusal { _ = try await desk.decide(first, .reject, reason: "no") }
            #expect(silent.violations.map(\.field).contains("rule"))
            let tooMuch = try await refusal { _ = try await desk.decide(first, .adjust, pence: 500_001) }
            #expect(tooMuch.violations.map(\.field) == ["amount_pence"])
            let unexplained = try await refusal { _ = try await desk.decide(first, .adjust, pence: 499_999) }
            #expect(unexplained.violations.map { "\($0.field) \($0.rule)" } == ["rule payments 13 C12"])
            let rejected = try await desk.decide(first, .reject, rule: "payments.md 6.3")
            #expect(rejected.state == .rejected && rejected.reason.contains("6.3"))
            let again = try await refusal { _ = try await desk.decide(first, .approve) }
            #expect(again.reason == PaymentsReasons.claimStateWrong)
        }
    }

    @Test("a claim that was reviewed once is not withdrawn, also after it came back; who amended it does not decide it")
    func handsIn() async throws {
        try await withDesk { desk in
            let claim = try await desk.submit(try rent(500_000))
            _ = try await desk.claims(desk.approver).reviewClaim(desk.step(claim))
            let returned = try await desk.decide(claim, .return, reason: "the second page is missing")
            let both = try await desk.office.host.grant([Roles.practiceClaimsAdmin], at: "A81001", to: desk.approver)
            let amended = try rent(480_000)
            _ = try await desk.claims(both).amendClaim(
                .with { ($0.claimID, $0.claim) = (returned.claimID, amended) }, options: CallOptions(actingFor: "A81001"))
            let again = try await desk.claims(desk.admin).submitClaim(desk.step(claim))
            #expect(again.version == 2)
            let withdrawn = try await refusal { _ = try await desk.claims(desk.admin).withdrawClaim(desk.step(claim)) }
            #expect(withdrawn.reason == PaymentsReasons.claimStateWrong)
            let own = try await refusal { _ = try await desk.decide(again, .approve) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            let other = try await desk.office.host.person("dee", roles: [Roles.commissionerApprover], at: "16C")
            #expect(try await desk.decide(again, .approve, as: other).approvedPence == 480_000)
        }
    }
}
