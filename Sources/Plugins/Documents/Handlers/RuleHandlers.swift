import Digests
import CommonContract
import DocumentsContract
import HostContract
import PluginAPI
import SwiftProtobuf
import Tabular

/// Kinds and settings: proposed by one editor, approved by another.
struct RuleHandlers: Pcs_Documents_V1_DocumentRulesService {
    let context: PluginContext

    func proposeRules(
        _ request: Pcs_Documents_V1_ProposeRulesRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_RuleSet {
        var fields = RequestFields()
        fields.reason(request.reason)
        let table = RuleStore.Table(rawValue: Int64(request.table.rawValue))
        if table == nil { fields.refuse("table", "DOC14", "The table is kinds or settings.") }
        if !(1...200).contains(request.fileName.count) {
            fields.refuse("file_name", "DOC09", "A file name has 1 to 200 characters.")
        }
        try fields.finish()
        guard let table else { throw Failure(HostReasons.fieldInvalid) }
        let bytes = Array(request.data)
        let rows = try Self.count(bytes, table)
        return try await call.commit { transaction in
            let set = RuleStore.RuleSet(
                id: transaction.newIdentifier(), table: table, state: .proposed, fileName: request.fileName,
                sha256: Digest.hex(Digest.sha256(bytes)), rows: rows, reason: request.reason,
                proposedBy: call.caller.responsible)
            try RuleStore.propose(set, bytes, in: transaction)
            transaction.audit(AuditNote(object: "rule-set/\(set.id)", detail: "proposed: \(request.reason)"))
            return Self.message(set)
        }
    }

    /// Rows of a file that can be read; throws with all its faults otherwise.
    static func count(_ bytes: [UInt8], _ table: RuleStore.Table) throws -> Int64 {
        switch table {
        case .kinds:
            let (rows, violations) = RuleFiles.readKinds(bytes)
            guard violations.isEmpty else { throw violations.failure(HostReasons.fileInvalid) }
            return Int64(rows.count)
        case .settings:
            let (row, violations) = RuleFiles.readSettings(bytes)
            guard row != nil else { throw violations.failure(HostReasons.fileInvalid) }
            return 1
        }
    }

    func decideRules(
        _ request: Pcs_Documents_V1_DecideRulesRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_RuleSet {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            guard var set = try RuleStore.set(request.setID, transaction) else {
                throw Failure(HostReasons.notFound, "There is no such set.")
            }
            guard set.state == .proposed else { throw Failure(DocumentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: set.proposedBy, step: "deciding the rules for documents")
            set.state = request.approve ? .approved : .refused
            set.decidedBy = call.caller.responsible
            set.decidedAt = transaction.now
            try RuleStore.decide(set, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "rule-set/\(set.id)",
                    detail: "\(request.approve ? "approved" : "refused"): \(request.reason)"))
            return Self.message(set)
        }
    }

    func listRuleSets(
        _ request: Pcs_Documents_V1_ListRuleSetsRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_ListRuleSetsResponse {
        let sets = try context.store.read { try RuleStore.sets($0) }
        return .with { $0.sets = sets.map(Self.message) }
    }

    private static func message(_ set: RuleStore.RuleSet) -> Pcs_Documents_V1_RuleSet {
        .with {
            $0.setID = set.id
            $0.table = Pcs_Documents_V1_RuleTable(rawValue: Int(set.table.rawValue)) ?? .unspecified
            $0.state = Pcs_Documents_V1_RuleSetState(rawValue: Int(set.state.rawValue)) ?? .unspecified
            $0.fileName = set.fileName
            $0.sha256 = set.sha256
            $0.rows = Int32(clamping: set.rows)
            $0.reason = set.reason
            $0.proposedBy = set.proposedBy
            $0.decidedBy = set.decidedBy
            if let decidedAt = set.decidedAt { $0.decidedAt = Google_Protobuf_Timestamp(decidedAt) }
        }
    }
}
