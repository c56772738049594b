import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Money held back and released, each step by two people; and debts set off (payments.md 12.4).
struct WithholdingHandlers: Pcs_Payments_V1_WithholdingService {
    let context: PluginContext

    static let mostPence: Int64 = 10_000_000_000
    /// What is itself a correction or a balance cannot be held.
    private static let notHeld: Set<Paycode> = [.balanceForward, .withheld, .withheldReleased]

    func proposeWithholding(
        _ request: Pcs_Payments_V1_ProposeWithholdingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Withholding {
        var fields = RequestFields()
        let payee = fields.payee(request.payeeCode, field: "payee_code")
        let first = fields.month(request.firstMonth, field: "first_month")
        let target = target(request, &fields)
        fields.reason(request.reason)
        try fields.finish()
        guard let payee, let first, let target else { throw Failure(HostReasons.fieldInvalid) }
        let today = call.today
        return try await call.commit { transaction in
            try requireOpen(first, today, transaction)
            try requireNoOther(target, payee, transaction)
            let withholding = WithholdingStore.Withholding(
                id: transaction.newIdentifier(), payee: payee, target: target, first: first,
                reason: request.reason,
                state: .proposed)
            let actor = call.caller.responsible
            try WithholdingStore.add(withholding, in: transaction)
            try WithholdingStore.addStep(
                "proposed", to: withholding.id, by: actor, reason: request.reason, in: transaction)
            try task(withholding).request(
                "Decide on withholding money of \(payee)",
                detail: "\(target.words) from \(first): \(request.reason)",
                of: context.organisations.commissioner(of: payee, at: today), about: payee, in: transaction)
            note(withholding, "proposed: \(target.words) from \(first): \(request.reason)", in: transaction)
            return try message(withholding, transaction)
        }
    }

    private func target(
        _ request: Pcs_Payments_V1_ProposeWithholdingRequest, _ fields: inout RequestFields
    ) -> Withholdings.Target? {
        if request.paycode.isEmpty {
            if !request.sourceReference.isEmpty {
                fields.refuse("source_reference", "12.4", "A source is given with the paycode of its lines.")
            }
            guard (1...Self.mostPence).contains(request.amountPence) else {
                fields.refuse("amount_pence", "12.4", "Give an amount above zero, or a paycode.")
                return nil
            }
            return .amount(pence: request.amountPence)
        }
        if request.amountPence != 0 {
            fields.refuse("amount_pence", "12.4", "Give either an amount or a paycode.")
        }
        if request.sourceReference.count > 200 {
            fields.refuse("source_reference", "12.4", "A source has at most 200 characters.")
        }
        guard let paycode = Paycode(code: request.paycode), !Self.notHeld.contains(paycode) else {
            fields.refuse("paycode", "12.4", "There is no such paycode whose lines can be held.")
            return nil
        }
        return .lines(paycode, source: request.sourceReference)
    }

    /// Two withholdings of the same lines would hold them twice.
    private func requireNoOther(
        _ target: Withholdings.Target, _ payee: ODSCode, _ reader: any Reader
    ) throws {
        guard case .lines(let paycode, let source) = target else { return }
        let other = try WithholdingStore.withholdings(of: payee, reader).first { other in
            guard [.proposed, .inForce, .releaseProposed].contains(other.state),
                case .lines(let otherPaycode, let otherSource) = other.target
            else { return false }
            return otherPaycode == paycode && (source.isEmpty || otherSource.isEmpty || source == otherSource)
        }
        guard let other else { return }
        throw Failure(
            PaymentsReasons.withholdingStateWrong,
            "Withholding \(other.id), \(other.state.name), concerns the same lines.")
    }

    func decideWithholding(
        _ request: Pcs_Payments_V1_DecideWithholdingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Withholding {
        try requireReason(request)
        return try await call.commit { transaction in
            var withholding = try find(request.withholdingID, of: request.payeeCode, transaction)
            try require(.proposed, withholding)
            try requireOtherThan("proposed", withholding, call, transaction)
            let actor = call.caller.responsible
            withholding.state = request.approve ? .inForce : .returned
            if request.approve {
                withholding.approvedSeq = try InputLog.record(
                    .withholdings, from: nil, to: nil, by: actor, detail: "withholding \(withholding.id)",
                    in: transaction)
            }
            return try finish(
                withholding, request.approve ? "approved" : "returned", request, by: actor, in: transaction)
        }
    }

    func proposeRelease(
        _ request: Pcs_Payments_V1_ProposeReleaseRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Withholding {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        let today = call.today
        return try await call.commit { transaction in
            var withholding = try find(request.withholdingID, of: request.payeeCode, transaction)
            try require(.inForce, withholding)
            withholding.state = .releaseProposed
            try WithholdingStore.save(
                withholding, step: "release proposed", by: call.caller.responsible, reason: request.reason,
                in: transaction)
            try task(withholding).request(
                "Decide on releasing money of \(withholding.payee)", detail: request.reason,
                of: context.organisations.commissioner(of: withholding.payee, at: today),
                about: withholding.payee,
                in: transaction)
            note(withholding, "release proposed: \(request.reason)", in: transaction)
            return try message(withholding, transaction)
        }
    }

    func decideRelease(
        _ request: Pcs_Payments_V1_DecideWithholdingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Withholding {
        try requireReason(request)
        return try await call.commit { transaction in
            var withholding = try find(request.withholdingID, of: request.payeeCode, transaction)
            try require(.releaseProposed, withholding)
            try requireOtherThan("release proposed", withholding, call, transaction)
            let actor = call.caller.responsible
            withholding.state = request.approve ? .released : .inForce
            if request.approve {
                withholding.releasedSeq = try InputLog.record(
                    .withholdings, from: nil, to: nil, by: actor, detail: "release \(withholding.id)",
                    in: transaction)
            }
            return try finish(
                withholding, request.approve ? "released" : "release returned", request, by: actor,
                in: transaction)
        }
    }

    func listWithholdings(
        _ request: Pcs_Payments_V1_ListWithholdingsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListWithholdingsResponse {
        var fields = RequestFields()
        let payee = fields.payee(request.payeeCode, field: "payee_code")
        try fields.finish()
        guard let payee else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let withholdings = try WithholdingStore.withholdings(of: payee, reader)
            let messages = try withholdings.map { try message($0, reader) }
            return .with { $0.withholdings = messages }
        }
    }

    // MARK: What the steps share

    func requireOpen(_ first: YearMonth, _ today: CalendarDate, _ reader: any Reader) throws {
        let months = try OpenMonths(reader, today: today)
        guard first < months.next else { return }
        throw Failure.field(
            "first_month", "12.4", "The first run whose inputs are open is that of \(months.next).")
    }

    private func requireReason(_ request: Pcs_Payments_V1_DecideWithholdingRequest) throws {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
    }

    /// The access rule was checked on the payee of the request, so it must be that of the record.
    private func find(
        _ id: String, of payee: String, _ reader: any Reader
    ) throws -> WithholdingStore.Withholding {
        guard let found = try WithholdingStore.withholding(id, reader), found.payee.value == payee else {
            throw Failure(HostReasons.notFound, "There is no such withholding of \(payee).")
        }
        return found
    }

    private func require(_ state: WithholdingStore.State, _ withholding: WithholdingStore.Withholding) throws
    {
        guard withholding.state == state else {
            throw Failure(
                PaymentsReasons.withholdingStateWrong,
                "Withholding \(withholding.id) is \(withholding.state.name); this needs one that is \(state.name)."
            )
        }
    }

    private func requireOtherThan(
        _ step: String, _ withholding: WithholdingStore.Withholding, _ call: CallContext, _ reader: any Reader
    ) throws {
        let last = try WithholdingStore.steps(of: withholding.id, reader).last { $0.step == step }
        try call.requireOtherPerson(than: last?.by ?? "", step: "deciding on a withholding")
    }

    private func finish(
        _ withholding: WithholdingStore.Withholding, _ step: String,
        _ request: Pcs_Payments_V1_DecideWithholdingRequest, by actor: String, in transaction: any Transaction
    ) throws -> Pcs_Payments_V1_Withholding {
        try WithholdingStore.save(withholding, step: step, by: actor, reason: request.reason, in: transaction)
        try task(withholding).settle(
            approved: request.approve, by: actor, reason: request.reason, in: transaction)
        note(withholding, request.reason.isEmpty ? step : "\(step): \(request.reason)", in: transaction)
        return try message(withholding, transaction)
    }

    private func task(_ withholding: WithholdingStore.Withholding) -> DecisionTasks {
        DecisionTasks(kind: "withholding", id: withholding.id)
    }

    private func note(
        _ withholding: WithholdingStore.Withholding, _ detail: String, in transaction: any Transaction
    ) {
        transaction.audit(
            AuditNote(
                object: "withholding/\(withholding.id)", organisation: withholding.payee.value, detail: detail
            ))
    }
}

extension Withholdings.Target {
    /// For tasks and the audit chain.
    var words: String {
        switch self {
        case .amount(let pence): "\(Money(pence: pence)) pounds"
        case .lines(let paycode, let source):
            "lines \(paycode.code)" + (source.isEmpty ? "" : " of \(source)")
        }
    }
}
