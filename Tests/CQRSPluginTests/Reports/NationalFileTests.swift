import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// The layouts of cqrs.md 5.4 and the masks of 5.5.
@Suite("CQRS national files")
struct NationalFileTests {
    private func file(_ office: QualityOffice, _ name: Pcs_Cqrs_V1_ReportName, openData: Bool = false)
        async throws -> [String]
    {
        let door = Pcs_Cqrs_V1_ReportServiceClient(
            try await office.host.transport(.inProcess, as: office.operating))
        let request = Pcs_Cqrs_V1_ReportRequest.with {
            ($0.name, $0.serviceCode, $0.openData) = (name, "QOF2324", openData)
            $0.achievementDate = Pcs_Common_V1_Date(AchievementTests.yearEnd)
        }
        var bytes = Data()
        for try await chunk in try await door.exportReport(request) { bytes += chunk.data }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    @Test(
        "practice list, achieved points and indicator values have exactly the headings of 5.4, and can be loaded again"
    )
    func layouts() async throws {
        try await QualityOffice.with { office in
            try await AchievementTests().prepare(office)
            _ = try await office.load(try AchievementTests.extract(), as: .indicatorValues)
            _ = try await office.calculate("QOF2324", AchievementTests.yearEnd)
            let list = try await file(office, .finalPracticeList)
            #expect(list.first == "QUALITY_SERVICE,SP_ORG_CODE,SP_ORG_NAME,CO_ORG_CODE,PART_ST_DT,PART_ED_DT")
            #expect(list.dropFirst().first == "QOF2324,A81001,THE DENSHAM SURGERY,16C,20230401,20240331")
            let points = try await file(office, .achievedPoints)
            #expect(points.first == "QUALITY_SERVICE,ORG_CODE,ACH_DATE,IND_CODE,POINTS,APPROVED")
            #expect(points.count == 1 + 3 * 76)
            let values = try await file(office, .indicatorValues)
            #expect(values.first == QualityOffice.header.trimmingCharacters(in: .newlines))
            let definition = try Shipped.definition("QOF2324")
            #expect(values.count == 1 + 3 * definition.indicators.reduce(0) { $0 + $1.requiredFields.count })
            #expect(
                values.contains {
                    $0.hasPrefix(
                        "QOF2324,Quality and Outcomes Framework 2023/24,A81001,20240331,AF006,Numerator,150,None,AUTOMATED,16/03/2026,"
                    )
                        && $0.hasSuffix(",Y")
                })
            // What is emitted is accepted: every cell is there already.
            let again = try await office.load(values.joined(separator: "\r\n") + "\r\n", as: .indicatorValues)
            #expect((again.added, again.changed) == (0, 0))
            #expect(again.unchanged == Int64(values.count - 1))
        }
    }

    @Test("REP-6: open data masks small numbers, leaves exclusions out and names nobody")
    func openData() async throws {
        try await QualityOffice.with { office in
            try await AchievementTests().prepare(office)
            let codes = ShippedDefinitions.adjustments
            let adjustment = try #require(codes.first { $0.isAdjustment }).code
            let exclusion = try #require(codes.first { !$0.isAdjustment }).code
            let rows = [
                ("AF006", "Numerator", "0"), ("AF006", "Denominator", "1"), ("AF006", adjustment, "3"),
                ("AF008", "Numerator", "5"), ("AF008", "Denominator", "9"), ("AF008", adjustment, "3"),
                ("AF008", exclusion, "4"),
            ]
            let text =
                QualityOffice.header
                + rows.map { QualityOffice.row("QOF2324", "A81001", "20240331", $0.0, $0.1, $0.2) }.joined()
            _ = try await office.load(text, as: .indicatorValues)
            func cells(_ openData: Bool) async throws -> Set<String> {
                Set(
                    try await file(office, .indicatorValues, openData: openData).dropFirst().map { line in
                        line.split(separator: ",", omittingEmptySubsequences: false)[4...6].joined(
                            separator: " ")
                    })
            }
            #expect(try await cells(false) == Set(rows.map { "\($0.0) \($0.1) \($0.2)" }))
            #expect(
                try await cells(true) == [
                    "AF006 Numerator 0", "AF006 Denominator *", "AF006 \(adjustment) *", "AF008 Numerator 5",
                    "AF008 Denominator 9", "AF008 \(adjustment) 3",
                ])
        }
    }

    @Test("5.5: with several codes, all are masked when the cohort is empty and one code holds the whole")
    func severalCodes() throws {
        let indicator = try #require(
            try Shipped.definition("QOF2324").indicators.first { $0.code == "AF006" })
        let codes = ShippedDefinitions.adjustments.filter(\.isAdjustment).map(\.code)
        let denominator = try #require(indicator.field(.denominator))
        func shown(_ cohort: Int64, _ first: Int64, _ second: Int64) -> [String?] {
            let mask = OpenDataSuppression(
                indicator, [(denominator, cohort), (codes[0], first), (codes[1], second)])
            return [mask.shown(denominator, "d"), mask.shown(codes[0], "a"), mask.shown(codes[1], "b")]
        }
        #expect(shown(0, 4, 0) == ["d", "*", "*"])
        #expect(shown(0, 4, 1) == ["d", "a", "b"])
        #expect(shown(1, 4, 0) == ["d", "a", "b"])
        #expect(shown(0, 0, 0) == ["d", "a", "b"])
    }
}
