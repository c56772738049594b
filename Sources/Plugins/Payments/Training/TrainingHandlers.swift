import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Placements, payments due once and memberships of the retention scheme: proposed by one person, decided by another.
struct TrainingHandlers: Pcs_Payments_V1_TrainingService {
    let context: PluginContext

    func proposePlacements(
        _ request: Pcs_Payments_V1_ProposePlacementsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_TrainingProposal {
        try await propose(request.reason, call) { fields, proposal, transaction in
            let known =
                try TrainingStore.placements(knownAt: .max, transaction)
                + TrainingStore.waitingPlacements(transaction)
            proposal.placements = fields.placements(request.placements, known: known).map { placement in
                var placement = placement
                if placement.id.isEmpty { placement.id = transaction.newIdentifier() }
                return placement
            }
        }
    }

    func proposeTrainingPayments(
        _ request: Pcs_Payments_V1_ProposeTrainingPaymentsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_TrainingProposal {
        try await propose(request.reason, call) { fields, proposal, transaction in
            let inForce = try TrainingStore.placements(knownAt: .max, transaction)
            let waiting = Set(
                try TrainingStore.proposals(transaction).filter { $0.state == .proposed }
                    .flatMap { payments($0, inForce) }.map(\.naturalKey))
            let due = try fields.payments(request.payments, inForce: inForce, today: call.today) { key in
                try waiting.contains(key) || PayableItemStore.isKnown(key, transaction)
            }
            let rates = TrainingRates(try TrainingRateStore.rows(knownAt: .max, transaction))
            // A figure that is not set is refused now, by name.
            try refusing { for payment in due { _ = try payment.item(rates) } }
            proposal.payments = due.map { .init(kind: $0.kind, placementID: $0.placement.id, on: $0.on) }
        }
    }

    func proposeRetention(
        _ request: Pcs_Payments_V1_ProposeRetentionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_TrainingProposal {
        try await propose(request.reason, call) { fields, proposal, transaction in
            let rates = try ReferenceStore.rates(knownAt: .max, transaction)
            let years = try refusing { try rates.whole(.retentionMostYears, at: call.today) }
            let known =
                try TrainingStore.memberships(knownAt: .max, transaction)
                + TrainingStore.waitingMemberships(transaction)
            proposal.memberships = fields.memberships(request.memberships, known: known, mostYears: years)
                .map { membership in
                    var membership = membership
                    if membership.id.isEmpty { membership.id = transaction.newIdentifier() }
                    return membership
                }
        }
    }

    private func propose(
        _ reason: String, _ call: CallContext,
        _ fill:
            @escaping @Sendable (inout TrainingFields, inout TrainingStore.Proposal, any Transaction) throws
            -> Void
    ) async throws -> Pcs_Payments_V1_TrainingProposal {
        try await call.commit { transaction in
            var fields = try TrainingFields(transaction)
            fields.fields.reason(reason)
            var proposal = TrainingStore.Proposal(
                id: transaction.newIdentifier(), reason: reason, proposedBy: call.caller.responsible,
                proposedAt: transaction.now)
            try fill(&fields, &proposal, transaction)
            try fields.fields.finish()
            try TrainingStore.add(proposal, in: transaction)
            note(proposal, "proposed: \(reason)", in: transaction)
            return message(proposal)
        }
    }

    func decideTraining(
        _ request: Pcs_Payments_V1_DecideTrainingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_TrainingProposal {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var proposal = try TrainingStore.proposal(request.proposalID, transaction) else {
                throw Failure(PaymentsReasons.trainingProposalUnknown)
            }
            guard proposal.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: proposal.proposedBy, step: "deciding a training proposal")
            proposal.decidedBy = call.caller.responsible
            proposal.decisionReason = request.reason
            proposal.state = request.approve ? .approved : .returned
            if request.approve { try putInForce(&proposal, in: transaction) }
            try TrainingStore.saveDecision(proposal, in: transaction)
            note(proposal, request.approve ? "approved" : "returned: \(request.reason)", in: transaction)
            return message(proposal)
        }
    }

    private func putInForce(_ proposal: inout TrainingStore.Proposal, in transaction: any Transaction) throws
    {
        let inForce = try TrainingStore.placements(knownAt: .max, transaction)
        let members = try TrainingStore.memberships(knownAt: .max, transaction)
        var days: [CalendarDate] = []
        for placement in proposal.placements {
            for version in inForce.filter({ $0.id == placement.id }) + [placement] {
                // Paid in arrears, at most so many months after the end.
                days += [version.from, ClaimDeadline.adding(months: Arrears.mostMonths + 1, to: version.to)]
            }
        }
        for membership in proposal.memberships {
            for version in members.filter({ $0.id == membership.id }) + [membership] {
                days += [version.from, version.to.adding(days: 1)]
            }
        }
        let seq = try InputLog.record(
            .training, from: days.min(), to: days.max(), by: proposal.decidedBy,
            detail: "training \(proposal.id)",
            in: transaction)
        proposal.seq = seq
        for index in proposal.placements.indices { proposal.placements[index].version = seq }
        for index in proposal.memberships.indices { proposal.memberships[index].version = seq }
        guard !proposal.payments.isEmpty else { return }
        let rates = TrainingRates(try TrainingRateStore.rows(knownAt: .max, transaction))
        let due = payments(proposal, inForce)
        let items = try refusing { try due.map { try $0.item(rates) } }
        try PayableItemStore.add(
            items, by: proposal.decidedBy, detail: "training \(proposal.id)", in: transaction)
    }

    private func payments(_ proposal: TrainingStore.Proposal, _ inForce: [TraineePlacement])
        -> [TrainingPayment]
    {
        proposal.payments.compactMap { stored in
            inForce.first { $0.id == stored.placementID }.map {
                TrainingPayment(kind: stored.kind, placement: $0, on: stored.on)
            }
        }
    }

    private func note(_ proposal: TrainingStore.Proposal, _ detail: String, in transaction: any Transaction) {
        transaction.audit(AuditNote(object: "training/\(proposal.id)", detail: detail))
    }
}
