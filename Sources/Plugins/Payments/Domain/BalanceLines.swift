import PluginAPI

/// A statement never nets below zero: the shortfall is carried forward as a line of its own and opens the next run as a
/// debt (payments.md 5.3, "Recoveries").
enum BalanceLines {
    static func append(
        carried: Int64, lastRunID: String?, contractID: String, contractVersion: Int64, month: YearMonth,
        to lines: inout [PaymentLine]
    ) throws(ArithmeticError) {
        func line(_ name: String, _ value: Int64, _ source: Explanation.Source) throws(ArithmeticError)
            -> PaymentLine
        {
            let amount = try Money(pence: value).negated()
            let explanation = Explanation(
                rule: "5.3 balance forward", ruleVersion: 1,
                inputs: [
                    .init(name, Money(pence: value).pounds, .pounds, from: source, asOf: month.firstDay)
                ],
                steps: [.init("amount", .whole(0), .subtract, .input(0))], rounding: "none", amount: amount)
            // The two balance lines of a statement differ in their period: what comes from before is of the first day.
            return PaymentLine(
                paycode: .balanceForward, contractID: contractID, contractVersion: contractVersion,
                periodFrom: value > 0 ? month.firstDay : month.lastDay,
                periodTo: value > 0 ? month.firstDay : month.lastDay, quantity: ExactDecimal(1),
                rate: amount.pounds,
                basis: value > 0 ? "BROUGHT_FORWARD" : "CARRIED_FORWARD", pence: amount.pence,
                source: .balance,
                month: month, explanation: explanation)
        }
        if carried > 0 {
            lines.append(try line("carried_forward", carried, .init("run " + (lastRunID ?? ""))))
        }
        let net = try Money.sum(lines.map { Money(pence: $0.pence) })
        if net < .zero { lines.append(try line("net_before", net.pence, .init("this statement"))) }
    }
}
