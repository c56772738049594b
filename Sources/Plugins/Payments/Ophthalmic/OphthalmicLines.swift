import PluginAPI

/// What ophthalmic contractors are paid (payments.md 10.2): in each month the claims that its run takes, at the rates of
/// their days, less the levy of their Local Optical Committee; and what so is deducted, to the committees. A fee that is
/// confirmed late comes out differently for the months already paid, and so makes difference lines on both sides.
struct OphthalmicLines: RecurringLines {
    let totals: [YearMonth: [ODSCode: GOSTotals]]
    let rates: RateTable
    let book: LevyBook
    /// Contractors with claims, by committee.
    private let members: [YearMonth: [ODSCode: [ODSCode]]]

    init(totals: [YearMonth: [ODSCode: GOSTotals]], rates: RateTable, book: LevyBook) {
        self.totals = totals
        self.rates = rates
        self.book = book
        var members: [YearMonth: [ODSCode: [ODSCode]]] = [:]
        if !book.contractors.isEmpty {
            for (month, contractors) in totals {
                let quarter = Quarter(containing: month)
                for contractor in contractors.keys.sorted() {
                    guard let committee = book.opticalCommittee(of: contractor, in: quarter) else { continue }
                    members[month, default: [:]][committee, default: []].append(contractor)
                }
            }
        }
        self.members = members
    }

    /// Committees of every month looked at: one may have differences only.
    func payees(in month: YearMonth) -> Set<ODSCode> {
        Set((totals[month] ?? [:]).keys).union(members.values.flatMap(\.keys))
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        do throws(ArithmeticError) {
            var lines: [PaymentLine] = []
            if let counted = totals[month]?[payee] { lines = try self.month(payee, month).lines(counted) }
            for contractor in members[month]?[payee] ?? [] {
                guard let counted = totals[month]?[contractor],
                    let line = try self.month(contractor, month).payover(counted)
                else { continue }
                lines.append(line)
            }
            return lines
        } catch {
            throw .amountOutOfRange(payee.value)
        }
    }

    private func month(_ contractor: ODSCode, _ month: YearMonth) -> OphthalmicMonth {
        OphthalmicMonth(
            payee: contractor, month: month, rates: rates, levy: OpticalLevy(contractor, month: month, book))
    }

    /// Contractors with sight-test fees in the month.
    func withFees(in month: YearMonth) throws(PaymentsError) -> [ODSCode] {
        var found: [ODSCode] = []
        for (contractor, counted) in totals[month] ?? [:] {
            do throws(ArithmeticError) {
                if try self.month(contractor, month).fees(counted) != .zero { found.append(contractor) }
            } catch {
                throw .amountOutOfRange(contractor.value)
            }
        }
        return found.sorted()
    }
}

/// One contractor's month.
struct OphthalmicMonth {
    let payee: ODSCode
    let month: YearMonth
    let rates: RateTable
    /// `nil` = nothing is deducted.
    var levy: OpticalLevy?

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
        if let line = try levy?.line(on: levied, of: payee, in: month, paidOver: false) { lines.append(line) }
        return lines
    }

    /// The committee's line: of the same amount as the deduction.
    func payover(_ totals: GOSTotals) throws(ArithmeticError) -> PaymentLine? {
        try levy?.line(on: try fees(totals), of: payee, in: month, paidOver: true)
    }

    /// The sight-test fees that carry the levy.
    func fees(_ totals: GOSTotals) throws(ArithmeticError) -> Money {
        var sum = Money.zero
        for (entitlement, count) in totals.sorted where entitlement.fee.carriesLevy {
            guard let found = OphthalmicMonth.group(entitlement, rates) else { continue }
            let (product, overflow) = found.pence.multipliedReportingOverflow(by: count)
            if overflow { throw .overflow }
            sum = try sum.adding(Money(pence: product))
        }
        return sum
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
}
