import Digests
import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// A stored result with what it stands on, as callers see it.
struct ResultView {
    let stored: CalculationStore.Stored
    let result: ProviderResult
    let definition: ServiceDefinition
    let inputs: RunInputs
    let run: CalculationStore.Run

    init(
        _ stored: CalculationStore.Stored, _ run: CalculationStore.Run, _ definition: ServiceDefinition
    ) throws {
        self.stored = stored
        self.run = run
        self.definition = definition
        result = try stored.result()
        inputs = try ResultCoding.readInputs(run.inputs)
    }

    static func find(_ request: Pcs_Cqrs_V1_GetAchievementRequest, _ reader: any Reader) throws -> ResultView
    {
        if !request.calculationID.isEmpty {
            return try find(request.calculationID, provider: request.providerCode, reader)
        }
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        guard let stored = try CalculationStore.results(of: request.providerCode, key, reader).first else {
            throw Failure(CqrsReasons.resultUnknown)
        }
        return try view(stored, reader)
    }

    /// By "run.provider"; the provider asked for must be the result's own.
    static func find(_ id: String, provider: String, _ reader: any Reader) throws -> ResultView {
        let parts = id.split(separator: ".")
        guard parts.count == 2, let seq = Int64(parts[0]), parts[1] == provider,
            let run = try CalculationStore.run(seq: seq, reader),
            let stored = try CalculationStore.results(
                of: provider, .init(service: run.service, date: run.date), reader
            ).first(where: { $0.runSeq == seq })
        else { throw Failure(CqrsReasons.resultUnknown) }
        return try view(stored, reader)
    }

    private static func view(_ stored: CalculationStore.Stored, _ reader: any Reader) throws -> ResultView {
        guard let run = try CalculationStore.run(seq: stored.runSeq, reader),
            let record = try ServiceStore.record(run.service, run.version, reader)
        else { throw CQRSError.damaged("result") }
        return try ResultView(stored, run, record.definition)
    }

    /// The results that a run found to be present: its own, and earlier ones that came out the same.
    static func all(of runID: String, _ reader: any Reader) throws -> [ResultView] {
        guard let run = try CalculationStore.run(runID, reader) else { throw Failure(CqrsReasons.runUnknown) }
        let present = try CalculationStore.present(.init(service: run.service, date: run.date), reader)
        var runs: [Int64: (CalculationStore.Run, ServiceDefinition)] = [:]
        var views: [ResultView] = []
        for stored in present.values.sorted(by: { $0.provider < $1.provider }) {
            if runs[stored.runSeq] == nil {
                guard let own = try CalculationStore.run(seq: stored.runSeq, reader),
                    let record = try ServiceStore.record(own.service, own.version, reader)
                else { throw CQRSError.damaged("result") }
                runs[stored.runSeq] = (own, record.definition)
            }
            if let (own, definition) = runs[stored.runSeq] {
                views.append(try ResultView(stored, own, definition))
            }
        }
        return views
    }

    /// Points, never pounds (REP-2).
    func achievement() throws -> Pcs_Cqrs_V1_Achievement {
        .with {
            $0.calculationID = stored.id
            $0.providerCode = stored.provider
            $0.serviceCode = definition.code
            $0.serviceVersion = Int32(clamping: definition.version)
            $0.achievementDate = Pcs_Common_V1_Date(run.date)
            $0.lines = result.lines.filter { $0.indicator >= 0 }.map(line)
            $0.pointsHundredths = result.points.hundredths
            $0.maximumPointsHundredths = result.maximum.hundredths
            $0.complete = result.isComplete
            $0.calculatedAt = Google_Protobuf_Timestamp(run.at)
            $0.figuresSha256 = Digest.hex(stored.figures)
        }
    }

    private func line(_ line: ResultLine) -> Pcs_Cqrs_V1_AchievementLine {
        let indicator = definition.indicators[line.indicator]
        return .with {
            $0.indicatorCode = indicator.code
            $0.description_p = indicator.description
            $0.group = indicator.group
            $0.numerator = line.numerator
            $0.denominator = line.denominator
            $0.register = line.register
            $0.personalisedCareAdjustments = line.adjustments
            $0.percent = ResultView.percent(line.numerator, of: line.denominator)
            $0.percentWithAdjustments = ResultView.percent(
                line.numerator, of: line.denominator + line.adjustments)
            $0.pointsHundredths = line.points.hundredths
            $0.maximumPointsHundredths = indicator.points.hundredths
            $0.notEarnableBecause =
                switch line.standing {
                case .emptyCohort: "CALC-1: nobody in the cohort"
                case .thresholdUnknown: "a threshold is not confirmed"
                case .missing: "DAT-4: figures are missing"
                default: ""
                }
            $0.incomeProtected = line.standing == .incomeProtected
            $0.informationOnly = indicator.purpose == .information
            $0.route = indicator.routes.count > 1 ? indicator.routes[line.route].name : ""
            $0.mustRiseBy = ResultView.mustRise(line, indicator)
        }
    }

    /// R12: percentage points that are missing until something is earned, rounded up to two decimals.
    static func mustRise(_ line: ResultLine, _ indicator: Indicator) -> String {
        guard indicator.kind.isFraction, line.points == .zero, line.standing == .nothing,
            line.denominator > 0,
            let lower = indicator.routes[line.route].lower, let upper = indicator.routes[line.route].upper
        else { return "" }
        let (n, d) = (10_000 * line.numerator, line.denominator)
        let missing = indicator.kind == .inverse ? n - upper * d : lower * d - n
        let hundredths = missing / d + (missing % d > 0 ? 1 : 0)
        return ExactDecimal(mantissa: hundredths, scale: 2).description
    }

    /// Cut after 6 decimals; empty without a denominator.
    static func percent(_ numerator: Int64, of denominator: Int64) -> String {
        guard denominator > 0, let value = try? Rational(Int128(numerator) * 100, over: Int128(denominator))
        else { return "" }
        return value.text(decimals: 6)
    }

    /// Lines that are paid, in order.
    private var paid: [ResultLine] {
        result.lines.filter { $0.indicator < 0 || definition.indicators[$0.indicator].purpose == .payment }
    }

    func payment() throws -> Pcs_Cqrs_V1_AchievementPayment {
        let achievement = try achievement()
        let explainer = ResultExplanation(definition: definition, inputs: inputs, bases: result.bases)
        return try .with { reply in
            reply.achievement = achievement
            reply.totalPence = result.total.pence
            if let figure = result.bases.list ?? result.bases.weighted ?? result.bases.adjusted
                ?? result.bases.beds
            {
                reply.population = figure.value.description
                reply.populationID = figure.rowID
            }
            reply.lines = try paid.enumerated().map { index, line in
                let explanation = explainer.explain(line)
                let values = try explanation.values()
                func factor(_ name: String) -> String {
                    explanation.steps.firstIndex { $0.name == name }.map { values[$0].text(decimals: 6) }
                        ?? ""
                }
                return .with {
                    $0.number = Int32(index + 1)
                    $0.indicatorCode = line.indicator >= 0 ? definition.indicators[line.indicator].code : ""
                    $0.label = line.tariff >= 0 ? definition.tariffs[line.tariff].name : $0.indicatorCode
                    $0.pointsHundredths = line.points.hundredths
                    $0.listFactor = factor("list factor (CPI)") + factor("list adjustment")
                    $0.prevalenceFactor = factor("prevalence factor (APDF)") + factor("prevalence adjustment")
                    $0.quantity = line.quantity
                    $0.amountPence = line.amount.pence
                }
            }
        }
    }

    /// - Parameter line: 0 = all.
    func explanation(line wanted: Int) throws -> Pcs_Cqrs_V1_CalculationExplanation {
        let explainer = ResultExplanation(definition: definition, inputs: inputs, bases: result.bases)
        let lines = try paid.enumerated().filter { wanted == 0 || $0.offset + 1 == wanted }.map {
            index, line in
            try ResultView.message(
                explainer.explain(line), number: index + 1,
                indicator: line.indicator >= 0 ? definition.indicators[line.indicator].code : "")
        }
        if lines.isEmpty, wanted != 0 {
            throw Failure(CqrsReasons.resultUnknown, "There is no line \(wanted).")
        }
        return .with {
            $0.calculationID = stored.id
            $0.providerCode = stored.provider
            $0.lines = lines
            $0.totalPence = wanted == 0 ? result.total.pence : lines.reduce(0) { $0 + $1.amountPence }
        }
    }

    static func message(_ explanation: Explanation, number: Int, indicator: String) throws
        -> Pcs_Cqrs_V1_CalculationLineExplanation
    {
        guard let values = try? explanation.values(), let replayed = try? explanation.replay(),
            replayed == explanation.amount
        else { throw CQRSError.damaged("explanation") }
        return .with {
            $0.number = Int32(number)
            $0.indicatorCode = indicator
            $0.rule = explanation.rule
            $0.ruleVersion = Int32(explanation.ruleVersion)
            $0.inputs = explanation.inputs.map { input in
                .with {
                    $0.name = input.name
                    $0.value = input.value.description
                    $0.unit = input.unit.name
                    $0.source = input.source.description
                    $0.asOf = Pcs_Common_V1_Date(input.asOf)
                }
            }
            $0.steps = zip(explanation.steps, values).map { step, value in
                .with {
                    $0.expression = explanation.expression(of: step)
                    $0.value = value.text()
                }
            }
            $0.rounding = explanation.rounding
            $0.amountPence = explanation.amount.pence
            $0.replayedPence = replayed.pence
        }
    }
}
