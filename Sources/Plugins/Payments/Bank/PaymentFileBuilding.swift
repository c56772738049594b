import Digests
import HostContract
import PaymentsContract
import PluginAPI

/// Makes the payments of a run and the file that pays them, or a file for payments owed from before.
struct PaymentFileBuilding {
    let originator: BacsOriginator
    let actor: String
    let today: CalendarDate

    /// The file of an approved run. Details count that took effect two working days before the cut-off; a payee without
    /// any is held, never paid on what it used before.
    func pay(_ run: RunRecord, on day: CalendarDate, in transaction: any Transaction) throws -> PaymentFileStore.File {
        guard run.state == .approved || run.state == .paid else {
            throw Failure(
                PaymentsReasons.runStateWrong, "Run \(run.id) is \(run.state.name); a file needs an approved run.")
        }
        if let file = try PaymentFileStore.file(ofRun: run.id, transaction) {
            throw Failure(PaymentsReasons.paymentFileStateWrong, "File \(file.id) pays run \(run.id).")
        }
        try refusing { try StatementStore.verify(run, transaction) }
        let days = try ReferenceStore.workingDays(knownAt: .max, transaction)
        let usableFrom = try refusing { try days.stepping(back: 2, from: run.cutOffOn) }
        let book = try BankDetailsStore.inForce(on: usableFrom, transaction)
        var payments = try owed(run, in: transaction)
        var accounts: [BankDetailsStore.Change?] = []
        for index in payments.indices {
            switch book.account(of: payments[index].payee) {
            case .success(let change):
                payments[index].state = .inFile
                payments[index].changeID = change.id
                accounts.append(change)
            case .failure(let gap):
                payments[index].because = gap.because
                accounts.append(nil)
            }
        }
        let file = try write(
            zip(payments, accounts).compactMap { payment, change in change.map { (payment, $0) } }, runID: run.id,
            narrative: narrative(run.month), on: day, days, in: transaction)
        for index in payments.indices where payments[index].state == .inFile { payments[index].fileID = file.id }
        try PaymentFileStore.add(payments, in: transaction)
        return file
    }

    /// A file beside the monthly ones.
    func payOutstanding(
        _ ids: [String], on day: CalendarDate, in transaction: any Transaction
    ) throws -> PaymentFileStore.File {
        let book = try BankDetailsStore.inForce(on: day, transaction)
        let days = try ReferenceStore.workingDays(knownAt: .max, transaction)
        var fields = RequestFields()
        var chosen: [(PaymentFileStore.Payment, BankDetailsStore.Change)] = []
        for id in Set(ids).sorted() {
            guard var payment = try PaymentFileStore.payment(id, transaction), payment.state == .owed,
                try RunStore.run(payment.runID, transaction)?.state != .aborted
            else {
                fields.refuse("payment_ids", "12.7", "Payment \(id) is not owed.")
                continue
            }
            switch book.account(of: payment.payee) {
            case .failure(let gap):
                fields.refuse("payment_ids", "12.5", "\(payment.payee): \(gap.because).")
            case .success(let change):
                payment.state = .inFile
                payment.changeID = change.id
                // A reference of its own for each attempt, so that a return names one credit.
                payment.reference += String(payment.timesReturned)
                chosen.append((payment, change))
            }
        }
        try fields.finish()
        let file = try write(
            chosen, runID: "", narrative: "PAID AGAIN", on: day, days, in: transaction)
        for (payment, _) in chosen {
            var payment = payment
            payment.fileID = file.id
            payment.because = ""
            try PaymentFileStore.save(
                payment, step: "reissued", detail: "in file \(file.id)", by: actor, in: transaction)
            if payment.timesReturned > 0 {
                try PaymentReturns.showReissue(payment, fileID: file.id, by: actor, in: transaction)
            }
        }
        return file
    }

    /// What the run owes to each payee: the nets of its statements, by who receives the money.
    private func owed(_ run: RunRecord, in transaction: any Transaction) throws -> [PaymentFileStore.Payment] {
        var sums: [ODSCode: (name: String, pence: Int64)] = [:]
        var after = ""
        while true {
            let page = try refusing {
                try StatementStore.page(of: run.id, after: after, limit: 500, transaction)
            }
            guard let last = page.last else { break }
            for stored in page {
                let document = stored.document
                let net = try refusing { try Money.sum(document.lines.map { Money(pence: $0.pence) }) }
                guard net.pence != 0 else { continue }
                let known = sums[document.payee] ?? (document.practiceName, 0)
                let sum = try refusing { try Money(pence: known.pence).adding(net) }
                sums[document.payee] = (known.name, sum.pence)
            }
            after = last.document.practice.value
        }
        return sums.sorted { $0.key < $1.key }.filter { $0.value.pence > 0 }.map { payee, owed in
            PaymentFileStore.Payment(
                id: transaction.newIdentifier(), runID: run.id, payee: payee, payeeName: owed.name,
                pence: owed.pence, reference: reference(payee, run), state: .owed, because: "", fileID: "",
                timesReturned: 0)
        }
    }

    private func reference(_ payee: ODSCode, _ run: RunRecord) -> String {
        PaymentFileBuilding.reference(payee, run.month, number: run.number)
    }

    /// `ODS + space + YYMM + '-' + n` (payments.md 12.7), at most 17 characters, so that one more can name another attempt.
    /// The code of a local body that is too long is shortened in front: no national code has a hyphen.
    static func reference(_ payee: ODSCode, _ month: YearMonth, number: Int64) -> String {
        let code = payee.value
        let shown = code.utf8.count > 10 && code.hasPrefix("LOCAL") ? "L-" + code.dropFirst(5) : code
        return shown + " " + BacsText.number(Int64(month.year % 100), 2) + BacsText.number(Int64(month.month), 2)
            + "-\(number)"
    }

    /// `JUN26 GP RUN`
    private func narrative(_ month: YearMonth) -> String {
        let names = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        return names[month.firstDay.month - 1] + BacsText.number(Int64(month.firstDay.year % 100), 2) + " GP RUN"
    }

    private func write(
        _ chosen: [(PaymentFileStore.Payment, BankDetailsStore.Change)], runID: String, narrative: String,
        on day: CalendarDate,
        _ days: WorkingDays, in transaction: any Transaction
    ) throws -> PaymentFileStore.File {
        guard try refusing({ try days.isWorkingDay(day) }) else {
            throw Failure.field("payment_date", "12.7", "\(day) is no working day.")
        }
        let processing = try refusing { try PaymentDates(days).bacsProcessing(forPayment: day) }
        let serial = try PaymentFileStore.nextSerial(transaction)
        let file: BacsFile
        do throws(BacsFile.Fault) {
            file = try BacsFile(
                originator: originator, serial: serial, createdOn: today, processingDay: processing,
                narrative: narrative, credits: chosen.map { payment, change in
                    BacsCredit(
                        account: change.account, payeeName: change.accountName, reference: payment.reference,
                        pence: payment.pence)
                })
        } catch {
            throw Failure(PaymentsReasons.paymentFileStateWrong, "No file can be made: \(error).")
        }
        let body = file.encode()
        let record = PaymentFileStore.File(
            id: transaction.newIdentifier(), runID: runID, serial: serial, processingDay: processing,
            paymentDate: day, credits: Int64(file.credits.count), totalPence: file.totalPence,
            sha256: Digest.hex(Digest.sha256(body)), builtBy: actor)
        try PaymentFileStore.add(record, body: body, in: transaction)
        return record
    }
}
