import PluginAPI

/// What was deducted from a committee's practices or contractors for a month, in whichever runs, is what was paid over to
/// it: to the penny, or the run cannot be reviewed (payments.md 9.6, 13 C3). And a rate outside its bounds is pointed out.
struct LevyControl: RunCheck {
    let book: LevyBook
    let history: PaidHistory
    let month: YearMonth
    /// Past months looked at again.
    let affectedMonths: [YearMonth]
    let rates: RateTable

    init(_ read: RunInputs, _ reader: any Reader) throws {
        self.init(
            book: try LevyStore.book(knownAt: read.snapshot, reader), history: read.history,
            month: read.run.month,
            affectedMonths: read.affectedMonths, rates: read.inputs.rates)
    }

    init(
        book: LevyBook, history: PaidHistory, month: YearMonth, affectedMonths: [YearMonth], rates: RateTable
    ) {
        self.book = book
        self.history = history
        self.month = month
        self.affectedMonths = affectedMonths
        self.rates = rates
    }

    private struct Key: Hashable {
        /// The committee; of money deducted for nobody the practice.
        var code: ODSCode
        var month: YearMonth
    }

    private struct Sums {
        var deducted = Money.zero
        var paidOver = Money.zero
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError)
        -> [RunException]
    {
        do throws(ArithmeticError) {
            return mismatches(try sums(accounts)) + outOfBounds(accounts)
        } catch {
            throw .amountOutOfRange("the levies")
        }
    }

    private func sums(_ accounts: [RunLedger.Account]) throws(ArithmeticError) -> [Key: Sums] {
        var sums: [Key: Sums] = [:]
        for account in accounts {
            for entry in account.entries {
                try add(entry.paycode, entry.pence, account.practice, entry.month, to: &sums)
            }
        }
        // Past months: what earlier runs paid for them belongs to the comparison.
        var payees = Set(book.memberships.keys).union(book.contractors.keys).union(book.committees.keys)
        // Also contractors that belong to no committee any more.
        for account in accounts where account.entries.contains(where: { $0.paycode == .opticalLevy }) {
            payees.insert(account.practice)
        }
        for past in affectedMonths {
            for payee in payees {
                for (paycode, pence) in try history.paid(payee, for: past) {
                    try add(paycode, pence, payee, past, to: &sums)
                }
            }
        }
        return sums
    }

    private func add(
        _ paycode: Paycode, _ pence: Int64, _ payee: ODSCode, _ month: YearMonth, to sums: inout [Key: Sums]
    ) throws(ArithmeticError) {
        switch paycode {
        case .statutoryLevy, .voluntaryLevy:
            let committee = book.committee(of: payee, in: Quarter(containing: month)) ?? payee
            let key = Key(code: committee, month: month)
            sums[key, default: Sums()].deducted =
                try (sums[key]?.deducted ?? .zero).subtracting(Money(pence: pence))
        case .opticalLevy:
            let committee = book.opticalCommittee(of: payee, in: Quarter(containing: month)) ?? payee
            let key = Key(code: committee, month: month)
            sums[key, default: Sums()].deducted =
                try (sums[key]?.deducted ?? .zero).subtracting(Money(pence: pence))
        case .levyPayover:
            let key = Key(code: payee, month: month)
            sums[key, default: Sums()].paidOver = try (sums[key]?.paidOver ?? .zero).adding(
                Money(pence: pence))
        default: break
        }
    }

    private func mismatches(_ sums: [Key: Sums]) -> [RunException] {
        sums.filter { $0.value.deducted != $0.value.paidOver }
            .sorted { ($0.key.code, $0.key.month) < ($1.key.code, $1.key.month) }
            .map { key, sums in
                RunException(
                    severity: .fatal, kind: .levyMismatch, practice: key.code,
                    practiceName: book.committee(key.code, at: month.lastDay)?.name ?? "",
                    paycode: Paycode.levyPayover.code,
                    message:
                        "\(key.month): \(sums.deducted) deducted from members, \(sums.paidOver) paid over",
                    beforePence: sums.deducted.pence, nowPence: sums.paidOver.pence)
            }
    }

    /// Bounds are pence a patient a year; a bound that no one has set bounds nothing.
    private func outOfBounds(_ accounts: [RunLedger.Account]) -> [RunException] {
        let low = (try? rates.rate(.levyMinimumPence, at: month.firstDay))?.millionths
        let high = (try? rates.rate(.levyMaximumPence, at: month.firstDay))?.millionths
        guard low != nil || high != nil else { return [] }
        let day = Quarter(containing: month).quarterDay
        let paid = Set(
            accounts.filter { $0.entries.contains { $0.paycode == .levyPayover } }.map(\.practice))
        return paid.sorted().flatMap { code in
            [LevyKind.statutory, .voluntary].compactMap { kind -> RunException? in
                guard let rate = book.rate(code, kind, at: day), rate.pence.mantissa != 0 else { return nil }
                let annual = rate.annualMillionths
                guard low.map({ annual < $0 }) == true || high.map({ annual > $0 }) == true else {
                    return nil
                }
                return RunException(
                    severity: .blocking, kind: .amountOutOfBounds, practice: code,
                    practiceName: book.committee(code, at: month.lastDay)?.name ?? "",
                    paycode: kind.paycode.code,
                    message:
                        "the \(kind.name) levy is \(rate.pence) pence a patient a \(rate.period.name.lowercased())"
                )
            }
        }
    }
}
