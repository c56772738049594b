import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Where contracts stand, and their closing by two people (payments.md 2.2).
struct ContractClosingHandlers: Pcs_Payments_V1_ContractClosingService {
    let context: PluginContext

    func getContractStatus(
        _ request: Pcs_Payments_V1_GetContractStatusRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractStanding {
        let practice = try practice(request.practiceCode)
        return try context.store.read { reader in
            let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
            guard let first = timeline.spans.first, let last = timeline.spans.last else {
                throw Failure(PaymentsReasons.contractUnknown, "\(practice) never had a contract.")
            }
            let status = try ContractStatus.Book(knownAt: .max, reader).status(of: timeline, on: call.today)
            let open =
                status == .closing
                ? try OpenMatters(of: timeline, context.organisations, today: call.today, reader).found : []
            let closings = try ContractClosingStore.closings(of: practice, reader).filter {
                $0.lastDay == timeline.lastDay
            }
            return .with {
                ($0.practiceCode, $0.status) = (practice.value, Pcs_Payments_V1_ContractStatus(status))
                $0.firstDay = Pcs_Common_V1_Date(first.from)
                if let day = timeline.lastDay {
                    $0.lastDay = Pcs_Common_V1_Date(day)
                    $0.trailingPayeeCode = timeline.trailingPayee(of: last).value
                }
                $0.openMatters = open.map(Pcs_Payments_V1_OpenMatter.init)
                $0.closings = closings.map(Pcs_Payments_V1_ContractClosing.init)
            }
        }
    }

    func proposeContractClosing(
        _ request: Pcs_Payments_V1_ProposeContractClosingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractClosing {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        let practice = try practice(request.practiceCode)
        return try await call.commit { transaction in
            let timeline = try ContractStore.timeline(of: practice, knownAt: .max, transaction)
            let (lastDay, statement) = try requireSettled(timeline, call.today, transaction)
            let earlier = try ContractClosingStore.closings(of: practice, transaction).first {
                $0.lastDay == lastDay && $0.state != .returned
            }
            if let earlier {
                throw Failure(
                    PaymentsReasons.contractClosingStateWrong,
                    "Closing \(earlier.id) of \(practice) is \(earlier.state).")
            }
            let closing = ContractClosingStore.Closing(
                id: transaction.newIdentifier(), practice: practice, lastDay: lastDay, finalStatementID: statement,
                reason: request.reason, proposedBy: call.caller.responsible, proposedAt: transaction.now)
            try ContractClosingStore.add(closing, in: transaction)
            try DecisionTasks(kind: "contract-closing", id: closing.id).request(
                "Decide the closing of the contract of \(practice)",
                detail: "ended on \(lastDay), final statement \(statement): \(request.reason)",
                of: context.organisations.commissioner(of: practice, at: call.today), about: practice,
                in: transaction)
            note(closing, "proposed: \(request.reason)", in: transaction)
            return Pcs_Payments_V1_ContractClosing(closing)
        }
    }

    func decideContractClosing(
        _ request: Pcs_Payments_V1_DecideContractClosingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractClosing {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        let practice = try practice(request.practiceCode)
        return try await call.commit { transaction in
            guard
                var closing = try ContractClosingStore.closings(of: practice, transaction).first(where: {
                    $0.id == request.closingID
                })
            else { throw Failure(HostReasons.notFound, "There is no such closing for \(practice).") }
            guard closing.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            let actor = call.caller.responsible
            try call.requireOtherPerson(than: closing.proposedBy, step: "deciding the closing of a contract")
            (closing.decidedBy, closing.decisionReason) = (actor, request.reason)
            closing.state = request.approve ? .approved : .returned
            if request.approve { try putInForce(&closing, call, in: transaction) }
            try ContractClosingStore.saveDecision(closing, in: transaction)
            try DecisionTasks(kind: "contract-closing", id: closing.id).settle(
                approved: request.approve, by: actor, reason: request.reason, in: transaction)
            note(
                closing,
                request.approve
                    ? "approved, final statement \(closing.finalStatementID)" : "returned: \(request.reason)",
                in: transaction)
            return Pcs_Payments_V1_ContractClosing(closing)
        }
    }

    private func putInForce(
        _ closing: inout ContractClosingStore.Closing, _ call: CallContext, in transaction: any Transaction
    ) throws {
        let timeline = try ContractStore.timeline(of: closing.practice, knownAt: .max, transaction)
        let (lastDay, statement) = try requireSettled(timeline, call.today, transaction)
        guard lastDay == closing.lastDay else {
            throw Failure(
                PaymentsReasons.contractClosingStateWrong,
                "The contract of \(closing.practice) now ends on \(lastDay): propose its closing again.")
        }
        closing.finalStatementID = statement
        closing.seq = try InputLog.record(
            .contracts, from: nil, to: nil, by: closing.decidedBy, detail: "closing \(closing.id)", in: transaction)
        let (practice, id) = (closing.practice.value, closing.id)
        try transaction.publish(
            Pcs_Payments_V1_ContractClosed.with {
                ($0.practiceCode, $0.closingID, $0.finalStatementID) = (practice, id, statement)
                $0.lastDay = Pcs_Common_V1_Date(lastDay)
            }, key: practice)
    }

    /// The last day and the final statement, or the refusal that names everything still open.
    private func requireSettled(
        _ timeline: ContractTimeline, _ today: CalendarDate, _ reader: any Reader
    ) throws -> (lastDay: CalendarDate, statementID: String) {
        let practice = timeline.practice
        guard !timeline.spans.isEmpty else {
            throw Failure(PaymentsReasons.contractUnknown, "\(practice) never had a contract.")
        }
        let open = try OpenMatters(of: timeline, context.organisations, today: today, reader).found
        guard open.isEmpty, let lastDay = timeline.lastDay,
            let statement = try refusing({
                try StatementStore.last(of: practice, before: StatementStore.afterAll, reader)
            })
        else {
            let named = open.prefix(10).map { "\($0.kind) \($0.reference)" }.joined(separator: ", ")
            throw Failure(
                PaymentsReasons.contractNotSettled,
                "The contract of \(practice) cannot be closed: \(open.count) open matters: \(named).",
                violations: open.map {
                    Violation(field: $0.kind, rule: "2.2", message: "\($0.reference): \($0.words)")
                })
        }
        return (lastDay, "\(statement.runID)/\(practice)")
    }

    private func practice(_ text: String) throws -> ODSCode {
        var fields = RequestFields()
        let practice = fields.practice(text)
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.contractUnknown) }
        return practice
    }

    private func note(
        _ closing: ContractClosingStore.Closing, _ detail: String, in transaction: any Transaction
    ) {
        transaction.audit(
            AuditNote(
                object: "contract-closing/\(closing.id)", organisation: closing.practice.value, detail: detail))
    }
}

extension Pcs_Payments_V1_OpenMatter {
    init(_ matter: OpenMatters.Matter) {
        self.init()
        (kind, reference, words, pence) = (matter.kind, matter.reference, matter.words, matter.pence)
    }
}

extension Pcs_Payments_V1_ContractClosing {
    init(_ closing: ContractClosingStore.Closing) {
        self.init()
        (closingID, practiceCode) = (closing.id, closing.practice.value)
        state = Pcs_Payments_V1_ProposalState(closing.state)
        lastDay = Pcs_Common_V1_Date(closing.lastDay)
        (finalStatementID, reason) = (closing.finalStatementID, closing.reason)
        (proposedBy, decidedBy, decisionReason) = (closing.proposedBy, closing.decidedBy, closing.decisionReason)
        proposedAt = Google_Protobuf_Timestamp(closing.proposedAt)
    }
}
