import ChangesContract
import CommonContract
import HostContract
import PluginAPI

/// The notice form, up to the commissioner's decision.
struct NoticeHandlers: Pcs_Changes_V1_NoticeService {
    let context: PluginContext

    func draftNotice(
        _ request: Pcs_Changes_V1_DraftNoticeRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try NoticeCheck.draft(request.notice, practice: request.practiceCode)
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            var record = CaseRecord(
                id: transaction.newIdentifier(), state: .draft, version: 0,
                effectiveOn: request.notice.effectiveOn.calendarDate ?? call.today, openedBy: actor,
                notice: request.notice)
            try CaseStore.add(record, in: transaction)
            try CaseStore.save(&record, by: actor, "opened", in: transaction)
            return try CaseMessages.message(record, context, transaction)
        }
    }

    func reviseNotice(
        _ request: Pcs_Changes_V1_ReviseNoticeRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try NoticeCheck.draft(request.notice, practice: request.practiceCode)
        return try await call.commit { transaction in
            var record = try CaseMessages.record(request.caseID, practice: request.practiceCode, transaction)
            record.state = try CaseAction.revise.requireNext(from: record)
            record.notice = request.notice
            record.effectiveOn = request.notice.effectiveOn.calendarDate ?? record.effectiveOn
            let actor = call.caller.responsible
            try CaseStore.keepNotice(of: record, by: actor, in: transaction)
            try CaseStore.save(&record, by: actor, "notice revised", in: transaction)
            return try CaseMessages.message(record, context, transaction)
        }
    }

    func submitNotice(
        _ request: Pcs_Changes_V1_SubmitNoticeRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        try await call.commit { transaction in
            var record = try CaseMessages.record(request.caseID, practice: request.practiceCode, transaction)
            record.state = try CaseAction.submit.requireNext(from: record)
            try NoticeCheck.complete(record.notice, today: call.today)
            record.submittedBy = call.caller.responsible
            try CaseStore.voidDecisions(of: record.id, in: transaction)
            try CaseStore.save(
                &record, by: record.submittedBy, "submitted to the commissioner", in: transaction)
            for commissioner in try Commissioners.missing(record, context, transaction)
            where !commissioner.isEmpty {
                try CaseTasks.requestApproval(by: commissioner, of: record, in: transaction)
            }
            return try CaseMessages.message(record, context, transaction)
        }
    }

    func decideNotice(
        _ request: Pcs_Changes_V1_DecideNoticeRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        let action = try check(request)
        return try await call.commit { transaction in
            var record = try CaseMessages.record(request.caseID, practice: request.practiceCode, transaction)
            let next = try action.requireNext(from: record)
            try call.requireOtherPerson(
                than: record.submittedBy, step: "the commissioner's decision on a notice")
            guard request.version == record.version else { throw Failure(ChangesReasons.caseChanged) }
            let organisation = call.caller.actingFor
            let covered = Commissioners.covered(by: organisation, record, context)
            let open = covered.subtracting(try Commissioners.approved(record, transaction))
            guard !open.isEmpty else { throw Failure(ChangesReasons.alreadyDecided) }
            if action == .approve { try checkSection(request.section, record) }
            let decision = Pcs_Changes_V1_CommissionerDecision.with {
                $0.organisationCode = organisation
                $0.decision = request.decision
                $0.section = request.section
                $0.reason = request.reason
                $0.decidedBy = call.caller.responsible
                $0.decidedAt = .init(transaction.now)
                $0.covers = covered.sorted()
            }
            try CaseStore.add(decision, to: record.id, in: transaction)
            let missing = try Commissioners.missing(record, context, transaction)
            // Every commissioner must have approved; one that returns or rejects decides for all.
            if action != .approve || missing.isEmpty { record.state = next }
            try CaseStore.save(
                &record, by: call.caller.responsible,
                "\(action.rawValue) by \(organisation): \(request.reason)",
                in: transaction)
            for commissioner in action == .approve
                ? covered : Set(Commissioners.byPractice(record, context).values)
            {
                try CaseTasks.settleApproval(by: commissioner, of: record, call, in: transaction)
            }
            return try CaseMessages.message(record, context, transaction)
        }
    }

    private func check(_ request: Pcs_Changes_V1_DecideNoticeRequest) throws -> CaseAction {
        var violations = RequestFields()
        violations.text(request.reason, "reason", "15.1 section 3", 3...500)
        let action: CaseAction? =
            switch request.decision {
            case .approve: .approve
            case .return: .returnNotice
            case .reject: .reject
            default: nil
            }
        if action == nil {
            violations.refuse("decision", "15.2", "The decision is approve, return or reject.")
        }
        try violations.finish()
        return action ?? .returnNotice
    }

    private func checkSection(_ section: Pcs_Changes_V1_CommissionerSection, _ record: CaseRecord) throws {
        var violations = RequestFields()
        let rule = "15.1 section 3"
        violations.practice(section.drugArrearsPayeeCode, "section.drug_arrears_payee_code", rule)
        violations.text(section.achievementDecision, "section.achievement_decision", rule, 3...500)
        for (index, move) in section.paymentMoves.enumerated() {
            let at = "section.payment_moves[\(index)]."
            violations.text(move.payment, at + "payment", rule)
            if !record.closing.contains(move.fromPracticeCode) {
                violations.refuse(
                    at + "from_practice_code", rule, "Payments move away from a closing practice.")
            }
            if !move.toPracticeCode.isEmpty {
                violations.practice(move.toPracticeCode, at + "to_practice_code", rule)
            }
        }
        try violations.finish()
    }

    func withdrawNotice(
        _ request: Pcs_Changes_V1_WithdrawNoticeRequest, _ call: CallContext
    ) async throws -> Pcs_Changes_V1_Case {
        var violations = RequestFields()
        violations.text(request.reason, "reason", "15.2", 3...500)
        try violations.finish()
        return try await call.commit { transaction in
            var record = try CaseMessages.record(request.caseID, practice: request.practiceCode, transaction)
            let next = try CaseAction.withdraw.requireNext(from: record)
            let steps = try StepStore.steps(of: record.id, transaction)
            guard !steps.contains(where: { $0.state == .done }) else {
                throw Failure(
                    ChangesReasons.notReversible, "Steps have been done: the case is rolled back instead.")
            }
            for var step in steps {
                step.state = .cancelled
                try StepStore.save(step, of: record.id, in: transaction)
                try CaseTasks.settle(
                    step, of: record, outcome: "withdrawn", by: call.caller.responsible, in: transaction)
            }
            record.state = next
            try CaseStore.save(
                &record, by: call.caller.responsible, "withdrawn: \(request.reason)", in: transaction)
            return try CaseMessages.message(record, context, transaction)
        }
    }
}
