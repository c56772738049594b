import Digests
import HostContract
import PaymentsContract
import PluginAPI

extension RunHandlers {
    func calculateRun(
        _ request: Pcs_Payments_V1_CalculateRunRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        if request.beforeCutOff {
            var fields = RequestFields()
            fields.reason(request.reason)
            try fields.finish()
        }
        let started = call.now
        let run = try context.store.read { reader in
            let run = try RunHandlers.run(request.runID, reader)
            _ = try RunAction.calculate.requireNext(from: run)
            try requireEarlierRunsFinished(run, reader)
            try requireCutOffPassed(run, request, call)
            return run
        }
        let snapshot = try await snapshot(of: run, call)
        let read = try context.store.read { reader in
            try refusing { try RunInputs(run, snapshot: snapshot, context.organisations, reader) }
        }
        let checks = try context.store.read { reader in try refusing { try RunChecks.read(read, reader) } }
        guard !call.isExpired else { throw Failure(HostReasons.deadlinePassed) }
        let (raw, attempt) = try await build(read, call)
        let built = try refusing {
            var built = raw
            let accounts = try RunLedger.decode(built.ledger)
            for check in checks { built.exceptions += try check.exceptions(built, accounts) }
            return built
        }
        guard !call.isExpired else { throw Failure(HostReasons.deadlinePassed) }
        let elapsed = call.now.microsecondsSince1970 - started.microsecondsSince1970
        return try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            // What was built is of the run as it was read; anything else in between makes it void.
            guard run == read.run else {
                throw Failure(
                    PaymentsReasons.calculationChanged, "Run \(run.id) changed while it was calculated.")
            }
            try requireEarlierRunsFinished(run, transaction)
            let actor = call.caller.responsible
            if run.frozenAt == nil {
                run.frozenAt = transaction.now
                run.snapshot = read.snapshot
                try RunStore.addStep(
                    "inputs frozen", by: actor,
                    detail: request.beforeCutOff
                        ? "before cut-off: \(request.reason)" : "input \(read.snapshot)",
                    to: run, in: transaction)
            }
            run.state = try RunAction.calculate.requireNext(from: run)
            run.calculation += 1
            run.calculatedBy = actor
            run.calculatedAt = transaction.now
            run.figures = built.totals.all
            run.statementsSHA256 = Digest.hex(built.sha256)
            run.calculationMicroseconds = elapsed
            guard try StatementStore.finish(built, of: run.id, attempt: attempt, in: transaction) else {
                throw Failure(
                    PaymentsReasons.calculationChanged, "Run \(run.id) was calculated twice at the same time.")
            }
            try RunExceptionStore.replace(built.exceptions, of: run.id, in: transaction)
            for check in checks { try check.keep(built, of: run, in: transaction) }
            let (number, figures) = (run.calculation, run.figures)
            try save(
                run, step: "calculated", by: actor,
                detail:
                    "calculation \(number): net \(Money(pence: figures.netPence)), sha256 \(run.statementsSHA256)",
                in: transaction)
            return try message(run, transaction)
        }
    }

    /// So many statements are stored together, beside the calculation of the next ones.
    private static let batch = 2_000

    /// Builds the run batch by batch and stores each batch while the next is built: a country's statements are never all
    /// in memory. They are an attempt that nobody sees until the call's effect.
    private func build(_ read: RunInputs, _ call: CallContext) async throws -> (BuiltRun, attempt: String) {
        let calculator = calculator(read)
        let (store, runID) = (context.store, read.run.id)
        let actor = call.caller.responsible
        let attempt = try await store.write(actor: actor) {
            try StatementStore.beginAttempt(at: runID, in: $0)
        }
        var course = try refusing { try calculator.begin() }
        let timelines = course.timelines
        var storing: Task<Void, any Error>?
        for start in stride(from: 0, to: timelines.count, by: RunHandlers.batch) {
            let end = min(start + RunHandlers.batch, timelines.count)
            do {
                try refusing { try calculator.add(timelines[start..<end], to: &course) }
            } catch {
                _ = await storing?.result
                throw error
            }
            let statements = course.takeStatements()
            try await storing?.value
            guard !call.isExpired else { throw Failure(HostReasons.deadlinePassed) }
            storing = Task {
                try await store.write(actor: actor) {
                    try StatementStore.add(statements, of: runID, attempt: attempt, in: $0)
                }
            }
        }
        try await storing?.value
        return (try refusing { try calculator.finish(course) }, attempt)
    }

    /// The number with which the run's inputs are frozen, or would be. Before that, what the register says of networks is
    /// recorded; should the calculation then fail, no more has happened than this.
    private func snapshot(of run: RunRecord, _ call: CallContext) async throws -> Int64 {
        guard run.frozenAt == nil else { return run.snapshot }
        let (organisations, actor) = (context.organisations, call.caller.responsible)
        return try await context.store.write(actor: actor) { transaction in
            try NetworkMembership.record(for: run, organisations, by: actor, in: transaction)
        }
    }

    private func calculator(_ read: RunInputs) -> RunCalculator {
        let organisations = context.organisations
        let notices = read.notices
        let payees = read.payees
        let (contractors, heads) = (read.contractors, read.heads)
        let committees = read.committees
        let committeePayees = Set(committees.values.map(\.payee))
        let lastDay = read.run.month.lastDay
        let paymentDate = read.run.paymentDate
        return RunCalculator(
            run: RunFacts(runID: read.run.id, month: read.run.month, paymentDate: read.run.paymentDate),
            inputs: read.inputs, history: read.history, affectedMonths: read.affectedMonths,
            standing: { payee in
                if contractors[payee] != nil { return .open }
                let standing = RunHandlers.standing(of: payee, on: lastDay, organisations, notices)
                // Who is paid for a committee was approved with its record.
                return standing == .unknown && committeePayees.contains(payee) ? .open : standing
            },
            profile: { payee in
                heads[payee] ?? contractors[payee]?.profile(lastDay, organisations)
                    ?? committees[payee]?.profile(lastDay, organisations)
                    ?? PayeeProfile(payee, on: lastDay, paidOn: paymentDate, organisations, payees: payees)
            })
    }

    /// What the register, and its announcements, say of a payee at the end of the month.
    private static func standing(
        of payee: ODSCode, on day: CalendarDate, _ organisations: any OrganisationDirectory,
        _ notices: [ODSCode: CalendarDate]
    ) -> PayeeStanding {
        let entry = organisations.organisation(payee, at: day)
        let closed = [entry?.closedOn, notices[payee]].compactMap { $0 }.min()
        if let closed { return .closed(after: closed) }
        return entry == nil ? .unknown : .open
    }

    private func requireEarlierRunsFinished(_ run: RunRecord, _ reader: any Reader) throws {
        let unfinished = try RunStore.runs(reader).first {
            $0.month < run.month && !$0.state.isPublished && $0.state != .aborted
        }
        guard let unfinished else { return }
        throw Failure(
            PaymentsReasons.runOutOfOrder,
            "Run \(unfinished.id) is \(unfinished.state.name); approve or abort it before \(run.id) is calculated."
        )
    }

    private func requireCutOffPassed(
        _ run: RunRecord, _ request: Pcs_Payments_V1_CalculateRunRequest, _ call: CallContext
    ) throws {
        guard run.frozenAt == nil, call.today <= run.cutOffOn, !request.beforeCutOff else { return }
        throw Failure(
            PaymentsReasons.cutOffNotReached,
            "The cut-off of run \(run.id) is \(run.cutOffOn); inputs may still come.")
    }
}
