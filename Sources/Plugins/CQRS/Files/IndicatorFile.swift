import PluginAPI
import Tabular

/// The indicators of definitions. Rules SVC07 to SVC09.
enum IndicatorFile {
    static func read(
        _ bytes: [UInt8], into definitions: inout [DefinitionFiles.Key: ServiceDefinition]
    ) -> ViolationList {
        var reader = RowReader(upload: bytes, columns: DefinitionFiles.indicatorColumns)
        // The field of a group's register is named once and holds for all its indicators that follow.
        var registerFields: [DefinitionFiles.Key: [String: String]] = [:]
        while reader.next() {
            guard let key = DefinitionFiles.key(&reader, in: definitions) else { continue }
            let group = reader.cell("weighting_group")
            let named = reader.cell("register_field")
            if !named.isEmpty { registerFields[key, default: [:]][group] = named }
            guard let indicator = indicator(&reader, registerField: registerFields[key]?[group]) else {
                continue
            }
            reader.requireUnique("\(key.code) \(key.version) \(indicator.code)", "indicator", "SVC07")
            definitions[key]?.indicators.append(indicator)
        }
        return reader.violations
    }

    private static func indicator(_ reader: inout RowReader, registerField: String?) -> Indicator? {
        let code = reader.cell("indicator")
        if !(2...20).contains(code.utf8.count) {
            reader.refuse("indicator", "SVC07", "a code has 2 to 20 characters")
        }
        let purpose = reader.word("purpose", "SVC07", IndicatorPurpose.self)
        let weighting = reader.word("weighting", "SVC07", Weighting.self)
        let confidence = reader.word("confidence", "SVC05", Confidence.self)
        let route = route(&reader)
        let entry = reader.cell("entry")
        if !["A", "M", "B"].contains(entry) {
            reader.refuse("entry", "SVC07", "A automated, M manual, B both")
        }
        guard let purpose, let weighting, let confidence, let route else { return nil }
        let fields = fields(&reader, route.kind, weighting, registerField)
        var routes = [route]
        for text in DefinitionFiles.list(reader.cell("routes")) {
            guard let other = parseRoute(text) else {
                reader.refuse("routes", "SVC09", "a route is name:kind:lower:upper:points:step")
                continue
            }
            routes.append(other)
        }
        return Indicator(
            code: code, description: reader.cell("description"),
            group: reader.text("group", "SVC07", in: 1...20),
            purpose: purpose, points: route.points, routes: routes, weighting: weighting,
            weightingGroup: reader.cell("weighting_group"), isManual: entry != "A",
            hasDefault: reader.flag("default", "SVC07"), isIncomeProtected: reader.flag("protected", "SVC07"),
            fields: fields, cappedByField: reader.cell("capped_by"), confidence: confidence,
            source: reader.cell("source"))
    }

    private static func route(_ reader: inout RowReader) -> ScoringRoute? {
        let kind = reader.word("kind", "SVC07", IndicatorKind.self)
        let points = reader.decimal("points", "SVC08", scale: 2, in: 0...IndicatorScore.mostPoints)
        let lower = reader.decimal("lower", "SVC08", scale: 2, in: 0...100_00, mayBeEmpty: true)
        let upper = reader.decimal("upper", "SVC08", scale: 2, in: 0...100_00, mayBeEmpty: true)
        let step = reader.decimal(
            "step_points", "SVC08", scale: 2, in: 0...IndicatorScore.mostPoints, mayBeEmpty: true)
        guard let kind, let points else { return nil }
        return ScoringRoute(
            name: "", kind: kind, lower: lower, upper: upper, points: Points(hundredths: points),
            step: Points(hundredths: step ?? 0))
    }

    /// `name:kind:lower:upper:points:step`.
    static func parseRoute(_ text: String) -> ScoringRoute? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, let kind = IndicatorKind.allCases.first(where: { "\($0)" == parts[1] }),
            kind.isFraction,
            let lower = ExactDecimal(parts[2])?.scaled(to: 2),
            let upper = ExactDecimal(parts[3])?.scaled(to: 2),
            let points = ExactDecimal(parts[4])?.scaled(to: 2),
            let step = ExactDecimal(parts[5])?.scaled(to: 2),
            0 <= lower, lower < upper, upper <= 100_00, (0...IndicatorScore.mostPoints).contains(points),
            (0...points).contains(step)
        else { return nil }
        return ScoringRoute(
            name: parts[0], kind: kind, lower: lower, upper: upper, points: Points(hundredths: points),
            step: Points(hundredths: step))
    }

    /// `N=Numerator|D=Denominator`; empty = what the kind needs, under the names of the national extract (5.4).
    private static func fields(
        _ reader: inout RowReader, _ kind: IndicatorKind, _ weighting: Weighting, _ registerField: String?
    ) -> [CountField] {
        var fields: [CountField] = []
        for text in DefinitionFiles.list(reader.cell("fields")) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let role = CountField.Role(rawValue: parts[0]) else {
                reader.refuse("fields", "SVC09", "\"\(text.prefix(40))\" is no ROLE=name")
                continue
            }
            fields.append(CountField(role: role, name: parts[1]))
        }
        if !fields.isEmpty { return fields }
        switch kind {
        case .fraction, .stepped, .inverse:
            fields = [
                CountField(role: .numerator, name: "Numerator"),
                CountField(role: .denominator, name: "Denominator"),
            ]
        case .boolean: fields = [CountField(role: .flag, name: "Yes/No Flag")]
        case .count: fields = [CountField(role: .count, name: "MI Count")]
        case .register: break
        }
        if kind == .register || weighting == .register {
            let name = registerField ?? (reader.cell("weighting_group") + " Register")
            // The network's weighting is by its own denominators and needs no register.
            if kind == .register || registerField != nil {
                fields.append(CountField(role: .register, name: name))
            }
        }
        return fields
    }
}
