import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Runs of the calculation, results, explanations, aspiration.
struct CalculationHandlers: Pcs_Cqrs_V1_CalculationService {
    let context: PluginContext

    func calculate(_ request: Pcs_Cqrs_V1_CalculateRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_CalculationRun
    {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        let job = CalculationJob(context: context, key: key, only: Set(request.providerCodes))
        if request.dryRun {
            let outcome = try context.store.read { reader in try refusingCQRS { try job.run(reader) } }
            var reply = Pcs_Cqrs_V1_CalculationRun(outcome.run)
            reply.dryRun = true
            return reply
        }
        // In one transaction with its inputs, so that nothing can come between.
        return try await call.commit { transaction in
            let outcome = try refusingCQRS { try job.run(transaction) }
            var run = outcome.run
            run.by = call.caller.responsible
            run.at = transaction.now
            if outcome.changed.isEmpty,
                let last = try CalculationStore.runs(transaction).first(where: {
                    $0.service == key.service && $0.date == key.date
                })
            {
                var reply = Pcs_Cqrs_V1_CalculationRun(last)
                (reply.changed, reply.unchanged) = (0, run.unchanged)
                return reply
            }
            run.id = transaction.newIdentifier()
            try CalculationStore.add(run, in: transaction)
            try CalculationStore.add(outcome.changed, key, in: transaction)
            try ProposalStore.close(key, by: run.seq, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "calculation/\(key.service)/\(key.date)",
                    detail: "run \(run.id): \(run.providers) providers, \(run.changed) changed, "
                        + "\(Money(pence: run.totalPence)) pounds, \(run.state)"))
            return Pcs_Cqrs_V1_CalculationRun(run)
        }
    }

    func releaseRun(_ request: Pcs_Cqrs_V1_ReleaseRunRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_CalculationRun
    {
        guard (3...500).contains(request.reason.count) else {
            throw Failure.field("reason", "R1", "A reason of 3 to 500 characters is needed.")
        }
        return try await call.commit { transaction in
            guard let run = try CalculationStore.run(request.runID, transaction) else {
                throw Failure(CqrsReasons.runUnknown)
            }
            guard run.state == .held else { throw Failure(CqrsReasons.runNotHeld) }
            try call.requireOtherPerson(than: run.by, step: "release a held run")
            try CalculationStore.release(run, by: call.caller.responsible, in: transaction)
            transaction.audit(AuditNote(object: "run/\(run.id)", detail: "released: \(request.reason)"))
            return Pcs_Cqrs_V1_CalculationRun(try CalculationStore.run(request.runID, transaction) ?? run)
        }
    }

    func getRun(_ request: Pcs_Cqrs_V1_GetCalculationRunRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_CalculationRun
    {
        guard let run = try context.store.read({ try CalculationStore.run(request.runID, $0) }) else {
            throw Failure(CqrsReasons.runUnknown)
        }
        return Pcs_Cqrs_V1_CalculationRun(run)
    }

    func listRuns(_ request: Pcs_Cqrs_V1_ListCalculationRunsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListCalculationRunsResponse
    {
        let limit = request.limit == 0 ? 100 : min(1_000, max(1, Int(request.limit)))
        let runs = try context.store.read { try CalculationStore.runs($0) }
            .filter { request.serviceCode.isEmpty || $0.service == request.serviceCode }
        return .with { $0.runs = runs.prefix(limit).map { Pcs_Cqrs_V1_CalculationRun($0) } }
    }

    func getAchievement(_ request: Pcs_Cqrs_V1_GetAchievementRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Achievement
    {
        try context.store.read { reader in
            try refusingCQRS {
                let view = try ResultView.find(request, reader)
                try NetworkSight(context, call).require(request.providerCode, on: view.run.date)
                return try view.achievement()
            }
        }
    }

    func getPayment(_ request: Pcs_Cqrs_V1_GetAchievementRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_AchievementPayment
    {
        try context.store.read { reader in
            try refusingCQRS {
                let view = try ResultView.find(request, reader)
                try NetworkSight(context, call).require(request.providerCode, on: view.run.date, pounds: true)
                return try view.payment()
            }
        }
    }

    func explain(_ request: Pcs_Cqrs_V1_ExplainRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_CalculationExplanation
    {
        try context.store.read { reader in
            try refusingCQRS {
                let view = try ResultView.find(request.calculationID, provider: request.providerCode, reader)
                try NetworkSight(context, call).require(request.providerCode, on: view.run.date, pounds: true)
                return try view.explanation(line: Int(request.lineNumber))
            }
        }
    }

    func listResults(
        _ request: Pcs_Cqrs_V1_ListResultsRequest, _ replies: ReplyStream<Pcs_Cqrs_V1_AchievementPayment>,
        _ call: CallContext
    ) async throws {
        let day = call.today
        let isNational = request.commissionerCode.isEmpty
        if isNational, !call.caller.roles.contains(Role("CQRS_OPERATOR")),
            !call.caller.roles.contains(Role("AUDITOR"))
        {
            throw Failure.field("commissioner_code", "12", "Name the commissioner.")
        }
        let views = try context.store.read { reader in
            try refusingCQRS { try ResultView.all(of: request.runID, reader) }
        }
        for view in views {
            if !isNational {
                guard let code = ODSCode(view.stored.provider),
                    context.organisations.commissioner(of: code, at: day)?.value == request.commissionerCode
                else { continue }
            }
            try await replies.send(try refusingCQRS { try view.payment() })
        }
    }

    func loadAspirations(
        _ requests: RequestStream<Pcs_Cqrs_V1_LoadAspirationsRequest>, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_AspirationLoad {
        try await AspirationLoading(context: context, call: call).load(requests)
    }

    func getAspiration(_ request: Pcs_Cqrs_V1_GetAspirationRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Aspiration
    {
        try context.store.read { reader in try refusingCQRS { try AspirationView.read(request, reader) } }
    }

    func listRecalculationProposals(
        _ request: Pcs_Cqrs_V1_ListRecalculationProposalsRequest, _ call: CallContext
    )
        async throws -> Pcs_Cqrs_V1_ListRecalculationProposalsResponse
    {
        try context.store.read { reader in
            let proposals = try ProposalStore.all(reader).filter {
                (request.serviceCode.isEmpty || $0.key.service == request.serviceCode)
                    && ($0.isOpen || !request.openOnly)
            }
            // What a calculation on today's figures would give, once for each service and date.
            var after: [IndicatorValuesFile.Key: [String: Int64]] = [:]
            for key in Set(proposals.lazy.filter(\.isOpen).map(\.key)) {
                let outcome = try refusingCQRS {
                    try CalculationJob(context: context, key: key, only: []).run(reader)
                }
                after[key] = Dictionary(
                    uniqueKeysWithValues: outcome.changed.map { ($0.stored.provider, $0.stored.totalPence) })
            }
            return try .with { reply in
                reply.proposals = try proposals.map { proposal in
                    let results = try CalculationStore.results(of: proposal.provider, proposal.key, reader)
                    let before = results.first { $0.runSeq == proposal.runSeq }?.totalPence ?? 0
                    return .with {
                        $0.proposalID = proposal.id
                        $0.calculationID = "\(proposal.runSeq).\(proposal.provider)"
                        $0.serviceCode = proposal.key.service
                        $0.providerCode = proposal.provider
                        $0.achievementDate = Pcs_Common_V1_Date(proposal.key.date)
                        $0.cause = proposal.cause
                        $0.beforePence = before
                        $0.afterPence =
                            proposal.isOpen
                            ? after[proposal.key]?[proposal.provider] ?? before
                            : results.first?.totalPence ?? before
                        $0.open = proposal.isOpen
                    }
                }
            }
        }
    }
}
