import PluginAPI

/// `calculate(service, provider, date)` of cqrs.md 6.1: pure, from frozen inputs, the same for one provider or all.
struct ProviderCalculator: Sendable {
    let definition: ServiceDefinition
    let layout: CountLayout
    let inputs: RunInputs
    private let quality: QualityPayment?
    private let registers: [ExactDecimal?]

    init(_ definition: ServiceDefinition, _ layout: CountLayout, _ inputs: RunInputs) {
        self.definition = definition
        self.layout = layout
        self.inputs = inputs
        if definition.method == .qof, let value = inputs.valuePerPoint?.value,
            let average = inputs.averageList?.value
        {
            quality = QualityPayment(
                valuePerPoint: value, averageList: average, nationalList: inputs.nationalList?.value)
        } else {
            quality = nil
        }
        registers = definition.indicators.map { indicator in
            indicator.weighting == .register ? inputs.nationalRegisters[indicator.weightingGroup]?.value : nil
        }
    }

    /// What a provider brings along.
    struct Provider: Sendable {
        var code: ODSCode
        var counts: CountBook
        var bases: ProviderBases
        /// Points of last year, by code of the indicator, for those that are income-protected (6.5).
        var priorPoints: [String: Points] = [:]
        /// Units paid earlier in the financial year, by code of the indicator, for caps.
        var unitsBefore: [String: Int64] = [:]
    }

    func calculate(_ provider: Provider) throws(CQRSError) -> ProviderResult {
        var result = ProviderResult(
            provider: provider.code, lines: [], isComplete: true, bases: provider.bases, points: .zero,
            maximum: .zero, total: .zero)
        result.lines.reserveCapacity(definition.indicators.count + 1)
        do throws(ArithmeticError) {
            for index in definition.indicators.indices {
                let line = try score(index, provider)
                if line.standing == .missing { result.isComplete = false }
                result.points.hundredths += line.points.hundredths
                result.maximum.hundredths += definition.indicators[index].points.hundredths
                result.total = try result.total.adding(line.amount)
                result.lines.append(line)
            }
        } catch {
            throw .amountOutOfRange(provider.code.value)
        }
        if definition.method == .population {
            for line in try populationLines(provider) {
                do throws(ArithmeticError) { result.total = try result.total.adding(line.amount) } catch {
                    throw .amountOutOfRange(provider.code.value)
                }
                result.lines.append(line)
            }
        }
        return result
    }

    private func score(_ index: Int, _ provider: Provider) throws(ArithmeticError) -> ResultLine {
        let indicator = definition.indicators[index]
        let slots = layout.slots[index]
        var line = ResultLine(indicator: index)
        line.numerator = max(0, provider.counts.value(slots.numerator))
        line.denominator = max(0, provider.counts.value(slots.denominator))
        line.register = max(0, provider.counts.value(slots.register))
        for slot in slots.adjustments { line.adjustments += max(0, provider.counts.value(slot)) }
        line.quantity = max(0, provider.counts.value(slots.count))
        let isMissing = slots.required.contains { provider.counts.value($0) < 0 }
        if isMissing {
            line.standing = .missing
            return line
        }
        let score = standing(indicator, slots, line, provider)
        line.points = score.points
        line.standing = score.standing
        line.route = score.route
        guard indicator.purpose == .payment else { return line }
        switch definition.method {
        case .qof:
            if let quality, let list = provider.bases.list, let prevalenceList = provider.bases.prevalenceList
            {
                let national = registers[index]
                line.amount = try quality.pence(
                    line.points, list: list.value.mantissa, prevalenceList: prevalenceList.value.mantissa,
                    weight: national.map { (line.register, $0) })
            }
        case .networkPoints: line.amount = try networkAmount(line, provider, national: registers[index])
        case .itemOfService: try price(&line, indicator)
        case .population, .none: break
        }
        return line
    }

    private func standing(
        _ indicator: Indicator, _ slots: CountLayout.Slots, _ line: ResultLine, _ provider: Provider
    ) -> IndicatorScore {
        // 6.5: never the higher of the two; improvement was not paid either.
        if indicator.isIncomeProtected {
            return IndicatorScore(
                points: provider.priorPoints[indicator.code] ?? .zero, standing: .incomeProtected)
        }
        switch indicator.kind {
        case .register: return IndicatorScore.register(indicator, count: line.register)
        case .boolean: return IndicatorScore.flag(indicator, isYes: provider.counts.value(slots.flag) == 1)
        case .count: return IndicatorScore(points: .zero, standing: .unscored)
        case .fraction, .stepped, .inverse:
            return IndicatorScore.best(
                indicator.routes, numerator: line.numerator, denominator: line.denominator)
        }
    }

    private func networkAmount(_ line: ResultLine, _ provider: Provider, national: ExactDecimal?)
        throws(ArithmeticError) -> Money
    {
        guard let value = inputs.valuePerPoint?.value, let nationalList = inputs.nationalList?.value,
            let networks = inputs.networks?.value, let list = provider.bases.list
        else { return .zero }
        let payment = NetworkPayment(
            valuePerPoint: value, networkList: list.value.mantissa, nationalList: nationalList,
            networks: networks)
        return try payment.pence(line.points, denominator: line.denominator, nationalDenominator: national)
    }

    private func price(_ line: inout ResultLine, _ indicator: Indicator) throws(ArithmeticError) {
        guard
            let index = definition.tariffs.firstIndex(where: {
                $0.indicator == indicator.code && $0.holds(on: inputs.day)
            })
        else { return }
        let tariff = definition.tariffs[index]
        line.tariff = index
        line.amount = try TariffPayment.pence(
            [(tariff.amount, ExactDecimal(line.quantity))], dividedBy: tariff.dividedBy)
    }

    /// One line a name: parts on different populations are added before the one rounding (6.8).
    private func populationLines(_ provider: Provider) throws(CQRSError) -> [ResultLine] {
        var lines: [ResultLine] = []
        var done: Set<String> = []
        for (index, tariff) in definition.tariffs.enumerated() where tariff.holds(on: inputs.day) {
            guard done.insert(tariff.name).inserted else { continue }
            var parts: [(ExactDecimal, ExactDecimal)] = []
            for part in definition.tariffs where part.name == tariff.name && part.holds(on: inputs.day) {
                guard let figure = provider.bases.figure(part.base) else {
                    throw .populationMissing(part.base, provider.code.value, inputs.day)
                }
                parts.append((part.amount, figure.value))
            }
            var line = ResultLine(tariff: index)
            do throws(ArithmeticError) {
                line.amount = try TariffPayment.pence(parts, dividedBy: tariff.dividedBy)
            } catch {
                throw .amountOutOfRange(provider.code.value)
            }
            lines.append(line)
        }
        if lines.isEmpty { throw .tariffMissing(definition.code, inputs.day) }
        return lines
    }
}
