import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Contract change requests and stop instructions (payments.md 2.4): drafting and reading. Deciding is in a file of its
/// own.
struct ContractChangeHandlers: Pcs_Payments_V1_ContractChangeService {
    let context: PluginContext

    func draftContractChange(
        _ request: Pcs_Payments_V1_DraftContractChangeRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractChange {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        if ContractChangeKind(rawValue: Int64(request.contents.kind.rawValue)) == nil {
            fields.refuse("contents.kind", "2.4", "Say whether it is a change of type, a stop or a reversal.")
        }
        if request.contents.stopVariationIds.count > 500 {
            fields.refuse("contents.stop_variation_ids", "2.4", "At most 500 payments are stopped at once.")
        }
        fields.reason(request.contents.reason, field: "contents.reason", mayBeEmpty: true)
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        let contents: [UInt8] = try request.contents.serializedBytes()
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            var change: ContractChangeStore.Change
            if request.changeID.isEmpty {
                change = ContractChangeStore.Change(
                    id: transaction.newIdentifier(), practice: practice, contents: contents, draftedBy: actor)
                try ContractChangeStore.add(change, in: transaction)
            } else {
                change = try find(request.practiceCode, request.changeID, transaction)
                change.stage = try next(.draft, change)
            }
            change.version += 1
            (change.contents, change.draftedBy) = (contents, actor)
            (change.submittedBy, change.authorisedBy) = ("", "")
            let timeline = try ContractStore.timeline(of: practice, knownAt: .max, transaction)
            change.fromKind =
                request.contents.effectiveFrom.calendarDate.flatMap { timeline.span(at: $0) }?.terms.payment
                .kind
            change.toKind = request.contents.terms.contractType.kind
            try ContractChangeStore.save(
                change, step: "drafted", by: actor, detail: "version \(change.version)", in: transaction)
            return try message(change, call.today, transaction)
        }
    }

    func submitContractChange(
        _ request: Pcs_Payments_V1_ContractChangeStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractChange {
        try await call.commit { transaction in
            var change = try find(request.practiceCode, request.changeID, transaction)
            change.stage = try next(.submit, change)
            let plan = try ContractChangePlan(
                try contents(change), of: change.practice, today: call.today, transaction)
            (change.fromKind, change.toKind) = (plan.fromKind, plan.toKind)
            change.submittedBy = call.caller.responsible
            try ContractChangeStore.save(
                change, step: "submitted", by: change.submittedBy, detail: "", in: transaction)
            try ContractChangeNotices.submitted(
                change, plan, commissioner(of: change, call.today), in: transaction)
            return try message(change, call.today, transaction)
        }
    }

    func getContractChange(
        _ request: Pcs_Payments_V1_ContractChangeStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractChange {
        try context.store.read { reader in
            try message(try find(request.practiceCode, request.changeID, reader), call.today, reader)
        }
    }

    func listContractChanges(
        _ request: Pcs_Payments_V1_ListContractChangesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListContractChangesResponse {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let messages = try ContractChangeStore.changes(of: practice, reader).map {
                try message($0, call.today, reader)
            }
            return .with { $0.changes = messages }
        }
    }

    // MARK: - What the steps share

    func find(_ practice: String, _ id: String, _ reader: any Reader) throws -> ContractChangeStore.Change {
        guard let change = try ContractChangeStore.change(id, reader),
            // The access rule was checked on the practice of the request, so it must be that of the record.
            change.practice.value == practice
        else { throw Failure(HostReasons.notFound, "There is no such request for \(practice.prefix(12)).") }
        return change
    }

    func next(_ action: ContractChangeAction, _ change: ContractChangeStore.Change) throws
        -> ContractChangeStage
    {
        if let stage = action.next(from: change.stage) { return stage }
        let allowed = action.allowedIn.map(\.name).joined(separator: " or ")
        throw Failure(
            PaymentsReasons.contractChangeStateWrong,
            "Request \(change.id) is \(change.stage.name); this needs one that is \(allowed).")
    }

    func contents(_ change: ContractChangeStore.Change) throws -> Pcs_Payments_V1_ContractChangeContents {
        try Pcs_Payments_V1_ContractChangeContents(serializedBytes: change.contents)
    }

    func commissioner(of change: ContractChangeStore.Change, _ day: CalendarDate) -> String {
        context.organisations.commissioner(of: change.practice, at: day)?.value ?? ""
    }

    func message(
        _ change: ContractChangeStore.Change, _ today: CalendarDate, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_ContractChange {
        let contents = try contents(change)
        let applied = try change.seq.flatMap { seq in
            try RunStore.runs(reader).first {
                $0.state != .aborted && $0.frozenAt != nil && $0.snapshot >= seq
            }
        }
        let history = try ContractChangeStore.history(of: change.id, reader)
        let payments = try payments(change, contents, today, reader)
        return .with {
            ($0.changeID, $0.practiceCode) = (change.id, change.practice.value)
            $0.state =
                change.stage == .approved && applied != nil
                ? .applied
                : Pcs_Payments_V1_ContractChangeState(rawValue: Int(change.stage.rawValue)) ?? .unspecified
            ($0.contents, $0.version) = (contents, Int32(clamping: change.version))
            if let kind = change.fromKind { $0.fromType = Pcs_Payments_V1_ContractType(kind) }
            if let kind = change.toKind { $0.toType = Pcs_Payments_V1_ContractType(kind) }
            ($0.draftedBy, $0.submittedBy) = (change.draftedBy, change.submittedBy)
            ($0.authorisedBy, $0.secondApprovedBy) = (change.authorisedBy, change.secondApprovedBy)
            $0.payments = payments
            ($0.contractVersion, $0.appliedInRunID) = (change.contractVersion, applied?.id ?? "")
            $0.reversedByChangeID = change.reversedBy
            $0.history = history.map { event in
                .with {
                    ($0.step, $0.by, $0.detail) = (event.step, event.by, event.detail)
                    $0.at = Google_Protobuf_Timestamp(event.at)
                }
            }
        }
    }

    /// As done, or as the request would do today; none while it breaks a rule.
    private func payments(
        _ change: ContractChangeStore.Change, _ contents: Pcs_Payments_V1_ContractChangeContents,
        _ today: CalendarDate, _ reader: any Reader
    ) throws -> [Pcs_Payments_V1_ContractChangePayment] {
        var found: [(VariationStore.Stored, String)] = []
        if change.seq != nil {
            for (id, because) in try ContractChangeStore.payments(of: change.id, reader) {
                if let stored = try VariationStore.row(id, reader) { found.append((stored, because)) }
            }
        } else if let plan = try? ContractChangePlan(contents, of: change.practice, today: today, reader) {
            found = plan.stops.map { ($0.payment, $0.because) } + plan.carried.map { ($0, "") }
        }
        return found.map { stored, because in
            .with {
                ($0.variationID, $0.narrative) = (stored.id, stored.row.narrative)
                ($0.amountPence, $0.because, $0.stops) = (stored.row.pence, because, !because.isEmpty)
                if let from = change.fromKind { $0.paycodeBefore = stored.row.paycode.displayedCode(from) }
                if because.isEmpty, let to = change.toKind {
                    $0.paycodeAfter = stored.row.paycode.displayedCode(to)
                }
            }
        }
    }
}
