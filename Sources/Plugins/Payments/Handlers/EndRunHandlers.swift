import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// The ends of a run: paid and closed, or aborted.
extension RunHandlers {
    func abortRun(
        _ request: Pcs_Payments_V1_AbortRunRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            let next = try RunAction.abort.requireNext(from: run)
            try requireLatest(run, transaction)
            // 12.1: only before a file is submitted. What the bank has, no other run may pay again.
            if let file = try PaymentFileStore.submittedFile(payingRun: run.id, transaction) {
                throw Failure(
                    PaymentsReasons.runStateWrong,
                    "File \(file), which pays of run \(run.id), has been submitted to the bank.")
            }
            let actor = call.caller.responsible
            guard !run.abortRequestedBy.isEmpty else {
                run.abortRequestedBy = actor
                try save(run, step: "abortion requested", by: actor, detail: request.reason, in: transaction)
                return try message(run, transaction)
            }
            try call.requireOtherPerson(than: run.abortRequestedBy, step: "second approval of an abortion")
            run.state = next
            try save(run, step: "aborted", by: actor, detail: request.reason, in: transaction)
            return try message(run, transaction)
        }
    }

    /// Later runs reckon with what an approved run paid, so only the last one can be taken back.
    private func requireLatest(_ run: RunRecord, _ reader: any Reader) throws {
        guard run.state.isPublished else { return }
        let later = try RunStore.runs(reader).first {
            $0.month > run.month && ($0.state.isCalculated || $0.state == .cutOff)
        }
        if let later {
            throw Failure(
                PaymentsReasons.runOutOfOrder, "Run \(later.id) already reckons with run \(run.id).")
        }
    }

    func recordPaid(
        _ request: Pcs_Payments_V1_RecordPaidRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        var fields = RequestFields()
        let paidOn = fields.date(
            request.paidOn, isSet: request.hasPaidOn, field: "paid_on", mayBeEmpty: false)
        if !(1...64).contains(request.bankReference.count) {
            fields.refuse("bank_reference", "12.7", "The bank's reference has 1 to 64 characters.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            run.state = try RunAction.recordPaid.requireNext(from: run)
            for approval in try RunStore.approvals(of: run.id, transaction) {
                try call.requireOtherPerson(
                    than: approval.by, step: "recording the payment of a run that one approved")
            }
            let due = try payment(of: run, transaction)
            guard let paidOn, paidOn >= due.day, paidOn <= call.today else {
                throw Failure.field(
                    "paid_on", "12.1", "Run \(run.id) is paid from \(due.day) on, and not in the future.")
            }
            guard request.totalPence == due.pence else {
                throw Failure(
                    PaymentsReasons.controlTotalMismatch,
                    "The bank's total is not what \(due.words) of run \(run.id) pays.")
            }
            run.paidOn = paidOn
            run.bankReference = request.bankReference
            run.abortRequestedBy = ""
            try save(
                run, step: "paid", by: call.caller.responsible,
                detail: "\(Money(pence: request.totalPence)), reference \(request.bankReference)",
                in: transaction)
            let paid = Pcs_Payments_V1_RunPaid.with {
                $0.runID = run.id
                $0.month = Pcs_Common_V1_Month(run.month)
                $0.paidOn = Pcs_Common_V1_Date(paidOn)
                $0.netPence = run.figures.netPence
                $0.paidPence = due.pence
                $0.bankReference = run.bankReference
            }
            try transaction.publish(paid, key: run.id)
            return try message(run, transaction)
        }
    }

    /// What the bank pays for a run and from which day on: its file, which must have been sent; its net, where no
    /// originator is set and files are made elsewhere; nothing, where all is held.
    private func payment(
        of run: RunRecord, _ reader: any Reader
    ) throws -> (pence: Int64, day: CalendarDate, words: String) {
        if let file = try PaymentFileStore.file(ofRun: run.id, reader) {
            guard file.submittedAt != nil else {
                throw Failure(
                    PaymentsReasons.paymentFileStateWrong, "File \(file.id) of run \(run.id) was not submitted.")
            }
            return (file.totalPence, file.paymentDate, "the file")
        }
        if try PaymentFileStore.arePaymentsMade(ofRun: run.id, reader) {
            return (0, run.paymentDate, "nothing, since all is held,")
        }
        guard try PaymentFileStore.originator(reader) == nil || run.figures.netPence == 0 else {
            throw Failure(
                PaymentsReasons.paymentFileStateWrong, "Run \(run.id) has no file: build it and submit it first.")
        }
        return (run.figures.netPence, run.paymentDate, "the net")
    }

    func closeRun(
        _ request: Pcs_Payments_V1_CloseRunRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Run {
        try await call.commit { transaction in
            var run = try RunHandlers.run(request.runID, transaction)
            run.state = try RunAction.close.requireNext(from: run)
            let entry = try PaymentFileStore.file(ofRun: run.id, transaction)?.paymentDate ?? run.paidOn
            let last = try BankCalendar(transaction).returns(ofEntry: entry ?? run.paymentDate)
            guard call.today > last else {
                throw Failure(
                    PaymentsReasons.runStateWrong, "Credits of run \(run.id) can come back until \(last).")
            }
            try save(run, step: "closed", by: call.caller.responsible, detail: "", in: transaction)
            return try message(run, transaction)
        }
    }
}
