import CommonContract
import CqrsContract
import HostContract
import PluginAPI

// Bulk decisions: each declaration for itself, all in one durable step; adjustments after payment.
extension DeclarationHandlers {
    func approveDeclarations(_ request: Pcs_Cqrs_V1_DecideDeclarationsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_DecideDeclarationsResponse
    {
        try await decide(request, from: .awaitingCommissioner, call) { desk, record, services, _ in
            // One that a person made is approved with its making; a draft of the system's is approved first (R10).
            if !record.adjusts.isEmpty, record.declaredBy != "system" {
                return .refused("7.5: an adjustment is approved with ApproveAdjustment")
            }
            if let held = try Self.heldBecause(record, desk.transaction) { return .refused("R7: " + held) }
            guard Self.isOther(call, record.declaredBy, "approve what one declared") else {
                return .refused("USR-6: the person who declared does not approve")
            }
            let definition = try services.definition(record, desk.transaction)
            return .decided(try desk.approve(record, definition, by: desk.actor))
        }
    }

    func financeApproveDeclarations(_ request: Pcs_Cqrs_V1_DecideDeclarationsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_DecideDeclarationsResponse
    {
        try await decide(request, from: .awaitingFinance, call) { desk, record, services, windows in
            // USR-6, over all that the amount consists of.
            var earlier: Set<String> = [record.approvedBy, record.declaredBy]
            for part in try record.kind == .aggregated
                ? DeclarationStore.parts(of: record.id, desk.transaction) : []
            {
                earlier.insert(part.approvedBy)
                earlier.insert(part.declaredBy)
            }
            guard earlier.allSatisfy({ Self.isOther(call, $0, "approve for finance") }) else {
                return .refused("USR-6: the person who declared or approved does not approve for finance")
            }
            let definition = try services.definition(record, desk.transaction)
            let key = DeclarationDesk.Key(service: record.service, date: record.date)
            let payment = PayDays(windows: windows).prediction(
                key, on: desk.today, declaredOn: try Self.declaredOn(record, desk.transaction) ?? record.date)
            let approved = try desk.release(record, definition, payOn: payment.day)
            try DeclarationNotices.payment(
                approved, "financially approved", approved.instruction,
                on: max(desk.today, payment.day ?? desk.today),
                "It goes to \(approved.payee).", in: desk.transaction)
            return .decided(approved)
        }
    }

    /// Compares natural persons; the system is nobody.
    static func isOther(_ call: CallContext, _ other: String, _ step: String) -> Bool {
        guard !other.isEmpty, other != "system" else { return true }
        return (try? call.requireOtherPerson(than: other, step: step)) != nil
    }

    enum Decision {
        case decided(DeclarationStore.Record)
        case refused(String)
    }

    /// Definitions, looked up once each.
    final class Services {
        private var found: [String: ServiceDefinition] = [:]
        func definition(_ record: DeclarationStore.Record, _ reader: any Reader) throws -> ServiceDefinition?
        {
            let name = "\(record.service)/\(record.serviceVersion)"
            if let known = found[name] { return known }
            let definition = try ServiceStore.record(record.service, record.serviceVersion, reader)?
                .definition
            found[name] = definition
            return definition
        }
    }

    private func decide(
        _ request: Pcs_Cqrs_V1_DecideDeclarationsRequest, from state: DeclarationState, _ call: CallContext,
        _ decide:
            @escaping @Sendable (
                DeclarationDesk, DeclarationStore.Record, Services, [DeclarationDesk.Key: CollectionWindow]
            ) throws -> Decision
    ) async throws -> Pcs_Cqrs_V1_DecideDeclarationsResponse {
        let date = request.hasAchievementDate ? request.achievementDate.calendarDate : nil
        guard request.allWaiting != !request.declarationIds.isEmpty, request.declarationIds.count <= 20_000
        else {
            throw Failure.field("declaration_ids", "7.2", "Name 1 to 20,000 declarations, or all that wait.")
        }
        guard Set(request.declarationIds).count == request.declarationIds.count else {
            throw Failure.field("declaration_ids", "7.2", "A declaration is named twice.")
        }
        return try await call.commit { transaction in
            let desk = desk(call, transaction)
            let windows = try ReferenceStore.windows(transaction)
            let services = Services()
            var reply = Pcs_Cqrs_V1_DecideDeclarationsResponse()
            var networks: [DeclarationDesk.Key: Set<String>] = [:]
            var queues: Set<QueueNotices.Queue> = []
            let records: [(id: String, record: DeclarationStore.Record?)] =
                request.allWaiting
                ? try DeclarationStore.waiting(with: request.commissionerCode, state, transaction)
                    .filter {
                        (request.serviceCode.isEmpty || $0.service == request.serviceCode)
                            && (date == nil || $0.date == date) && $0.adjusts.isEmpty
                    }.map { ($0.id, $0) }
                : try request.declarationIds.map { ($0, try DeclarationStore.record($0, transaction)) }
            for (id, found) in records {
                let record = found?.commissioner == request.commissionerCode ? found : nil
                let decision: Decision =
                    switch record {
                    case nil: .refused("there is no such declaration")
                    case let record? where record.state != state: .refused("7.2: it is \(record.state.name)")
                    case let record?: try decide(desk, record, services, windows)
                    }
                switch decision {
                case .decided(let after):
                    queues.insert(.init(after))
                    reply.decided += 1
                    reply.totalPence += after.pence
                    if after.state == .awaitingNetwork {
                        networks[.init(service: after.service, date: after.date), default: []].insert(
                            after.pcn)
                    }
                    if !request.allWaiting { reply.results.append(result(id, after.state, "")) }
                case .refused(let why):
                    reply.results.append(result(id, record?.state, why))
                }
            }
            if request.hasControlTotalPence, request.controlTotalPence != reply.totalPence {
                throw Failure(
                    CqrsReasons.controlTotalMismatch,
                    "These declarations come to \(Money(pence: reply.totalPence)) pounds.")
            }
            try complete(networks, desk, &reply)
            try QueueNotices.refresh(queues, by: desk.actor, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "decision", organisation: request.commissionerCode,
                    detail:
                        "\(reply.decided) declarations, \(Money(pence: reply.totalPence)) pounds, from \(state.name)"
                ))
            return reply
        }
    }

    /// Sums of networks that an approval may have completed (transition 11).
    private func complete(
        _ networks: [DeclarationDesk.Key: Set<String>], _ desk: DeclarationDesk,
        _ reply: inout Pcs_Cqrs_V1_DecideDeclarationsResponse
    ) throws {
        for key in networks.keys.sorted(by: { ($0.service, $0.date) < ($1.service, $1.date) }) {
            var expected: [String: [String]] = [:]
            for participant in try ParticipantList.participants(
                in: key.service, on: key.date, desk.transaction)
            {
                expected[participant.pcn, default: []].append(participant.provider)
            }
            for pcn in (networks[key] ?? []).sorted() where !pcn.isEmpty {
                let standing = DeclarationDesk.standing(
                    expected[pcn] ?? [], try DeclarationStore.of(network: pcn, key, desk.transaction))
                if let sum = try desk.aggregate(pcn, key, standing) {
                    reply.aggregatedDeclarationIds.append(sum.id)
                }
            }
        }
    }

    private func result(_ id: String, _ state: DeclarationState?, _ refused: String)
        -> Pcs_Cqrs_V1_DecisionResult
    {
        .with {
            $0.declarationID = id
            $0.decided = refused.isEmpty
            $0.state = .init(rawValue: state?.rawValue ?? 0) ?? .unspecified
            $0.refusedBecause = refused
        }
    }

    // MARK: After finance approval (7.5)

    func createAdjustment(_ request: Pcs_Cqrs_V1_CreateAdjustmentRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        guard request.reason != .unspecified, request.reason.rawValue <= 6 else {
            throw Failure.field("reason", "7.5", "A reason code is needed.")
        }
        guard (3...500).contains(request.detail.count) else {
            throw Failure.field("detail", "7.5", "A detail of 3 to 500 characters is needed.")
        }
        return try await call.commit { transaction in
            let original = try under(request.declarationID, request.commissionerCode, transaction)
            guard original.state.isLocked, original.adjusts.isEmpty else {
                throw Failure(
                    CqrsReasons.declarationStateWrong,
                    "Only a finance-approved original is adjusted; this is \(original.state.name).")
            }
            var part: DeclarationStore.Record?
            if !request.practiceCode.isEmpty {
                part = try DeclarationStore.parts(of: original.id, transaction).first {
                    $0.provider == request.practiceCode
                }
                guard part != nil else {
                    throw Failure.field(
                        "practice_code", "AGG-7", "The practice is no part of this declaration.")
                }
            }
            let corrected = try DeclarationStore.corrections(of: original.id, transaction)
                .filter(\.state.isLive).reduce(Int64(0)) { $0 + $1.pence }
            let pence = request.reverse ? -(original.pence + corrected) : request.amountPence
            guard pence != 0, abs(pence) < 1_000_000_000_000 else {
                throw Failure.field("amount_pence", "7.5", "The difference is not zero, and in range.")
            }
            var adjustment = original
            adjustment.id = transaction.newIdentifier()
            adjustment.kind = request.reverse ? .reversal : .adjustment
            adjustment.state = .awaitingFinance
            adjustment.adjusts = original.id
            adjustment.adjustmentReason = request.reason.rawValue
            adjustment.pence = pence
            adjustment.penceBefore = original.pence + corrected
            adjustment.calculation = part?.calculation ?? original.calculation
            adjustment.aggregatedInto = ""
            adjustment.instruction = ""
            adjustment.recoveryMonths = 0
            adjustment.declaredBy = ""
            adjustment.approvedBy = call.caller.responsible
            adjustment.version = 1
            let desk = desk(call, transaction)
            let whose = request.practiceCode.isEmpty ? "" : " (part of \(request.practiceCode))"
            try desk.add(adjustment, reason: request.detail + whose)
            try QueueNotices.refresh([.init(adjustment)], by: desk.actor, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "declaration/" + adjustment.id, organisation: adjustment.provider,
                    detail: "adjusts \(original.id) by \(Money(pence: pence)): \(request.detail)"))
            return try message(adjustment, transaction, today: call.today)
        }
    }

    func approveAdjustment(_ request: Pcs_Cqrs_V1_ApproveAdjustmentRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try await call.commit { transaction in
            let record = try under(request.declarationID, request.commissionerCode, transaction)
            guard !record.adjusts.isEmpty else {
                throw Failure(CqrsReasons.declarationStateWrong, "This is no adjustment.")
            }
            try call.requireOtherPerson(than: record.approvedBy, step: "approve an adjustment")
            let definition = try ServiceStore.record(record.service, record.serviceVersion, transaction)?
                .definition
            let approved = try desk(call, transaction).release(record, definition, payOn: nil)
            try DeclarationNotices.payment(
                approved, "corrected", approved.instruction, on: call.today,
                "It is netted with the next payment.", in: transaction)
            try QueueNotices.refresh([.init(approved)], by: call.caller.responsible, in: transaction)
            return try message(approved, transaction, today: call.today)
        }
    }
}
