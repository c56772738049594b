import PluginAPI

/// What ophthalmic contractors are paid (payments.md 10.2): in each month the claims that its run takes, at the rates of
/// their days, and the levy of the Local Optical Committee. A fee that is confirmed late comes out differently for the
/// months already paid, and so makes difference lines.
struct OphthalmicLines: RecurringLines {
    let totals: [YearMonth: [ODSCode: GOSTotals]]
    let rates: RateTable

    func payees(in month: YearMonth) -> Set<ODSCode> { Set((totals[month] ?? [:]).keys) }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        guard let counted = totals[month]?[payee] else { return [] }
        do throws(ArithmeticError) {
            return try OphthalmicMonth(payee: payee, month: month, rates: rates).lines(counted)
        } catch {
            throw .amountOutOfRange(payee.value)
        }
    }
}

/// One contractor's month.
struct OphthalmicMonth {
    let payee: ODSCode
    let month: YearMonth
    let rates: RateTable

    /// Claims of one form paid the same way: at the whole rate, or by their own values.
    struct Group: Hashable {
        var form: GOSForm
        var fee: GOSFee
        var isRecovery: Bool
        /// First day of the rate.
        var rateFrom: CalendarDate
        var isWhole: Bool

        /// Names the line: the export of claims finds by it those that it pays.
        var origin: String {
            "gos/\(form.name)/\(fee.rate.rawValue)/\(rateFrom)" + (isWhole ? "" : "/values")
                + (isRecovery ? "/recovered" : "")
        }
    }

    private struct Part {
        var rate: Rate
        var from: CalendarDate
        var to: CalendarDate
        /// Claims by pence.
        var counts: [Int64: Int64] = [:]

        func pence() throws(ArithmeticError) -> Int64 {
            var sum = Money.zero
            for (pence, count) in counts {
                let (product, overflow) = pence.multipliedReportingOverflow(by: count)
                if overflow { throw .overflow }
                sum = try sum.adding(Money(pence: product))
            }
            return sum.pence
        }
    }

    /// How one entitlement is paid; `nil` while its rate is not set: it waits.
    static func group(
        _ part: GOSEntitlement, _ rates: RateTable
    ) -> (group: Group, pence: Int64, rate: Rate)? {
        guard let rate = try? rates.rate(part.fee.rate, at: part.day) else { return nil }
        let ratePence = rate.millionths / 10_000
        let pence = part.amount(ratePence: ratePence)
        let group = Group(
            form: part.form, fee: part.fee, isRecovery: part.isRecovery, rateFrom: rate.from,
            isWhole: pence == ratePence)
        return (group, pence, rate)
    }

    func lines(_ totals: GOSTotals) throws(ArithmeticError) -> [PaymentLine] {
        var parts: [Group: Part] = [:]
        for (entitlement, count) in totals.sorted {
            guard let found = OphthalmicMonth.group(entitlement, rates) else { continue }
            var part =
                parts[found.group] ?? Part(rate: found.rate, from: entitlement.day, to: entitlement.day)
            part.from = min(part.from, entitlement.day)
            part.to = max(part.to, entitlement.day)
            part.counts[found.pence, default: 0] += count
            parts[found.group] = part
        }
        var lines: [PaymentLine] = []
        var levied = Money.zero
        for (group, part) in parts.sorted(by: { OphthalmicMonth.precedes($0.key, $1.key) }) {
            let pence = try part.pence()
            if group.fee.carriesLevy { levied = try levied.adding(Money(pence: pence)) }
            guard pence != 0 else { continue }
            lines.append(try line(group, part, pence))
        }
        if let levy = try levy(on: levied) { lines.append(levy) }
        return lines
    }

    private static func precedes(_ left: Group, _ right: Group) -> Bool {
        func order(_ group: Group) -> [Int] {
            [
                Int(group.form.rawValue), Int(group.fee.rawValue), group.isRecovery ? 1 : 0,
                group.isWhole ? 0 : 1,
                Int(group.rateFrom.daysSince1970),
            ]
        }
        return order(left).lexicographicallyPrecedes(order(right))
    }

    private func line(_ group: Group, _ part: Part, _ pence: Int64) throws(ArithmeticError) -> PaymentLine {
        let source = Explanation.Source("ophthalmic claims", note: group.origin)
        var inputs: [Explanation.Input] = []
        var steps: [Explanation.Step] = []
        for (amount, count) in part.counts.sorted(by: { $0.key < $1.key }) {
            inputs.append(.init("claims", ExactDecimal(count), .count, from: source, asOf: part.to))
            inputs.append(
                group.isWhole
                    ? part.rate.input(group.fee.rate.rawValue, .pounds)
                    : .init(
                        "value", Money(pence: amount).pounds, .pounds,
                        from: .init(
                            "ophthalmic claims", note: "the rate, at most the price, less the contribution"),
                        asOf: part.to))
            steps.append(
                .init("claims", .input(inputs.count - 2), .multiply, .input(inputs.count - 1)))
            let product = steps.count - 1
            if product > 0 { steps.append(.init("sum", .step(product - 1), .add, .step(product))) }
        }
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        let count = part.counts.values.reduce(0, +)
        return PaymentLine(
            paycode: group.form.paycode, contractID: payee.value, contractVersion: part.rate.version,
            periodFrom: part.from, periodTo: part.to,
            quantity: ExactDecimal(group.isWhole ? count : 1),
            rate: group.isWhole ? part.rate.value : Money(pence: pence).pounds,
            basis: group.isWhole ? "CLAIMS" : "SUM_OF_CLAIMS", pence: pence, source: .recurring, month: month,
            explanation: Explanation(
                rule: group.isRecovery
                    ? "10.2 post-payment verification" : "10.2 General Ophthalmic Services",
                ruleVersion: 1, inputs: inputs, steps: steps, rounding: "RND-2", amount: Money(pence: pence)),
            origin: group.origin)
    }

    /// A percentage of the sight-test fees, off the unrounded sum, as a line of its own (RND-4; E14).
    private func levy(on base: Money) throws(ArithmeticError) -> PaymentLine? {
        guard base != .zero, let rate = try? rates.rate(.gosLevyPercent, at: month.firstDay) else {
            return nil
        }
        let amount = try Rounding.deduction(percent: rate.value, of: Rational(Int128(base.pence), over: 100))
        guard amount != .zero else { return nil }
        let inputs = [
            rate.input(RateName.gosLevyPercent.rawValue, .percent),
            Explanation.Input(
                "sight_test_fees", base.pounds, .pounds, from: .init("lines of this month"),
                asOf: month.lastDay),
        ]
        return PaymentLine(
            paycode: .opticalLevy, contractID: payee.value, contractVersion: rate.version,
            periodFrom: month.firstDay, periodTo: month.lastDay, quantity: base.pounds,
            rate: ExactDecimal(mantissa: -rate.value.mantissa, scale: rate.value.scale),
            basis: "PERCENT_OF_SIGHT_TEST_FEES", pence: amount.pence, source: .recurring, month: month,
            explanation: Explanation(
                rule: "10.2 Local Optical Committee levy", ruleVersion: 1, inputs: inputs,
                steps: [
                    .init("share", .input(0), .percentage, .input(1)),
                    .init("deduction", .whole(0), .subtract, .step(0)), .init("amount", rounding: .step(1)),
                ], rounding: "RND-4", amount: amount),
            origin: "gos/levy")
    }
}
