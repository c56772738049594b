import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// cqrs.md 13 of figures, points and pounds.
@Suite("CQRS requirements of figures")
struct FiguresRequirements {
    @Test(
        "R1: a run whose mean payment moves by more than the bound is held, and declares nothing until another person releases it"
    )
    func held() async throws {
        try await QualityOffice.with { office in
            try await AchievementTests().prepare(office)
            _ = try await office.load(try AchievementTests.extract(), as: .indicatorValues)
            #expect(try await office.calculate("QOF2324", AchievementTests.yearEnd).state == .released)
            try await office.loadPopulations(
                QualityOffice.practices.map { "\($0),crp,2024-01-01,14000,restated" })
            let held = try await office.calculate("QOF2324", AchievementTests.yearEnd)
            #expect(held.state == .held)
            #expect(abs(held.movementBasisPoints) > 200)
            let declarations = Pcs_Cqrs_V1_DeclarationServiceClient(
                try await office.host.transport(.inProcess, as: office.operating))
            #expect(try await declarations.runNightly(.init()).drafts == 0)
            let release = Pcs_Cqrs_V1_ReleaseRunRequest.with {
                ($0.runID, $0.reason) = (held.runID, "the lists were restated")
            }
            await expectRefusal("SECOND_PERSON_REQUIRED") {
                _ = try await office.calculations().releaseRun(release)
            }
            #expect(try await office.calculations(office.second).releaseRun(release).state == .released)
            #expect(try await declarations.runNightly(.init()).drafts == 3)
        }
    }

    @Test("R2: the lines of a declaration add up to it, each line computed anew from its own factors")
    func explained() async throws {
        try await QualityOffice.with { office in
            try await AchievementTests().prepare(office)
            _ = try await office.load(try AchievementTests.extract(), as: .indicatorValues)
            _ = try await office.calculate("QOF2324", AchievementTests.yearEnd)
            let declarations = Pcs_Cqrs_V1_DeclarationServiceClient(
                try await office.host.transport(.inProcess, as: office.operating))
            _ = try await declarations.runNightly(.init())
            let declaration = try #require(
                try await declarations.listDeclarations(.with { $0.providerCode = "A81001" }).declarations
                    .first)
            let explanation = try await office.calculations().explain(
                .with { ($0.providerCode, $0.calculationID) = ("A81001", declaration.calculationID) })
            #expect(explanation.lines.reduce(0) { $0 + $1.amountPence } == declaration.amountPence)
            #expect(explanation.lines.allSatisfy { $0.replayedPence == $0.amountPence })
            let weighted = try #require(explanation.lines.first { $0.indicatorCode == "AF006" })
            // Register, lists, prevalence, value: each factor of 6.3 is there with its source.
            #expect(weighted.inputs.count >= 6)
            #expect(weighted.inputs.allSatisfy { !$0.source.isEmpty })
        }
    }

    @Test(
        "R12: 84 of 100 is 84 % net and 70 % with adjustments, earns nothing, and must rise by more than 2.00 points"
    )
    func coverage() async throws {
        try await QualityOffice.with { office in
            let definition = try Shipped.definition("QOF2526")
            let groups = Set(definition.indicators.map(\.weightingGroup)).subtracting([""])
            try await office.loadConstants(
                groups.sorted().map { "national_register,\($0),2026-03-31,2026-03-31,1316260,A,test," } + [
                    "national_list,,2026-03-31,2026-03-31,61727998,A,test,",
                    "average_list_size,QOF,2025-01-01,,10184,U,test,",
                ])
            try await office.participate("QOF2526", ["A81001"], from: "20250401", to: "20260331")
            try await office.loadPopulations(["A81001,crp,2026-01-01,10184,test"])
            let declined = try #require(ShippedDefinitions.adjustments.first { $0.isAdjustment }).code
            let text =
                QualityOffice.header
                + [("Numerator", "84"), ("Denominator", "100"), (declined, "20")].map {
                    QualityOffice.row("QOF2526", "A81001", "20260228", "VI002", $0.0, $0.1)
                }.joined()
            _ = try await office.load(text, as: .indicatorValues)
            _ = try await office.calculate("QOF2526", day("2026-02-28"))
            let practice = try await office.host.person("vera", roles: [Role("CQRS_VIEW")], at: "A81001")
            let line = try #require(
                try await office.calculations(practice).getAchievement(
                    .with {
                        ($0.providerCode, $0.serviceCode) = ("A81001", "QOF2526")
                        $0.achievementDate = Pcs_Common_V1_Date(day("2026-02-28"))
                    }
                ).lines.first { $0.indicatorCode == "VI002" })
            #expect((line.percent, line.percentWithAdjustments) == ("84", "70"))
            #expect((line.pointsHundredths, line.mustRiseBy) == (0, "2.00"))
        }
    }

    @Test(
        "what must rise is rounded up, at a first block up to it, downwards for an inverse indicator; empty once it earns"
    )
    func rise() throws {
        var indicator = try #require(
            try Shipped.definition("QOF2526").indicators.first { $0.code == "VI002" })
        func missing(_ numerator: Int64, _ denominator: Int64) -> String {
            var line = ResultLine(numerator: numerator, denominator: denominator)
            let score = IndicatorScore.score(
                indicator.routes[0], numerator: numerator, denominator: denominator)
            (line.points, line.standing) = (score.points, score.standing)
            return ResultView.mustRise(line, indicator)
        }
        #expect(missing(86, 100) == "0.00")
        #expect(missing(5, 7) == "14.58")
        #expect(missing(87, 100) == "")
        #expect(missing(0, 0) == "")
        indicator.routes = [fraction("12", "3", "9", kind: .inverse)]
        #expect(missing(10, 100) == "1.00")
        #expect(missing(5, 100) == "")
    }

    @Test(
        "7.6: results within the year, and of a period that is not over, are for information and never declared"
    )
    func periods() async throws {
        try await QualityOffice.with { office in
            let definition = try Shipped.definition("QOF2324")
            #expect(!AchievementDates.isPaid(day("2024-02-29"), of: definition))
            #expect(AchievementDates.isPaid(day("2024-03-31"), of: definition))
            let quarterly = try Shipped.definition("LDHC2526")
            #expect(
                ["2025-06-30", "2025-09-30", "2025-12-31", "2026-03-31"].allSatisfy {
                    AchievementDates.isPaid(day($0), of: quarterly)
                })
            #expect(!AchievementDates.isPaid(day("2025-07-31"), of: quarterly))
        }
    }
}
