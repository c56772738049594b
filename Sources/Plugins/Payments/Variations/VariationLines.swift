import PluginAPI

/// Monthly payments that commissioners uploaded. A stop for a month already paid makes a difference line by itself.
struct VariationLines: RecurringLines {
    private let byPractice: [ODSCode: [VariationStore.Stored]]

    init(_ schedules: [VariationStore.Stored]) {
        byPractice = Dictionary(grouping: schedules, by: \.row.practice)
    }

    func payees(in month: YearMonth) -> Set<ODSCode> {
        Set(byPractice.lazy.filter { $0.value.contains { $0.isDue(in: month) } }.map(\.key))
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        (byPractice[payee] ?? []).filter { $0.isDue(in: month) }.map {
            $0.line(in: month, source: .recurring)
        }
    }
}

extension VariationStore.Stored {
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
            origin: "variation/" + id)
    }
}
