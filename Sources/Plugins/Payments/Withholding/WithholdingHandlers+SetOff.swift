import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// Debts set off against what a payee is paid: recoveries, which are never released (payments.md 5.3, 12.4).
extension WithholdingHandlers {
    func proposeSetOff(
        _ request: Pcs_Payments_V1_ProposeSetOffRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_SetOff {
        var fields = RequestFields()
        let payee = fields.payee(request.payeeCode, field: "payee_code")
        let first = fields.month(request.firstMonth, field: "first_month")
        if !(1...Self.mostPence).contains(request.amountPence) {
            fields.refuse("amount_pence", "12.4", "A debt is above zero.")
        }
        if !(1...12).contains(request.months) {
            fields.refuse("months", "5.3", "A recovery runs over 1 to 12 months.")
        }
        if RecoveryGrounds.name(request.reason) == nil {
            fields.refuse("reason", "5.3", "Name the kind of reason.")
        }
        if !(3...100).contains(request.debtReference.count) {
            fields.refuse("debt_reference", "12.4", "Name the record of the debt in 3 to 100 characters.")
        }
        fields.reason(request.note, field: "note")
        try fields.finish()
        guard let payee, let first else { throw Failure(HostReasons.fieldInvalid) }
        let today = call.today
        return try await call.commit { transaction in
            try requireOpen(first, today, transaction)
            try requireLeft(request, payee, transaction)
            let setOff = SetOffStore.SetOff(
                id: transaction.newIdentifier(), payee: payee, state: .proposed,
                contents: try request.serializedBytes(), proposedBy: call.caller.responsible,
                proposedAt: transaction.now)
            try SetOffStore.add(setOff, in: transaction)
            let detail = "\(Money(pence: request.amountPence)) over \(request.months) months: \(request.note)"
            try DecisionTasks(kind: "set-off", id: setOff.id).request(
                "Decide on setting off a debt of \(payee)", detail: detail,
                of: context.organisations.commissioner(of: payee, at: today), about: payee, in: transaction)
            note(setOff, "proposed: \(detail)", in: transaction)
            return try message(setOff, transaction)
        }
    }

    /// A debt that names a line of a statement is no more than what is left of it, with all recoveries of the line.
    private func requireLeft(
        _ request: Pcs_Payments_V1_ProposeSetOffRequest, _ payee: ODSCode, _ reader: any Reader
    ) throws {
        guard case .line(let line) = RecoveryGrounds(narrative: request.debtReference), line.practice == payee,
            let balance = try refusing({ try LineRecoveries.balance(of: line, reader) }),
            request.amountPence > balance.left
        else { return }
        throw Failure.field(
            "amount_pence", "CV014",
            "\(line.text) paid \(Money(pence: balance.paid)); \(Money(pence: balance.left)) is left.")
    }

    func decideSetOff(
        _ request: Pcs_Payments_V1_DecideSetOffRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_SetOff {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        let today = call.today
        return try await call.commit { transaction in
            // The access rule was checked on the payee of the request, so it must be that of the record.
            guard var setOff = try SetOffStore.setOff(request.setOffID, transaction),
                setOff.payee.value == request.payeeCode
            else { throw Failure(HostReasons.notFound, "There is no such set-off of \(request.payeeCode).") }
            guard setOff.state == .proposed else {
                throw Failure(
                    PaymentsReasons.withholdingStateWrong,
                    "Set-off \(setOff.id) is \(setOff.state), not proposed.")
            }
            let actor = call.caller.responsible
            try call.requireOtherPerson(than: setOff.proposedBy, step: "deciding on a set-off")
            setOff.state = request.approve ? .approved : .returned
            setOff.decidedBy = actor
            setOff.decidedAt = transaction.now
            setOff.decisionReason = request.reason
            if request.approve {
                let items = try refusing { try plan(setOff, today, transaction).items() }
                try PayableItemStore.add(items, by: actor, detail: "set-off \(setOff.id)", in: transaction)
            }
            try SetOffStore.saveDecision(setOff, in: transaction)
            try DecisionTasks(kind: "set-off", id: setOff.id).settle(
                approved: request.approve, by: actor, reason: request.reason, in: transaction)
            note(
                setOff, "\(setOff.state)" + (request.reason.isEmpty ? "" : ": " + request.reason),
                in: transaction)
            return try message(setOff, transaction)
        }
    }

    /// From the first month whose inputs are open when it is approved, so that no run takes two parts at once.
    private func plan(
        _ setOff: SetOffStore.SetOff, _ today: CalendarDate, _ reader: any Reader
    ) throws -> RecoveryPlan {
        let contents = try Pcs_Payments_V1_ProposeSetOffRequest(serializedBytes: setOff.contents)
        let next = try OpenMonths(reader, today: today).next
        let wanted =
            YearMonth(year: Int(contents.firstMonth.year), month: Int(contents.firstMonth.month)) ?? next
        let reason = RecoveryGrounds.name(contents.reason) ?? ""
        return RecoveryPlan(
            pence: contents.amountPence, months: Int(contents.months), first: Swift.max(wanted, next),
            payee: setOff.payee, contractID: setOff.payee.value, contractVersion: 0, basis: "SET_OFF",
            source: .init(contents.debtReference, note: "\(reason): \(contents.note)"),
            asOf: LondonTime.day(at: setOff.proposedAt), origin: SetOffStore.key(setOff.id),
            naturalKey: SetOffStore.key(setOff.id))
    }

    func listSetOffs(
        _ request: Pcs_Payments_V1_ListSetOffsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListSetOffsResponse {
        var fields = RequestFields()
        let payee = fields.payee(request.payeeCode, field: "payee_code")
        try fields.finish()
        guard let payee else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let messages = try SetOffStore.setOffs(of: payee, reader).map { try message($0, reader) }
            return .with { $0.setOffs = messages }
        }
    }

    private func message(_ setOff: SetOffStore.SetOff, _ reader: any Reader) throws -> Pcs_Payments_V1_SetOff
    {
        let contents = try Pcs_Payments_V1_ProposeSetOffRequest(serializedBytes: setOff.contents)
        let recovered = try SetOffStore.recovered(setOff, reader)
        return .with {
            $0.setOffID = setOff.id
            $0.state = Pcs_Payments_V1_SetOffState(rawValue: Int(setOff.state.rawValue)) ?? .unspecified
            $0.contents = contents
            $0.proposedBy = setOff.proposedBy
            $0.proposedAt = Google_Protobuf_Timestamp(setOff.proposedAt)
            ($0.decidedBy, $0.decisionReason) = (setOff.decidedBy, setOff.decisionReason)
            if let at = setOff.decidedAt { $0.decidedAt = Google_Protobuf_Timestamp(at) }
            $0.recoveredPence = recovered
        }
    }

    private func note(_ setOff: SetOffStore.SetOff, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(object: "set-off/\(setOff.id)", organisation: setOff.payee.value, detail: detail))
    }
}
