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

@Suite("Nothing is paid twice (C5)")
struct ReplayTests {
    @Test("C5: the same message and the same file of variations again, before and after the run, add no line")
    func replay() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            let editor = try await office.host.person("eddie", roles: [Roles.commissionerEditor], at: "16C")
            let approver = try await office.host.person("cas", roles: [Roles.commissionerApprover], at: "16C")
            let variations = Pcs_Payments_V1_VariationServiceClient(try await office.transport(editor))
            let decisions = Pcs_Payments_V1_VariationServiceClient(try await office.transport(approver))
            let text = VariationTests.header + "\nA81001,LIS,winter scheme,ONEOFF,250.00,2026-04,,250.00,,\n"
            func upload() async throws -> Pcs_Payments_V1_VariationUpload {
                try await variations.uploadVariations([
                    .with { ($0.commissionerCode, $0.fileName, $0.data) = ("16C", "cv.csv", Data(text.utf8)) }
                ])
            }
            let first = try await upload()
            _ = try await variations.submitVariations(
                .with { ($0.uploadID, $0.commissionerCode) = (first.uploadID, "16C") })
            _ = try await decisions.decideVariations(
                .with {
                    ($0.uploadID, $0.commissionerCode, $0.approve, $0.sha256) = (
                        first.uploadID, "16C", true, first.sha256
                    )
                })
            let post = QualityPost(host: office.host)
            let message = QualityPost.instruction(
                "I1", "D1", "A81001", pence: 70_000, release: "2026-04-01", payCode: "LDHC")
            for _ in 0..<3 { try await post.instruct(message) }
            #expect(try await refusal { _ = try await upload() }.violations.map(\.rule) == ["CV010"])
            let expected = ["PMSB 10000.00", "LIS 250.00", "ESLD 700.00"]
            let run = try await office.calculate(try await office.open("2026-04").runID)
            #expect(
                try await shown(office.statement("A81001", "2026-04").lines).sorted() == expected.sorted())
            // The same run again: the same lines, to the byte.
            let again = try await office.calculate(run.runID)
            #expect(again.statementsSha256 == run.statementsSha256)
            try await office.approve(again)
            try await post.instruct(message)
            // Besides, the month is closed by now.
            let late = try await refusal { _ = try await upload() }.violations.map(\.rule)
            #expect(!late.isEmpty && late.allSatisfy { ["CV006", "CV010"].contains($0) })
            try await office.host.restart()
            try await post.instruct(message)
            try await office.pay("2026-05")
            #expect(try await shown(office.statement("A81001", "2026-05").lines) == ["PMSB 10000.00"])
        }
    }
}
