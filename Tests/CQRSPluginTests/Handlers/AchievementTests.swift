import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// From the offer's list to explained pounds, through the door.
@Suite("CQRS achievement")
struct AchievementTests {
    static let yearEnd = day("2024-03-31")

    /// QOF 2023/24 whole, for three practices: every required figure, the same in all but the last digit.
    static func extract(changing: [String: String] = [:]) throws -> String {
        let definition = try Shipped.definition("QOF2324")
        var text = QualityOffice.header
        for (number, practice) in QualityOffice.practices.enumerated() {
            for indicator in definition.indicators {
                for field in indicator.requiredFields {
                    let usual =
                        switch field.role {
                        case .numerator: String(150 + number)
                        case .denominator: "200"
                        case .register: String(340 + number)
                        case .flag: "Y"
                        default: "1"
                        }
                    let value = changing["\(practice) \(indicator.code) \(field.role.rawValue)"] ?? usual
                    text += QualityOffice.row(
                        "QOF2324", practice, "20240331", indicator.code, field.name, value)
                }
            }
        }
        return text
    }

    func prepare(_ office: QualityOffice) async throws {
        try await office.participate("QOF2324", QualityOffice.practices, from: "20230401", to: "20240331")
        let groups = Set(try Shipped.definition("QOF2324").indicators.map(\.weightingGroup)).subtracting([""])
        try await office.loadConstants(
            groups.sorted().map { "national_register,\($0),2024-03-31,2024-03-31,1316260,A,test," })
        try await office.loadPopulations(QualityOffice.practices.map { "\($0),crp,2024-01-01,11420,test" })
    }

    private func request(_ practice: String) -> Pcs_Cqrs_V1_GetAchievementRequest {
        .with {
            $0.providerCode = practice
            $0.serviceCode = "QOF2324"
            $0.achievementDate = Pcs_Common_V1_Date(Self.yearEnd)
        }
    }

    @Test(
        "an extract is loaded, calculated, explained; the same again changes nothing; a correction changes one"
    )
    func wholeWay() async throws {
        try await QualityOffice.with { office in
            try await prepare(office)
            let load = try await office.load(try Self.extract(), as: .indicatorValues)
            #expect(load.providers == 3)
            #expect(load.added == load.rows)
            let again = try await office.load(try Self.extract(), as: .indicatorValues)
            #expect(again.alreadyLoaded)
            #expect(again.loadID == load.loadID)

            let run = try await office.calculate("QOF2324", Self.yearEnd)
            #expect(run.providers == 3)
            #expect(run.incomplete == 0)
            #expect(run.lines == 3 * 76)
            #expect(run.state == .released)
            #expect(run.totalPence > 0)
            let practice = try await office.host.person(
                "pat", roles: [Role("CQRS_FINANCE_VIEW")], at: "A81001")
            let payment = try await office.calculations(practice).getPayment(request("A81001"))
            #expect(payment.lines.reduce(0) { $0 + $1.amountPence } == payment.totalPence)
            #expect(payment.population == "11420")
            let explanation = try await office.calculations(practice).explain(
                .with {
                    $0.providerCode = "A81001"
                    $0.calculationID = payment.achievement.calculationID
                })
            #expect(explanation.lines.count == 76)
            for line in explanation.lines { #expect(line.replayedPence == line.amountPence) }
            #expect(explanation.totalPence == payment.totalPence)
            #expect(explanation.lines[0].inputs.contains { $0.source.contains("population") })

            let unchanged = try await office.calculate("QOF2324", Self.yearEnd)
            #expect((unchanged.runID, unchanged.changed) == (run.runID, 0))

            let corrected = try await office.load(
                try Self.extract(changing: ["A81001 AF006 N": "200"]), as: .indicatorValues)
            #expect((corrected.added, corrected.changed) == (0, 1))
            let after = try await office.calculate("QOF2324", Self.yearEnd)
            #expect((after.changed, after.unchanged) == (1, 2))
            #expect(after.totalPence > run.totalPence)
        }
    }

    @Test("the View role sees points and is never given pounds (REP-2); another practice sees nothing")
    func viewRole() async throws {
        try await QualityOffice.with { office in
            try await prepare(office)
            _ = try await office.load(try Self.extract(), as: .indicatorValues)
            _ = try await office.calculate("QOF2324", Self.yearEnd)
            let viewer = try await office.host.person("vera", roles: [Role("CQRS_VIEW")], at: "A81001")
            let achievement = try await office.calculations(viewer).getAchievement(request("A81001"))
            #expect(achievement.lines.count == 76)
            #expect(achievement.maximumPointsHundredths == 635_00)
            await expectRefusal("ACCESS_DENIED") {
                _ = try await office.calculations(viewer).getPayment(request("A81001"))
            }
            await expectRefusal("ORGANISATION_OUT_OF_SCOPE") {
                _ = try await office.calculations(viewer).getAchievement(request("A81002"))
            }
        }
    }

    @Test(
        "resubmission keeps what was there, with who sent it; who looked is on record with the figures seen (DAT-2)"
    )
    func history() async throws {
        try await QualityOffice.with { office in
            try await prepare(office)
            _ = try await office.load(try Self.extract(), as: .indicatorValues)
            _ = try await office.load(
                try Self.extract(changing: ["A81001 AF006 N": "199"]), as: .indicatorValues)
            let counts = try await office.submissions().getCounts(
                .with {
                    $0.providerCode = "A81001"
                    $0.serviceCode = "QOF2324"
                    $0.achievementDate = Pcs_Common_V1_Date(Self.yearEnd)
                    $0.withHistory = true
                })
            let cells = counts.cells.filter { $0.indicatorCode == "AF006" && $0.field == "Numerator" }
            #expect(cells.map(\.value) == ["150", "199"])
            #expect(cells.map(\.lastSubmission) == [false, true])
            let seen = try office.host.store(of: "cqrs").read { reader in
                try reader.all(Statement("SELECT figures_sha256, seen_by FROM figures_seen")) {
                    ($0.text(0), $0.text(1))
                }
            }
            #expect(seen.count == 1)
            #expect(seen.first?.0 == counts.figuresSha256)
            #expect(seen.first?.1 == "olive")
        }
    }

    @Test(
        "a list restated after the calculation changes no result and raises proposals with the difference (POP-2, R10)"
    )
    func restated() async throws {
        try await QualityOffice.with { office in
            try await prepare(office)
            _ = try await office.load(try Self.extract(), as: .indicatorValues)
            let run = try await office.calculate("QOF2324", Self.yearEnd)
            let load = try await office.loadPopulations(["A81002,crp,2024-01-01,12000,restated"])
            #expect(load.recalculationProposals == 1)
            let present = try await office.calculations().getPayment(request("A81002"))
            #expect(present.population == "11420")
            let proposals = try await office.calculations().listRecalculationProposals(
                .with { $0.openOnly = true })
            #expect(proposals.proposals.map(\.providerCode) == ["A81002"])
            let proposal = try #require(proposals.proposals.first)
            #expect(proposal.beforePence == present.totalPence)
            let after = try await office.calculate("QOF2324", Self.yearEnd)
            #expect(after.totalPence - run.totalPence == proposal.afterPence - proposal.beforePence)
            #expect(proposal.afterPence != proposal.beforePence)
            let left = try await office.calculations().listRecalculationProposals(
                .with { $0.openOnly = true })
            #expect(left.proposals.isEmpty)
        }
    }
}
