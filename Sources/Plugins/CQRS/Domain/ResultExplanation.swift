import PluginAPI

/// Builds the explanation of a line out of what is stored with the result: the definition's thresholds, the counts, the
/// population and national figures with their sources. Replaying it gives the amount (R2).
struct ResultExplanation: Sendable {
    let definition: ServiceDefinition
    let inputs: RunInputs
    let bases: ProviderBases

    private var source: Explanation.Source {
        Explanation.Source(
            "service " + definition.code, version: Int64(definition.version), note: definition.source)
    }
    private var submitted: Explanation.Source {
        Explanation.Source("submission", note: "last submission of the cell")
    }

    func explain(_ line: ResultLine) -> Explanation {
        var draft = Draft(amount: line.amount)
        if line.indicator >= 0 {
            let indicator = definition.indicators[line.indicator]
            draft.rule = rule(indicator, line)
            let points = points(indicator, line, &draft)
            switch definition.method {
            case .qof where indicator.purpose == .payment: qualityPounds(indicator, line, points, &draft)
            case .networkPoints where indicator.purpose == .payment:
                networkPounds(indicator, line, points, &draft)
            case .itemOfService where line.tariff >= 0:
                itemPounds(definition.tariffs[line.tariff], line, &draft)
            default: draft.step("amount", points, .multiply, .whole(0))
            }
        } else {
            populationPounds(definition.tariffs[line.tariff], &draft)
        }
        return draft.explanation
    }

    private func rule(_ indicator: Indicator, _ line: ResultLine) -> String {
        let kind = definition.method == .networkPoints ? "6.9 network points" : "6.2 \(indicator.kind)"
        let what =
            switch line.standing {
            case .nothing: "at or below what earns"
            case .between: "between the thresholds"
            case .everything: "all points"
            case .emptyCohort: "CALC-1 empty cohort, not earnable"
            case .thresholdUnknown: "threshold not confirmed, not earnable"
            case .incomeProtected: "6.5 income protected"
            case .unscored: "no points"
            case .missing: "DAT-4 figures missing"
            }
        return kind + ", " + what
    }

    private func points(_ indicator: Indicator, _ line: ResultLine, _ draft: inout Draft)
        -> Explanation.Operand
    {
        let route = indicator.routes[line.route]
        if line.standing == .incomeProtected {
            return draft.input(
                "prior year's points", line.points.decimal, .count, Explanation.Source("stated points"),
                inputs.day)
        }
        let available = draft.input(
            "points available", route.points.decimal, .count, source, definition.startOn)
        if indicator.kind.isFraction, line.denominator > 0 {
            let numerator = draft.input(
                "numerator", ExactDecimal(line.numerator), .patients, submitted, inputs.day)
            let denominator = draft.input(
                "denominator", ExactDecimal(line.denominator), .patients, submitted, inputs.day)
            let hundredfold = draft.step("numerator x 100", numerator, .multiply, .whole(100))
            let percent = draft.step("percent", hundredfold, .divide, denominator)
            if line.standing == .between, let lower = route.lower, let upper = route.upper {
                return between(route, percent, lower, upper, available, &draft)
            }
        } else if indicator.kind == .register {
            _ = draft.input("register", ExactDecimal(line.register), .patients, submitted, inputs.day)
        }
        return draft.step("points", available, .multiply, .whole(line.standing == .everything ? 1 : 0))
    }

    private func between(
        _ route: ScoringRoute, _ percent: Explanation.Operand, _ lower: Int64, _ upper: Int64,
        _ available: Explanation.Operand, _ draft: inout Draft
    ) -> Explanation.Operand {
        let from = draft.input(
            "lower", ExactDecimal(mantissa: lower, scale: 2), .percent, source, definition.startOn)
        let to = draft.input(
            "upper", ExactDecimal(mantissa: upper, scale: 2), .percent, source, definition.startOn)
        let above =
            route.kind == .inverse
            ? draft.step("below the worst", to, .subtract, percent)
            : draft.step("above the lower", percent, .subtract, from)
        let span = draft.step("span", to, .subtract, from)
        let share = draft.step("share", above, .divide, span)
        guard route.kind == .stepped else {
            let exact = draft.step("exact points", share, .multiply, available)
            return draft.rounding("points", exact)
        }
        let step = draft.input("first block", route.step.decimal, .count, source, definition.startOn)
        let rest = draft.step("points above the first block", available, .subtract, step)
        let earned = draft.rounding(
            "earned above it", draft.step("exact points above it", share, .multiply, rest))
        return draft.step("points", step, .add, earned)
    }

    private func qualityPounds(
        _ indicator: Indicator, _ line: ResultLine, _ points: Explanation.Operand, _ draft: inout Draft
    ) {
        guard let value = inputs.valuePerPoint, let average = inputs.averageList, let list = bases.list else {
            draft.step("amount", points, .multiply, .whole(0))
            return
        }
        let price = draft.national("value per point", value, .pounds)
        let size = draft.base("registered list", list)
        let mean = draft.national("national average list", average, .patients)
        let listFactor = draft.step("list factor (CPI)", size, .divide, mean)
        var pounds = draft.step("points x value", points, .multiply, price)
        pounds = draft.step("x list factor", pounds, .multiply, listFactor)
        if indicator.weighting == .register,
            let national = inputs.nationalRegisters[indicator.weightingGroup],
            let nationalList = inputs.nationalList, let prevalenceList = bases.prevalenceList
        {
            let register = draft.input(
                "register", ExactDecimal(line.register), .patients, submitted, inputs.day)
            let prevalence = draft.step(
                "prevalence", register, .divide, draft.base("list of prevalence", prevalenceList))
            let nationalPrevalence = draft.step(
                "national prevalence", draft.national("national register", national, .patients), .divide,
                draft.national("national list", nationalList, .patients))
            let factor = draft.step("prevalence factor (APDF)", prevalence, .divide, nationalPrevalence)
            pounds = draft.step("x prevalence factor", pounds, .multiply, factor)
        }
        draft.rounding("amount", pounds)
    }

    private func networkPounds(
        _ indicator: Indicator, _ line: ResultLine, _ points: Explanation.Operand, _ draft: inout Draft
    ) {
        guard let value = inputs.valuePerPoint, let nationalList = inputs.nationalList,
            let networks = inputs.networks,
            let list = bases.list
        else {
            draft.step("amount", points, .multiply, .whole(0))
            return
        }
        let price = draft.national("value per point", value, .pounds)
        let own = draft.base("network list", list)
        let whole = draft.national("national list", nationalList, .patients)
        let mean = draft.step(
            "mean network list", whole, .divide, draft.national("networks", networks, .count))
        let listFactor = draft.step("list adjustment", own, .divide, mean)
        var pounds = draft.step("points x value", points, .multiply, price)
        pounds = draft.step("x list adjustment", pounds, .multiply, listFactor)
        if let national = inputs.nationalRegisters[indicator.weightingGroup], indicator.weighting == .register
        {
            let cohort = draft.input(
                "denominator", ExactDecimal(line.denominator), .patients, submitted, inputs.day)
            let prevalence = draft.step("network prevalence", cohort, .divide, own)
            let nationalPrevalence = draft.step(
                "national prevalence", draft.national("national denominator", national, .patients), .divide,
                whole)
            let factor = draft.step("prevalence adjustment", prevalence, .divide, nationalPrevalence)
            pounds = draft.step("x prevalence adjustment", pounds, .multiply, factor)
        }
        draft.rounding("amount", pounds)
    }

    private func itemPounds(_ tariff: Tariff, _ line: ResultLine, _ draft: inout Draft) {
        draft.rule = "6.7 item of service"
        let amount = draft.input(tariff.name + " tariff", tariff.amount, .pounds, source, tariff.from)
        let count = draft.input("count", ExactDecimal(line.quantity), .count, submitted, inputs.day)
        let product = draft.step("tariff x count", amount, .multiply, count)
        draft.rounding("amount", draft.step("for the period", product, .divide, .whole(tariff.dividedBy)))
    }

    private func populationPounds(_ first: Tariff, _ draft: inout Draft) {
        draft.rule = "6.8 payment on population, PCN-1"
        var sum: Explanation.Operand?
        for tariff in definition.tariffs where tariff.name == first.name && tariff.holds(on: inputs.day) {
            guard let figure = bases.figure(tariff.base) else { continue }
            let amount = draft.input("\(tariff.base) tariff", tariff.amount, .pounds, source, tariff.from)
            let part = draft.step(
                "\(tariff.base) part", amount, .multiply, draft.base("\(tariff.base)", figure))
            sum = sum.map { draft.step("sum", $0, .add, part) } ?? part
        }
        let period = draft.step("for the period", sum ?? .whole(0), .divide, .whole(first.dividedBy))
        draft.rounding("amount", period)
    }

    /// An explanation in the making.
    private struct Draft {
        var rule = ""
        var inputs: [Explanation.Input] = []
        var steps: [Explanation.Step] = []
        var amount: Money

        var explanation: Explanation {
            Explanation(
                rule: rule, ruleVersion: 1, inputs: inputs, steps: steps, rounding: "GEN-3, GEN-4",
                amount: amount)
        }

        mutating func input(
            _ name: String, _ value: ExactDecimal, _ unit: Explanation.Unit, _ source: Explanation.Source,
            _ asOf: CalendarDate
        ) -> Explanation.Operand {
            inputs.append(.init(name, value, unit, from: source, asOf: asOf))
            return .input(inputs.count - 1)
        }

        mutating func national(_ name: String, _ figure: NationalFigures.Figure, _ unit: Explanation.Unit)
            -> Explanation.Operand
        {
            input(
                name, figure.value, unit,
                Explanation.Source("national constant", version: figure.version, note: figure.source),
                figure.asOf)
        }

        mutating func base(_ name: String, _ figure: ProviderBases.Figure) -> Explanation.Operand {
            input(
                name, figure.value, .patients,
                Explanation.Source("population", version: figure.rowID, note: figure.source), figure.asOf)
        }

        @discardableResult
        mutating func step(
            _ name: String, _ left: Explanation.Operand, _ operation: Explanation.Operation,
            _ right: Explanation.Operand
        ) -> Explanation.Operand {
            steps.append(.init(name, left, operation, right))
            return .step(steps.count - 1)
        }

        @discardableResult
        mutating func rounding(_ name: String, _ operand: Explanation.Operand) -> Explanation.Operand {
            steps.append(.init(name, rounding: operand))
            return .step(steps.count - 1)
        }
    }
}
