import PluginAPI

/// A recovery in equal months that add up to the penny (payments.md 5.3, RND-6).
struct RecoveryPlan {
    var pence: Int64
    /// 1 to 12.
    var months: Int
    var first: YearMonth
    var payee: ODSCode
    var contractID: String
    var contractVersion: Int64
    var basis: String
    /// What is recovered, and why.
    var source: Explanation.Source
    var asOf: CalendarDate
    /// Of the lines and of the items: each month's has its number at the end.
    var origin: String
    var naturalKey: String

    func items() throws(ArithmeticError) -> [PayableItem] {
        var items: [PayableItem] = []
        for index in 1...months {
            let part = try Rounding.apportioned(Money(pence: pence), part: index, of: months)
            guard part != .zero else { continue }
            let month = first.adding(months: index - 1)
            let amount = try part.negated()
            let inputs = [
                Explanation.Input(
                    "recovered_in_all", Money(pence: pence).pounds, .pounds, from: source, asOf: asOf),
                Explanation.Input(
                    "this_month", part.pounds, .pounds,
                    from: .init("recovery plan", note: "month \(index) of \(months), RND-6"),
                    asOf: month.firstDay),
            ]
            let line = PaymentLine(
                paycode: .recovery, contractID: contractID, contractVersion: contractVersion,
                periodFrom: month.firstDay, periodTo: month.lastDay, quantity: ExactDecimal(1),
                rate: amount.pounds,
                basis: basis, pence: amount.pence, source: .item, month: month,
                explanation: Explanation(
                    rule: "5.3 recovery", ruleVersion: 1, inputs: inputs,
                    steps: [.init("amount", .whole(0), .subtract, .input(1))], rounding: "RND-6",
                    amount: amount),
                origin: "\(origin)/\(index)")
            items.append(
                PayableItem(naturalKey: "\(naturalKey)/\(index)", payee: payee, firstRun: month, line: line))
        }
        return items
    }
}
