import PluginAPI

/// What a placement earns its practice in a month (payments.md 9.5): the trainer grant by the days in post, and
/// reimbursed pay where the practice employs the trainee.
struct TrainingGrants: Sendable {
    let figures: TrainingRates
    let rates: RateTable

    enum Outcome: Sendable {
        /// In post and paid.
        case due(PaymentLine)
        /// Nothing is expected: not in post, or away without grant all month.
        case nothing
        /// Expected, but cannot be calculated.
        case obstacle(String)
    }

    /// Month whose run pays a month in post: so many months later, or after the end of the placement.
    func paymentMonth(of month: YearMonth, _ placement: TraineePlacement) throws(PaymentsError) -> YearMonth {
        let isAtEnd = figures.figure(.paidAtEnd, in: placement.area, at: month.firstDay)?.whole == 1
        let counted = isAtEnd ? Swift.max(month, YearMonth(containing: placement.to)) : month
        return try Arrears(rates: rates, name: .trainingArrearsMonths).paymentMonth(of: counted)
    }

    /// Months in post that the run of a month pays.
    func months(of placement: TraineePlacement, paidIn month: YearMonth) throws(PaymentsError) -> [YearMonth]
    {
        let first = YearMonth(containing: placement.from)
        let last = Swift.min(YearMonth(containing: placement.to), month)
        guard first <= last else { return [] }
        var found: [YearMonth] = []
        for index in 0...last.months(since: first) {
            let earlier = first.adding(months: index)
            if try paymentMonth(of: earlier, placement) == month { found.append(earlier) }
        }
        return found
    }

    func grant(
        _ placement: TraineePlacement, for month: YearMonth, paidIn run: YearMonth
    ) throws(PaymentsError) -> Outcome {
        guard let inPost = placement.days(in: month) else { return .nothing }
        var days = Int(inPost.upperBound.daysSince1970 - inPost.lowerBound.daysSince1970) + 1
        for absence in placement.absences {
            switch unpaid(absence, placement, within: inPost) {
            case .obstacle(let text): return .obstacle(text)
            case .days(let unpaid): days -= unpaid
            }
        }
        guard days > 0 else { return .nothing }
        let day = month.firstDay
        var divisor: TrainingFigure?
        if placement.grade == .st4 {
            divisor = figures.figure(.seniorDivisor, in: placement.area, at: day)
            if divisor == nil { return .obstacle(missing(.seniorDivisor, placement)) }
        }
        let daily = figures.figure(.grantDay(in: month), in: placement.area, at: day)
        guard let grant = daily ?? figures.figure(.grantYear, in: placement.area, at: day) else {
            return .obstacle(missing(.grantYear, placement))
        }
        do throws(ArithmeticError) {
            let line =
                try daily == nil
                ? yearly(placement, month, run, grant, divisor, days: days)
                : byDay(placement, month, run, grant, divisor, days: days)
            return .due(line)
        } catch {
            throw .amountOutOfRange(placement.practice.value)
        }
    }

    /// Pay of the trainee and the employer's costs on it, by the set-up of the placement.
    func salary(
        _ placement: TraineePlacement, for month: YearMonth, paidIn run: YearMonth
    ) throws(PaymentsError) -> PaymentLine? {
        guard placement.employer == .practice, let inPost = placement.days(in: month) else { return nil }
        let annual = placement.annualPayPence + placement.annualCostsPence
        let days = Int(inPost.upperBound.daysSince1970 - inPost.lowerBound.daysSince1970) + 1
        let share = Share(days: days, of: month)
        let pounds = Money(pence: annual).pounds
        let source = Explanation.Source("placement", version: placement.version, note: placement.id)
        let inputs = [
            Explanation.Input(
                "annual_pay", Money(pence: placement.annualPayPence).pounds, .pounds, from: source,
                asOf: placement.from),
            .init(
                "annual_employer_costs", Money(pence: placement.annualCostsPence).pounds, .pounds,
                from: source,
                asOf: placement.from),
        ]
        var steps: [Explanation.Step] = [.init("annual", .input(0), .add, .input(1))]
        share.appendMonth(to: &steps, annual: .step(0))
        do throws(ArithmeticError) {
            let pence = try Rounding.toPence(try share.month(of: pounds.rational)).pence
            return line(
                placement, .traineeSalary, pence, month, run, quantity: ExactDecimal(1), rate: pounds,
                basis: share.basis("YEAR/12"), inputs: inputs, steps: steps, rounding: "RND-3")
        } catch {
            throw .amountOutOfRange(placement.practice.value)
        }
    }

    // MARK: Parts

    private enum Unpaid {
        case days(Int)
        case obstacle(String)
    }

    /// Days of an absence within the days in post for which no grant is paid.
    private func unpaid(
        _ absence: TraineePlacement.Absence, _ placement: TraineePlacement,
        within days: ClosedRange<CalendarDate>
    ) -> Unpaid {
        let last = Swift.min(absence.to, days.upperBound)
        guard Swift.max(absence.from, days.lowerBound) <= last else { return .days(0) }
        let item: TrainingRate.Item = absence.kind == .parental ? .parentalMonths : .sicknessMonths
        guard let months = figures.figure(item, in: placement.area, at: absence.from)?.whole else {
            return .obstacle(missing(item, placement))
        }
        let paidUntil = ClaimDeadline.adding(months: Int(months), to: absence.from)
        let first = Swift.max(paidUntil, days.lowerBound)
        return .days(first <= last ? Int(last.daysSince1970 - first.daysSince1970) + 1 : 0)
    }

    private func missing(_ item: TrainingRate.Item, _ placement: TraineePlacement) -> String {
        "the training rate \(item.rawValue) of \(placement.area) is not set"
    }

    /// RND-8: the published rate of a day, already rounded, times the days.
    private func byDay(
        _ placement: TraineePlacement, _ month: YearMonth, _ run: YearMonth, _ rate: TrainingFigure,
        _ divisor: TrainingFigure?, days: Int
    ) throws(ArithmeticError) -> PaymentLine {
        var pounds = try Rational(Int64(days)).multiplied(by: rate.value.rational)
        var inputs = [daysInput(placement, month, days), rate.input("day", .pounds)]
        var steps: [Explanation.Step] = [.init("grant", .input(0), .multiply, .input(1))]
        if let divisor {
            pounds = try pounds.divided(by: divisor.value.rational)
            inputs.append(divisor.input("st4_divisor", .count))
            steps.append(.init("part", .step(0), .divide, .input(2)))
        }
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        return line(
            placement, .trainerGrant, try Rounding.toPence(pounds).pence, month, run,
            quantity: ExactDecimal(Int64(days)), rate: rate.value,
            basis: "DAYS" + (divisor.map { "/\($0.whole)" } ?? ""), inputs: inputs, steps: steps,
            rounding: "RND-8")
    }

    private func yearly(
        _ placement: TraineePlacement, _ month: YearMonth, _ run: YearMonth, _ rate: TrainingFigure,
        _ divisor: TrainingFigure?, days: Int
    ) throws(ArithmeticError) -> PaymentLine {
        let share = Share(days: days, of: month)
        var pounds = rate.value.rational
        var inputs = [rate.input("year", .pounds), daysInput(placement, month, days)]
        var steps: [Explanation.Step] = [.init("annual", .input(0), .multiply, .whole(1))]
        if let divisor {
            pounds = try pounds.divided(by: divisor.value.rational)
            inputs.append(divisor.input("st4_divisor", .count))
            steps.append(.init("part", .step(0), .divide, .input(2)))
        }
        share.appendMonth(to: &steps, annual: .step(steps.count - 1))
        return line(
            placement, .trainerGrant, try Rounding.toPence(try share.month(of: pounds)).pence, month, run,
            quantity: ExactDecimal(1), rate: rate.value,
            basis: share.basis("YEAR/\(12 * (divisor?.whole ?? 1))"), inputs: inputs, steps: steps,
            rounding: "RND-3")
    }

    private func daysInput(_ placement: TraineePlacement, _ month: YearMonth, _ days: Int)
        -> Explanation.Input
    {
        .init(
            "days", ExactDecimal(Int64(days)), .days,
            from: .init("placement", version: placement.version, note: placement.id), asOf: month.firstDay)
    }

    private func line(
        _ placement: TraineePlacement, _ paycode: Paycode, _ pence: Int64, _ month: YearMonth,
        _ run: YearMonth,
        quantity: ExactDecimal, rate: ExactDecimal, basis: String, inputs: [Explanation.Input],
        steps: [Explanation.Step], rounding: String
    ) -> PaymentLine {
        PaymentLine(
            paycode: paycode, contractID: placement.practice.value, contractVersion: placement.version,
            periodFrom: month.firstDay, periodTo: month.lastDay, quantity: quantity, rate: rate, basis: basis,
            pence: pence, source: .recurring, month: run,
            explanation: Explanation(
                rule: "9.5 training", ruleVersion: 1, inputs: inputs, steps: steps, rounding: rounding,
                amount: Money(pence: pence)),
            origin: placement.origin)
    }
}

/// A month's share of a year, by days where only part of the month counts.
struct Share: Sendable {
    let days: Int64
    let daysInMonth: Int64

    init(days: Int, of month: YearMonth) {
        self.days = Int64(days)
        daysInMonth = Int64(month.dayCount)
    }

    private var isWhole: Bool { days == daysInMonth }

    func basis(_ name: String) -> String { isWhole ? name : "\(name) x \(days)/\(daysInMonth)" }

    func month(of annual: Rational) throws(ArithmeticError) -> Rational {
        let month = try annual.divided(by: Rational(12))
        if isWhole { return month }
        return try month.multiplied(by: try Rational(Int128(days), over: Int128(daysInMonth)))
    }

    /// Steps from the year to the amount rounded.
    func appendMonth(to steps: inout [Explanation.Step], annual: Explanation.Operand) {
        steps.append(.init("month", annual, .divide, .whole(12)))
        if !isWhole {
            steps.append(.init("month_days", .step(steps.count - 1), .multiply, .whole(days)))
            steps.append(.init("part_of_month", .step(steps.count - 1), .divide, .whole(daysInMonth)))
        }
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
    }
}
