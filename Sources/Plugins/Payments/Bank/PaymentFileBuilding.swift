import Digests
import HostContract
import PaymentsContract
import PluginAPI

/// Makes the payments of a run and the file that pays them, or a file for payments owed from before.
struct PaymentFileBuilding {
    let originator: BacsOriginator
    let actor: String
    let today: CalendarDate

    /// The file of an approved run; `nil` when all its payees are held. Details count that were in time for the run, and
    /// known or looked at; a payee without any is held.
    func pay(_ run: RunRecord, on day: CalendarDate, in transaction: any Transaction) throws -> PaymentFileStore.File? {
        guard run.state == .approved else {
            throw Failure(
                PaymentsReasons.runStateWrong, "Run \(run.id) is \(run.state.name); a file needs an approved run.")
        }
        if let file = try PaymentFileStore.file(ofRun: run.id, transaction) {
            throw Failure(PaymentsReasons.paymentFileStateWrong, "File \(file.id) pays run \(run.id).")
        }
        if try PaymentFileStore.arePaymentsMade(ofRun: run.id, transaction) {
            throw Failure(PaymentsReasons.paymentFileStateWrong, "All payees of run \(run.id) are held.")
        }
        try refusing { try StatementStore.verify(run, transaction) }
        let calendar = try BankCalendar(transaction)
        let book = try BankDetailsStore.inForce(for: run, calendar, transaction)
        var payments = try owed(run, in: transaction)
        let chosen = choose(&payments, book)
        guard !chosen.isEmpty || payments.isEmpty else {
            try PaymentFileStore.add(payments, in: transaction)
            return nil
        }
        let file = try write(
            chosen, id: transaction.newIdentifier(), runID: run.id, narrative: narrative(run.month), on: day, calendar,
            in: transaction)
        for index in payments.indices where payments[index].state == .inFile { payments[index].fileID = file.id }
        try PaymentFileStore.add(payments, in: transaction)
        return file
    }

    /// Puts each payment on its account, or says why it is held.
    private func choose(
        _ payments: inout [PaymentFileStore.Payment], _ book: BankBook
    ) -> [(PaymentFileStore.Payment, BankDetailsStore.Change)] {
        var chosen: [(PaymentFileStore.Payment, BankDetailsStore.Change)] = []
        for index in payments.indices {
            switch book.account(of: payments[index].payee) {
            case .success(let change):
                payments[index].state = .inFile
                payments[index].changeID = change.id
                payments[index].because = ""
                chosen.append((payments[index], change))
            case .failure(let gap):
                payments[index].state = .owed
                payments[index].changeID = ""
                payments[index].because = gap.because
                payments[index].fileID = ""
            }
        }
        return chosen
    }

    /// Payees of a file that pays to an account which was frozen, whatever details came since.
    static func frozen(in file: PaymentFileStore.File, _ reader: any Reader) throws -> [ODSCode] {
        let freezes = try BankDetailsStore.lastFreezes(reader)
        guard !freezes.isEmpty else { return [] }
        return try PaymentFileStore.payments(ofFile: file.id, reader).filter { payment in
            guard let frozenAt = freezes[payment.payee] else { return false }
            return try BankDetailsStore.change(payment.changeID, reader)?.authorisedAt.map { $0 <= frozenAt } ?? true
        }.map(\.payee)
    }

    /// The same payments in a new file, when the old one was never sent and no longer can be: its day cannot be reached,
    /// or it pays to an account that was frozen since, whose payee is then held. `nil` when all are.
    func replace(
        _ old: PaymentFileStore.File, on day: CalendarDate?, in transaction: any Transaction
    ) throws -> PaymentFileStore.File? {
        let calendar = try BankCalendar(transaction)
        let canBeSent = try calendar.reaches(old.paymentDate, sentOn: today)
            && PaymentFileBuilding.frozen(in: old, transaction).isEmpty
        guard old.submittedAt == nil, old.replacedBy.isEmpty, !canBeSent else {
            throw Failure(
                PaymentsReasons.paymentFileStateWrong,
                canBeSent ? "File \(old.id) can still be sent." : "File \(old.id) has been submitted or replaced.")
        }
        let run = old.runID.isEmpty ? nil : try RunHandlers.run(old.runID, transaction)
        if let run, run.state != .approved {
            throw Failure(PaymentsReasons.runStateWrong, "Run \(run.id) is \(run.state.name).")
        }
        let day = day ?? old.paymentDate
        let book = try run.map { try BankDetailsStore.inForce(for: $0, calendar, transaction) }
            ?? BankDetailsStore.inForce(by: day, transaction)
        var payments = try PaymentFileStore.payments(ofFile: old.id, transaction)
        let chosen = choose(&payments, book)
        let id = chosen.isEmpty ? "none" : transaction.newIdentifier()
        guard try PaymentFileStore.replace(old.id, by: id, in: transaction) else {
            throw Failure(PaymentsReasons.paymentFileStateWrong)
        }
        let file =
            chosen.isEmpty
            ? nil
            : try write(
                chosen, id: id, runID: old.runID, narrative: run.map { narrative($0.month) } ?? "PAID AGAIN", on: day,
                calendar, in: transaction)
        for var payment in payments {
            let isPaid = payment.state == .inFile
            if isPaid { payment.fileID = id }
            try PaymentFileStore.save(
                payment, step: isPaid ? "moved" : "held", detail: isPaid ? "to file \(id)" : payment.because,
                by: actor, in: transaction)
        }
        return file
    }

    /// A file beside the monthly ones.
    func payOutstanding(
        _ ids: [String], on day: CalendarDate, in transaction: any Transaction
    ) throws -> PaymentFileStore.File {
        let book = try BankDetailsStore.inForce(by: day, transaction)
        let calendar = try BankCalendar(transaction)
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
            chosen, id: transaction.newIdentifier(), runID: "", narrative: "PAID AGAIN", on: day, calendar,
            in: transaction)
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
        _ chosen: [(PaymentFileStore.Payment, BankDetailsStore.Change)], id: String, runID: String, narrative: String,
        on day: CalendarDate, _ calendar: BankCalendar, in transaction: any Transaction
    ) throws -> PaymentFileStore.File {
        guard try refusing({ try calendar.dates.workingDays.isWorkingDay(day) }) else {
            throw Failure.field("payment_date", "12.7", "\(day) is no working day.")
        }
        guard try calendar.reaches(day, sentOn: today) else {
            throw Failure.field(
                "payment_date", "12.7",
                "\(day) can no longer be reached: the earliest is \(try calendar.earliestEntry(sentOn: today)).")
        }
        let processing = try refusing { try calendar.dates.bacsProcessing(forPayment: day) }
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
            id: id, runID: runID, serial: serial, processingDay: processing,
            paymentDate: day, credits: Int64(file.credits.count), totalPence: file.totalPence,
            sha256: Digest.hex(Digest.sha256(body)), builtBy: actor)
        try PaymentFileStore.add(record, body: body, in: transaction)
        return record
    }
}
