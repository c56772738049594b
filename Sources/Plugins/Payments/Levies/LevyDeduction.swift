import PluginAPI

/// Which part of a fixed sum a month deducts: from `before` to `upTo` of `count` equal parts (RND-6).
///
/// A rate a year fixes the sum of a year, a rate a quarter that of a quarter. So twelve months, four quarters, or three
/// months of a quarter add up to the penny, whichever the committee chose.
struct LevySchedule: Hashable, Sendable {
    let before: Int64
    let upTo: Int64
    let count: Int64

    /// `nil` when nothing is deducted in the month.
    init?(_ month: YearMonth, _ collection: LevyCollection, _ period: LevyRatePeriod) {
        let inQuarter = Int64((month.month - 1) % 3)
        // April is the first month of the financial year.
        let inYear = Int64((month.month + 8) % 12)
        switch (collection, period) {
        // A percentage of each month's fees is no part of a fixed sum.
        case (_, .sightTestFees): return nil
        case (.eachMonth, .year): (before, count) = (inYear, 12)
        case (.eachMonth, .quarter): (before, count) = (inQuarter, 3)
        case (_, .year):
            guard inQuarter + 1 == collection.rawValue else { return nil }
            (before, count) = (inYear / 3, 4)
        case (_, .quarter):
            guard inQuarter + 1 == collection.rawValue else { return nil }
            (before, count) = (0, 1)
        }
        upTo = before + 1
    }
}

/// What one practice owes of one levy for one month (payments.md 9.6).
struct LevyDeduction: Hashable, Sendable {
    let practice: ODSCode
    let committee: ODSCode
    let kind: LevyKind
    let month: YearMonth
    let quarterDay: CalendarDate
    /// Raw registered, on the quarter day.
    let patients: Int64
    let listVersion: Int64
    let rate: LevyRate
    let schedule: LevySchedule
    let contractID: String
    let contractVersion: Int64

    func amount() throws(ArithmeticError) -> Money {
        let sum = try Rational(patients).multiplied(by: rate.pounds.rational)
        return try share(sum, schedule.upTo).subtracting(try share(sum, schedule.before))
    }

    private func share(_ sum: Rational, _ part: Int64) throws(ArithmeticError) -> Money {
        try Rounding.toPence(try sum.multiplied(by: Rational(Int128(part), over: Int128(schedule.count))))
    }

    /// The line of the practice (off what it is paid) or, of the same amount, that of the committee.
    func line(paidOver: Bool) throws(ArithmeticError) -> PaymentLine? {
        let due = try amount()
        guard due != .zero else { return nil }
        let amount = paidOver ? due : try due.negated()
        let rate =
            paidOver ? rate.pounds : ExactDecimal(mantissa: -rate.pounds.mantissa, scale: rate.pounds.scale)
        return PaymentLine(
            paycode: paidOver ? .levyPayover : kind.paycode,
            contractID: paidOver ? committee.value : contractID,
            contractVersion: paidOver ? 0 : contractVersion, periodFrom: month.firstDay,
            periodTo: month.lastDay,
            quantity: ExactDecimal(patients), rate: rate, basis: basis, pence: amount.pence,
            source: .recurring,
            month: month, explanation: explanation(amount, paidOver: paidOver),
            origin: "levy/\(kind.name)/\(paidOver ? practice : committee)")
    }

    private var basis: String {
        let name = self.rate.period == .year ? "PATIENTS_A_YEAR" : "PATIENTS_A_QUARTER"
        return schedule.count == 1 ? name : "\(name)/\(schedule.count)"
    }

    private func explanation(_ amount: Money, paidOver: Bool) -> Explanation {
        let inputs: [Explanation.Input] = [
            .init(
                Self.patientsName, ExactDecimal(patients), .patients,
                from: .init("capitation", version: listVersion, note: practice.value), asOf: quarterDay),
            .init(
                Self.rateName, rate.pounds, .pounds,
                from: .init(
                    "\(kind.name) levy of \(committee)", version: rate.version, note: rate.period.name),
                asOf: rate.from),
        ]
        var steps: [Explanation.Step] = [
            .init(rate.period == .year ? "year" : "quarter", .input(0), .multiply, .input(1))
        ]
        let upTo = addShare(schedule.upTo, "up_to_this_month", to: &steps)
        if schedule.before > 0 {
            let before = addShare(schedule.before, "before", to: &steps)
            steps.append(
                paidOver
                    ? .init("amount", .step(upTo), .subtract, .step(before))
                    : .init("amount", .step(before), .subtract, .step(upTo)))
        } else if !paidOver {
            steps.append(.init("amount", .whole(0), .subtract, .step(upTo)))
        }
        return Explanation(
            rule: "9.6 \(kind.name) levy", ruleVersion: 1, inputs: inputs, steps: steps, rounding: "RND-6",
            amount: amount)
    }

    /// Adds the steps to the rounded share of so many parts; returns the last one's number.
    private func addShare(_ part: Int64, _ name: String, to steps: inout [Explanation.Step]) -> Int {
        steps.append(.init(name, .step(0), .multiply, .whole(part)))
        steps.append(.init(name, .step(steps.count - 1), .divide, .whole(schedule.count)))
        steps.append(.init(name, rounding: .step(steps.count - 1)))
        return steps.count - 1
    }

    /// By these names remittances find list and rate in a line's explanation.
    static let patientsName = "registered_patients"
    static let rateName = "levy_rate"
}
