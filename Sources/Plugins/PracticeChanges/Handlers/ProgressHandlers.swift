import Digests
import ChangesContract
import CommonContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Progress of cases, for all their parties.
struct ProgressHandlers: Pcs_Changes_V1_ChangeProgressService {
    private static let chunkBytes = 256 * 1_024

    let context: PluginContext
    let watchers: CaseWatchers

    func getCase(
        _ request: Pcs_Changes_V1_GetCaseRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case { try message(request) }

    private func message(_ request: Pcs_Changes_V1_GetCaseRequest) throws -> Pcs_Changes_V1_Case {
        try context.store.read { reader in
            let record = try CaseMessages.record(request.caseID, practice: request.practiceCode, reader)
            return try CaseMessages.message(record, context, reader)
        }
    }

    func listCases(
        _ request: Pcs_Changes_V1_ListCasesRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_ListCasesResponse {
        let cases = try context.store.read { reader in
            try CaseStore.cases(of: request.practiceCode, reader).map {
                try CaseMessages.message($0, context, reader)
            }
        }
        return .with { $0.cases = cases }
    }

    func watchCase(
        _ request: Pcs_Changes_V1_GetCaseRequest, _ reply: ReplyStream<Pcs_Changes_V1_Case>,
        _ call: CallContext
    ) async throws {
        // Watching begins before the first look, so that nothing falls between.
        let (changes, id) = watchers.watch(request.caseID)
        defer { watchers.end(id) }
        var sent = try message(request)
        try await reply.send(sent)
        if CaseState(rawValue: Int64(sent.state.rawValue))?.isEnded ?? true { return }
        for await _ in changes {
            let present = try message(request)
            guard present.version > sent.version else { continue }
            sent = present
            try await reply.send(sent)
            if CaseState(rawValue: Int64(sent.state.rawValue))?.isEnded ?? true { return }
        }
    }

    func exportEvidencePack(
        _ request: Pcs_Changes_V1_GetCaseRequest, _ reply: ReplyStream<Pcs_Changes_V1_EvidencePackChunk>,
        _ call: CallContext
    ) async throws {
        let pack = try context.store.read { reader in
            let record = try CaseMessages.record(request.caseID, practice: request.practiceCode, reader)
            let message = try CaseMessages.message(record, context, reader)
            let notices = try CaseStore.notices(of: record.id, reader)
            return Pcs_Changes_V1_EvidencePack.with {
                ($0.case, $0.notices, $0.madeAt) = (message, notices, .init(call.now))
            }
        }
        let bytes: [UInt8] = try pack.jsonUTF8Bytes()
        for start in stride(from: 0, to: bytes.count, by: Self.chunkBytes) {
            let end = min(start + Self.chunkBytes, bytes.count)
            try await reply.send(
                .with {
                    $0.data = .init(bytes[start..<end])
                    if end == bytes.count { $0.sha256 = Digest.hex(Digest.sha256(bytes)) }
                })
        }
    }

    func listChecklist(
        _ request: Pcs_Changes_V1_ListChecklistRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_ListChecklistResponse {
        let rows = try context.store.read { try ChecklistStore.rows(of: ChecklistStore.inForce($0), $0) }
        return .with { $0.steps = rows.map { Pcs_Changes_V1_Step($0) } }
    }
}
