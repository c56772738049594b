import CommonContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Ophthalmic claims in bulk")
struct OphthalmicBulkTests {
    @Test("five thousand claims in one batch are durable together, and the same batch again changes nothing")
    func bulk() async throws {
        try await OpticalPractice.with { practice in
            let claims = try (0..<5_000).map { try opticalClaim("B\($0)") }
            let batch = try await practice.submit(claims, piece: 1_000)
            #expect(batch.accepted == 5_000)
            #expect(try await practice.submit(claims, piece: 1_000).known == 5_000)
            try await practice.office.pay("2026-04")
            let lines = try await practice.office.statement(OpticalPractice.code, "2026-04").lines
            #expect(shown(lines) == ["GOS1 120650.00"])
            #expect(lines.first?.quantity == "5000")
        }
    }

    @Test("a batch above 20,000 claims is refused whole")
    func tooLarge() async throws {
        try await OpticalPractice.with { practice in
            let claim = try opticalClaim("B1")
            let most = try await refusal {
                try await practice.submit(Array(repeating: claim, count: 20_001), piece: 2_000)
            }
            #expect(most.reason == PaymentsReasons.ophthalmicBatchTooLarge)
            #expect(try await practice.all().isEmpty)
        }
    }
}
