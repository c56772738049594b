import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// Review, the two approvals, and the way back.
extension RunHandlers {
    func reviewRun(
        _ request: Pcs_Payments_V1_ReviewRunRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        var fields = RequestFields()
        fields.reason(request.note, field: "note", mayBeEmpty: true)
        try fields.finish()
        return try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            run.state = try RunAction.review.requireNext(from: run)
            try requireCalculation(request.calculation, of: run)
            let counts = try RunExceptionStore.counts(of: run.id, transaction)
            guard counts.open == 0 else {
                let fatal = counts.fatal > 0 ? ", \(counts.fatal) of which must be mended" : ""
                throw Failure(
                    PaymentsReasons.exceptionsOpen,
                    "Run \(run.id) has \(counts.open) open exceptions\(fatal).")
            }
            run.reviewedBy = call.caller.responsible
            try save(run, step: "reviewed", by: run.reviewedBy, detail: request.note, in: transaction)
            return try message(run, transaction)
        }
    }

    func approveRun(
        _ request: Pcs_Payments_V1_ApproveRunRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            let next = try RunAction.approve.requireNext(from: run)
            try requireCalculation(request.calculation, of: run)
            try requireUninvolved(run, call, transaction)
            let approvals = try RunStore.approvals(of: run.id, transaction)
            if let first = approvals.first {
                try call.requireOtherPerson(than: first.by, step: "second approval")
                guard request.hasControlTotalPence else {
                    throw Failure.field(
                        "control_total_pence", "12.1",
                        "The second approver types the run's net as control total.")
                }
            }
            if request.hasControlTotalPence, request.controlTotalPence != run.figures.netPence {
                throw Failure(PaymentsReasons.controlTotalMismatch)
            }
            let actor = call.caller.responsible
            try RunStore.addApproval(number: approvals.count + 1, by: actor, to: run.id, in: transaction)
            guard !approvals.isEmpty else {
                try save(run, step: "approved once", by: actor, detail: "", in: transaction)
                return try message(run, transaction)
            }
            try refusing { try StatementStore.verify(run, transaction) }
            run.state = next
            run.publishedAt = transaction.now
            try save(
                run, step: "approved", by: actor,
                detail:
                    "control total \(Money(pence: request.controlTotalPence)), sha256 \(run.statementsSHA256)",
                in: transaction)
            try publishApproval(run, in: transaction)
            return try message(run, transaction)
        }
    }

    /// Neither who calculated nor who reviewed approves (payments.md 12.8: no two adjacent steps in one hand).
    private func requireUninvolved(_ run: RunRecord, _ call: CallContext, _ reader: any Reader) throws {
        let steps = try RunStore.steps(of: run.id, reader)
        for calculator in Set(steps.filter { $0.step == "calculated" }.map(\.by)) {
            try call.requireOtherPerson(than: calculator, step: "approving a run that one has calculated")
        }
        try call.requireOtherPerson(than: run.reviewedBy, step: "approving a run that one has reviewed")
    }

    private func requireCalculation(_ number: Int32, of run: RunRecord) throws {
        guard Int64(number) == run.calculation else {
            throw Failure(
                PaymentsReasons.calculationChanged,
                "The present calculation of run \(run.id) is \(run.calculation), not \(number).")
        }
    }

    private func publishApproval(_ run: RunRecord, in transaction: any Transaction) throws {
        let approved = Pcs_Payments_V1_RunApproved.with {
            $0.runID = run.id
            $0.month = Pcs_Common_V1_Month(run.month)
            $0.paymentDate = Pcs_Common_V1_Date(run.paymentDate)
            $0.netPence = run.figures.netPence
            $0.statements = run.figures.statements
            $0.statementsSha256 = run.statementsSHA256
        }
        try transaction.publish(approved, key: run.id)
        let published = Pcs_Payments_V1_StatementsPublished.with {
            $0.runID = run.id
            $0.month = Pcs_Common_V1_Month(run.month)
            $0.statements = run.figures.statements
        }
        try transaction.publish(published, key: run.id)
        try ContributionRuns.publish(run, in: transaction)
        try ShortfallNotices.publish(run, in: transaction)
    }

    func reopenRun(
        _ request: Pcs_Payments_V1_ReopenRunRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            run.state = try (request.thaw ? RunAction.thaw : .reopen).requireNext(from: run)
            run.reviewedBy = ""
            run.abortRequestedBy = ""
            try RunStore.clearApprovals(of: run.id, in: transaction)
            if request.thaw {
                run.frozenAt = nil
                run.snapshot = 0
                run.figures = RunFigures()
                run.statementsSHA256 = ""
                try StatementStore.clear(run.id, in: transaction)
            }
            try save(
                run, step: request.thaw ? "inputs thawed" : "reopened", by: call.caller.responsible,
                detail: request.reason, in: transaction)
            return try message(run, transaction)
        }
    }
}
