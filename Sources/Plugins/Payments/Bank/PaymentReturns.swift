import CaseworkContract
import CommonContract
import PaymentsContract
import PluginAPI

/// A credit that the bank sent back: owed again, the account frozen where the code says so, the payee told; the next
/// statement shows the return and the second payment (payments.md 12.7).
struct PaymentReturns {
    let organisations: any OrganisationDirectory
    let today: CalendarDate
    let actor: String

    struct Credit: Hashable, Sendable {
        var payment: PaymentFileStore.Payment
        var code: ReturnCode
        /// When the bank credited it back; `nil` = not stated.
        var returnedOn: CalendarDate?
    }

    /// Of a closed run it is late, and counts all the same: it is owed again, and stands in the books of today.
    func take(
        _ credit: Credit, file: PaymentFileStore.File, in transaction: any Transaction
    ) throws -> Pcs_Payments_V1_OutstandingPayment {
        var payment = credit.payment
        let code = credit.code
        let isLate = try RunStore.run(payment.runID, transaction)?.state == .closed
        payment.state = .owed
        payment.because = (isLate ? "returned late: " : "returned: ") + code.words
        payment.fileID = ""
        payment.timesReturned += 1
        let day = credit.returnedOn.map { ", on \($0)" } ?? ""
        try PaymentFileStore.save(
            payment, step: "returned", detail: "code \(code.rawValue)\(day), file \(file.id)", by: actor,
            in: transaction)
        if code.freezesAccount {
            try BankDetailsStore.freeze(
                payment.payee, reason: "payment \(payment.id) returned: \(code.words)", by: actor, in: transaction)
        }
        try tell(payment, code, in: transaction)
        try transaction.publish(
            Pcs_Payments_V1_PaymentReturned.with {
                $0.paymentID = payment.id
                $0.payeeCode = payment.payee.value
                $0.runID = payment.runID
                $0.pence = payment.pence
                $0.returnCode = code.rawValue
            }, key: payment.payee.value)
        return Pcs_Payments_V1_OutstandingPayment(payment)
    }

    private func tell(
        _ payment: PaymentFileStore.Payment, _ code: ReturnCode, in transaction: any Transaction
    ) throws {
        let key = "payments/payment/\(payment.id)/returned/\(payment.timesReturned)"
        let role = try PayeeAudience.role(of: payment.payee, on: today, organisations, transaction)
        let due = Pcs_Common_V1_Date(try BankCalendar(transaction).action(onReturnOf: today))
        let record = Pcs_Common_V1_RecordReference.with {
            ($0.area, $0.kind, $0.recordID) = ("payments", "payment", payment.id)
            $0.organisationCode = payment.payee.value
        }
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = role
                $0.organisationCode = payment.payee.value
                $0.title = "A payment came back from the bank"
                $0.detail =
                    "\(Money(pence: payment.pence)) pounds of run \(payment.runID): \(code.words). Give new bank "
                    + "details; the payment is made again once they are verified."
                $0.record = record
                $0.dueOn = due
                $0.priority = .urgent
            }, key: key)
        guard code == .beneficiaryDeceased else { return }
        // The performers list hears of it by the event; here a person sees to it that somebody there does.
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key + "/deceased"
                ($0.role, $0.organisationCode) = (.paymentsOperator, "PCS")
                $0.title = "The bank says that a beneficiary has died"
                $0.detail =
                    "A payment to \(payment.payee) came back with code 2. Tell the team of the performers list, and find "
                    + "out who receives the money."
                ($0.record, $0.dueOn, $0.priority) = (record, due, .urgent)
                $0.settleByHand = true
            }, key: key + "/deceased")
    }

    /// Two lines for the next statement that come to nothing: what came back, and what was paid again.
    static func showReissue(
        _ payment: PaymentFileStore.Payment, fileID: String, by actor: String, in transaction: any Transaction
    ) throws {
        guard let run = try RunStore.run(payment.runID, transaction) else { return }
        let latest = try RunStore.runs(transaction).filter { $0.state.isPublished }.map(\.month).max() ?? run.month
        let items = [
            (Paycode.returnedPayment, payment.pence, "returned"), (.reissuedPayment, -payment.pence, "reissued"),
        ].map { paycode, pence, word in
            let day = run.month.lastDay
            let input = Explanation.Input(
                "payment", Money(pence: payment.pence).pounds, .pounds,
                from: .init("payment " + payment.id, note: word + " by file " + fileID), asOf: day)
            let explanation = Explanation(
                rule: "12.7 returned payment", ruleVersion: 1, inputs: [input],
                steps: [.init("amount", .whole(0), pence < 0 ? .subtract : .add, .input(0))], rounding: "none",
                amount: Money(pence: pence))
            let attempt = String(payment.timesReturned)
            return PayableItem(
                naturalKey: "payment/\(payment.id)/\(word)/\(attempt)", payee: payment.payee,
                firstRun: latest.adding(months: 1),
                line: PaymentLine(
                    paycode: paycode, contractID: payment.payee.value, contractVersion: 0, periodFrom: day,
                    periodTo: day, quantity: ExactDecimal(1), rate: Money(pence: pence).pounds,
                    basis: word.uppercased(), pence: pence, source: .item, month: run.month,
                    explanation: explanation, origin: "payment/\(payment.id)/\(attempt)"))
        }
        try PayableItemStore.add(items, by: actor, detail: "reissue of \(payment.id)", in: transaction)
    }
}
