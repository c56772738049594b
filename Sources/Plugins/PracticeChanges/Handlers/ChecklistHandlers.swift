import Digests
import ChangesContract
import HostContract
import PluginAPI
import Tabular

/// The checklist: proposed by one editor, approved by another. Shipped as in force at the first start.
struct ChecklistHandlers: Pcs_Changes_V1_ChecklistService {
    static let shippedBy = "shipped"

    let context: PluginContext

    /// Safe to call at every start: a later release's changed file is only proposed.
    static func loadShipped(into store: any Store) async throws {
        let bytes = PackageResources.checklist_csv
        let hash = Digest.hex(Digest.sha256(bytes))
        let known = try store.read { try ChecklistStore.sets($0) }
        if known.contains(where: { $0.sha256 == hash }) { return }
        let rows = try count(bytes)
        try await store.write(actor: shippedBy) { transaction in
            var set = ChecklistStore.Set(
                id: transaction.newIdentifier(), state: .proposed, sha256: hash, rows: rows,
                reason: "shipped with the plugin", proposedBy: shippedBy)
            try ChecklistStore.propose(set, bytes, in: transaction)
            transaction.audit(AuditNote(object: "checklist/\(set.id)", detail: "shipped, \(rows) steps"))
            guard known.isEmpty else { return }
            set.state = .approved
            set.decidedBy = shippedBy
            try ChecklistStore.decide(set, reason: "shipped with the plugin", in: transaction)
        }
    }

    private static func count(_ bytes: [UInt8]) throws -> Int64 {
        let (rows, violations) = ChecklistFile.read(bytes)
        guard violations.isEmpty else { throw violations.failure(HostReasons.fileInvalid) }
        return Int64(rows.count)
    }

    func proposeChecklist(
        _ request: Pcs_Changes_V1_ProposeChecklistRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_ChecklistSet {
        var violations = RequestFields()
        violations.text(request.reason, "reason", "CHK", 3...500)
        try violations.finish()
        let bytes = Array(request.data)
        let rows = try Self.count(bytes)
        return try await call.commit { transaction in
            let set = ChecklistStore.Set(
                id: transaction.newIdentifier(), state: .proposed, sha256: Digest.hex(Digest.sha256(bytes)), rows: rows,
                reason: request.reason, proposedBy: call.caller.responsible)
            try ChecklistStore.propose(set, bytes, in: transaction)
            transaction.audit(AuditNote(object: "checklist/\(set.id)", detail: "proposed: \(request.reason)"))
            return message(set)
        }
    }

    func decideChecklist(
        _ request: Pcs_Changes_V1_DecideChecklistRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_ChecklistSet {
        var violations = RequestFields()
        violations.text(request.reason, "reason", "CHK", 3...500)
        try violations.finish()
        return try await call.commit { transaction in
            guard var set = try ChecklistStore.set(request.setID, transaction) else {
                throw Failure(HostReasons.notFound, "There is no such checklist.")
            }
            guard set.state == .proposed else { throw Failure(ChangesReasons.alreadyDecided) }
            try call.requireOtherPerson(than: set.proposedBy, step: "deciding a checklist")
            set.state = request.approve ? .approved : .refused
            set.decidedBy = call.caller.responsible
            try ChecklistStore.decide(set, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(object: "checklist/\(set.id)", detail: "\(set.state): \(request.reason)"))
            return message(set)
        }
    }

    private func message(_ set: ChecklistStore.Set) -> Pcs_Changes_V1_ChecklistSet {
        .with {
            $0.setID = set.id
            $0.decided = set.state != .proposed
            $0.approved = set.state == .approved
            $0.rows = Int32(clamping: set.rows)
            $0.reason = set.reason
            $0.proposedBy = set.proposedBy
            $0.decidedBy = set.decidedBy
        }
    }
}
