import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// Who receives a network's money: proposed on its banking declaration, decided by another person (payments.md 8.2).
extension NetworkHandlers {
    func setNominatedPayee(
        _ request: Pcs_Payments_V1_SetNominatedPayeeRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_NominatedPayee {
        var fields = RequestFields()
        let network = network(request.pcnCode, &fields)
        let payee = ODSCode(request.payeeCode)
        let from = fields.date(
            request.effectiveFrom, isSet: request.hasEffectiveFrom, field: "effective_from", mayBeEmpty: false)
        fields.reason(request.reason)
        if !(1...100).contains(request.declarationDocumentID.count) {
            fields.refuse("declaration_document_id", "8.2", "Name the network's banking declaration.")
        }
        if !(3...100).contains(request.signaturesVerifiedBy.count) {
            fields.refuse(
                "signatures_verified_by", "8.2", "Name who verified its signatures: 3 to 100 characters.")
        }
        if payee.flatMap({ context.organisations.organisation($0, at: call.today) }) == nil {
            fields.refuse("payee_code", "8.2", "The payee is not in the register of organisations.")
        }
        try fields.finish()
        guard let network, let payee, let from else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            try requireUnpaid(from, transaction)
            let proposal = PayeeProposalStore.Proposal(
                id: transaction.newIdentifier(), network: network, payee: payee, from: from,
                declarationID: request.declarationDocumentID, verifiedBy: request.signaturesVerifiedBy,
                reason: request.reason, proposedBy: call.caller.responsible, proposedAt: transaction.now)
            try PayeeProposalStore.add(proposal, in: transaction)
            try task(proposal).request(
                "Decide who receives the money of \(network)", detail: words(proposal),
                of: context.organisations.commissioner(of: network, at: call.today), about: network,
                in: transaction)
            note(proposal, "proposed: \(words(proposal)): \(request.reason)", in: transaction)
            return message(proposal)
        }
    }

    func decideNominatedPayee(
        _ request: Pcs_Payments_V1_DecideNominatedPayeeRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_NominatedPayee {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            // The access rule was checked on the network of the request, so it must be that of the proposal.
            guard var proposal = try PayeeProposalStore.proposal(request.proposalID, transaction),
                proposal.network.value == request.pcnCode
            else { throw Failure(PaymentsReasons.networkProposalUnknown) }
            guard proposal.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: proposal.proposedBy, step: "deciding who receives a network's money")
            let actor = call.caller.responsible
            proposal.decidedBy = actor
            proposal.decisionReason = request.reason
            proposal.state = request.approve ? .approved : .returned
            if request.approve { try putInForce(&proposal, call, in: transaction) }
            try PayeeProposalStore.saveDecision(proposal, in: transaction)
            try task(proposal).settle(
                approved: request.approve, by: actor, reason: request.reason, in: transaction)
            note(
                proposal,
                request.approve ? "approved: \(words(proposal))" : "returned: \(request.reason)", in: transaction)
            return message(proposal)
        }
    }

    private func putInForce(
        _ proposal: inout PayeeProposalStore.Proposal, _ call: CallContext, in transaction: any Transaction
    ) throws {
        // A run may have been approved, and the payee closed, since it was proposed.
        try requireUnpaid(proposal.from, transaction)
        guard context.organisations.organisation(proposal.payee, at: call.today)?.status == .active else {
            throw Failure.field("payee_code", "8.2", "The payee is closed.")
        }
        // Who receives the money changes no amount.
        let seq = try InputLog.record(
            .networks, from: nil, to: nil, by: proposal.decidedBy, detail: "payee of \(proposal.network)",
            in: transaction)
        try NetworkStore.addPayee(
            proposal.network,
            NetworkStore.Payee(payee: proposal.payee, from: proposal.from, setBy: proposal.proposedBy), seq: seq,
            reason: proposal.reason, in: transaction)
        proposal.seq = seq
        let (network, payee, from) = (proposal.network, proposal.payee, proposal.from)
        let (proposedBy, approvedBy) = (proposal.proposedBy, proposal.decidedBy)
        try transaction.publish(
            Pcs_Payments_V1_NominatedPayeeSet.with {
                ($0.pcnCode, $0.payeeCode) = (network.value, payee.value)
                $0.effectiveFrom = Pcs_Common_V1_Date(from)
                ($0.proposedBy, $0.approvedBy) = (proposedBy, approvedBy)
            }, key: network.value)
    }

    /// What an approved run pays goes to whoever holds on its payment date, for good.
    private func requireUnpaid(_ from: CalendarDate, _ reader: any Reader) throws {
        let last = try RunStore.runs(reader).filter(\.state.isPublished).max { $0.paymentDate < $1.paymentDate }
        guard let last, from <= last.paymentDate else { return }
        throw Failure.field(
            "effective_from", "8.2", "Run \(last.id) pays on \(last.paymentDate) to who held then: give a later day.")
    }

    private func task(_ proposal: PayeeProposalStore.Proposal) -> DecisionTasks {
        DecisionTasks(kind: "network-payee", id: proposal.id)
    }

    private func words(_ proposal: PayeeProposalStore.Proposal) -> String {
        "\(proposal.payee) receives the money of \(proposal.network) from \(proposal.from); declaration "
            + "\(proposal.declarationID), signatures verified by \(proposal.verifiedBy)"
    }

    private func note(
        _ proposal: PayeeProposalStore.Proposal, _ detail: String, in transaction: any Transaction
    ) {
        transaction.audit(
            AuditNote(
                object: "network/\(proposal.network)", organisation: proposal.network.value, detail: detail))
    }

    /// Of one in force. One that was set before proposals were kept has none.
    func message(
        _ payee: NetworkStore.Payee, _ proposals: [PayeeProposalStore.Proposal]
    ) -> Pcs_Payments_V1_NominatedPayee {
        if let proposal = proposals.first(where: { $0.seq == payee.seq }) { return message(proposal) }
        return .with {
            $0.payeeCode = payee.payee.value
            $0.effectiveFrom = Pcs_Common_V1_Date(payee.from)
            $0.setBy = payee.setBy
            $0.state = .approved
        }
    }

    func message(_ proposal: PayeeProposalStore.Proposal) -> Pcs_Payments_V1_NominatedPayee {
        .with {
            $0.payeeCode = proposal.payee.value
            $0.effectiveFrom = Pcs_Common_V1_Date(proposal.from)
            ($0.setBy, $0.proposalID) = (proposal.proposedBy, proposal.id)
            $0.setAt = Google_Protobuf_Timestamp(proposal.proposedAt)
            $0.state = .init(rawValue: Int(proposal.state.rawValue)) ?? .unspecified
            ($0.declarationDocumentID, $0.signaturesVerifiedBy) = (proposal.declarationID, proposal.verifiedBy)
            ($0.reason, $0.decidedBy) = (proposal.reason, proposal.decidedBy)
            $0.decisionReason = proposal.decisionReason
        }
    }
}
