import PluginAPI

/// Money held back and given back, as lines beside those that it concerns (payments.md 12.4: a line pair with reason,
/// never a silent edit). Made when a run is built, because what is held depends on the run's other lines; a published
/// run's lines say what is held now.
struct Withholdings: Sendable {
    enum Target: Hashable, Sendable {
        /// Once, in the first run.
        case amount(pence: Int64)
        /// In each run the lines of the paycode; with a source, only its lines.
        case lines(Paycode, source: String)
    }

    struct Hold: Hashable, Sendable {
        var id: String
        var target: Target
        var first: YearMonth
        var reason: String
        /// Recorded version of the approval.
        var version: Int64
        var isReleased: Bool
        /// Held by published runs of earlier months, and not yet given back.
        var heldPence: Int64
        /// Some earlier run has held on it.
        var hasHeld: Bool
    }

    private let byPayee: [ODSCode: [Hold]]

    /// - Parameter holds: in order of their ids.
    init(_ holds: [ODSCode: [Hold]] = [:]) { byPayee = holds }

    var payees: Set<ODSCode> { Set(byPayee.keys) }

    static func origin(_ id: String) -> String { "withholding/" + id }

    func append(
        for payee: ODSCode, in month: YearMonth, isStopped: Bool, to lines: inout [PaymentLine]
    ) throws(PaymentsError) {
        guard let holds = byPayee[payee] else { return }
        let due = lines
        do throws(ArithmeticError) {
            for hold in holds where hold.first <= month {
                if hold.isReleased {
                    // "Do not pay" keeps back what would be given back, too.
                    if hold.heldPence > 0, !isStopped {
                        lines.append(Withholdings.release(hold, month, due.first?.contractID ?? payee.value))
                    }
                } else if let line = try Withholdings.line(hold, due, month, payee) {
                    lines.append(line)
                }
            }
        } catch {
            throw .amountOutOfRange(payee.value)
        }
    }

    private static func line(
        _ hold: Hold, _ due: [PaymentLine], _ month: YearMonth, _ payee: ODSCode
    ) throws(ArithmeticError) -> PaymentLine? {
        let record = Explanation.Source(origin(hold.id), version: hold.version, note: hold.reason)
        var inputs: [Explanation.Input] = []
        switch hold.target {
        case .amount(let pence):
            // Where nothing is due, nothing can be held: the first run with lines does.
            guard !hold.hasHeld, !due.isEmpty else { return nil }
            inputs.append(
                .init("held", Money(pence: pence).pounds, .pounds, from: record, asOf: month.firstDay))
        case .lines(let paycode, let source):
            for line in due
            where line.paycode == paycode && (source.isEmpty || line.sourceReference == source) {
                inputs.append(
                    .init(
                        paycode.code, Money(pence: line.pence).pounds, .pounds,
                        from: .init("line of this statement", note: line.sourceReference),
                        asOf: line.periodFrom))
            }
        }
        var steps: [Explanation.Step] = [.init("held", .whole(0), .subtract, .input(0))]
        for index in inputs.indices.dropFirst() {
            steps.append(.init("held", .step(index - 1), .subtract, .input(index)))
        }
        let sum = try Money.sum(inputs.map { Money(pence: $0.value.scaled(to: 2) ?? 0) })
        // Lines that take money from the payee are not held.
        guard sum > .zero else { return nil }
        return line(
            .withheld, try sum.negated(), inputs, steps, hold, month, due.first?.contractID ?? payee.value)
    }

    private static func release(_ hold: Hold, _ month: YearMonth, _ contractID: String) -> PaymentLine {
        let amount = Money(pence: hold.heldPence)
        let input = Explanation.Input(
            "held_before", amount.pounds, .pounds,
            from: .init(origin(hold.id), version: hold.version, note: "held because: " + hold.reason),
            asOf: month.firstDay)
        return line(
            .withheldReleased, amount, [input], [.init("amount", .whole(0), .add, .input(0))], hold, month,
            contractID)
    }

    private static func line(
        _ paycode: Paycode, _ amount: Money, _ inputs: [Explanation.Input], _ steps: [Explanation.Step],
        _ hold: Hold,
        _ month: YearMonth, _ contractID: String
    ) -> PaymentLine {
        PaymentLine(
            paycode: paycode, contractID: contractID, contractVersion: 0, periodFrom: month.firstDay,
            periodTo: month.lastDay, quantity: ExactDecimal(1), rate: amount.pounds,
            basis: paycode == .withheld ? "WITHHELD" : "RELEASED", pence: amount.pence, source: .item,
            month: month,
            explanation: Explanation(
                rule: "12.4 withholding", ruleVersion: 1, inputs: inputs, steps: steps, rounding: "none",
                amount: amount),
            origin: origin(hold.id))
    }
}
