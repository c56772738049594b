import Digests
import PluginAPI
import Tabular

/// A definition as the three files from which it can be read again: how it is stored, hashed and given out.
enum DefinitionText {
    static func services(_ definitions: [ServiceDefinition]) -> [UInt8] {
        var writer = CSVWriter()
        writer.append(DefinitionFiles.serviceColumns.map { .plain($0) })
        for definition in definitions {
            let flags = ServiceDefinition.Flag.allCases.filter(definition.flags.contains).map(\.rawValue)
            let cells: [String] = [
                definition.code, String(definition.version), definition.name, definition.financialYear,
                "\(definition.paymentType)", "\(definition.startOn)", "\(definition.endOn)",
                "\(definition.paymentPeriod)", "\(definition.collectionFrequency)",
                "\(definition.collectionType)",
                "\(definition.offerUnit)", "\(definition.method)", "\(definition.populationBase)",
                definition.providerKinds.joined(separator: "|"), flags.joined(separator: "|"),
                definition.payCode,
                definition.subjectiveCode, "\(definition.confidence)", definition.source,
            ]
            writer.append(cells.map { .plain($0) })
        }
        return writer.take()
    }

    static func indicators(_ definition: ServiceDefinition) -> [UInt8] {
        guard !definition.indicators.isEmpty else { return [] }
        var writer = CSVWriter()
        writer.append(DefinitionFiles.indicatorColumns.map { .plain($0) })
        for indicator in definition.indicators {
            let route = indicator.routes[0]
            let fields = indicator.fields.map { $0.role.rawValue + "=" + $0.name }
            let routes = indicator.routes.dropFirst().map { route in
                let parts = [
                    route.name, "\(route.kind)", percent(route.lower), percent(route.upper),
                    "\(route.points)",
                    "\(route.step)",
                ]
                return parts.joined(separator: ":")
            }
            let cells: [String] = [
                definition.code, String(definition.version), indicator.code, indicator.group,
                "\(indicator.purpose)",
                "\(route.kind)", "\(route.points)", percent(route.lower), percent(route.upper),
                "\(route.step)",
                "\(indicator.weighting)", indicator.weightingGroup, indicator.isManual ? "M" : "A",
                indicator.hasDefault ? "Y" : "N", indicator.isIncomeProtected ? "Y" : "N", "",
                fields.joined(separator: "|"), indicator.cappedByField, routes.joined(separator: "|"),
                "\(indicator.confidence)", indicator.source, indicator.description,
            ]
            writer.append(cells.map { .plain($0) })
        }
        return writer.take()
    }

    static func tariffs(_ definition: ServiceDefinition) -> [UInt8] {
        guard !definition.tariffs.isEmpty else { return [] }
        var writer = CSVWriter()
        writer.append(DefinitionFiles.tariffColumns.map { .plain($0) })
        for tariff in definition.tariffs {
            let cells: [String] = [
                definition.code, String(definition.version), tariff.name, tariff.indicator,
                "\(tariff.amount)",
                "\(tariff.base)", String(tariff.dividedBy), "\(tariff.from)", tariff.to.map { "\($0)" } ?? "",
                tariff.capAYear.map { String($0) } ?? "", "\(tariff.confidence)", tariff.source,
            ]
            writer.append(cells.map { .plain($0) })
        }
        return writer.take()
    }

    static func hash(_ definition: ServiceDefinition) -> String {
        Digest.hex(Digest.sha256(services([definition]) + indicators(definition) + tariffs(definition)))
    }

    private static func percent(_ hundredths: Int64?) -> String {
        hundredths.map { "\(ExactDecimal(mantissa: $0, scale: 2))" } ?? ""
    }
}
