import CommonContract
import CqrsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

@Suite("Count and price of an instruction (payments.md 13 C1)")
struct InstructedUnitsTests {
    @Test("twenty checks at 140 pounds go out with both; a part of the amount goes out without")
    func healthChecks() async throws {
        try await QualityOffice.with { office in
            try await office.participate("LDHC2526", ["A81001"], from: "20250401", to: "20260331")
            let clerk = try await office.host.person("carl", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: "A81001")
            _ = try await office.submissions(clerk).submitCounts(
                .with {
                    ($0.serviceCode, $0.providerCode) = ("LDHC2526", "A81001")
                    $0.achievementDate = Pcs_Common_V1_Date(day("2025-06-30"))
                    $0.entries = [("LD001", "Count", "20"), ("LD001", "Maximum", "55")].map { entry in
                        .with { ($0.indicatorCode, $0.field, $0.value) = entry }
                    }
                })
            #expect(try await office.calculate("LDHC2526", day("2025-06-30")).totalPence == 20 * 140_00)
            let declarations = Pcs_Cqrs_V1_DeclarationServiceClient(
                try await office.host.transport(.inProcess, as: office.operating))
            _ = try await declarations.runNightly(.init())
            try office.host.store(of: "cqrs").read { reader in
                let key = DeclarationDesk.Key(service: "LDHC2526", date: day("2025-06-30"))
                let record = try #require(try DeclarationStore.live(key, reader).first)
                func filled(_ pence: Int64) throws -> Pcs_Cqrs_V1_PaymentInstructed {
                    let instruction = InstructionStore.Record(
                        id: "I1", declaration: record.id, payee: "A81001", payeeKind: "PRACTICE", provider: "A81001",
                        commissioner: record.commissioner, payCode: "LDHC", subjectiveCode: "", pence: pence,
                        period: YearMonth(containing: record.date), service: record.service, narrative: "",
                        releaseOn: record.date)
                    return try InstructedUnits.fill(DeclarationRelease.event(instruction), instruction, reader)
                }
                let whole = try filled(record.pence)
                #expect((whole.quantity, whole.rate) == ("20", "140"))
                let part = try filled(record.pence / 2)
                #expect(part.quantity.isEmpty && part.rate.isEmpty)
            }
        }
    }
}
