import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Claims of providers: drafted, amended, submitted, withdrawn (10.4).
struct LocalClaimHandlers: Pcs_Cqrs_V1_LocalClaimService {
    typealias Record = LocalClaimStore.Record
    let context: PluginContext

    // MARK: Finding

    /// The provider's or the commissioner's own; what is not is as if it did not exist.
    func find(_ id: String, provider: String, commissioner: String, _ call: CallContext, _ reader: any Reader)
        throws -> Record
    {
        let national = !call.caller.roles.isDisjoint(with: [Roles.cqrsOperator, Roles.auditor])
        guard let record = try LocalClaimStore.record(id, reader),
            provider.isEmpty || record.provider == provider,
            commissioner.isEmpty || record.commissioner == commissioner,
            national || !(provider.isEmpty && commissioner.isEmpty)
        else { throw Failure(CqrsReasons.localClaimUnknown) }
        return record
    }

    func own(_ id: String, of provider: String, _ reader: any Reader) throws -> Record {
        guard let record = try LocalClaimStore.record(id, reader), record.provider == provider else {
            throw Failure(CqrsReasons.localClaimUnknown)
        }
        return record
    }

    func requireVersion(_ expected: Int64, _ record: Record) throws {
        guard expected == 0 || expected == record.version else {
            throw Failure(CqrsReasons.versionChanged, "The claim is at version \(record.version).")
        }
    }

    func reason(_ text: String) throws {
        var fields = RequestFields()
        fields.reason(text)
        try fields.finish()
    }

    private func drafts(_ lines: [Pcs_Cqrs_V1_LocalClaimLine], _ service: String) -> [LocalDraftLine] {
        lines.map {
            LocalDraftLine(
                service: $0.serviceID.isEmpty ? service : $0.serviceID, component: $0.componentID,
                quantity: $0.quantity,
                activity: $0.hasActivityOn ? $0.activityOn.calendarDate ?? .distantFuture : nil, note: $0.note
            )
        }
    }

    private func check(_ record: Record, _ book: LocalBook, _ reader: any Reader) throws -> LocalClaimCheck {
        guard let window = try LocalWindowStore.window(record.window, reader) else {
            throw Failure(CqrsReasons.localWindowUnknown)
        }
        guard let scheme = book.scheme(record.service), let term = book.term(for: window) else {
            throw Failure(CqrsReasons.localNoContract)
        }
        return LocalClaimCheck(book: book, scheme: scheme, window: window, term: term)
    }

    // MARK: Drafts

    func createLocalClaim(_ request: Pcs_Cqrs_V1_CreateLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await call.commit { transaction in
            let book = try LocalBook(provider: request.providerCode, context, today: call.today, transaction)
            guard let window = try LocalWindowStore.window(request.windowID, transaction),
                window.service == request.serviceID
            else { throw Failure(CqrsReasons.localWindowUnknown) }
            guard let answer = try book.availability(of: window, transaction),
                let scheme = book.scheme(window.service),
                let term = book.term(for: window)
            else { throw Failure(CqrsReasons.localNoContract) }
            try requireAvailable(answer)
            let desk = LocalDesk(context: context, call: call, transaction)
            var record = Record(
                service: scheme.id, provider: request.providerCode, commissioner: term.commissioner,
                window: window.id,
                route: scheme.route)
            record.preparedBy = desk.actor
            try fill(
                &record, request.lines, note: request.note, confirmed: request.noIdentifiersReason,
                check(record, book, transaction), transaction)
            record.number = try LocalClaimStore.lastNumber(transaction) + 1
            record.id = transaction.newIdentifier()
            try LocalClaimStore.add(
                [record], desk.step(nil, record, words("made", request.noIdentifiersReason)), in: transaction)
            log(record, "draft made", request.noIdentifiersReason, transaction)
            return try message(record, call, transaction)
        }
    }

    /// R14: every refusal says why, and when next.
    private func requireAvailable(_ answer: LocalBook.Availability) throws {
        let reason: Reason? =
            switch answer.reason {
            case .canClaim: nil
            case .windowNotOpen, .windowClosed: CqrsReasons.windowClosed
            case .noContract: CqrsReasons.localNoContract
            case .alreadyClaimed: CqrsReasons.localAlreadyClaimed
            case .nothingLeft: CqrsReasons.localClaimInvalid
            case .participationOnly, .serviceClosed: CqrsReasons.localServiceStateWrong
            }
        guard let reason else { return }
        throw Failure(
            reason, answer.sentence,
            violations: answer.reason == .nothingLeft
                ? [Violation(field: "window_id", rule: "LOC-4", message: answer.sentence)] : [])
    }

    /// Prices the lines; throws with every breach.
    private func fill(
        _ record: inout Record, _ lines: [Pcs_Cqrs_V1_LocalClaimLine], note: String, confirmed: String,
        _ check: LocalClaimCheck, _ transaction: any Transaction
    ) throws {
        var check = check
        let drafts = drafts(lines, record.service)
        check.notes(note, drafts, confirmed: confirmed)
        record.lines = try check.lines(drafts, of: record.number, capped: false, transaction)
        try check.finish()
        record.note = note
        record.pence = try total(record)
        record.figures = LocalDesk.figures(record)
    }

    private func total(_ record: Record) throws -> Int64 {
        do {
            return try Money.sum(record.lines.map { Money(pence: $0.pence) }).pence
        } catch {
            throw CQRSError.amountOutOfRange(record.provider).failure
        }
    }

    /// LOC-6: an override is in the history and in the audit.
    private func words(_ what: String, _ confirmed: String) -> String {
        confirmed.isEmpty ? what : what + "; LOC-6 confirmed: " + confirmed
    }

    private func log(_ record: Record, _ what: String, _ confirmed: String, _ transaction: any Transaction) {
        transaction.audit(
            AuditNote(
                object: "local-claim/" + record.id, organisation: record.provider,
                detail: words("\(what), \(Money(pence: record.pence)) pounds", confirmed)))
    }

    func amendLocalClaim(_ request: Pcs_Cqrs_V1_AmendLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await call.commit { transaction in
            var record = try own(request.claimID, of: request.providerCode, transaction)
            try requireVersion(request.expectedVersion, record)
            guard record.state == .draft || record.state == .queried else {
                throw Failure(CqrsReasons.localClaimStateWrong, "The claim is \(record.state.name).")
            }
            let book = try LocalBook(provider: record.provider, context, today: call.today, transaction)
            let desk = LocalDesk(context: context, call: call, transaction)
            try fill(
                &record, request.lines, note: request.note, confirmed: request.noIdentifiersReason,
                check(record, book, transaction), transaction)
            record.preparedBy = desk.actor
            record.version += 1
            record.linesVersion += 1
            try LocalClaimStore.addLines([record], in: transaction)
            try LocalClaimStore.save(
                record, desk.step(record.state, record, words("amended", request.noIdentifiersReason)),
                in: transaction)
            log(record, "amended", request.noIdentifiersReason, transaction)
            return try message(record, call, transaction)
        }
    }

    func withdrawLocalClaim(_ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await provider(request, .withdraw, call)
    }

    func returnLocalClaim(_ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await provider(request, .returnInternally, call)
    }

    private func provider(
        _ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ event: LocalClaimEvent, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_LocalClaim {
        try reason(request.reason)
        return try await call.commit { transaction in
            let record = try own(request.claimID, of: request.providerCode, transaction)
            try requireVersion(request.expectedVersion, record)
            let moved = try LocalDesk(context: context, call: call, transaction).move(
                record, event, reason: request.reason)
            return try message(moved, call, transaction)
        }
    }

    // MARK: Submitting

    func submitLocalClaim(_ request: Pcs_Cqrs_V1_SubmitLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await call.commit { transaction in
            let record = try own(request.claimID, of: request.providerCode, transaction)
            try requireVersion(request.expectedVersion, record)
            let event = try event(record, call)
            guard LocalClaimLifecycle.next(record.state, event) != nil else {
                throw Failure(CqrsReasons.localClaimStateWrong, "The claim is \(record.state.name).")
            }
            let book = try LocalBook(provider: record.provider, context, today: call.today, transaction)
            var check = try check(record, book, transaction)
            let last = check.window.lastDay(
                extended: try LocalWindowStore.extendedUntil(check.window.id, record.provider, transaction))
            guard call.today >= check.window.opens, call.today <= last else {
                let answer = try book.availability(of: check.window, transaction)
                throw Failure(
                    CqrsReasons.windowClosed,
                    "The window closed on \(last)."
                        + (answer?.next.map { " The next window opens on \($0)." }
                            ?? " No later window is set."))
            }
            let drafts = record.lines.map {
                LocalDraftLine(
                    service: $0.service, component: $0.component, quantity: $0.claimed.description,
                    activity: $0.activity,
                    note: $0.note)
            }
            let lines = try check.lines(drafts, of: record.number, capped: true, transaction)
            try check.evidence(record, lines, transaction)
            try check.finish()
            let moved = try submit(record, lines, event, check, call, transaction)
            return try message(moved, call, transaction)
        }
    }

    /// Priced again: the tariffs of today's definition hold, and caps may have cut.
    private func submit(
        _ record: Record, _ lines: [LocalLine], _ event: LocalClaimEvent, _ check: LocalClaimCheck,
        _ call: CallContext,
        _ transaction: any Transaction
    ) throws -> Record {
        var priced = record
        let isRepriced = lines != record.lines
        priced.lines = lines
        priced.pence = try total(priced)
        priced.figures = LocalDesk.figures(priced)
        priced.band = try LocalGate.band(
            priced.pence, check.scheme, LocalGate.figures(transaction), on: check.window.activityTo)
        if isRepriced {
            priced.linesVersion += 1
            try LocalClaimStore.addLines([priced], in: transaction)
        }
        let desk = LocalDesk(context: context, call: call, transaction)
        return try desk.move(priced, event) {
            $0.isMultiLevel = $0.isMultiLevel || event == .submitInternally || record.state == .internal
            guard event == .submit else { return }
            $0.submittedBy = desk.actor
            $0.submittedOn = call.today
            $0.isLate = call.today > check.window.closes
            $0.tier1By = ""
            $0.tier2By = ""
            $0.financeBy = ""
        }
    }

    /// Single-level users submit; where there are two levels the approver does, another person than the preparer.
    private func event(_ record: Record, _ call: CallContext) throws -> LocalClaimEvent {
        if record.state == .internal {
            guard call.caller.roles.contains(Roles.cqrsLocalProviderApprover) else {
                throw Failure(
                    CqrsReasons.localClaimStateWrong, "The claim waits for the provider's approver.")
            }
            try call.requireOtherPerson(than: record.preparedBy, step: "approve a claim internally")
            return .submit
        }
        return call.caller.roles.contains(Roles.cqrsLocalUser) ? .submit : .submitInternally
    }
}
