import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

// What callers see of declarations and of networks that wait.
extension DeclarationHandlers {
    func message(_ record: DeclarationStore.Record, _ reader: any Reader, today: CalendarDate) throws
        -> Pcs_Cqrs_V1_Declaration
    {
        var message = brief(record)
        let key = DeclarationDesk.Key(service: record.service, date: record.date)
        if record.kind == .aggregated {
            message.parts = try DeclarationStore.parts(of: record.id, reader).map { part in
                .with {
                    $0.declarationID = part.id
                    $0.practiceCode = part.provider
                    $0.state = .init(rawValue: part.state.rawValue) ?? .unspecified
                    $0.amountPence = part.pence
                }
            }
        }
        message.history = try DeclarationStore.steps(of: record.id, reader).map { step in
            .with {
                $0.from = .init(rawValue: step.from) ?? .unspecified
                $0.to = .init(rawValue: step.to) ?? .unspecified
                $0.by = step.by
                $0.actingFor = step.actingFor
                $0.at = Google_Protobuf_Timestamp(step.at)
                $0.reason = step.reason
                $0.figuresSha256 = step.figures
            }
        }
        message.notes = try DeclarationStore.notes(of: record.id, reader).map { note in
            .with { ($0.text, $0.by, $0.at) = (note.text, note.by, Google_Protobuf_Timestamp(note.at)) }
        }
        let windows = try ReferenceStore.windows(reader)
        if let window = windows[key] {
            if let day = window.declareBy { message.declareBy = Pcs_Common_V1_Date(day) }
            if record.state.isLive {
                try describePayment(of: record, window, PayDays(windows: windows), &message, reader, today)
            }
        }
        if let held = try Self.heldBecause(record, reader) { message.advice = "Held: " + held }
        return message
    }

    /// When it is, or was, paid. R5: late is said, never lost.
    private func describePayment(
        of record: DeclarationStore.Record, _ window: CollectionWindow, _ payDays: PayDays,
        _ message: inout Pcs_Cqrs_V1_Declaration, _ reader: any Reader, _ today: CalendarDate
    ) throws {
        let key = DeclarationDesk.Key(service: record.service, date: record.date)
        if record.state.isLocked {
            let first = try InstructionStore.of(declaration: record.id, reader).first
            if let day = first?.paidOn ?? first?.releaseOn { message.payOn = Pcs_Common_V1_Date(day) }
            return
        }
        let prediction = payDays.prediction(key, on: today, declaredOn: try Self.declaredOn(record, reader))
        if let day = prediction.day { message.payOn = Pcs_Common_V1_Date(day) }
        if let missed = prediction.missed {
            message.advice =
                "The deadline was \(missed); "
                + (prediction.day.map { "it is paid with the next run, on \($0)." }
                    ?? "it is paid with the next run, whose day is not in the calendar yet.")
        }
    }

    /// `nil` = not yet. What the system declares is never late.
    static func declaredOn(_ record: DeclarationStore.Record, _ reader: any Reader) throws -> CalendarDate? {
        guard record.kind == .achievement else { return record.date }
        let step = try DeclarationStore.steps(of: record.id, reader).last {
            $0.to == DeclarationState.awaitingCommissioner.rawValue
        }
        return step.map { $0.by == "system" ? record.date : LondonTime.day(at: $0.at) }
    }

    func brief(_ record: DeclarationStore.Record) -> Pcs_Cqrs_V1_Declaration {
        .with {
            $0.declarationID = record.id
            $0.kind = .init(rawValue: record.kind.rawValue) ?? .unspecified
            $0.state = .init(rawValue: record.state.rawValue) ?? .unspecified
            $0.serviceCode = record.service
            $0.serviceVersion = Int32(clamping: record.serviceVersion)
            $0.providerCode = record.provider
            $0.pcnCode = record.pcn
            $0.commissionerCode = record.commissioner
            $0.achievementDate = Pcs_Common_V1_Date(record.date)
            $0.calculationID = record.calculation
            $0.amountPence = record.pence
            $0.amountBeforePence = record.penceBefore
            $0.payeeCode = record.payee
            $0.figuresSha256 = record.figures
            $0.aggregatedInto = record.aggregatedInto
            $0.adjusts = record.adjusts
            $0.adjustmentReason = .init(rawValue: record.adjustmentReason) ?? .unspecified
            $0.recoveryMonths = Int32(clamping: record.recoveryMonths)
            $0.instructionID = record.instruction
            $0.version = record.version
        }
    }

    func getDeclaration(_ request: Pcs_Cqrs_V1_GetDeclarationRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try context.store.read { reader in
            let record = try own(request.declarationID, of: request.providerCode, reader)
            try NetworkSight(context, call).require(request.providerCode, on: record.date, pounds: true)
            return try message(record, reader, today: call.today)
        }
    }

    func listDeclarations(_ request: Pcs_Cqrs_V1_ListDeclarationsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListDeclarationsResponse
    {
        let sight = NetworkSight(context, call)
        let records = try context.store.read { try DeclarationStore.of(provider: request.providerCode, $0) }
            .filter { sight.sees(request.providerCode, on: $0.date) }
        if let first = records.first { try sight.require(request.providerCode, on: first.date, pounds: true) }
        return listed(
            records, request.serviceCode,
            request.hasAchievementDate ? request.achievementDate.calendarDate : nil,
            request.state, limit: 20_000)
    }

    func listCommissionerDeclarations(
        _ request: Pcs_Cqrs_V1_ListCommissionerDeclarationsRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ListDeclarationsResponse {
        let limit = request.limit == 0 ? 1_000 : min(20_000, max(1, Int(request.limit)))
        let records = try context.store.read {
            try DeclarationStore.of(commissioner: request.commissionerCode, $0)
        }
        return listed(
            records, request.serviceCode,
            request.hasAchievementDate ? request.achievementDate.calendarDate : nil,
            request.state, limit: limit)
    }

    private func listed(
        _ records: [DeclarationStore.Record], _ service: String, _ date: CalendarDate?,
        _ state: Pcs_Cqrs_V1_DeclarationState, limit: Int
    ) -> Pcs_Cqrs_V1_ListDeclarationsResponse {
        let chosen = records.filter {
            (service.isEmpty || $0.service == service) && (date == nil || $0.date == date)
                && (state == .unspecified || $0.state.rawValue == state.rawValue)
        }
        return .with {
            $0.declarations = chosen.prefix(limit).map { brief($0) }
            $0.totalPence = chosen.filter(\.state.isLive).reduce(0) { $0 + $1.pence }
        }
    }

    /// R9: who holds the network up, and what each has to do.
    func getNetworkStanding(_ request: Pcs_Cqrs_V1_GetNetworkStandingRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_NetworkStanding
    {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        return try context.store.read { reader in
            let standing = try DeclarationDesk.standing(of: request.pcnCode, key, reader)
            var reply = Pcs_Cqrs_V1_NetworkStanding()
            reply.pcnCode = request.pcnCode
            reply.serviceCode = key.service
            reply.achievementDate = Pcs_Common_V1_Date(key.date)
            reply.approved = Int32(clamping: standing.approved)
            reply.expected = Int32(clamping: standing.expected.count)
            reply.ready = standing.isReady || standing.sum != nil
            reply.aggregatedDeclarationID = standing.sum?.id ?? ""
            for practice in standing.expected {
                let record = standing.live[practice]
                guard record?.state != .awaitingNetwork, record?.state != .aggregated else { continue }
                let since = try record.flatMap { try DeclarationStore.steps(of: $0.id, reader).last?.at }
                let (who, action) = Self.blocker(record, practice)
                reply.blockers.append(
                    .with {
                        $0.practiceCode = practice
                        $0.practiceName =
                            ODSCode(practice).flatMap {
                                context.organisations.organisation($0, at: call.today)?.name
                            } ?? ""
                        $0.state = .init(rawValue: record?.state.rawValue ?? 0) ?? .unspecified
                        $0.waitsFor = who
                        $0.action = action
                        if let since { $0.since = Google_Protobuf_Timestamp(since) }
                    })
            }
            return reply
        }
    }

    static func blocker(_ record: DeclarationStore.Record?, _ practice: String) -> (
        who: String, action: String
    ) {
        switch record?.state {
        case nil: (practice, "send the figures that are missing, so that it is calculated")
        case .provisional?, .awaitingReaggregation?: ("system", "calculate again overnight")
        case .awaitingProvider?: (practice, "declare")
        case .awaitingCommissioner?: (record?.commissioner ?? "", "approve or query")
        case .queried?: (practice, "answer the query")
        default: ("", "")
        }
    }
}

/// What was handed to the payment agency.
struct InstructionHandlers: Pcs_Cqrs_V1_InstructionService {
    let context: PluginContext

    func listInstructions(_ request: Pcs_Cqrs_V1_ListInstructionsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListInstructionsResponse
    {
        let records = try context.store.read { try InstructionStore.of(payee: request.payeeCode, $0) }
            .filter { request.state == .unspecified || $0.state.rawValue == request.state.rawValue }
        return .with { $0.instructions = records.map(message) }
    }

    func recallInstruction(_ request: Pcs_Cqrs_V1_RecallInstructionRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Instruction
    {
        guard (3...500).contains(request.reason.count) else {
            throw Failure.field("reason", "11", "A reason of 3 to 500 characters is needed.")
        }
        return try await call.commit { transaction in
            guard var record = try InstructionStore.record(request.instructionID, transaction),
                record.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.instructionUnknown) }
            try move(&record, to: .recalled)
            try InstructionStore.save(record, in: transaction)
            try transaction.publish(
                Pcs_Cqrs_V1_PaymentRecalled.with {
                    ($0.instructionID, $0.reason) = (record.id, request.reason)
                }, key: record.id)
            if !record.claim.isEmpty {
                try LocalDesk(context: context, call: call, transaction)
                    .payment(of: record, .failPayment, reason: "recalled: " + request.reason)
            }
            transaction.audit(
                AuditNote(
                    object: "instruction/" + record.id, organisation: record.payee,
                    detail: "recalled: " + request.reason))
            return message(record)
        }
    }

    func recordAgencyAnswer(_ request: Pcs_Cqrs_V1_RecordAgencyAnswerRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_Instruction
    {
        guard let answer = InstructionStore.State(rawValue: request.answer.rawValue),
            [.acknowledged, .refused, .paid].contains(answer)
        else { throw Failure.field("answer", "11", "The answer is acknowledged, refused or paid.") }
        return try await call.commit { transaction in
            guard var record = try InstructionStore.record(request.instructionID, transaction) else {
                throw Failure(CqrsReasons.instructionUnknown)
            }
            // R15: the same answer again says nothing new.
            guard record.state != answer else { return message(record) }
            try move(&record, to: answer)
            record.agencyReference = request.agencyReference
            record.refusalReason = answer == .refused ? request.reason : ""
            record.paidOn = answer == .paid ? request.paidOn.calendarDate ?? call.today : nil
            try AgencyAnswers(
                context: context, transaction: transaction, actor: call.caller.responsible,
                actingFor: call.caller.actingFor, today: call.today
            ).keep(record, reason: request.reason)
            return message(record)
        }
    }

    private func move(_ record: inout InstructionStore.Record, to state: InstructionStore.State) throws {
        guard record.state.may(become: state) else {
            throw Failure(
                CqrsReasons.instructionStateWrong,
                "The instruction is \(record.state) and cannot become \(state).")
        }
        record.state = state
    }

    func message(_ record: InstructionStore.Record) -> Pcs_Cqrs_V1_Instruction {
        .with {
            $0.instructionID = record.id
            $0.declarationID = record.declaration
            $0.claimID = record.claim
            $0.payeeCode = record.payee
            $0.payCode = record.payCode
            $0.subjectiveCode = record.subjectiveCode
            $0.grossPence = record.pence
            $0.period = Pcs_Common_V1_Month(containing: record.period.firstDay)
            $0.serviceCode = record.service
            $0.narrative = record.narrative
            $0.releaseDate = Pcs_Common_V1_Date(record.releaseOn)
            $0.state = .init(rawValue: record.state.rawValue) ?? .unspecified
            $0.agencyReference = record.agencyReference
            $0.refusalReason = record.refusalReason
            if let day = record.paidOn { $0.paidOn = Pcs_Common_V1_Date(day) }
        }
    }
}
