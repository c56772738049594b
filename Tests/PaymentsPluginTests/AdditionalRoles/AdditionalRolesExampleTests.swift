import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Additional roles, worked by hand (payments.md 8.2)")
struct AdditionalRolesExampleTests {
    /// February 2026, 28 days, with all roles whose maximum of 2025/26 is known.
    ///
    /// | role | maximum of the month | actual | paid |
    /// |---|---|---|---|
    /// | GP 0.80 | 105,882 / 12 x 0.80 = 7,058.80 | 7,600.00 | 7,058.80 |
    /// | consultant nurse from the 12th | 102,683 / 12 x 17/28 = 5,195.2708 | 5,400.00 | 5,195.27 |
    /// | band 3 support worker | 32,159 / 12 = 2,679.9167 | 2,500.00 | 2,500.00 |
    /// | new nurse 0.60 | 43,352 / 12 x 0.60 = 2,167.60 | 2,167.61 | 2,167.60 |
    /// | experienced nurse to the 10th | 53,319 / 12 x 10/28 = 1,586.875 | 1,590.00 | 1,586.88 |
    private func rows() throws -> [Pcs_Payments_V1_AdditionalRolesRow] {
        [
            try RolesDesk.row(
                "E-1", "GP", wte: 80, salary: "6000.00", insurance: "700.00", pension: "900.00"),
            try RolesDesk.row(
                "E-2", "CONSULTANT_NURSE", salary: "4000.00", insurance: "600.00", pension: "800.00",
                from: "2026-02-12"),
            try RolesDesk.row(
                "E-3", "SUPPORT_WORKER_BAND_3", salary: "1900.00", insurance: "250.00", pension: "350.00"),
            try RolesDesk.row(
                "E-4", "GENERAL_PRACTICE_NURSE_NEW", wte: 60, salary: "1700.00", insurance: "200.00",
                pension: "267.61"),
            try RolesDesk.row(
                "E-5", "GENERAL_PRACTICE_NURSE_EXPERIENCED", salary: "1200.00", insurance: "150.00",
                pension: "240.00", to: "2026-02-10"),
        ]
    }

    @Test(
        "five roles of February 2026 come to 18,508.55, are paid by role to the nominated payee, and every line says why"
    )
    func february() async throws {
        try await RolesDesk.with { desk in
            let office = desk.office
            let april = Pcs_Common_V1_Date(try day("2025-04-01"))
            let payee = try await office.networks().setNominatedPayee(
                .with {
                    ($0.pcnCode, $0.payeeCode, $0.effectiveFrom) = ("U89141", "A81001", april)
                    ($0.declarationDocumentID, $0.signaturesVerifiedBy) = ("DOC-7", "Cas Hill, the commissioner")
                    $0.reason = "banking declaration signed"
                })
            _ = try await office.networks(office.approver).decideNominatedPayee(
                .with {
                    ($0.pcnCode, $0.proposalID, $0.approve) = ("U89141", payee.proposalID, true)
                    $0.reason = "looked at the declaration"
                })
            let claim = try await desk.approved("2026-02", try rows())
            #expect(claim.state == .adjusted && claim.claimedPence == 1_925_761)
            #expect(
                shown(claim.rows) == [
                    "GP 7058.80 CEILING", "CONSULTANT_NURSE 5195.27 CEILING", "SUPPORT_WORKER_BAND_3 2500.00",
                    "GENERAL_PRACTICE_NURSE_NEW 2167.60 CEILING",
                    "GENERAL_PRACTICE_NURSE_EXPERIENCED 1586.88 CEILING",
                ])
            #expect(claim.rows.map(\.assessment.days) == [28, 17, 28, 28, 10])
            #expect(claim.payablePence == 1_850_855 && claim.differencePence == 1_850_855)
            // 26.631 x 44,000.00 weighted patients.
            #expect(claim.maximum.maximumSumPence == 117_176_400 && claim.maximum.leftPence == 117_176_400)
            try await office.pay("2026-02")
            let lines = try await desk.lines("2026-02")
            #expect(
                lines.map { "\(Money(pence: $0.amountPence)) = \($0.quantity) x \($0.rate) \($0.basis)" } == [
                    "7058.80 = 0.8 x 105882.00 GP/12",
                    "5195.27 = 1 x 102683.00 CONSULTANT_NURSE/12 x 17/28",
                    "2500.00 = 1 x 2500.00 SUPPORT_WORKER_BAND_3",
                    "2167.60 = 0.6 x 43352.00 GENERAL_PRACTICE_NURSE_NEW/12",
                    "1586.88 = 1 x 53319.00 GENERAL_PRACTICE_NURSE_EXPERIENCED/12 x 10/28",
                ])
            try await desk.hold(lines, "2026-02")
            #expect(try await office.statement("U89141", "2026-02").payeeCode == "A81001")
            let paid = try await desk.read(claim)
            #expect(paid.state == .inRun && paid.runIds == ["2026-02-1"])
            let year = try #require(try await desk.year().networks.first)
            #expect(year.total.approvedPence == 1_850_855 && year.total.paidPence == 1_850_855)
            #expect(year.maximum.leftPence == 117_176_400 - 1_850_855 && year.roles.count == 5)
            #expect(year.months.map(\.claimedPence) == [1_925_761])
        }
    }

    @Test("the ceiling is rounded once, half away from zero")
    func rounding() throws {
        let annual = try #require(ExactDecimal("53319.00"))
        // 1,586.875 exactly.
        #expect(try AdditionalRolesAssessment.ceiling(annual, 100, days: 10, of: 28) == 158_688)
        // 53,319 / 12 x 0.01 x 1/31 = 1.43330...
        #expect(try AdditionalRolesAssessment.ceiling(annual, 1, days: 1, of: 31) == 143)
    }

    @Test("several people in a role are one line that lists them")
    func people() async throws {
        try await RolesDesk.with { desk in
            _ = try await desk.approved(
                "2026-02",
                [
                    try RolesDesk.row("E-1", salary: "9000.00"), try RolesDesk.row("E-2", salary: "5000.00"),
                    try RolesDesk.row("E-3", wte: 50, salary: "9000.00"),
                ])
            try await desk.office.pay("2026-02")
            let lines = try await desk.lines("2026-02")
            // 8,823.50, the actual 5,000.00, and 4,411.75.
            #expect(shown(lines) == ["PCNARR 18235.25"])
            try await desk.hold(lines, "2026-02")
            let explained = try await desk.office.statements().explainLine(
                .with {
                    ($0.practiceCode, $0.runID) = ("U89141", "2026-02-1"); $0.lineNumber = lines[0].lineNumber
                })
            let sources = explained.inputs.map(\.source).joined(separator: "\n")
            for employee in ["E-1", "E-2", "E-3"] { #expect(sources.contains(employee), "\(sources)") }
        }
    }
}
