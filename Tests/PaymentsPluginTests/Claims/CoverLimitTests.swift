import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Limits of locum cover across claims, through the public door (payments.md 6.4)")
struct CoverLimitTests {
    private func withDesk(_ body: (ClaimsDesk) async throws -> Void) async throws {
        try await ClaimsDesk.with("A81001,One,PMS,2024-04-01,,16C,Y63,,,,,,,FIXED,120000.00,,", body)
    }

    private func sickness(_ from: String, _ weeks: Int) throws -> Pcs_Payments_V1_ClaimContents {
        try ClaimsDesk.cover(.sickness, absentFrom: "2024-09-02", from: from, weeks: weeks, pence: 250_000)
    }

    @Test("60 weeks of one absence in claims of four: 26 at full, 26 at half, and nothing from then on")
    func oneAbsence() async throws {
        try await withDesk { desk in
            var reductions: [String] = []
            let first = try day("2024-09-16")
            for number in 0..<15 {
                let claim = try await desk.submit(try sickness(first.adding(days: 28 * number).description, 4))
                reductions += try await desk.preview(claim).parts.map(\.reduction)
                _ = try await desk.decide(claim, .approve)
            }
            #expect(
                reductions
                    == [String](repeating: "CEILING", count: 26) + [String](repeating: "HALF_RATE", count: 26)
                    + [String](repeating: "EXHAUSTED", count: 8))
        }
    }

    @Test("only weeks that were paid count: not those adjusted to nothing, nor those recovered whole")
    func paidOnly() async throws {
        try await withDesk { desk in
            let weeks = try await desk.submit(try sickness("2024-09-16", 26))
            let next = try await desk.submit(try sickness("2025-03-17", 1))
            #expect(
                try await desk.decide(weeks, .adjust, pence: 0, reason: "no fit note", rule: "6.4 rule 5").approvedPence
                    == 0)
            #expect(try await desk.preview(next).parts.map(\.reduction) == ["CEILING"])
            let paid = try await desk.decide(try await desk.submit(try sickness("2024-09-16", 26)), .approve)
            #expect(try await desk.preview(next).parts.map(\.reduction) == ["HALF_RATE"])
            try await desk.office.pay("2026-03")
            func recover(_ pence: Int64) async throws {
                _ = try await desk.claims(desk.approver).recoverClaim(
                    .with {
                        ($0.claimID, $0.practiceCode, $0.amountPence) = (paid.claimID, "A81001", pence)
                        ($0.months, $0.reason, $0.note) = (12, .ineligible, "the doctor was at work")
                    })
            }
            try await recover(paid.approvedPence - 1)
            #expect(try await desk.preview(next).parts.map(\.reduction) == ["HALF_RATE"])
            try await recover(1)
            #expect(try await desk.preview(next).parts.map(\.reduction) == ["CEILING"])
        }
    }

    @Test("what is approved for a doctor's week is taken off the week's ceiling, whichever claim and kind of cover")
    func oneCeiling() async throws {
        try await withDesk { desk in
            func claim(_ type: Pcs_Payments_V1_ClaimType, _ from: String, days: Int32, _ pence: Int64) async throws
                -> Pcs_Payments_V1_Claim
            {
                try await desk.submit(
                    try ClaimsDesk.cover(
                        type, absentFrom: "2025-08-01", from: from, weeks: 1, days: days, pence: pence))
            }
            let first = try await desk.decide(try await claim(.suspension, "2025-09-01", days: 7, 100_000), .approve)
            #expect(first.approvedPence == 100_000)
            // 1,404.38 a week.
            let second = try await claim(.suspension, "2025-09-01", days: 7, 100_000)
            let part = try #require(try await desk.preview(second).parts.first)
            #expect((part.ceilingPence, part.payablePence, part.reduction) == (40_438, 40_438, "ALREADY_APPROVED"))
            #expect(part.rule.hasPrefix("payments.md 6.4 rule 1") && part.rule.contains(first.claimID))
            #expect(try await desk.decide(second, .approve).approvedPence == 40_438)
            let study = try await claim(.studyLeave, "2025-09-01", days: 7, 100_000)
            #expect(try await desk.preview(study).payablePence == 0)
            // Five days from Friday on, of which three lie in the paid week: 1,003.13 less 3/7 of 1,404.38.
            let across = try await claim(.suspension, "2025-09-05", days: 5, 200_000)
            #expect(try await desk.preview(across).payablePence == 100_313 - 60_188)
            let after = try await claim(.suspension, "2025-09-08", days: 7, 200_000)
            #expect(try await desk.preview(after).payablePence == 140_438)
        }
    }

    @Test("leave is as long as it is, however it is claimed; the commissioner decides how long it is paid")
    func length() async throws {
        try await withDesk { desk in
            func leave(_ from: String, to: String, weeks: Int) async throws -> Pcs_Payments_V1_Claim {
                var contents = try ClaimsDesk.cover(
                    .parentalLeave, absentFrom: "2025-06-02", from: from, weeks: weeks, pence: 100_000)
                if !to.isEmpty { contents.locum.absentTo = Pcs_Common_V1_Date(try day(to)) }
                return try await desk.submit(contents)
            }
            let short = try await leave("2025-06-02", to: "", weeks: 1)
            #expect(try await desk.preview(short).parts.map(\.reduction) == ["LEAVE_TOO_SHORT"])
            let known = try await leave("2025-06-02", to: "2026-03-31", weeks: 1)
            #expect(try await desk.preview(known).payablePence == 100_000)
            let late = try await leave("2025-11-24", to: "2026-03-31", weeks: 3)
            #expect(try await desk.preview(late).parts.map(\.reduction) == ["", "EXHAUSTED", "EXHAUSTED"])
            let silent = try await refusal {
                _ = try await desk.decide(late, .approve, reason: "") { $0.parentalMostWeeks = 39 }
            }
            #expect(silent.violations.map(\.field) == ["reason"])
            let decided = try await desk.decide(late, .approve, reason: "twins") { $0.parentalMostWeeks = 27 }
            #expect(decided.approvedPence == 200_000 && decided.parentalMostWeeks == 27)
        }
    }

    @Test("cover says who stands in and which document is the fit note; late claims are marked")
    func particulars() async throws {
        try await withDesk { desk in
            var contents = try sickness("2025-12-01", 2)
            (contents.locum.coverKind, contents.locum.fitNoteDocumentID) = (.unspecified, "doc-2")
            contents.locum.absentTo = Pcs_Common_V1_Date(try day("2025-12-07"))
            let incomplete = try await refusal { _ = try await desk.submit(contents) }
            #expect(
                incomplete.violations.map { "\($0.field) \($0.rule)" } == [
                    "claim.locum.cover_kind payments.md 6.4 rule 4",
                    "claim.locum.weeks[1].from payments.md 6.4",
                    "claim.locum.fit_note_document_id payments.md 6.4 rule 5",
                ])
            // Today is 16 March.
            let late = try await desk.submit(try sickness("2026-02-02", 3))
            #expect(late.warnings.count == 1 && late.warnings[0].contains("6.4 rule 6"))
            #expect(try await desk.submit(try sickness("2026-03-02", 2)).warnings.isEmpty)
        }
    }

    @Test("under an APMS contract cover is paid only if the commissioner says that the contract grants it")
    func granted() async throws {
        try await ClaimsDesk.with("A81001,One,APMS,2024-04-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,") { desk in
            let claim = try await desk.submit(try sickness("2025-12-01", 2))
            let refused = try await refusal { _ = try await desk.decide(claim, .approve) }
            #expect(refused.violations.map { "\($0.field) \($0.rule)" } == ["contract_grants_cover 6.1"])
            let silent = try await refusal {
                _ = try await desk.decide(claim, .approve, reason: "") { $0.contractGrantsCover = true }
            }
            #expect(silent.violations.map(\.field) == ["reason"])
            let decided = try await desk.decide(claim, .approve, reason: "schedule 4, 2.1") {
                $0.contractGrantsCover = true
            }
            #expect(decided.state == .adjusted && decided.paycode == "LSCKA")
        }
    }
}
