import PaymentsContract
import PluginAPI

/// What the runs have made of the rows of variations (payments.md 5.3).
struct VariationRuns: Sendable {
    /// Those whose inputs are frozen and that are not aborted, by month.
    private let frozen: [RunRecord]

    init(_ reader: any Reader) throws {
        frozen = try RunStore.runs(reader).filter { $0.frozenAt != nil && $0.state != .aborted }
    }

    /// The first run that pays of an approved row, whatever is recorded from now on.
    func first(with stored: VariationStore.Stored, _ reader: any Reader) throws -> RunRecord? {
        if !stored.row.isMonthly {
            let id = try PayableItemStore.paidRun(of: stored.itemID, reader)
                ?? PayableItemStore.runFrozenWith(stored.itemID, reader)
            return frozen.first { $0.id == id }
        }
        return monthly(stored).first
    }

    private func monthly(_ stored: VariationStore.Stored) -> [RunRecord] {
        guard let seq = stored.approvedSeq else { return [] }
        return frozen.filter { $0.snapshot >= seq && $0.month >= stored.row.first }
    }

    func state(
        of stored: VariationStore.Stored, _ upload: VariationStore.Upload, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_VariationState {
        guard upload.state == .approved else { return upload.shownState }
        guard stored.row.isMonthly else {
            guard let run = try first(with: stored, reader) else { return .approved }
            return run.isPaid ? .paid : .scheduled
        }
        if stored.stoppedFrom != nil { return .stopped }
        let having = monthly(stored)
        let paid = having.filter(\.isPaid)
        if let last = stored.row.last, paid.contains(where: { $0.month >= last }) { return .completed }
        if !paid.isEmpty { return .active }
        return having.isEmpty ? .approved : .scheduled
    }
}

extension RunRecord {
    fileprivate var isPaid: Bool { state == .paid || state == .closed }
}

extension VariationStore.Upload {
    /// Of the upload as a whole.
    var shownState: Pcs_Payments_V1_VariationState {
        if state == .withdrawn, submittedBy.isEmpty { return .discarded }
        return Pcs_Payments_V1_VariationState(rawValue: Int(state.rawValue)) ?? .unspecified
    }
}
