import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// Figures typed in, and the life of a definition.
@Suite("CQRS entry by hand and definitions")
struct EntryAndLifeTests {
    private func entry(
        _ service: String, _ practice: String, _ date: String, _ cells: [(String, String, String)],
        reason: String = ""
    ) -> Pcs_Cqrs_V1_SubmitCountsRequest {
        .with {
            $0.providerCode = practice
            $0.serviceCode = service
            $0.achievementDate = Pcs_Common_V1_Date(day(date))
            $0.reason = reason
            $0.entries = cells.map { cell in
                .with {
                    $0.indicatorCode = cell.0
                    $0.field = cell.1
                    $0.value = cell.2
                }
            }
        }
    }

    @Test("W9: checks of a year never exceed the register; the quarter that would is refused")
    func cap() async throws {
        try await QualityOffice.with { office in
            try await office.participate("LDHC2526", ["A81001"], from: "20250401", to: "20260331")
            let clerk = try await office.host.person(
                "carl", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: "A81001")
            let client = try await office.submissions(clerk)
            for (date, checks) in [("2025-06-30", "20"), ("2025-09-30", "32")] {
                let progress = try await client.submitCounts(
                    entry(
                        "LDHC2526", "A81001", date, [("LD001", "Count", checks), ("LD001", "Maximum", "55")]))
                #expect(progress.complete)
            }
            await expectRefusal("FIELD_INVALID", ["0 DAT-10"]) {
                _ = try await client.submitCounts(
                    entry(
                        "LDHC2526", "A81001", "2025-12-31",
                        [("LD001", "Count", "4"), ("LD001", "Maximum", "55")]))
            }
            let run = try await office.calculate("LDHC2526", day("2025-06-30"))
            #expect(run.totalPence == 20 * 140_00)
        }
    }

    @Test("W11: entry after the twelfth day is blocked until the commissioner unlocks it")
    func unlocking() async throws {
        try await QualityOffice.with { office in
            try await office.participate("WM2526", ["A81001"], from: "20250401", to: "20260331")
            let clerk = try await office.host.person(
                "carl", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: "A81001")
            let client = try await office.submissions(clerk)
            // The clock stands at 16 March 2026: February's twelve days are over.
            let late = entry("WM2526", "A81001", "2026-02-28", [("WM001", "Count", "17")])
            await expectRefusal("WINDOW_CLOSED") { _ = try await client.submitCounts(late) }
            _ = try await office.submissions().unlockEntry(
                .with {
                    $0.providerCode = "A81001"
                    $0.serviceCode = "WM2526"
                    $0.achievementDate = Pcs_Common_V1_Date(day("2026-02-28"))
                    $0.openUntil = Pcs_Common_V1_Date(day("2026-03-20"))
                    $0.reason = "agreed"
                })
            #expect(try await client.submitCounts(late).complete)
            let run = try await office.calculate("WM2526", day("2026-02-28"))
            #expect(run.totalPence == 195_50)
        }
    }

    @Test(
        "an extracted figure is not typed over by the practice (DAT-6), nor a practice that does not take part (PAR-1)"
    )
    func notByHand() async throws {
        try await QualityOffice.with { office in
            try await office.participate("QOF2324", ["A81001"], from: "20230401", to: "20240331")
            let clerk = try await office.host.person(
                "carl", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: "A81001")
            await expectRefusal("ENTRY_NOT_ALLOWED", ["0 DAT-6"]) {
                _ = try await office.submissions(clerk).submitCounts(
                    entry("QOF2324", "A81001", "2024-03-31", [("AF006", "Numerator", "1")]))
            }
            let other = try await office.host.person(
                "dora", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: "A81002")
            await expectRefusal("NOT_PARTICIPATING") {
                _ = try await office.submissions(other).submitCounts(
                    entry("QOF2324", "A81002", "2024-03-31", [("QI013", "Yes/No Flag", "Y")]))
            }
            let progress = try await office.submissions(clerk).submitCounts(
                entry("QOF2324", "A81001", "2024-03-31", [("QI013", "Yes/No Flag", "Y")]))
            #expect(progress.indicatorsSubmitted == 1)
            #expect(progress.indicatorsExpected == 76)
        }
    }

    @Test("a definition is loaded by one person, published by another, and never changed afterwards")
    func definitionLife() async throws {
        try await QualityOffice.with { office in
            func messages(_ version: Int) -> [Pcs_Cqrs_V1_LoadServicesRequest] {
                let services =
                    DefinitionFiles.serviceColumns.joined(separator: ",")
                    + "\nMSURG2526,\(version),Minor surgery,2025/26,des,2025-04-01,2026-03-31,monthly,monthly,manual,practice,itemOfService,none,PRACTICE,financeApprovalRequired,MS,,C,local tariff\n"
                let indicators =
                    DefinitionFiles.indicatorColumns.joined(separator: ",")
                    + "\nMSURG2526,\(version),MS001,MS,payment,count,0,,,,none,,M,,,,C=Count,,,C,local,\n"
                let tariffs =
                    DefinitionFiles.tariffColumns.joined(separator: ",")
                    + "\nMSURG2526,\(version),procedure,MS001,85.50,none,1,2025-04-01,,,C,local\n"
                return [
                    (Pcs_Cqrs_V1_ServiceFile.services, services), (.indicators, indicators),
                    (.tariffs, tariffs),
                ].map { file in
                    .with {
                        $0.file = file.0
                        $0.data = Data(file.1.utf8)
                    }
                }
            }
            let load = try await office.services().loadServices(messages(1))
            let draft = try #require(load.services.first)
            #expect(draft.state == .draft)
            let publish = Pcs_Cqrs_V1_PublishServiceRequest.with {
                $0.code = draft.code
                $0.version = 1
                $0.definitionSha256 = draft.definitionSha256
            }
            await expectRefusal("SECOND_PERSON_REQUIRED") {
                _ = try await office.services().publishService(publish)
            }
            let published = try await office.services(office.second).publishService(publish)
            #expect(published.state == .published)
            #expect(published.tariffs.first?.amountPounds == "85.50")
            await expectRefusal("SERVICE_IMMUTABLE") {
                _ = try await office.services().loadServices(messages(1))
            }
            #expect(try await office.services().loadServices(messages(2)).services.first?.version == 2)
            await expectRefusal("SERVICE_STATE_WRONG") {
                _ = try await office.services().closeService(
                    .with {
                        $0.code = draft.code
                        $0.version = 2
                        $0.state = .archived
                        $0.reason = "never used"
                    })
            }
        }
    }

    @Test("aspiration of a year is set from a file, with its explanation (W8)")
    func aspiration() async throws {
        try await QualityOffice.with { office in
            let text =
                "provider_code,financial_year,achieved_pounds,agreed_by,source\nA81001,2024/25,148236.40,,QOF 2023/24\n"
            let load = try await office.calculations().loadAspirations([.with { $0.data = Data(text.utf8) }])
            #expect(load.monthlyPence == 10_215_34)
            let practice = try await office.host.person(
                "pat", roles: [Role("CQRS_FINANCE_VIEW")], at: "A81001")
            let aspiration = try await office.calculations(practice).getAspiration(
                .with {
                    $0.providerCode = "A81001"
                    $0.financialYear = "2024/25"
                })
            #expect(aspiration.monthlyPence == 10_215_34)
            #expect(aspiration.explanation.replayedPence == 10_215_34)
            #expect(!aspiration.achievementKnown)
        }
    }
}
