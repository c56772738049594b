import CqrsContract
import PluginAPI

// What was sent and what came of it.
extension ReportBuilder {
    /// Whose results stand for a service and date in the scope: practices, or networks where these are calculated.
    private func units(_ key: IndicatorValuesFile.Key, _ definition: ServiceDefinition) throws -> [(
        code: String, commissioner: String
    )] {
        let byNetwork = definition.offerUnit == .pcn && !definition.flags.contains(.pcnAggregated)
        var units: [String: String] = [:]
        for participant in try scope.participants(key, reader) {
            let code = byNetwork ? pcn(of: participant.provider, on: key.date) : participant.provider
            if !code.isEmpty { units[code] = participant.commissioner }
        }
        return units.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func achievementSummary(into table: inout ReportTable) throws {
        for key in try keys() {
            guard let definition = try ServiceStore.published(key.service, reader)?.definition else {
                continue
            }
            let indicators = Dictionary(
                definition.indicators.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
            let source = try ResultSource(reader)
            for unit in try units(key, definition) {
                guard let view = try source.view(of: unit.code, key, calculation: query.calculation) else {
                    continue
                }
                let payment = try view.payment()
                let place = place(unit.code, unit.commissioner, on: key.date)
                let first =
                    [unit.code, name(unit.code, on: key.date), pcn(of: unit.code, on: key.date)] + place
                    + [key.service, key.date.description]
                let last = [view.stored.id, Cell.moment(view.run.at)]
                let paid = Dictionary(grouping: payment.lines, by: \.indicatorCode)
                for line in payment.achievement.lines {
                    let lines = paid[line.indicatorCode] ?? []
                    let route = indicators[line.indicatorCode]?.routes.first
                    table.append(
                        first + [line.indicatorCode, line.group, "\(line.numerator)", "\(line.denominator)"]
                            + [line.percent, line.percentWithAdjustments, line.mustRiseBy]
                            + [Self.percent(route?.lower), Self.percent(route?.upper)]
                            + [Points(hundredths: line.pointsHundredths).description]
                            + [
                                Points(hundredths: line.maximumPointsHundredths).description,
                                payment.population,
                            ]
                            + [lines.first?.listFactor ?? "", lines.first?.prevalenceFactor ?? ""]
                            + [Cell.pounds(lines.reduce(0) { $0 + $1.amountPence })] + last)
                }
                // Amounts on a population belong to no indicator.
                for line in paid[""] ?? [] {
                    table.append(
                        first + [
                            "", line.label, "", "", "", "", "", "", "", "", "", payment.population,
                            line.listFactor,
                        ]
                            + [line.prevalenceFactor, Cell.pounds(line.amountPence)] + last)
                }
            }
        }
    }

    private static func percent(_ hundredths: Int64?) -> String {
        hundredths.map { ExactDecimal(mantissa: $0, scale: 2).trimmed().description } ?? ""
    }

    func dataSubmission(into table: inout ReportTable) throws {
        let catalogue = try CountStore.catalogue(reader)
        for key in try submittedKeys() {
            for participant in try scope.participants(key, reader) {
                let view = try FiguresView(key, provider: participant.provider, catalogue: catalogue, reader)
                let pcn = pcn(of: participant.provider, on: key.date)
                let payee = pcn.isEmpty ? "" : try payee(of: pcn, on: key.date)
                let first = [
                    pcn, name(pcn, on: key.date), payee, name(payee, on: key.date),
                    try weightedList(participant.provider, on: key.date), participant.provider,
                    name(participant.provider, on: key.date), key.service, key.date.description,
                ]
                for cell in view.ordered(withHistory: true) {
                    table.append(
                        first + [
                            cell.name.indicator, cell.name.field, "\(cell.value)", cell.set.source.name,
                            cell.set.by,
                        ]
                            + [
                                Cell.moment(cell.set.at), Cell.yes(cell.isLast),
                                Cell.yes(cell.flags.contains(.isDefault)),
                            ]
                            + [Cell.yes(cell.flags.contains(.isLocked)), asOf])
                }
            }
        }
    }

    /// Also dates that were never calculated.
    private func submittedKeys() throws -> [IndicatorValuesFile.Key] {
        if let date = query.date { return [.init(service: query.service, date: date)] }
        return try CountStore.keys(of: query.service, from: query.from, to: query.to, reader)
    }

    func networkAchievement(into table: inout ReportTable) throws {
        guard let definition = try ServiceStore.published(query.service, reader)?.definition else { return }
        let catalogue = try CountStore.catalogue(reader)
        for key in try submittedKeys() {
            for participant in try scope.participants(key, reader) {
                let practice = participant.provider
                let view = try FiguresView(key, provider: practice, catalogue: catalogue, reader)
                let progress = view.progress(definition)
                let pcn = pcn(of: practice, on: key.date)
                let first = [
                    pcn, name(pcn, on: key.date), practice, name(practice, on: key.date), key.service,
                    key.date.description,
                    "\(progress.indicatorsSubmitted)", "\(progress.indicatorsExpected)",
                ]
                for indicator in definition.indicators {
                    let found = indicator.fields.compactMap { view.cell(indicator.code, $0.name) }
                    func value(_ roles: [CountField.Role]) -> String {
                        roles.lazy.compactMap { indicator.field($0) }.compactMap {
                            view.cell(indicator.code, $0)
                        }.first
                            .map { "\($0.value)" } ?? ""
                    }
                    table.append(
                        first + [
                            indicator.code, value([.numerator, .count, .flag, .register]),
                            value([.denominator, .maximum]),
                        ]
                            + [Cell.moment(found.map(\.set.at).max()), asOf])
                }
            }
        }
    }
}

/// Results with what they stand on, runs and definitions read once each.
final class ResultSource {
    private let reader: any Reader
    private var runs: [Int64: (CalculationStore.Run, ServiceDefinition)] = [:]

    init(_ reader: any Reader) throws { self.reader = reader }

    /// - Parameter calculation: an earlier result (REP-5); empty = the present one.
    func view(of provider: String, _ key: IndicatorValuesFile.Key, calculation: String = "") throws
        -> ResultView?
    {
        let results = try CalculationStore.results(of: provider, key, reader)
        guard
            let stored = calculation.isEmpty ? results.first : results.first(where: { $0.id == calculation })
        else {
            return nil
        }
        if runs[stored.runSeq] == nil {
            guard let run = try CalculationStore.run(seq: stored.runSeq, reader),
                let record = try ServiceStore.record(run.service, run.version, reader)
            else { throw CQRSError.damaged("result") }
            runs[stored.runSeq] = (run, record.definition)
        }
        guard let (run, definition) = runs[stored.runSeq] else { return nil }
        return try ResultView(stored, run, definition)
    }
}
