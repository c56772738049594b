import PluginAPI

/// Monthly payments that commissioners uploaded, in months in which the practice has a contract. A stop, or an end of the
/// contract, for a month already paid makes a difference line by itself. Recoveries go on without a contract: a debt does
/// not end with it, and what cannot be deducted is carried forward.
struct VariationLines: RecurringLines, EndingWithContract {
    private let byPractice: [ODSCode: [VariationStore.Stored]]
    private let contracts: ContractMonths

    init(_ schedules: [VariationStore.Stored], timelines: [ContractTimeline]) {
        byPractice = Dictionary(grouping: schedules, by: \.row.practice)
        contracts = ContractMonths(timelines, of: Set(byPractice.keys))
    }

    func payees(in month: YearMonth) -> Set<ODSCode> {
        Set(byPractice.lazy.filter { entry in entry.value.contains { isPaid($0, in: month) } }.map(\.key))
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        (byPractice[payee] ?? []).filter { isPaid($0, in: month) }.map {
            $0.line(in: month, source: .recurring)
        }
    }

    func isPaid(_ stored: VariationStore.Stored, in month: YearMonth) -> Bool {
        stored.isDue(in: month) && (stored.row.pence < 0 || contracts.has(stored.row.practice, in: month))
    }

    func ended(in month: YearMonth) -> [EndedPayment] {
        byPractice.values.joined().filter { $0.isDue(in: month) && !isPaid($0, in: month) }.map { stored in
            EndedPayment(
                practice: stored.row.practice, origin: stored.origin, paycode: stored.row.paycode,
                words: "\(stored.row.narrative), \(Money(pence: stored.row.pence)) a month", month: month)
        }
    }
}

extension VariationStore.Stored {
    var origin: String { "variation/" + id }

    func isDue(in month: YearMonth) -> Bool {
        month >= row.first && (row.last.map { month <= $0 } ?? true) && (stoppedFrom.map { month < $0 } ?? true)
    }

    func line(in month: YearMonth, source: LineSource) -> PaymentLine {
        let amount = Money(pence: row.pence)
        let input = Explanation.Input(
            "amount", amount.pounds, .pounds, from: .init("variation " + id, note: row.narrative),
            asOf: month.firstDay)
        return PaymentLine(
            paycode: row.paycode, contractID: row.practice.value, contractVersion: 0, periodFrom: month.firstDay,
            periodTo: month.lastDay, quantity: ExactDecimal(1), rate: amount.pounds,
            basis: row.isMonthly ? "MONTHLY" : "ONEOFF", pence: row.pence, source: source, month: month,
            explanation: Explanation(
                rule: "5.2 variation", ruleVersion: 1, inputs: [input],
                steps: [.init("amount", rounding: .input(0))], rounding: "RND-2", amount: amount),
            origin: origin)
    }
}
