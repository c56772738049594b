import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// A revision is proposed by one person and approved by another; only then does it become a recorded version.
extension ContractHandlers {
    func reviseContract(
        _ request: Pcs_Payments_V1_ReviseContractRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractRevision {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let from = fields.date(
            request.effectiveFrom, isSet: request.hasEffectiveFrom, field: "effective_from", mayBeEmpty: false
        )
        let to = fields.date(request.effectiveTo, isSet: request.hasEffectiveTo, field: "effective_to")
        fields.reason(request.reason)
        if request.endContract == request.hasTerms {
            fields.refuse("terms", "CON10", "Give either the new terms or end_contract.")
        }
        if !request.trailingPayeeCode.isEmpty {
            if !request.endContract {
                fields.refuse("trailing_payee_code", "CON10", "Only an end names who is paid what comes after it.")
            } else if ODSCode(request.trailingPayeeCode) == nil {
                fields.refuse("trailing_payee_code", "CON09", "trailing_payee_code is no ODS code.")
            }
        }
        if let from, let to, to <= from {
            fields.refuse(
                "effective_to", "CON04", "effective_to is the first day after, so it is after effective_from."
            )
        }
        try fields.finish()
        guard let practice, let from else { throw Failure(PaymentsReasons.contractUnknown) }
        return try await call.commit { transaction in
            var terms = request.terms
            if request.endContract { terms.payeeCode = request.trailingPayeeCode }
            let revision = RevisionStore.Revision(
                id: transaction.newIdentifier(), practice: practice, state: .proposed, from: from, to: to,
                endsContract: request.endContract, terms: try terms.serializedBytes(), reason: request.reason,
                proposedBy: call.caller.responsible, proposedAt: transaction.now)
            _ = try checkedRecord(revision, transaction)
            try RevisionStore.add(revision, in: transaction)
            try ContractRevisionNotices.proposed(
                revision, context.organisations.commissioner(of: practice, at: call.today), in: transaction)
            transaction.audit(
                AuditNote(
                    object: "contract-revision/\(revision.id)", organisation: practice.value,
                    detail: "proposed from \(from): \(request.reason)"))
            return try message(revision, transaction)
        }
    }

    func decideContractRevision(
        _ request: Pcs_Payments_V1_DecideContractRevisionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractRevision {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var revision = try RevisionStore.revision(request.revisionID, transaction),
                // The access rule was checked on the practice of the request, so it must be that of the revision.
                revision.practice.value == request.practiceCode
            else {
                throw Failure(HostReasons.notFound, "There is no such revision for \(request.practiceCode).")
            }
            guard revision.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            let actor = call.caller.responsible
            try call.requireOtherPerson(than: revision.proposedBy, step: "deciding a contract revision")
            revision.state = request.approve ? .approved : .returned
            revision.decidedBy = actor
            revision.decisionReason = request.reason
            if request.approve {
                if revision.endsContract { try OpenClaims.requireNone(of: revision.practice, transaction) }
                let before = try ContractStore.timeline(of: revision.practice, knownAt: .max, transaction)
                let record = try checkedRecord(revision, transaction)
                // Whether there is a contract also decides about arrears that later months pay.
                let beginsOrEnds = record.terms == nil || before.span(at: record.from) == nil
                let seq = try InputLog.record(
                    .contracts, from: record.from, to: beginsOrEnds ? nil : record.to, by: actor,
                    detail: "revision \(revision.id)",
                    in: transaction)
                revision.version = try ContractStore.add(
                    [record], seq: seq, reason: revision.reason, source: "revision \(revision.id)",
                    in: transaction)
                if revision.endsContract {
                    try ContractRevisionNotices.ended(revision, before, in: transaction)
                }
            }
            try RevisionStore.saveDecision(revision, in: transaction)
            try ContractRevisionNotices.settled(revision, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "contract-revision/\(revision.id)", organisation: revision.practice.value,
                    detail: request.approve
                        ? "approved as version \(revision.version)" : "returned: \(request.reason)"))
            return try message(revision, transaction)
        }
    }

    /// The record that a revision becomes, checked against the rules and what is known now.
    private func checkedRecord(
        _ revision: RevisionStore.Revision, _ reader: any Reader
    ) throws -> ContractStore.NewRecord {
        let (practice, from, to) = (revision.practice, revision.from, revision.to)
        let terms = try Pcs_Payments_V1_ContractTerms(serializedBytes: revision.terms)
        let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
        let before = timeline.span(at: from.adding(days: -1))
        var fields = RequestFields()
        guard !revision.endsContract else {
            guard timeline.span(at: from) != nil || before != nil else {
                throw Failure(PaymentsReasons.contractUnknown, "\(practice) has no contract on \(from).")
            }
            return ContractStore.NewRecord(
                practice: practice, from: from, to: to, terms: nil, trailingPayee: ODSCode(terms.payeeCode))
        }
        let known = (timeline.span(at: from) ?? before)?.terms
        let domain = terms.terms(practice: practice, before: known, &fields)
        // Without an end the revision holds until the next change that is known.
        let end = to ?? timeline.nextChange(after: from)
        if let domain {
            var cut = before
            cut?.to = from
            let breaches =
                ContractRules.breaches(in: domain, to: end)
                + ContractRules.breaches(changing: cut, to: domain, on: from)
            for breach in breaches { fields.refuse("terms." + breach.field, breach.rule, breach.message) }
        }
        try fields.finish()
        if let known, let domain, known.payment.kind == domain.payment.kind,
            known.payment.baseline != domain.payment.baseline,
            let year = try BaselineStore.frozenYears(of: practice, reader).first(where: { year in
                year.lastDay >= from && (end.map { year.firstDay < $0 } ?? true)
            })
        {
            throw Failure(
                PaymentsReasons.baselineFrozen,
                "The baseline of \(practice) for \(year) is frozen: a run has paid of it.")
        }
        return ContractStore.NewRecord(practice: practice, from: from, to: end, terms: domain)
    }
}
