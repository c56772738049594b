import CqrsContract
import PluginAPI

/// What finance has approved came out differently: the difference becomes a draft of an adjustment, which people approve
/// like any other. The original is never edited (7.5, R10).
struct AdjustmentDraft {
    typealias Record = DeclarationStore.Record

    private let desk: DeclarationDesk
    private var transaction: any Transaction { desk.transaction }

    init(_ desk: DeclarationDesk) { self.desk = desk }

    /// - Parameters:
    ///   - record: what was approved: by itself, or as a part of its network's sum.
    ///   - now: what it would be today.
    /// - Returns: `nil` when there is nothing to correct, or the same draft waits already.
    func make(_ record: Record, _ now: Record, cause: String) throws -> Record? {
        let isPart = !record.aggregatedInto.isEmpty
        guard let original = isPart ? try DeclarationStore.record(record.aggregatedInto, transaction) : record
        else {
            return nil
        }
        let ending = "." + record.provider
        var corrections = try DeclarationStore.corrections(of: original.id, transaction).filter {
            $0.state.isLive && (!isPart || $0.calculation.hasSuffix(ending))
        }
        if corrections.contains(where: { $0.declaredBy == "system" && $0.calculation == now.calculation }) {
            return nil
        }
        // A draft that stands on an earlier restatement, and that nobody has approved, gives way.
        for stale in corrections where stale.declaredBy == "system" && stale.state == .awaitingCommissioner {
            try desk.retire(stale, .supersede, reason: "calculated again")
            corrections.removeAll { $0.id == stale.id }
        }
        let approved = record.pence + corrections.reduce(0) { $0 + $1.pence }
        guard now.pence != approved else { return nil }
        var draft = original
        draft.id = transaction.newIdentifier()
        draft.kind = .adjustment
        draft.state = .awaitingCommissioner
        draft.adjusts = original.id
        draft.adjustmentReason = Self.reason(cause).rawValue
        draft.calculation = now.calculation
        draft.figures = now.figures
        draft.pence = now.pence - approved
        draft.penceBefore = approved
        draft.aggregatedInto = ""
        draft.instruction = ""
        draft.recoveryMonths = 0
        draft.declaredBy = "system"
        draft.approvedBy = ""
        draft.version = 1
        let words =
            "\(record.provider): \(Money(pence: approved)) -> \(Money(pence: now.pence)) pounds"
            + (cause.isEmpty ? "" : ", \(cause) restated")
        try desk.add(draft, reason: words)
        transaction.audit(
            AuditNote(
                object: "declaration/" + draft.id, organisation: draft.provider,
                detail: "adjusts \(original.id) by \(Money(pence: draft.pence)): \(words)"))
        try DeclarationNotices.tellCommissioner(
            draft, "An adjustment of \(draft.service) is drafted", words, in: transaction)
        return draft
    }

    private static func reason(_ cause: String) -> Pcs_Cqrs_V1_AdjustmentReason {
        switch cause {
        case "population": .listSizeRestated
        case "membership": .membershipBackdated
        case "definition": .definitionError
        default: .dataError
        }
    }
}
