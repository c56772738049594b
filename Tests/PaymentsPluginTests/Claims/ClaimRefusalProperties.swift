import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// C12: no refusal of a claim, whole or in part, without the rule that it stands on.
@Suite("Refusals of claims cite their rule (C12)")
struct ClaimRefusalProperties {
    private func isRule(_ text: String) -> Bool {
        let words = text.split(separator: " ")
        return words.count >= 2 && words[0] == "payments.md" && words[1].first?.isNumber == true
    }

    private func contents(_ generator: inout SeededGenerator) -> Pcs_Payments_V1_ClaimContents {
        func day() -> Pcs_Common_V1_Date {
            .with {
                ($0.year, $0.month, $0.day) = (
                    Int32.random(in: 2024...2028, using: &generator),
                    Int32.random(in: 0...13, using: &generator),
                    Int32.random(in: 0...31, using: &generator)
                )
            }
        }
        var claim = Pcs_Payments_V1_ClaimContents()
        claim.practiceCode = "A81001"
        claim.type =
            Pcs_Payments_V1_ClaimType(rawValue: Int.random(in: 0...13, using: &generator)) ?? .unspecified
        claim.amountPence = Int64.random(in: -5...200_000_000, using: &generator)
        claim.invoiceNumber = String(repeating: "7", count: Int.random(in: 0...70, using: &generator))
        claim.evidenceDocumentIds = Array(repeating: "doc", count: Int.random(in: 0...12, using: &generator))
        if Bool.random(using: &generator) { claim.periodFrom = day() }
        if Bool.random(using: &generator) { claim.periodTo = day() }
        claim.locum.gmcNumber = String(repeating: "1", count: Int.random(in: 0...9, using: &generator))
        if Bool.random(using: &generator) { claim.locum.doctorName = "Dr A" }
        if Bool.random(using: &generator) { claim.locum.absentFrom = day() }
        if Bool.random(using: &generator) { claim.locum.absentTo = day() }
        claim.locum.coverKind =
            Pcs_Payments_V1_LocumCoverKind(rawValue: Int.random(in: 0...4, using: &generator)) ?? .unspecified
        for _ in 0..<Int.random(in: 0...65, using: &generator) {
            var week = Pcs_Payments_V1_LocumWeek()
            if Bool.random(using: &generator) { week.from = day() }
            week.days = Int32.random(in: -1...9, using: &generator)
            week.invoicedPence = Int64.random(in: -1...110_000_000, using: &generator)
            claim.locum.weeks.append(week)
        }
        return claim
    }

    @Test("whatever a claim holds, each fault found names a rule of the reference")
    func contentsCheck() throws {
        var generator = SeededGenerator(seed: 12)
        let today = try day("2026-03-02")
        var found: Set<String> = []
        for _ in 0..<2_000 {
            for violation in ClaimContentsCheck(contents(&generator), today: today).violations {
                #expect(isRule(violation.rule), "\(violation.field): \(violation.message)")
                #expect(!violation.message.isEmpty)
                found.insert(violation.message)
            }
        }
        // Every way in which contents can be refused was met.
        #expect(found.count == 25)
    }

    @Test("whatever cover is claimed, a week that is paid less than invoiced names the rule")
    func assessment() throws {
        var generator = SeededGenerator(seed: 13)
        let rates = RateTable(RateFile.read(PackageResources.rates_csv).rows)
        let start = try day("2025-04-07")
        var reductions: Set<String> = []
        for _ in 0..<500 {
            let kinds: [ClaimKind] = [.parentalLeave, .sickness]
            let kind = kinds[Int.random(in: 0...1, using: &generator)]
            let first = start.adding(days: Int.random(in: 0...20, using: &generator))
            let weeks = (0..<Int.random(in: 1...30, using: &generator)).map { index in
                ClaimedWeek(
                    from: first.adding(days: 7 * index), days: Int.random(in: 1...7, using: &generator),
                    invoicedPence: Int64.random(in: 1...400_000, using: &generator))
            }
            let approved = (0..<Int.random(in: 0...52, using: &generator)).map {
                ApprovedPart(
                    claimID: "C1", kind: .sickness, from: start.adding(days: -7 * $0 + 28),
                    absentFrom: start.adding(days: -400), pence: 40_000)
            }
            let parts = try LocumAssessment(
                cover: ClaimedCover(kind: kind, gmcNumber: "1234567", absentFrom: start, weeks: weeks),
                approved: approved, rates: rates
            ).parts()
            for part in parts where part.payablePence < part.claimedPence {
                #expect(isRule("payments.md " + part.rule), "\(part.reduction)")
                reductions.insert(part.reduction)
            }
            for part in parts where part.payablePence == part.claimedPence { #expect(part.rule.isEmpty) }
        }
        #expect(
            reductions == [
                "LEAVE_TOO_SHORT", "EXHAUSTED", "CEILING", "WAITING_TIME", "HALF_RATE", "ALREADY_APPROVED",
            ])
    }

    @Test(
        "no person can reject a claim without a rule, and the rule stands in the claim",
        arguments: ["", "  ", " \n\t ", "x"])
    func rejection(_ rule: String) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(
                "A81001,One,APMS,2026-03-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let admin = try await office.host.person("ann", roles: [Roles.practiceClaimsAdmin], at: "A81001")
            let approver = try await office.host.person("cas", roles: [Roles.commissionerApprover], at: "16C")
            let claims = Pcs_Payments_V1_ClaimServiceClient(try await office.transport(admin))
            let decisions = Pcs_Payments_V1_ClaimServiceClient(try await office.transport(approver))
            let (from, to) = (try day("2026-03-01"), try day("2026-03-31"))
            let draft = try await claims.createClaim(
                .with {
                    ($0.claim.practiceCode, $0.claim.type, $0.claim.amountPence) = (
                        "A81001", .actualRent, 500_000
                    )
                    ($0.claim.invoiceNumber, $0.claim.evidenceDocumentIds) = ("R-1", ["doc-1"])
                    $0.claim.periodFrom = Pcs_Common_V1_Date(from)
                    $0.claim.periodTo = Pcs_Common_V1_Date(to)
                })
            let claim = try await claims.submitClaim(
                .with { ($0.claimID, $0.practiceCode) = (draft.claimID, "A81001") })
            func reject(_ rule: String) async throws -> Pcs_Payments_V1_Claim {
                try await decisions.decideClaim(
                    .with {
                        ($0.claimID, $0.practiceCode, $0.version) = (claim.claimID, "A81001", claim.version)
                        ($0.decision, $0.reason, $0.rule) = (.reject, "not the practice's premises", rule)
                    })
            }
            let refused = try await refusal { _ = try await reject(rule) }
            #expect(refused.violations.map { "\($0.field) \($0.rule)" } == ["rule payments 13 C12"])
            let rejected = try await reject("payments.md 6.3")
            #expect(rejected.state == .rejected && rejected.reason.hasSuffix("payments.md 6.3"))
        }
    }

    @Test("each reason for which an ophthalmic claim is rejected has a code of its own and says what to do")
    func ophthalmic() {
        let codes = GOSRejection.allCases.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(
            GOSRejection.allCases.allSatisfy { GOSRejection(code: $0.code) == $0 && $0.message.count > 20 })
    }
}
