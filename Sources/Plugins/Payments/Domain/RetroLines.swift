import PluginAPI

/// Differences for months already paid (payments.md 12.2): for each paycode and month what is due by today's knowledge,
/// less what was paid for it in whichever run. What is equal makes no line, so doing it twice makes nothing the second
/// time.
struct RetroLines: Sendable {
    /// Past months to look at, each with its calculator.
    let calculators: [MonthCalculator]
    let recurring: [any RecurringLines]

    func append(
        for timeline: ContractTimeline, history: PaidHistory, to lines: inout [PaymentLine]
    ) throws(PaymentsError) {
        for calculator in calculators {
            var due = try calculator.calculate(timeline)
            // A month in which the contract says "do not pay" owes none of them, as when it was paid.
            if !due.isStopped {
                for source in recurring {
                    due.lines += try source.lines(for: timeline.practice, in: calculator.month)
                }
            }
            do throws(ArithmeticError) {
                try append(calculator.month, due, timeline, history, to: &lines)
            } catch {
                throw .amountOutOfRange(timeline.practice.value)
            }
        }
    }

    private func append(
        _ month: YearMonth, _ due: PracticeMonth, _ timeline: ContractTimeline, _ history: PaidHistory,
        to lines: inout [PaymentLine]
    ) throws(ArithmeticError) {
        let paid = try history.paid(timeline.practice, for: month)
        let paycodes = Set(due.lines.map(\.paycode)).union(paid.keys).sorted { $0.rawValue < $1.rawValue }
        for paycode in paycodes {
            let parts = due.lines.filter { $0.paycode == paycode }
            let alreadyPaid = Money(pence: paid[paycode] ?? 0)
            let delta = try Money.sum(parts.map { Money(pence: $0.pence) }).subtracting(alreadyPaid)
            guard delta != .zero else { continue }
            let input = Explanation.Input(
                "paid", alreadyPaid.pounds, .pounds,
                from: .init("runs", note: "paid for " + month.description),
                asOf: month.lastDay)
            let explanation = try Explanation.difference(
                rule: "12.2 difference", ruleVersion: 1, due: parts.map(\.explanation), paid: input,
                rounding: "RND-2")
            let version = parts.last?.contractVersion ?? due.span?.version ?? 0
            lines.append(
                PaymentLine(
                    paycode: paycode,
                    contractID: parts.last?.contractID
                        ?? (timeline.practice.value + "-" + paycode.contractKind.name),
                    contractVersion: version, periodFrom: month.firstDay, periodTo: month.lastDay,
                    quantity: ExactDecimal(1), rate: delta.pounds, basis: "DIFFERENCE", pence: delta.pence,
                    source: .retro, month: month, explanation: explanation))
        }
    }
}

extension Paycode {
    /// The kind of contract that is paid on it.
    var contractKind: ContractKind {
        switch self {
        case .pmsBaseline: .pms
        case .apmsBaseline: .apms
        default: .gms
        }
    }
}
