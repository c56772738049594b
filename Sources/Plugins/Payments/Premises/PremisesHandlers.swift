import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Rents of premises: proposed by one person, decided by another (payments.md 6.3).
struct PremisesHandlers: Pcs_Payments_V1_PremisesService {
    let context: PluginContext

    func proposeRent(
        _ request: Pcs_Payments_V1_ProposeRentRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RentDetermination {
        let today = call.today
        return try await call.commit { transaction in
            let rates = try ReferenceStore.rates(knownAt: .max, transaction)
            var check = RentFields(today: today, rates: rates)
            let rent = try check.determination(
                request, id: transaction.newIdentifier(), by: call.caller.responsible, at: transaction.now,
                transaction)
            try check.fields.finish()
            guard let rent else { throw Failure(HostReasons.fieldInvalid) }
            let waiting = try RentStore.rents(of: rent.practice, transaction).first {
                $0.kind == rent.kind && $0.state == .proposed
            }
            if let waiting {
                throw Failure(
                    PaymentsReasons.rentStateWrong,
                    "The \(rent.kind.name) \(waiting.id) of \(rent.practice) waits for its decision.")
            }
            try RentStore.add(rent, in: transaction)
            let words = rent.annualPence == 0 ? "ends" : "\(rent.annual) pounds a year"
            let detail = "\(rent.kind.name) \(words) from \(rent.from): \(rent.reason)"
            try task(rent).request(
                "Decide on a \(rent.kind.name) of \(rent.practice)", detail: detail,
                of: context.organisations.commissioner(of: rent.practice, at: today), about: rent.practice,
                in: transaction)
            note(rent, "proposed: " + detail, in: transaction)
            return try message(rent, transaction)
        }
    }

    func decideRent(
        _ request: Pcs_Payments_V1_DecideRentRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RentDetermination {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            // The access rule was checked on the practice of the request, so it must be that of the record.
            guard var rent = try RentStore.rent(request.rentID, transaction),
                rent.practice.value == request.practiceCode
            else {
                throw Failure(
                    PaymentsReasons.rentUnknown, "There is no such rent of \(request.practiceCode.prefix(12)).")
            }
            guard rent.state == .proposed else {
                throw Failure(
                    PaymentsReasons.rentStateWrong,
                    "Rent \(rent.id) is \(rent.state.name); this needs one that is proposed.")
            }
            try call.requireOtherPerson(than: rent.proposedBy, step: "deciding on a rent")
            (rent.decidedBy, rent.decidedAt) = (call.caller.responsible, transaction.now)
            rent.decisionReason = request.reason
            rent.state = request.approve ? .approved : .returned
            if request.approve {
                // A market rent bears on claims yet to be decided, never on what is paid.
                rent.version = try InputLog.record(
                    .premises, from: rent.kind == .notional ? rent.from : nil, to: nil, by: rent.decidedBy,
                    detail: "rent \(rent.id)", in: transaction)
            }
            try RentStore.saveDecision(rent, in: transaction)
            try task(rent).settle(
                approved: request.approve, by: rent.decidedBy, reason: request.reason, in: transaction)
            note(rent, request.reason.isEmpty ? rent.state.name : "\(rent.state.name): \(request.reason)", in: transaction)
            return try message(rent, transaction)
        }
    }

    private func task(_ rent: RentDetermination) -> DecisionTasks { DecisionTasks(kind: "rent", id: rent.id) }

    private func note(_ rent: RentDetermination, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(object: "rent/\(rent.id)", organisation: rent.practice.value, detail: detail))
    }
}
