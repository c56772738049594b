import PluginAPI

/// What a definition must fulfil as a whole, row by row being right. Rules SVC08 to SVC12.
enum DefinitionRules {
    struct Breach: Hashable, Sendable {
        var field: String
        var rule: String
        var message: String
    }

    static func breaches(of definition: ServiceDefinition) -> [Breach] {
        var breaches: [Breach] = []
        func add(_ field: String, _ rule: String, _ message: String) {
            breaches.append(Breach(field: field, rule: rule, message: message))
        }
        for indicator in definition.indicators {
            for route in indicator.routes {
                if let lower = route.lower, let upper = route.upper, route.kind.isFraction, lower >= upper {
                    add(
                        "indicators.upper", "SVC08",
                        "\(indicator.code): the upper threshold is above the lower")
                }
                if route.step > route.points {
                    add(
                        "indicators.step_points", "SVC08",
                        "\(indicator.code): the first block is more than all points")
                }
            }
            if indicator.kind == .count, indicator.points != .zero {
                add(
                    "indicators.points", "SVC08",
                    "\(indicator.code): a count earns no points, a tariff pays it")
            }
            if indicator.weighting == .register, indicator.weightingGroup.isEmpty {
                add(
                    "indicators.weighting_group", "SVC09",
                    "\(indicator.code): the register that weights it is needed")
            }
            if !indicator.cappedByField.isEmpty,
                !indicator.fields.contains(where: { $0.name == indicator.cappedByField })
            {
                add(
                    "indicators.capped_by", "SVC09",
                    "\(indicator.code): there is no field \(indicator.cappedByField)")
            }
        }
        let codes = Set(definition.indicators.map(\.code))
        for tariff in definition.tariffs {
            if !tariff.indicator.isEmpty, !codes.contains(tariff.indicator) {
                add("tariffs.indicator", "SVC11", "there is no indicator \(tariff.indicator)")
            }
            if tariff.indicator.isEmpty == (tariff.base == .none) {
                add(
                    "tariffs.base", "SVC11",
                    "\(tariff.name): a tariff is paid on an indicator or on a population")
            }
        }
        breaches += overlaps(definition)
        breaches += methodBreaches(definition)
        return breaches
    }

    /// Two amounts for one thing on one day would leave the amount to chance.
    private static func overlaps(_ definition: ServiceDefinition) -> [Breach] {
        var breaches: [Breach] = []
        for (index, tariff) in definition.tariffs.enumerated() {
            for other in definition.tariffs[(index + 1)...]
            where other.name == tariff.name && other.indicator == tariff.indicator
                && other.base == tariff.base
            {
                let begins = max(tariff.from, other.from)
                if tariff.holds(on: begins), other.holds(on: begins) {
                    breaches.append(
                        Breach(
                            field: "tariffs.from", rule: "SVC11",
                            message: "\(tariff.name): two amounts hold on \(begins)"))
                }
            }
        }
        return breaches
    }

    private static func methodBreaches(_ definition: ServiceDefinition) -> [Breach] {
        switch definition.method {
        case .itemOfService where definition.tariffs.isEmpty:
            [Breach(field: "tariffs", rule: "SVC12", message: "an item of service needs a tariff")]
        case .population where definition.tariffs.isEmpty:
            [Breach(field: "tariffs", rule: "SVC12", message: "a payment on population needs a tariff")]
        case .qof where definition.indicators.isEmpty:
            [Breach(field: "indicators", rule: "SVC12", message: "a points service needs indicators")]
        default: []
        }
    }
}
