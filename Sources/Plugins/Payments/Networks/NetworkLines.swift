import PluginAPI

/// Monthly lines of networks (payments.md 8), and the participation payment of practices, by the rates, populations and
/// beds recorded. A rate whose row has no value makes no line of its rule: `UnsetNetworkFigures` stops the run for it.
struct NetworkLines: RecurringLines {
    /// Months in which networks are paid by this calculation.
    let months: Set<YearMonth>
    let sizes: [ODSCode: [FinancialYear: NetworkSizes]]
    let beds: [ODSCode: [NetworkBeds]]
    let rates: RateTable

    func payees(in month: YearMonth) -> Set<ODSCode> {
        guard months.contains(month) else { return [] }
        let year = FinancialYear(containing: month)
        return Set(sizes.lazy.filter { $0.value[year] != nil }.map(\.key))
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        guard months.contains(month), let known = sizes[payee]?[FinancialYear(containing: month)] else { return [] }
        var lines: [PaymentLine] = []
        for rule in NetworkRule.all {
            do throws(ArithmeticError) {
                if let line = try line(rule, payee, month, known) { lines.append(line) }
            } catch {
                throw .amountOutOfRange(payee.value)
            }
        }
        return lines
    }

    private func line(
        _ rule: NetworkRule, _ payee: ODSCode, _ month: YearMonth, _ known: NetworkSizes
    ) throws(ArithmeticError) -> PaymentLine? {
        var annual = Int128(0)
        var inputs: [Explanation.Input] = []
        var steps: [Explanation.Step] = []
        var shown: (quantity: ExactDecimal, rate: ExactDecimal, basis: String)?
        var total: Explanation.Operand?
        for part in rule.parts {
            // Without a row for the month the item did not exist then.
            guard let row = rates.row(part.rate, at: month.firstDay),
                let base = size(part.base, payee, month, known)
            else { continue }
            guard row.value != nil, let rate = try? rates.rate(part.rate, at: month.firstDay) else { return nil }
            let amount = CapitationMath.annual(
                weightedHundredths: base.hundredths, priceMicropounds: rate.millionths)
            let (sum, overflow) = annual.addingReportingOverflow(amount)
            if overflow { throw .overflow }
            annual = sum
            inputs.append(base.input)
            inputs.append(rate.input(part.rate.rawValue, .pounds))
            steps.append(
                .init(part.base.rawValue, .input(inputs.count - 2), .multiply, .input(inputs.count - 1)))
            let product = Explanation.Operand.step(steps.count - 1)
            if let before = total {
                steps.append(.init("annual", before, .add, product))
                total = .step(steps.count - 1)
            } else {
                total = product
            }
            shown =
                shown == nil
                ? (base.input.value, rate.value, part.base.rawValue.uppercased() + "/12")
                : (ExactDecimal(1), .init(mantissa: 0, scale: 0), "SUM_OF_BASES/12")
        }
        guard let total, var shown else { return nil }
        let pence = try CapitationMath.MonthlyBase(annual: annual, days: 1, daysInMonth: 1).pence()
        guard pence != 0 else { return nil }
        if inputs.count > 2 {
            shown.rate = ExactDecimal(mantissa: try Rounding.quotient(annual, 100), scale: 6)
        }
        steps.append(.init("month", total, .divide, .whole(12)))
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        return PaymentLine(
            paycode: rule.paycode, contractID: payee.value, contractVersion: known.version,
            periodFrom: month.firstDay, periodTo: month.lastDay, quantity: shown.quantity, rate: shown.rate,
            basis: shown.basis, pence: pence, source: .recurring, month: month,
            explanation: Explanation(
                rule: rule.rule, ruleVersion: 1, inputs: inputs, steps: steps, rounding: "RND-3, RND-9",
                amount: Money(pence: pence)),
            origin: "network/\(payee)/\(known.version)")
    }

    /// Rates of the month that are not set, each with the networks that would be paid by it. Core funding never ends: for
    /// it a missing row is a missing rate too.
    func unset(in month: YearMonth) -> [(rate: RateName, paycode: Paycode, networks: [ODSCode])] {
        let networks = payees(in: month).sorted()
        guard !networks.isEmpty else { return [] }
        let year = FinancialYear(containing: month)
        var found: [(rate: RateName, paycode: Paycode, networks: [ODSCode])] = []
        for rule in NetworkRule.all {
            for part in rule.parts {
                if let row = rates.row(part.rate, at: month.firstDay) {
                    if row.value != nil { continue }
                } else if part.rate != .networkCoreRegistered {
                    continue
                }
                let concerned = networks.filter { network in
                    guard let known = sizes[network]?[year] else { return false }
                    return (size(part.base, network, month, known)?.hundredths ?? 0) > 0
                }
                if !concerned.isEmpty { found.append((part.rate, rule.paycode, concerned)) }
            }
        }
        return found
    }

    private struct Base {
        var hundredths: Int64
        var input: Explanation.Input
    }

    private func size(
        _ base: NetworkBase, _ payee: ODSCode, _ month: YearMonth, _ known: NetworkSizes
    ) -> Base? {
        let january = FinancialYear(containing: month).firstDay.adding(days: -90)
        let asOf = CalendarDate(year: january.year, month: 1, day: 1) ?? month.firstDay
        func input(_ name: String, _ value: ExactDecimal, _ record: String, _ version: Int64) -> Explanation.Input {
            .init(
                name, value, base == .beds ? .count : .patients, from: .init(record, version: version),
                asOf: base == .beds ? month.firstDay : asOf)
        }
        switch base {
        case .registered:
            return Base(
                hundredths: known.registered * 100,
                input: input(
                    "registered_patients", ExactDecimal(known.registered), "network population", known.version))
        case .adjusted:
            return Base(
                hundredths: known.adjustedHundredths,
                input: input(
                    "adjusted_patients", ExactDecimal(mantissa: known.adjustedHundredths, scale: 2),
                    "network population", known.version))
        case .weighted:
            return Base(
                hundredths: known.weightedHundredths,
                input: input(
                    "weighted_patients", ExactDecimal(mantissa: known.weightedHundredths, scale: 2),
                    "network population", known.version))
        case .beds:
            guard let held = beds[payee]?.last(where: { $0.from <= month }) else { return nil }
            return Base(
                hundredths: held.beds * 100,
                input: input("care_home_beds", ExactDecimal(held.beds), "care-home beds", held.version))
        }
    }
}

/// The network participation payment: to each practice that is a member of a network, on its weighted list
/// (payments.md 8.1; PCN Directed Enhanced Service 10.3.5).
struct ParticipationLines: RecurringLines {
    let lists: ListTable
    let rates: RateTable
    /// Practices that take part, by month.
    let participants: [YearMonth: Set<ODSCode>]

    func payees(in month: YearMonth) -> Set<ODSCode> { participants[month] ?? [] }

    /// Without a rate nobody who takes part is paid.
    func isRateMissing(in month: YearMonth) -> Bool {
        !payees(in: month).isEmpty && (try? rates.rate(.networkParticipation, at: month.firstDay)) == nil
    }

    /// Practices that take part and have no list of the quarter.
    func withoutList(in month: YearMonth) -> [ODSCode] {
        let known = lists.lists(in: Quarter(containing: month))
        return payees(in: month).filter { known[$0] == nil }.sorted()
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        guard participants[month]?.contains(payee) == true,
            let rate = try? rates.rate(.networkParticipation, at: month.firstDay)
        else { return [] }
        let quarter = Quarter(containing: month)
        guard let list = lists.lists(in: quarter)[payee] else { return [] }
        let annual = CapitationMath.annual(
            weightedHundredths: list.weightedHundredths, priceMicropounds: rate.millionths)
        let pence: Int64
        do throws(ArithmeticError) {
            pence = try CapitationMath.MonthlyBase(annual: annual, days: 1, daysInMonth: 1).pence()
        } catch {
            throw .amountOutOfRange(payee.value)
        }
        guard pence != 0 else { return [] }
        let weighted = ExactDecimal(mantissa: list.weightedHundredths, scale: 2)
        return [
            PaymentLine(
                paycode: .networkParticipation, contractID: payee.value, contractVersion: list.version,
                periodFrom: month.firstDay, periodTo: month.lastDay, quantity: weighted, rate: rate.value,
                basis: "WEIGHTED_PATIENTS/12", pence: pence, source: .recurring, month: month,
                explanation: Explanation(
                    rule: "8.1 network participation", ruleVersion: 1,
                    inputs: [
                        .init(
                            "weighted_patients", weighted, .patients,
                            from: .init("capitation", version: list.version), asOf: quarter.quarterDay),
                        rate.input("network_participation", .pounds),
                    ],
                    steps: [
                        .init("annual", .input(0), .multiply, .input(1)),
                        .init("month", .step(0), .divide, .whole(12)), .init("amount", rounding: .step(1)),
                    ], rounding: "RND-3", amount: Money(pence: pence)),
                origin: "network participation"),
        ]
    }
}
