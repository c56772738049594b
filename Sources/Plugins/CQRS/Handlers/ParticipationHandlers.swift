import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Offers and what becomes of them.
struct ParticipationHandlers: Pcs_Cqrs_V1_ParticipationService {
    typealias Record = ParticipationStore.Record
    let context: PluginContext

    private func desk(_ call: CallContext, _ transaction: any Transaction) -> ParticipationDesk {
        ParticipationDesk(DeclarationHandlers(context: context).desk(call, transaction))
    }

    private func reason(_ text: String) throws {
        guard (3...500).contains(text.count) else {
            throw Failure.field("reason", "4.2", "A reason of 3 to 500 characters is needed.")
        }
    }

    // MARK: Offers

    func reviewOffer(_ request: Pcs_Cqrs_V1_CreateOfferRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_OfferReview
    {
        try context.store.read { reader in
            let plan = try OfferPlan(request, context, today: call.today, reader)
            return .with { review in
                review.offer = message(plan.offer(id: "", by: "", at: call.now), [])
                review.offer.providers = Int64(plan.lines.count { $0.refused.isEmpty })
                review.providers = plan.lines.map { line in
                    .with {
                        $0.providerCode = line.provider.value
                        $0.providerName = line.name
                        $0.pcnCode = line.pcn
                        $0.refusedBecause = line.refused
                    }
                }
            }
        }
    }

    func createOffer(_ request: Pcs_Cqrs_V1_CreateOfferRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Offer
    {
        try await call.commit { transaction in
            let plan = try OfferPlan(request, context, today: call.today, transaction)
            try plan.requireAll()
            let actor = call.caller.responsible
            let offer = plan.offer(id: transaction.newIdentifier(), by: actor, at: transaction.now)
            try ParticipationStore.add(offer, in: transaction)
            let records = plan.lines.map { line in
                Record(
                    id: transaction.newIdentifier(), offer: offer.id, service: offer.service,
                    serviceVersion: offer.version, provider: line.provider.value, pcn: line.pcn,
                    commissioner: offer.commissioner,
                    state: offer.offerOn > call.today ? .scheduled : offer.isAutomatic ? .accepted : .offered,
                    start: offer.start, end: offer.end, answerBy: offer.answerBy,
                    isAutomatic: offer.isAutomatic)
            }
            try ParticipationStore.add(
                records, by: actor, reason: offer.isAutomatic ? "accepted automatically" : "offered",
                in: transaction)
            let desk = desk(call, transaction)
            for record in records {
                try desk.announce(record)
                if record.state == .offered { try ParticipationNotices.offered(record, in: transaction) }
            }
            transaction.audit(
                AuditNote(
                    object: "offer/" + offer.id, organisation: offer.commissioner,
                    detail: "\(offer.service) to \(records.count) providers from \(offer.start)"))
            return message(offer, records)
        }
    }

    func withdrawOffer(_ request: Pcs_Cqrs_V1_WithdrawOfferRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Offer
    {
        try reason(request.reason)
        return try await call.commit { transaction in
            guard let offer = try ParticipationStore.offer(request.offerID, transaction),
                offer.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.participationUnknown, "There is no such offer.") }
            let desk = desk(call, transaction)
            let open = try ParticipationStore.of(offer: offer.id, transaction).filter {
                ParticipationLifecycle.next($0.state, .withdraw) != nil
            }
            guard !open.isEmpty else {
                throw Failure(CqrsReasons.participationStateWrong, "Nothing of the offer is open.")
            }
            for record in open {
                let moved = try desk.move(record, .withdraw, reason: request.reason)
                try ParticipationNotices.settled(moved, "withdrawn", by: desk.desk.actor, in: transaction)
            }
            return message(offer, try ParticipationStore.of(offer: offer.id, transaction))
        }
    }

    func cancelService(_ request: Pcs_Cqrs_V1_CancelServiceRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_CancelServiceResponse
    {
        try reason(request.reason)
        guard request.hasFrom, let from = request.from.calendarDate else {
            throw Failure.field("from", "4.2", "The first day without the service is needed.")
        }
        return try await call.commit { transaction in
            let records = try cancelled(request, transaction)
            let desk = desk(call, transaction)
            var moved: [Record] = []
            for record in records {
                // 4.2: nothing that finance has approved is cancelled from under it.
                let concerned = try DeclarationStore.of(provider: record.provider, transaction).filter {
                    $0.service == record.service && $0.date >= from && $0.state.isLive
                }
                let paid = try concerned.contains { declaration in
                    try declaration.state.isLocked
                        || DeclarationStore.record(declaration.aggregatedInto, transaction)?.state.isLocked
                            ?? false
                }
                guard !paid else {
                    throw Failure(
                        CqrsReasons.participationStateWrong,
                        "\(record.provider) has a finance-approved declaration on or after \(from).")
                }
                for declaration in concerned {
                    try desk.desk.retire(declaration, .withdraw, reason: request.reason)
                }
                moved.append(
                    try desk.move(record, .cancel, reason: request.reason) { $0.end = from.adding(days: -1) })
            }
            return .with { $0.participations = moved.map { message($0) } }
        }
    }

    /// One provider of an ordinary service, or all of a PCN: a network service is cancelled as a whole only.
    private func cancelled(_ request: Pcs_Cqrs_V1_CancelServiceRequest, _ reader: any Reader) throws
        -> [Record]
    {
        guard let service = try ServiceStore.published(request.serviceCode, reader)?.definition else {
            throw Failure(CqrsReasons.serviceUnknown)
        }
        if OfferPlan.isByNetwork(service) {
            guard request.providerCode.isEmpty, !request.pcnCode.isEmpty else {
                throw Failure(CqrsReasons.wholeNetworkOnly)
            }
        } else if request.providerCode.isEmpty {
            throw Failure.field("provider_code", "4.2", "Name the provider.")
        }
        let records = try
            (OfferPlan.isByNetwork(service)
            ? ParticipationStore.of(pcn: request.pcnCode, reader)
            : ParticipationStore.of(provider: request.providerCode, reader))
            .filter {
                $0.service == request.serviceCode && $0.commissioner == request.commissionerCode
                    && ParticipationLifecycle.next($0.state, .cancel) != nil
            }
        guard !records.isEmpty else { throw Failure(CqrsReasons.participationUnknown) }
        return records
    }

    // MARK: The provider

    func acceptOffer(_ request: Pcs_Cqrs_V1_AnswerOfferRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Participation
    {
        try await call.commit { transaction in
            let record = try own(
                request.participationID, request.providerCode, request.expectedVersion, transaction)
            let isLate = record.answerBy.map { call.today > $0 } ?? false
            let isBackdated =
                record.start < call.today
                && YearMonth(containing: record.start) < YearMonth(containing: call.today)
            if isLate || isBackdated { try reason(request.reason) }
            let desk = desk(call, transaction)
            let moved = try desk.move(record, .accept, reason: request.reason) {
                // PAR-3: months that have passed count only once the commissioner confirms them.
                $0.isBackdatingUnconfirmed = isBackdated
            }
            try ParticipationNotices.settled(moved, "accepted", by: desk.desk.actor, in: transaction)
            if moved.isBackdatingUnconfirmed { try ParticipationNotices.backdated(moved, in: transaction) }
            return try whole(moved, transaction)
        }
    }

    func declineOffer(_ request: Pcs_Cqrs_V1_AnswerOfferRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Participation
    {
        try reason(request.reason)
        return try await call.commit { transaction in
            let record = try own(
                request.participationID, request.providerCode, request.expectedVersion, transaction)
            let desk = desk(call, transaction)
            let moved = try desk.move(record, .decline, reason: request.reason)
            try ParticipationNotices.settled(moved, "declined", by: desk.desk.actor, in: transaction)
            return try whole(moved, transaction)
        }
    }

    // MARK: The commissioner, one by one

    func confirmBackdating(_ request: Pcs_Cqrs_V1_ConfirmBackdatingRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Participation
    {
        try reason(request.reason)
        return try await call.commit { transaction in
            var record = try own(request.participationID, request.providerCode, 0, transaction)
            guard record.isBackdatingUnconfirmed, record.state == .accepted || record.state == .active else {
                throw Failure(
                    CqrsReasons.participationStateWrong, "Nothing back-dated waits to be confirmed.")
            }
            record.isBackdatingUnconfirmed = false
            // Not confirmed: it begins with the month of today instead.
            if !request.confirmed { record.start = YearMonth(containing: call.today).firstDay }
            record.version += 1
            record.reason = request.reason
            try ParticipationStore.save(
                record,
                .init(
                    from: record.state.rawValue, to: record.state.rawValue, by: call.caller.responsible,
                    at: transaction.now,
                    reason: (request.confirmed ? "back-dating confirmed: " : "not back-dated: ")
                        + request.reason),
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "participation/" + record.id, organisation: record.provider,
                    detail: "back-dating \(request.confirmed ? "confirmed" : "refused")"))
            try desk(call, transaction).announce(record)
            try ParticipationNotices.backdatingDecided(
                record, request.confirmed ? "confirmed" : "refused", by: call.caller.responsible,
                in: transaction)
            if request.confirmed { try requestClosedMonths(of: record, call, transaction) }
            return try whole(record, transaction)
        }
    }

    /// PAR-3: the months that have passed stand empty, and are to be filled.
    private func requestClosedMonths(of record: Record, _ call: CallContext, _ transaction: any Transaction)
        throws
    {
        guard let definition = try ServiceStore.published(record.service, transaction)?.definition,
            definition.collectionType != .calculationOnly
        else { return }
        var month = YearMonth(containing: record.start)
        while month.lastDay < min(call.today, record.end.map { $0.adding(days: 1) } ?? call.today) {
            if AchievementDates.isPaid(month.lastDay, of: definition) {
                let key = DeclarationDesk.Key(service: record.service, date: month.lastDay)
                let progress = try FiguresView(key, provider: record.provider, transaction).progress(
                    definition)
                try FiguresNotices.refresh(progress, key, by: call.caller.responsible, in: transaction)
            }
            month = month.adding(months: 1)
        }
    }

    func endParticipation(_ request: Pcs_Cqrs_V1_EndParticipationRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Participation
    {
        try reason(request.reason)
        guard request.hasEndOn, let end = request.endOn.calendarDate else {
            throw Failure.field("end_on", "4.2", "The last day is needed.")
        }
        return try await call.commit { transaction in
            let record = try own(request.participationID, request.providerCode, 0, transaction)
            guard end >= record.start else {
                throw Failure.field(
                    "end_on", "4.2", "It begins on \(record.start) and cannot end before.")
            }
            guard record.pcn.isEmpty || !record.isAutomatic else {
                throw Failure(CqrsReasons.wholeNetworkOnly)
            }
            let moved = try desk(call, transaction).move(record, .end, reason: request.reason) {
                $0.end = end
            }
            return try whole(moved, transaction)
        }
    }

    func own(_ id: String, _ provider: String, _ expected: Int64, _ reader: any Reader) throws
        -> Record
    {
        guard let record = try ParticipationStore.record(id, reader), record.provider == provider else {
            throw Failure(CqrsReasons.participationUnknown)
        }
        guard expected == 0 || expected == record.version else {
            throw Failure(CqrsReasons.versionChanged, "The participation is at version \(record.version).")
        }
        return record
    }
}
