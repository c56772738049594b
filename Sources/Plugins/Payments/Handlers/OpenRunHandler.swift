import HostContract
import PaymentsContract
import PluginAPI

extension RunHandlers {
    func openRun(_ request: Pcs_Payments_V1_OpenRunRequest, _ call: CallContext) async throws
        -> Pcs_Payments_V1_Run
    {
        var fields = RequestFields()
        let month = fields.month(request.month)
        let wanted = fields.date(request.paymentDate, isSet: request.hasPaymentDate, field: "payment_date")
        if let month, let wanted, wanted < month.firstDay || wanted > month.adding(months: 1).lastDay {
            fields.refuse("payment_date", "2.3", "A month is paid within it or the next one.")
        }
        try fields.finish()
        guard let month else { throw Failure(PaymentsReasons.runUnknown) }
        return try await call.commit { transaction in
            let runs = try RunStore.runs(transaction)
            try requireOrder(month, runs)
            let (payment, cutOff) = try refusing { try RunHandlers.dates(month, wanted, transaction) }
            let number = Int64(runs.count { $0.month == month }) + 1
            let actor = call.caller.responsible
            let run = RunRecord(
                id: "\(month)-\(number)", month: month, number: number, state: .open, paymentDate: payment,
                cutOffOn: cutOff, openedBy: actor)
            try RunStore.add(run, in: transaction)
            try save(
                run, step: "opened", by: actor, detail: "payment \(payment), cut-off \(cutOff)",
                in: transaction)
            return try message(run, transaction)
        }
    }

    /// One run a month, and forward only: differences for earlier months are found month by month.
    private func requireOrder(_ month: YearMonth, _ runs: [RunRecord]) throws {
        let live = runs.filter { $0.state != .aborted }
        if let same = live.first(where: { $0.month == month }) {
            throw Failure(PaymentsReasons.runMonthTaken, "Run \(same.id) pays \(month).")
        }
        if let later = live.first(where: { $0.month > month }) {
            throw Failure(
                PaymentsReasons.runOutOfOrder,
                "Run \(later.id) pays a later month; \(month) can no longer be opened.")
        }
    }

    /// Payment date (moved to the previous working day) and cut-off day (payments.md 2.3).
    static func dates(
        _ month: YearMonth, _ wanted: CalendarDate?, _ reader: any Reader
    ) throws -> (payment: CalendarDate, cutOff: CalendarDate) {
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let dates = PaymentDates(try ReferenceStore.workingDays(knownAt: .max, reader))
        let day = Int(try rates.whole(.paymentDay, at: month.firstDay))
        let planned =
            day == 0 || day > month.dayCount ? month.lastDay : month.firstDay.adding(days: day - 1)
        let payment = try dates.practicePayment(on: wanted ?? planned)
        let count = Int(try rates.whole(.cutOffWorkingDays, at: month.firstDay))
        return (payment, try dates.cutOff(forPayment: payment, workingDaysBefore: count))
    }
}
