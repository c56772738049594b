import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// From a calculated amount to a payment, with another person at each step.
struct DeclarationHandlers: Pcs_Cqrs_V1_DeclarationService {
    let context: PluginContext

    func desk(_ call: CallContext, _ transaction: any Transaction) -> DeclarationDesk {
        DeclarationDesk(
            context: context, transaction: transaction, actor: call.caller.responsible,
            actingFor: call.caller.actingFor, today: call.today)
    }

    func reason(_ text: String) throws {
        guard (3...500).contains(text.count) else {
            throw Failure.field("reason", "7.2", "A reason of 3 to 500 characters is needed.")
        }
    }

    /// The provider's own; what is not is as if it did not exist.
    func own(_ id: String, of provider: String, _ reader: any Reader) throws -> DeclarationStore.Record {
        guard let record = try DeclarationStore.record(id, reader), record.provider == provider else {
            throw Failure(CqrsReasons.declarationUnknown)
        }
        return record
    }

    func under(_ id: String, _ commissioner: String, _ reader: any Reader) throws -> DeclarationStore.Record {
        guard let record = try DeclarationStore.record(id, reader), record.commissioner == commissioner else {
            throw Failure(CqrsReasons.declarationUnknown)
        }
        return record
    }

    func checkVersion(_ expected: Int64, _ record: DeclarationStore.Record) throws {
        guard expected == 0 || expected == record.version else {
            throw Failure(CqrsReasons.versionChanged, "The declaration is at version \(record.version).")
        }
    }

    /// R7. `nil` = not held.
    static func heldBecause(_ record: DeclarationStore.Record, _ reader: any Reader) throws -> String? {
        let key = DeclarationDesk.Key(service: record.service, date: record.date)
        guard let hold = try HoldStore.present(key, reader), hold.isHeld,
            try !HoldStore.released(key, from: hold, reader).contains(record.provider)
        else { return nil }
        return "\(hold.reason). Released by: \(hold.criteria)"
    }

    // MARK: The provider

    func declare(_ request: Pcs_Cqrs_V1_DeclareRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try await call.commit { transaction in
            let record = try own(request.declarationID, of: request.providerCode, transaction)
            guard record.state != .awaitingReaggregation else {
                throw Failure(CqrsReasons.awaitingReaggregation)
            }
            try checkVersion(request.expectedVersion, record)
            guard request.figuresSha256 == record.figures else { throw Failure(CqrsReasons.figuresChanged) }
            if let held = try Self.heldBecause(record, transaction) {
                throw Failure(CqrsReasons.serviceHeld, held)
            }
            let key = DeclarationDesk.Key(service: record.service, date: record.date)
            if let service = try ServiceStore.record(record.service, record.serviceVersion, transaction) {
                // DAT-12, R13.
                let open = try FiguresView(key, provider: record.provider, transaction).progress(
                    service.definition
                )
                .unconfirmedDefaults
                guard open.isEmpty else {
                    throw Failure(
                        CqrsReasons.defaultsUnconfirmed,
                        "Confirm the defaults of \(open.prefix(10).joined(separator: ", ")).")
                }
            }
            let desk = desk(call, transaction)
            try DeclarationNotices.settled(record, "declared", by: desk.actor, in: transaction)
            let declared = try desk.move(record, .declare) { $0.declaredBy = desk.actor }
            if !request.note.isEmpty {
                try DeclarationStore.addNote(
                    String(request.note.prefix(2000)), to: record.id, by: desk.actor, in: transaction)
            }
            let definition = try ServiceStore.record(record.service, record.serviceVersion, transaction)?
                .definition
            let after =
                definition?.flags.contains(.noApprovalRequired) ?? false
                ? try desk.approve(declared, definition, reason: "approved by the system", by: "system")
                : declared
            try QueueNotices.refresh([.init(declared)], by: desk.actor, in: transaction)
            return try message(after, transaction, today: call.today)
        }
    }

    func annotateDeclaration(_ request: Pcs_Cqrs_V1_AnnotateDeclarationRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        guard (1...2_000).contains(request.note.count) else {
            throw Failure.field("note", "7.2", "A note has 1 to 2,000 characters.")
        }
        return try await call.commit { transaction in
            let record = try own(request.declarationID, of: request.providerCode, transaction)
            guard record.state == .awaitingProvider else {
                throw Failure(CqrsReasons.declarationStateWrong, "The declaration is \(record.state.name).")
            }
            try DeclarationStore.addNote(
                request.note, to: record.id, by: call.caller.responsible, in: transaction)
            transaction.audit(
                AuditNote(object: "declaration/" + record.id, organisation: record.provider, detail: "note"))
            return try message(record, transaction, today: call.today)
        }
    }

    func disputeDeclaration(_ request: Pcs_Cqrs_V1_DisputeDeclarationRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try reason(request.reason)
        guard request.counts.count <= 200 else {
            throw Failure.field("counts", "DAT-9", "At most 200 counts.")
        }
        return try await call.commit { transaction in
            let record = try own(request.declarationID, of: request.providerCode, transaction)
            let desk = desk(call, transaction)
            guard let service = try ServiceStore.record(record.service, record.serviceVersion, transaction)
            else {
                throw Failure(CqrsReasons.serviceUnknown)
            }
            let figures = try DisputeDesk(desk: desk).figures(request.counts, of: record, service.definition)
            try DeclarationNotices.settled(record, "disputed", by: desk.actor, in: transaction)
            let disputed = try desk.move(record, .dispute, reason: request.reason)
            if !figures.isEmpty {
                try DisputeStore.add(figures, to: record.id, in: transaction)
                let words = figures.map { "\($0.indicator) \($0.field) = \($0.value)" }.joined(
                    separator: "; ")
                try DeclarationStore.addNote(
                    "Own figures: " + words, to: record.id, by: desk.actor, in: transaction)
            }
            try DeclarationNotices.disputed(disputed, request.reason, in: transaction)
            return try message(disputed, transaction, today: call.today)
        }
    }

    func agreeRecovery(_ request: Pcs_Cqrs_V1_AgreeRecoveryRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        guard (1...12).contains(request.months) else {
            throw Failure.field("months", "7.5", "A recovery takes 1 to 12 months.")
        }
        return try await call.commit { transaction in
            var record = try own(request.declarationID, of: request.providerCode, transaction)
            guard !record.adjusts.isEmpty, record.pence < 0, !record.state.isLocked, record.state.isLive
            else {
                throw Failure(
                    CqrsReasons.declarationStateWrong, "Only an open negative adjustment is recovered.")
            }
            record.recoveryMonths = Int(request.months)
            record.version += 1
            try DeclarationStore.save(
                record,
                .init(
                    from: record.state.rawValue, to: record.state.rawValue, by: call.caller.responsible,
                    actingFor: call.caller.actingFor, at: transaction.now,
                    reason: "recovery over \(request.months) months agreed", figures: record.figures),
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "declaration/" + record.id, organisation: record.provider,
                    detail: "recovery over \(request.months) months"))
            return try message(record, transaction, today: call.today)
        }
    }

    // MARK: The commissioner, one by one

    func resolveDispute(_ request: Pcs_Cqrs_V1_ResolveDisputeRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try reason(request.reason)
        return try await call.commit { transaction in
            let record = try under(request.declarationID, request.commissionerCode, transaction)
            guard record.state == .queried else {
                throw Failure(CqrsReasons.declarationStateWrong, "The declaration is \(record.state.name).")
            }
            let desk = desk(call, transaction)
            guard let service = try ServiceStore.record(record.service, record.serviceVersion, transaction)
            else {
                throw Failure(CqrsReasons.serviceUnknown)
            }
            guard !request.accept else {
                try DeclarationStore.addNote(
                    "Accepted: " + request.reason, to: record.id, by: desk.actor, in: transaction)
                try DeclarationNotices.tell(
                    record, "\(record.service): figures accepted", request.reason, in: transaction)
                transaction.audit(
                    AuditNote(
                        object: "declaration/" + record.id, organisation: record.provider,
                        detail: "dispute accepted"))
                let after = try DisputeDesk(desk: desk).accept(
                    record, service.definition, reason: request.reason)
                return try message(after, transaction, today: call.today)
            }
            try desk.retire(record, .supersede, reason: request.reason)
            var again = record
            again.declaredBy = ""
            again.approvedBy = ""
            again.penceBefore = record.pence
            let draft = try desk.draft(again, service.definition, reason: "figures kept: " + request.reason)
            return try message(draft, transaction, today: call.today)
        }
    }

    func queryDeclaration(_ request: Pcs_Cqrs_V1_QueryDeclarationRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try await send(request, .query, call)
    }

    func returnDeclaration(_ request: Pcs_Cqrs_V1_QueryDeclarationRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        try await send(request, .financeReturn, call)
    }

    private func send(
        _ request: Pcs_Cqrs_V1_QueryDeclarationRequest, _ event: DeclarationEvent, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_Declaration {
        try reason(request.reason)
        return try await call.commit { transaction in
            let record = try under(request.declarationID, request.commissionerCode, transaction)
            try checkVersion(request.expectedVersion, record)
            guard event != .financeReturn || record.kind != .aggregated else {
                throw Failure(
                    CqrsReasons.declarationStateWrong,
                    "A network's sum is not approved itself: query one of its parts, or have it recalculated."
                )
            }
            let moved = try desk(call, transaction).move(record, event, reason: request.reason)
            try QueueNotices.refresh([.init(moved)], by: call.caller.responsible, in: transaction)
            if event == .query {
                try DeclarationNotices.queried(moved, request.reason, in: transaction)
            } else {
                try DeclarationNotices.tellCommissioner(
                    moved, "Finance returned \(record.service)", request.reason, in: transaction)
            }
            return try message(moved, transaction, today: call.today)
        }
    }

    // MARK: Holds (R7)

    func holdService(_ request: Pcs_Cqrs_V1_HoldServiceRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ServiceHold
    {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        try reason(request.reason)
        guard !request.hold || (3...500).contains(request.releaseCriteria.count) else {
            throw Failure.field(
                "release_criteria", "R7", "Say in 3 to 500 characters what releases the hold.")
        }
        return try await call.commit { transaction in
            try HoldStore.set(
                key, held: request.hold, reason: request.reason, criteria: request.releaseCriteria,
                by: call.caller.responsible, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "hold/\(key.service)/\(key.date)",
                    detail: "\(request.hold ? "held" : "released"): \(request.reason)"))
            return try hold(key, transaction)
        }
    }

    func attestProvider(_ request: Pcs_Cqrs_V1_AttestProviderRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ServiceHold
    {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        guard (3...2_000).contains(request.attestation.count) else {
            throw Failure.field("attestation", "R7", "An attestation has 3 to 2,000 characters.")
        }
        return try await call.commit { transaction in
            guard let present = try HoldStore.present(key, transaction), present.isHeld else {
                throw Failure(CqrsReasons.serviceStateWrong, "\(key.service) is not held for \(key.date).")
            }
            try HoldStore.release(
                request.providerCode, key, from: present, attestation: request.attestation,
                by: call.caller.responsible,
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "hold/\(key.service)/\(key.date)", organisation: request.providerCode,
                    detail: "attested: " + request.attestation))
            return try hold(key, transaction)
        }
    }

    private func hold(_ key: DeclarationDesk.Key, _ reader: any Reader) throws -> Pcs_Cqrs_V1_ServiceHold {
        let hold = try HoldStore.present(key, reader)
        let released = try hold.map { try HoldStore.released(key, from: $0, reader) } ?? []
        return .with {
            $0.serviceCode = key.service
            $0.achievementDate = Pcs_Common_V1_Date(key.date)
            $0.held = hold?.isHeld ?? false
            $0.reason = hold?.reason ?? ""
            $0.releaseCriteria = hold?.criteria ?? ""
            $0.releasedProviders = released
        }
    }

    func runNightly(_ request: Pcs_Cqrs_V1_RunNightlyRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_NightlyReport
    {
        try await call.commit { transaction in
            try DeclarationNightly(desk: desk(call, transaction), service: request.serviceCode).run()
        }
    }
}
