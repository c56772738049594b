import PaymentsContract
import PluginAPI

/// What the payment agency answered to an instruction, and what follows for its declaration or claim: the same whether a
/// person records it or payments says it by an event (cqrs.md 11).
struct AgencyAnswers {
    static let publisher = "payments"

    let context: PluginContext
    let transaction: any Transaction
    let actor: String
    let actingFor: String
    let today: CalendarDate

    /// - Parameter record: with the state that was answered.
    func keep(_ record: InstructionStore.Record, reason: String) throws {
        try InstructionStore.save(record, in: transaction)
        guard record.claim.isEmpty else {
            try LocalDesk(
                context: context, transaction: transaction, actor: actor, actingFor: actingFor, today: today
            ).answered(record, reason: reason)
            return
        }
        let event: DeclarationEvent =
            switch record.state {
            case .refused: .refuse
            case .paid: .pay
            default: .acknowledge
            }
        // Of an amount in several instructions the first moves the declaration.
        guard let declaration = try DeclarationStore.record(record.declaration, transaction),
            DeclarationLifecycle.next(declaration.state, event) != nil
        else { return }
        let moved = try DeclarationDesk(
            context: context, transaction: transaction, actor: actor, actingFor: actingFor, today: today
        ).move(declaration, event, reason: reason)
        try DeclarationNotices.payment(
            moved, moved.state.name.lowercased(), record.id, on: record.paidOn ?? today, reason, in: transaction)
    }

    /// Payments does not pay an instruction. One that was recalled meanwhile, or that is not known here, changes nothing.
    static func receive(
        _ event: Pcs_Payments_V1_PaymentInstructionRefused, _ context: PluginContext, _ transaction: any Transaction
    ) throws {
        guard var record = try InstructionStore.record(event.instructionID, transaction),
            record.state.may(become: .refused)
        else { return }
        record.state = .refused
        record.refusalReason = "\(event.code): \(event.message)"
        try AgencyAnswers(
            context: context, transaction: transaction, actor: publisher, actingFor: "", today: context.clock.today
        ).keep(record, reason: record.refusalReason)
    }
}

/// Who receives a network's money is set in payments and known here from there (PCN-2).
enum NominatedPayees {
    static func receive(_ event: Pcs_Payments_V1_NominatedPayeeSet, _ transaction: any Transaction) throws {
        guard let pcn = ODSCode(event.pcnCode), let payee = ODSCode(event.payeeCode),
            let from = event.hasEffectiveFrom ? event.effectiveFrom.calendarDate : nil
        else { throw Unreadable(network: event.pcnCode) }
        try NetworkStore.add(
            NetworkStore.Payee(
                pcn: pcn.value, payee: payee.value, from: from, isRequest: false, by: event.approvedBy,
                at: transaction.now),
            reason: "set in payments, proposed by " + event.proposedBy, in: transaction)
        transaction.audit(
            AuditNote(
                object: "network/" + pcn.value, organisation: pcn.value,
                detail: "payee \(payee) from \(from), set in payments"))
    }

    /// Parked for an operator: nobody else is paid by it.
    struct Unreadable: Error, CustomStringConvertible {
        let network: String
        var description: String { "the payee of network \(network) names no network, payee or day" }
    }
}
