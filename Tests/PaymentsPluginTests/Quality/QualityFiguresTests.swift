import Accounting
import CommonContract
import CqrsContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// Events of the quality service, as it publishes them.
struct QualityPost {
    let host: TestHost

    func aspiration(_ code: String, _ year: String, prior: Int64, monthly: Int64) async throws {
        let event = Pcs_Cqrs_V1_AspirationSet.with {
            ($0.providerCode, $0.financialYear) = (code, year)
            ($0.priorAchievementPence, $0.monthlyPence) = (prior, monthly)
        }
        try await write { try QualityEvents.aspire(event, $0) }
    }

    static func achievement(
        _ id: String, _ code: String, pence: Int64, on date: String = "2027-03-31",
        release: String = "2027-06-01",
        service: String = "QOF2627", result: Pcs_Cqrs_V1_QualityResult? = nil
    ) -> Pcs_Cqrs_V1_AchievementApproved {
        .with {
            ($0.declarationID, $0.providerCode, $0.serviceCode) = (id, code, service)
            $0.financialYear = "2026/27"
            if let day = CalendarDate(iso8601: date) { $0.achievementDate = Pcs_Common_V1_Date(day) }
            if let day = CalendarDate(iso8601: release) { $0.releaseDate = Pcs_Common_V1_Date(day) }
            ($0.pointsHundredths, $0.amountPence) = (27_255, pence)
            if let result { $0.qualityResult = result }
        }
    }

    static func instruction(
        _ id: String, _ declaration: String, _ code: String, pence: Int64, release: String = "2027-06-01",
        corrects: String = "", payCode: String = "QOFACH"
    ) -> Pcs_Cqrs_V1_PaymentInstructed {
        .with {
            ($0.instructionID, $0.declarationID) = (id, declaration)
            ($0.payeeCode, $0.providerCode, $0.payCode) = (code, code, payCode)
            ($0.grossPence, $0.serviceCode, $0.commissionerCode) = (pence, "QOF2627", "16C")
            $0.period = Pcs_Common_V1_Month(year: 2027, month: 3)
            if let day = CalendarDate(iso8601: release) { $0.releaseDate = Pcs_Common_V1_Date(day) }
            $0.correctsInstructionID = corrects
        }
    }

    func approve(_ event: Pcs_Cqrs_V1_AchievementApproved) async throws {
        try await write { try QualityEvents.achieved(event, $0) }
    }

    func instruct(_ event: Pcs_Cqrs_V1_PaymentInstructed) async throws {
        try await write { try QualityEvents.instruct(event, $0) }
    }

    func recall(_ id: String) async throws {
        let event = Pcs_Cqrs_V1_PaymentRecalled.with { ($0.instructionID, $0.reason) = (id, "recalculated") }
        try await write { try QualityEvents.recall(event, $0) }
    }

    private func write(_ body: @escaping @Sendable (any Transaction) throws -> Void) async throws {
        try await host.store(of: "payments").write(actor: "cqrs", body)
    }
}

@Suite("QOF figures (payments.md 7)")
struct QualityFiguresTests {
    /// E6 of payments.md 15.
    private static let result = Pcs_Cqrs_V1_QualityResult.with {
        $0.valuePerPoint = "227.95"
        $0.registeredList = "8750"
        $0.averageList = "10295"
        $0.prevalenceList = "10000"
        $0.nationalList = "10000"
        func area(_ name: String, _ points: Int64, _ own: Int64, _ national: String, _ pence: Int64)
            -> Pcs_Cqrs_V1_QualityResultArea
        {
            .with {
                ($0.area, $0.pointsHundredths, $0.amountPence) = (name, points, pence)
                ($0.weighted, $0.practiceRegister, $0.nationalRegister) = (!national.isEmpty, own, national)
            }
        }
        $0.areas = [
            area("HYP", 5_025, 1_520, "1480", 999_860), area("AST", 4_000, 610, "650", 727_274),
            area("DM", 6_180, 790, "740", 1_278_219), area("other", 12_050, 0, "", 2_334_577),
        ]
    }

    private func office(_ rows: String..., body: (PaymentsOffice, QualityPost) async throws -> Void)
        async throws
    {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            for row in ["A81001,One,PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,120000.00,,"] + rows {
                try await office.loadContracts(row)
            }
            try await body(office, QualityPost(host: office.host))
        }
    }

    private func figures(_ office: PaymentsOffice, _ subject: TestSubject? = nil) async throws
        -> Pcs_Payments_V1_QualityFiguresServiceClient
    { Pcs_Payments_V1_QualityFiguresServiceClient(try await office.transport(subject ?? office.operating)) }

    private func months(_ from: String, _ count: Int) throws -> [String] {
        let first = try month(from)
        return (0..<count).map { first.adding(months: $0).description }
    }

    @Test(
        "E6: aspiration 3,494.04 a month, 41,928.48 in the year, a balance of 11,470.82 in June, as a practice sees it"
    )
    func e6() async throws {
        try await office { office, post in
            try await post.aspiration("A81001", "2026/27", prior: 5_241_060, monthly: 349_404)
            for month in try months("2026-04", 2) { try await office.pay(month) }
            let may = try await office.statement("A81001", "2026-05")
            #expect(shown(may.lines) == ["PMSB 10000.00", "QASP 3494.04"])
            let manager = try await office.host.person(
                "mary", roles: [Roles.practiceStatements], at: "A81001")
            let early = try await figures(office, manager).getQualityFigures(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
            #expect((early.aspiration.monthsPaid, early.aspiration.paidPence) == (2, 698_808))
            #expect(!early.hasAchievement)
            for month in try months("2026-06", 12) { try await office.pay(month) }
            try await post.approve(
                QualityPost.achievement("D1", "A81001", pence: 5_339_930, result: Self.result))
            try await post.instruct(QualityPost.instruction("D1-1", "D1", "A81001", pence: 5_339_930))
            try await office.pay("2027-06")
            let june = try await office.statement("A81001", "2027-06")
            #expect(shown(june.lines) == ["PMSB 10000.00", "QACH 11470.82"])
            let explained = try await office.statements(manager).explainLine(
                .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2027-06-1", 2) })
            #expect(
                explained.inputs.map { "\($0.name) \($0.value)" } == [
                    "achievement 53399.30", "aspiration_paid 41928.48",
                ])
            #expect(explained.replayedPence == 1_147_082)

            let year = try await figures(office, manager).getQualityFigures(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
            #expect((year.aspiration.monthsPaid, year.aspiration.paidPence) == (12, 4_192_848))
            #expect(year.aspiration.priorAchievementPence == 5_241_060)
            let achieved = year.achievement
            let amounts = [achieved.grossPence, achieved.aspirationDeductedPence, achieved.balancePence]
            #expect(amounts == [5_339_930, 4_192_848, 1_147_082])
            #expect(achieved.populationIndex == "0.84992715")
            #expect(achieved.areas.map(\.area) == ["HYP", "AST", "DM", "other"])
            #expect(achieved.areas.map(\.diseaseFactor) == ["1.0270270", "0.9384615", "1.0675676", ""])
            #expect(achieved.areas.reduce(0) { $0 + $1.amountPence } == achieved.grossPence)
            #expect(achieved.runID == "2027-06-1" && achieved.hasPaidOn)
            #expect(year.paidPence == 5_339_930)
        }
    }

    @Test("E5: factors are shown rounded and never used so")
    func e5() throws {
        #expect(try QualityFactor.ratio("16000", over: "9374", decimals: 7) == "1.7068487")
        #expect(try QualityFactor.ratio("488", over: "16000", "2.1", over: "100", decimals: 7) == "1.4523810")
        #expect(try QualityFactor.ratio("1", over: "", decimals: 7).isEmpty)
        #expect(try QualityFactor.ratio("1", over: "0", decimals: 7).isEmpty)
    }

    @Test(
        "less achieved than paid ahead is recovered as QREC: never below nothing, the rest carried on (5.3)"
    )
    func recovery() async throws {
        try await office { office, post in
            try await post.aspiration("A81001", "2026/27", prior: 30_000_000, monthly: 2_000_000)
            for month in try months("2026-04", 14) { try await office.pay(month) }
            try await post.approve(
                QualityPost.achievement("D1", "A81001", pence: 22_500_000, result: Self.result))
            try await post.instruct(QualityPost.instruction("D1-1", "D1", "A81001", pence: 22_500_000))
            try await office.pay("2027-06")
            let june = try await office.statement("A81001", "2027-06")
            #expect(shown(june.lines) == ["PMSB 10000.00", "QREC -15000.00", "BCFD 5000.00"])
            #expect(june.carriedForwardPence == 500_000)
            try await office.pay("2027-07")
            let july = try await office.statement("A81001", "2027-07")
            #expect(shown(july.lines) == ["PMSB 10000.00", "BCFD -5000.00"])
            let year = try await figures(office).getQualityFigures(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
            #expect(year.achievement.balancePence == -1_500_000)
        }
    }

    @Test("a figure replaced before the achievement, whose difference a run still owes, is deducted in full")
    func replacedBeforeAchievement() async throws {
        try await office { office, post in
            try await post.aspiration("A81001", "2026/27", prior: 1_500_000, monthly: 100_000)
            for month in try months("2026-04", 14) { try await office.pay(month) }
            try await post.aspiration("A81001", "2026/27", prior: 1_650_000, monthly: 110_000)
            try await post.approve(
                QualityPost.achievement("D1", "A81001", pence: 5_000_000, result: Self.result))
            try await post.instruct(QualityPost.instruction("D1-1", "D1", "A81001", pence: 5_000_000))
            try await office.pay("2027-06")
            let june = try await office.statement("A81001", "2027-06")
            let quality = june.lines.filter { $0.paycode.hasPrefix("Q") }
            // Twelve differences of 100.00, and 50,000.00 less twelve times 1,100.00.
            #expect(quality.count { $0.paycode == "QASP" && $0.isRetro && $0.amountPence == 10_000 } == 12)
            #expect(shown(quality.filter { $0.paycode == "QACH" }) == ["QACH 36800.00"])
            let year = try await figures(office).getQualityFigures(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
            #expect(year.paidPence == 5_000_000)
        }
    }

    @Test(
        "a provisional aspiration that is replaced is made up for the months paid, until the year is settled")
    func provisional() async throws {
        try await office { office, post in
            try await post.aspiration("A81001", "2026/27", prior: 1_500_000, monthly: 100_000)
            for month in try months("2026-04", 3) { try await office.pay(month) }
            try await post.aspiration("A81001", "2026/27", prior: 1_650_000, monthly: 110_000)
            // The same again changes nothing.
            try await post.aspiration("A81001", "2026/27", prior: 1_650_000, monthly: 110_000)
            try await office.pay("2026-07")
            let july = try await office.statement("A81001", "2026-07").lines
            #expect(
                shown(july) == ["PMSB 10000.00", "QASP 1100.00", "QASP 100.00", "QASP 100.00", "QASP 100.00"])
            for month in try months("2026-08", 8) { try await office.pay(month) }
            try await post.instruct(
                QualityPost.instruction("D1-1", "D1", "A81001", pence: 2_000_000, release: "2027-04-05"))
            try await office.pay("2027-04")
            #expect(
                shown(try await office.statement("A81001", "2027-04").lines)
                    == ["PMSB 10000.00", "QACH 6800.00"])
            // Too late for a settled year: nothing moves.
            try await post.aspiration("A81001", "2026/27", prior: 3_000_000, monthly: 200_000)
            try await office.pay("2027-05")
            #expect(shown(try await office.statement("A81001", "2027-05").lines) == ["PMSB 10000.00"])
        }
    }

    @Test(
        "aspiration is deducted once: corrections are paid as they are; after a recall the next one deducts it"
    )
    func once() async throws {
        try await office { office, post in
            try await post.aspiration("A81001", "2026/27", prior: 1_500_000, monthly: 100_000)
            for month in try months("2026-04", 14) { try await office.pay(month) }
            try await post.instruct(QualityPost.instruction("D1-1", "D1", "A81001", pence: 1_500_000))
            try await post.instruct(
                QualityPost.instruction("D2-1", "D2", "A81001", pence: -4_000, corrects: "D1-1"))
            try await post.recall("D1-1")
            try await post.instruct(QualityPost.instruction("D3-1", "D3", "A81001", pence: 1_700_000))
            try await office.pay("2027-06")
            #expect(
                shown(try await office.statement("A81001", "2027-06").lines)
                    == ["PMSB 10000.00", "QACH -40.00", "QACH 5000.00"])
        }
    }

    @Test(
        "a commissioner finds its practices and exports them; nobody sees another area, or a wrong year"
    )
    func access() async throws {
        let more = "E83003,Far,PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,120000.00,,"
        try await office(more) { office, post in
            for code in ["A81001", "E83003"] {
                try await post.aspiration(code, "2026/27", prior: 1_500_000, monthly: 100_000)
            }
            try await post.approve(
                QualityPost.achievement("D1", "A81001", pence: 5_339_930, result: Self.result))
            let commissioner = try await office.host.person(
                "carl", roles: [Roles.commissionerEditor], at: "16C")
            let area = try await figures(office, commissioner).listQualityFigures(
                .with { $0.organisationCode = "16C" })
            #expect(area.figures.map(\.practiceCode) == ["A81001"])
            #expect(area.figures.allSatisfy { $0.achievement.areas.isEmpty })
            let found = try await figures(office, commissioner).listQualityFigures(
                .with { ($0.organisationCode, $0.search) = ("16C", "densham") })
            #expect(found.figures.count == 1)
            let none = try await figures(office, commissioner).listQualityFigures(
                .with { ($0.organisationCode, $0.search) = ("16C", "nowhere") })
            #expect(none.figures.isEmpty)
            var text = ""
            let stream = try await figures(office, commissioner).exportQualityFigures(
                .with { $0.organisationCode = "16C" })
            for try await chunk in stream { text += String(decoding: chunk.data, as: UTF8.self) }
            let rows = text.split(separator: "\r\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
            #expect(rows.allSatisfy { $0.count == 24 })
            #expect(rows.map { $0[9] } == ["area", "ALL", "HYP", "AST", "DM", "other"])
            #expect(rows[1][19] == "53399.30" && rows[2][18] == "1.0270270")

            for (name, role, organisation) in [
                ("neighbour", Roles.practiceStatements, "A81002"),
                ("stranger", Roles.commissionerApprover, "00L"),
            ] {
                let other = try await office.host.person(name, roles: [role], at: organisation)
                let refused = try await refusal {
                    _ = try await figures(office, other).getQualityFigures(
                        .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
                }
                #expect(refused.reason.code == .permissionDenied)
            }
            let unknown = try await refusal {
                _ = try await figures(office, commissioner).getQualityFigures(
                    .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2020/21") })
            }
            #expect(unknown.reason.name == "QUALITY_FIGURES_UNKNOWN")
            let wrong = try await refusal {
                _ = try await figures(office, office.operating).getQualityFigures(
                    .with { ($0.practiceCode, $0.financialYear) = ("?", "2020") })
            }
            #expect(wrong.violations.map(\.field) == ["practice_code", "financial_year"])
        }
    }
}
