import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// `docs/cqrs-local.md`, step by step, over a live socket.
@Suite("A scheme from its definition to a paid claim")
struct LocalWalkThrough {
    typealias Office = LocalOffice

    @Test(
        "a Sub ICB Location buys a service of a pharmacy, and pays it",
        arguments: [TestHost.Fidelity.inProcess, .unixSocket, .tcp])
    func pharmacy(_ fidelity: TestHost.Fidelity) async throws {
        try await Office.with(fidelity, pharmacies: true) { office in
            try await office.enrol()
            let chemist = try await office.host.person(
                "phil", roles: [Roles.cqrsLocalUser], at: Office.pharmacy)

            // 1 and 2: defined by one administrator, published by another.
            let service = try await office.publish(
                Office.definition {
                    ($0.name, $0.evidenceRequired) = ("Blood pressure checks", true)
                    $0.components = [Office.component("CHECK", ["PHARMACY": "31.00"])]
                })
            // 3 and 4: offered, accepted.
            let offered = try await office.schemes(office.admin).offerLocalContract(
                office.offer([service], to: [Office.pharmacy]))
            #expect(offered.pending == 1)
            let accepted = try await office.schemes(chemist).answerLocalContract(
                .with {
                    ($0.providerCode, $0.contractID, $0.accept) = (Office.pharmacy, offered.contractID, true)
                })
            #expect(accepted.active == 1)
            // 5 and 6: a window, and what the pharmacy sees of it.
            let window = try #require(try await office.windows(service).first)
            let open = try await office.schemes(chemist).getClaimAvailability(
                .with { $0.providerCode = Office.pharmacy })
            #expect(open.windows.map(\.canClaim) == [true])
            // 7 and 8: claimed with evidence, submitted.
            let draft = try await office.create(service, window, [Office.line("CHECK", "42")], by: chemist)
            try await office.scanned("DOC-1", of: Office.pharmacy)
            _ = try await office.claims(chemist).attachLocalEvidence(
                .with {
                    ($0.providerCode, $0.claimID, $0.documentID) = (Office.pharmacy, draft.claimID, "DOC-1")
                })
            let submitted = try await office.submit(draft, by: chemist)
            #expect((submitted.state, submitted.totalPence, submitted.band) == (.submitted, 1_302_00, .low))
            // 9 and 10: Tier 1, Tier 2.
            try await office.approve(submitted)
            // 11: to PCSE, acknowledged, paid.
            let report = try await office.handOver()
            #expect((report.sent, report.sentPence) == (1, 1_302_00))
            let id = try #require(try await office.read(draft).instructionIds.first)
            for answer in [Pcs_Cqrs_V1_InstructionState.acknowledged, .paid] {
                _ = try await office.instructions().recordAgencyAnswer(
                    .with { ($0.instructionID, $0.answer, $0.agencyReference) = (id, answer, "PCSE-1") })
            }
            let paid = try await office.claims(chemist).getLocalClaim(
                .with { ($0.providerCode, $0.claimID) = (Office.pharmacy, draft.claimID) })
            #expect(paid.state == .paid)
            #expect(
                paid.history.map(\.to) == [.draft, .submitted, .tier1Approved, .approved, .sentToPcse, .paid])
            #expect(paid.history.map(\.by) == ["phil", "phil", "tess", "tina", "olaf", "olaf"])
        }
    }
}
