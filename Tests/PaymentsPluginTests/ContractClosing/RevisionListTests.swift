import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Revisions that wait: a list by commissioner and state, and tasks")
struct RevisionListTests {
    @Test("revisions are listed by commissioner and state, page by page; each asks its deciders and settles their task")
    func listed() async throws {
        try await ContractChangeTests.withDesk { desk in
            let office = desk.office
            try await office.loadContracts("C84101,Far,GMS,2026-01-01,,02Q,Y60,,Y,,,,,,,,")
            let editing = try await office.contracts(desk.editor)
            func propose(_ code: String, _ client: Pcs_Payments_V1_ContractServiceClient) async throws -> String {
                try await client.reviseContract(
                    .with {
                        ($0.practiceCode, $0.endContract, $0.reason) = (code, true, "the practice closes")
                        $0.effectiveFrom = .with { ($0.year, $0.month, $0.day) = (2026, 7, 1) }
                    }
                ).revisionID
            }
            let ids = [
                try await propose("A81001", editing), try await propose("A81002", editing),
                try await propose("A81001", editing),
            ]
            let far = try await propose("C84101", try await office.contracts())
            func page(
                _ token: String = "", size: Int32 = 2, state: Pcs_Payments_V1_RevisionState = .unspecified
            ) async throws -> Pcs_Payments_V1_ListContractRevisionsResponse {
                try await editing.listContractRevisions(
                    .with {
                        ($0.commissionerCode, $0.pageToken, $0.pageSize, $0.state) = ("16C", token, size, state)
                    })
            }
            let first = try await page()
            #expect(first.revisions.map(\.revisionID) == Array(ids.prefix(2)) && !first.nextPageToken.isEmpty)
            #expect(first.revisions.allSatisfy { $0.commissionerCode == "16C" && $0.proposedBy == "eddie" })
            let second = try await page(first.nextPageToken)
            #expect(second.revisions.map(\.revisionID) == [ids[2]] && second.nextPageToken.isEmpty)
            let all = try await office.contracts().listContractRevisions(.init())
            #expect(all.revisions.map(\.revisionID) == ids + [far])
            let foreign = try await refusal {
                _ = try await editing.listContractRevisions(.with { $0.commissionerCode = "02Q" })
            }
            #expect(foreign.reason == HostReasons.organisationOutOfScope)
            let size = try await refusal { _ = try await page(size: 201) }
            #expect(size.violations.map(\.field) == ["page_size"])

            _ = try await office.contracts(desk.approver).decideContractRevision(
                .with { ($0.practiceCode, $0.revisionID, $0.reason) = ("A81001", ids[0], "another day") })
            #expect(try await page(size: 0).revisions.map(\.revisionID) == Array(ids.dropFirst()))
            #expect(try await page(state: .returned).revisions.map(\.revisionID) == [ids[0]])
            let tasks = try office.published(Pcs_Casework_V1_TaskRequested.self)
                .filter { $0.record.kind == "contract-revision" }
            #expect(tasks.map(\.record.recordID) == ids + [far])
            #expect(tasks.map(\.organisationCode) == ["16C", "16C", "16C", "02Q"])
            let settled = try office.published(Pcs_Casework_V1_TaskSettled.self)
            #expect(settled.map(\.taskKey) == ["payments/contract-revision/\(ids[0])/decide"])
            #expect(settled.map(\.outcome) == ["returned"])
        }
    }
}
