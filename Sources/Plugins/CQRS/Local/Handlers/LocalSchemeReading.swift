import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Between a definition as commissioners send it and the rules. Rules LS01 to LS12.
enum LocalSchemeReading {
    typealias Definition = Pcs_Cqrs_V1_LocalServiceDefinition

    // MARK: To the domain

    /// Of a definition that was checked.
    static func scheme(_ definition: Definition, id: String, version: Int, owner: String) -> LocalScheme {
        LocalScheme(
            id: id, version: version, owner: owner, name: definition.name,
            start: definition.startOn.calendarDate ?? .distantFuture,
            end: definition.endOn.calendarDate ?? .distantFuture,
            isParticipationOnly: definition.participationOnly,
            kinds: Set(definition.providerKinds.compactMap { LocalProviderKind(rawValue: $0.rawValue) }),
            isMultiService: definition.multiServiceClaim, needsEvidence: definition.evidenceRequired,
            backing: definition.backingColumns.map {
                LocalBackingColumn(
                    name: $0.name, type: LocalBackingType(rawValue: $0.type.rawValue) ?? .text,
                    component: $0.componentID)
            },
            route: LocalRoute(rawValue: definition.paymentRoute.rawValue) ?? .pcse,
            payCode: definition.payCode,
            subjectiveCode: definition.subjectiveCode,
            mediumFrom: ExactDecimal(definition.mediumBandFromPounds),
            highFrom: ExactDecimal(definition.highBandFromPounds), sharedWith: Set(definition.sharedWith),
            components: definition.components.map(component))
    }

    private static func component(_ message: Pcs_Cqrs_V1_LocalComponent) -> LocalComponent {
        LocalComponent(
            id: message.componentID, name: message.name,
            unit: LocalUnit(rawValue: message.unit.rawValue) ?? .item,
            allowsDecimals: message.decimalsAllowed,
            tariffs: message.tariffs.map {
                LocalTariffRow(
                    group: $0.providerGroup, amount: ExactDecimal($0.amountPounds) ?? ExactDecimal(0),
                    from: $0.validFrom.calendarDate ?? .distantFuture,
                    to: $0.hasValidTo ? $0.validTo.calendarDate : nil)
            },
            minimum: LocalQuantity(message.minimumQuantity, allowsDecimals: true),
            maximum: LocalQuantity(message.maximumQuantity, allowsDecimals: true),
            caps: message.caps.compactMap { cap in
                LocalCapKind(rawValue: cap.kind.rawValue).map {
                    LocalCap(
                        kind: $0, limit: ExactDecimal(cap.limit) ?? ExactDecimal(0), truncates: cap.truncate)
                }
            }.sorted { $0.kind.rawValue < $1.kind.rawValue }, needsEvidence: message.evidenceRequired)
    }

    // MARK: Checks

    static func check(
        _ definition: Definition, owner: String, _ figures: NationalFigures, into fields: inout RequestFields
    ) {
        func text(_ value: String, _ field: String, _ range: ClosedRange<Int>) {
            if !range.contains(value.count) {
                fields.refuse(
                    field, "LS01", "\(range.lowerBound) to \(range.upperBound) characters are needed.")
            }
        }
        text(definition.name, "definition.name", 3...120)
        text(definition.description_p, "definition.description", 0...4_000)
        let (start, end) = (definition.startOn.calendarDate, definition.endOn.calendarDate)
        if let start, let end, SupportedDays.all.contains(start), SupportedDays.all.contains(end),
            start <= end
        {
        } else {
            fields.refuse("definition.start_on", "LS02", "A first and a last day are needed, in this order.")
        }
        let kinds = definition.providerKinds
        if kinds.isEmpty || Set(kinds).count != kinds.count
            || !kinds.allSatisfy({ LocalProviderKind(rawValue: $0.rawValue) != nil })
        {
            fields.refuse("definition.provider_kinds", "LS03", "Name the kinds of provider, each once.")
        }
        let shared = definition.sharedWith
        if Set(shared).count != shared.count || shared.contains(owner)
            || !shared.allSatisfy({ ODSCode($0) != nil })
        {
            fields.refuse("definition.shared_with", "LS04", "Codes of other commissioners, each once.")
        }
        checkBands(definition, figures, on: start, into: &fields)
        if definition.participationOnly {
            if !definition.components.isEmpty || !definition.payCode.isEmpty
                || !definition.backingColumns.isEmpty
            {
                fields.refuse(
                    "definition.participation_only", "LS05", "It has no components, pay code or backing data."
                )
            }
            return
        }
        checkPayment(definition, figures, on: start, into: &fields)
        if !(1...200).contains(definition.components.count) {
            fields.refuse("definition.components", "LS07", "1 to 200 components are needed.")
        }
        let names = definition.components.map(\.componentID)
        for (index, component) in definition.components.enumerated() {
            check(component, "definition.components[\(index)]", into: &fields)
            if names.firstIndex(of: component.componentID) != index {
                fields.refuse("definition.components[\(index)].component_id", "LS07", "It is named twice.")
            }
        }
        checkBacking(definition, Set(names), into: &fields)
    }

    private static func checkPayment(
        _ definition: Definition, _ figures: NationalFigures, on day: CalendarDate?,
        into fields: inout RequestFields
    ) {
        if LocalRoute(rawValue: definition.paymentRoute.rawValue) == nil {
            fields.refuse("definition.payment_route", "LS06", "The route is PCSE or file.")
        }
        // 10.1: new pay codes are added by the service team, as figures with their days.
        let known =
            day.map { figures.optionalFigure("local_pay_code", definition.payCode, on: $0) != nil } ?? true
        if definition.payCode.isEmpty || !known {
            fields.refuse(
                "definition.pay_code", "LS06",
                "\"\(definition.payCode.prefix(20))\" is no pay code of local services on the first day.")
        }
        if definition.subjectiveCode.count > 20 {
            fields.refuse("definition.subjective_code", "LS06", "At most 20 characters.")
        }
    }

    /// A service may ask for more approval than the nation does, never for less (10.2).
    private static func checkBands(
        _ definition: Definition, _ figures: NationalFigures, on day: CalendarDate?,
        into fields: inout RequestFields
    ) {
        let bands = [
            ("medium_band_from_pounds", definition.mediumBandFromPounds, "local_band_medium_from_pounds"),
            ("high_band_from_pounds", definition.highBandFromPounds, "local_band_high_from_pounds"),
        ]
        var bounds: [Rational] = []
        for (field, text, name) in bands where !text.isEmpty {
            guard let value = ExactDecimal(text, maximumScale: 2), value.mantissa >= 0 else {
                fields.refuse("definition." + field, "LS08", "Pounds, with at most 2 decimals.")
                continue
            }
            bounds.append(value.rational)
            if let day, let nation = figures.optionalFigure(name, "", on: day),
                value.rational > nation.value.rational
            {
                fields.refuse("definition." + field, "LS08", "It is not above the national \(nation.value).")
            }
        }
        if bounds.count == 2, bounds[0] > bounds[1] {
            fields.refuse(
                "definition.high_band_from_pounds", "LS08", "It is not below that of the medium band.")
        }
    }

    private static func check(
        _ component: Pcs_Cqrs_V1_LocalComponent, _ path: String, into fields: inout RequestFields
    ) {
        let allowed = component.componentID.utf8.allSatisfy {
            (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
        if !allowed || !(2...20).contains(component.componentID.count) {
            fields.refuse(path + ".component_id", "LS07", "2 to 20 of A-Z, 0-9 and hyphen.")
        }
        if !(1...120).contains(component.name.count) {
            fields.refuse(path + ".name", "LS07", "1 to 120 characters.")
        }
        let unit = LocalUnit(rawValue: component.unit.rawValue)
        if unit == nil { fields.refuse(path + ".unit", "LS07", "A unit is needed.") }
        if unit == .fixed, component.decimalsAllowed {
            fields.refuse(path + ".decimals_allowed", "LS07", "A fixed sum is claimed whole.")
        }
        checkTariffs(component, path, into: &fields)
        let bounds = [
            ("minimum_quantity", component.minimumQuantity), ("maximum_quantity", component.maximumQuantity),
        ]
        let values = bounds.map { field, text -> LocalQuantity? in
            let value = LocalQuantity(text, allowsDecimals: component.decimalsAllowed)
            if !text.isEmpty, value == nil {
                fields.refuse("\(path).\(field)", "LS10", "No quantity of this unit.")
            }
            return value
        }
        if let least = values[0], let most = values[1], least > most {
            fields.refuse(path + ".maximum_quantity", "LS10", "It is not below the minimum.")
        }
        for (index, cap) in component.caps.enumerated() {
            let kind = LocalCapKind(rawValue: cap.kind.rawValue)
            let decimals: UInt8 =
                kind == .valueAYear ? 2 : kind == .perMilleOfList ? 3 : component.decimalsAllowed ? 3 : 0
            let limit = ExactDecimal(cap.limit, maximumScale: decimals)
            if kind == nil || limit == nil || (limit?.mantissa ?? 0) < 0
                || (limit?.mantissa ?? 0) > 1_000_000_000_000
                || component.caps.firstIndex(where: { $0.kind == cap.kind }) != index
            {
                fields.refuse(
                    "\(path).caps[\(index)]", "LS11", "A kind, once each, and its limit as an exact decimal.")
            }
        }
    }

    private static func checkTariffs(
        _ component: Pcs_Cqrs_V1_LocalComponent, _ path: String, into fields: inout RequestFields
    ) {
        if component.tariffs.isEmpty {
            fields.refuse(path + ".tariffs", "LS09", "At least one tariff is needed.")
        }
        var rows: [LocalTariffRow] = []
        for (index, tariff) in component.tariffs.enumerated() {
            let place = "\(path).tariffs[\(index)]"
            guard let amount = ExactDecimal(tariff.amountPounds, maximumScale: 4), amount.mantissa >= 0,
                amount.mantissa <= 100_000_000_000, tariff.providerGroup.count <= 40
            else {
                fields.refuse(
                    place + ".amount_pounds", "LS09", "Pounds, at least 0, with at most 4 decimals.")
                continue
            }
            let to = tariff.hasValidTo ? tariff.validTo.calendarDate : nil
            guard let from = tariff.validFrom.calendarDate,
                !tariff.hasValidTo || (to.map { $0 >= from } ?? false)
            else {
                fields.refuse(
                    place + ".valid_from", "LS09", "A first day is needed, and no last day before it.")
                continue
            }
            let row = LocalTariffRow(group: tariff.providerGroup, amount: amount, from: from, to: to)
            if rows.contains(where: row.overlaps) {
                fields.refuse(place, "LS09", "Two tariffs of one group hold on the same day.")
            }
            rows.append(row)
        }
    }

    /// LOC-10.
    private static func checkBacking(
        _ definition: Definition, _ components: Set<String>, into fields: inout RequestFields
    ) {
        let names = definition.backingColumns.map(\.name)
        for (index, column) in definition.backingColumns.enumerated() {
            let path = "definition.backing_columns[\(index)]"
            let type = LocalBackingType(rawValue: column.type.rawValue)
            if type == nil || !(1...40).contains(column.name.count)
                || names.firstIndex(of: column.name) != index
                || column.name.contains(",") || names.count > 40
            {
                fields.refuse(
                    path, "LS12", "Up to 40 columns, each with a name of its own without commas, and a type.")
            }
            let isNumber = type == .whole || type == .decimal
            if !column.componentID.isEmpty, !isNumber || !components.contains(column.componentID) {
                fields.refuse(
                    path + ".component_id", "LS12",
                    "Only a column of numbers adds up to a component of the service.")
            }
        }
    }
}
