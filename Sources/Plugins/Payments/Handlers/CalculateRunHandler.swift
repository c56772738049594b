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
        let read = try context.store.read { reader in
            let run = try RunHandlers.run(request.runID, reader)
            _ = try RunAction.calculate.requireNext(from: run)
            try requireEarlierRunsFinished(run, reader)
            try requireCutOffPassed(run, request, call)
            return try refusing { try RunInputs(run, context.organisations, reader) }
        }
        let checks = try context.store.read { reader in try refusing { try RunChecks.read(read, reader) } }
        guard !call.isExpired else { throw Failure(HostReasons.deadlinePassed) }
        let built = try refusing {
            var built = try build(read)
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
            try StatementStore.replace(built, of: run.id, in: transaction)
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

    private func build(_ read: RunInputs) throws -> BuiltRun {
        let organisations = context.organisations
        let notices = read.notices
        let payees = read.payees
        let contractors = read.contractors
        let committees = read.committees
        let committeePayees = Set(committees.values.map(\.payee))
        let lastDay = read.run.month.lastDay
        let calculator = RunCalculator(
            run: RunFacts(runID: read.run.id, month: read.run.month, paymentDate: read.run.paymentDate),
            inputs: read.inputs, history: read.history, affectedMonths: read.affectedMonths,
            standing: { payee in
                if contractors[payee] != nil { return .open }
                let standing = RunHandlers.standing(of: payee, on: lastDay, organisations, notices)
                // Who is paid for a committee was approved with its record.
                return standing == .unknown && committeePayees.contains(payee) ? .open : standing
            },
            profile: { payee in
                contractors[payee]?.profile(lastDay, organisations)
                    ?? committees[payee]?.profile(lastDay, organisations)
                    ?? PayeeProfile(payee, on: lastDay, organisations, payees: payees)
            })
        return try calculator.build()
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
