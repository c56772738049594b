import CommonContract
import CqrsContract
import PluginAPI
import SwiftProtobuf

// Between the domain's values and the contract's messages.

extension Pcs_Cqrs_V1_ServiceDefinition {
    init(_ record: ServiceStore.Record, whole: Bool) {
        self.init()
        let definition = record.definition
        code = definition.code
        version = Int32(clamping: definition.version)
        name = definition.name
        financialYear = definition.financialYear
        paymentType = .init(rawValue: definition.paymentType.rawValue) ?? .unspecified
        startOn = Pcs_Common_V1_Date(definition.startOn)
        endOn = Pcs_Common_V1_Date(definition.endOn)
        paymentPeriod = .init(rawValue: definition.paymentPeriod.rawValue) ?? .unspecified
        collectionFrequency = .init(rawValue: definition.collectionFrequency.rawValue) ?? .unspecified
        collectionType = .init(rawValue: definition.collectionType.rawValue) ?? .unspecified
        offerUnit = .init(rawValue: definition.offerUnit.rawValue) ?? .unspecified
        calculationMethod = .init(rawValue: definition.method.rawValue) ?? .unspecified
        populationBase = .init(rawValue: definition.populationBase.rawValue) ?? .unspecified
        noDeclarationRequired = definition.flags.contains(.noDeclarationRequired)
        noApprovalRequired = definition.flags.contains(.noApprovalRequired)
        autoDeclare = definition.flags.contains(.autoDeclare)
        autoAcceptOffer = definition.flags.contains(.autoAcceptOffer)
        pcnAggregated = definition.flags.contains(.pcnAggregated)
        coCommissioned = definition.flags.contains(.coCommissioned)
        financeApprovalRequired = definition.flags.contains(.financeApprovalRequired)
        payCode = definition.payCode
        subjectiveCode = definition.subjectiveCode
        state = .init(rawValue: record.state.rawValue) ?? .unspecified
        source = definition.source
        confidence = .init(rawValue: definition.confidence.rawValue) ?? .unspecified
        loadedBy = record.loadedBy
        loadedAt = Google_Protobuf_Timestamp(record.loadedAt)
        publishedBy = record.publishedBy
        if let at = record.publishedAt { publishedAt = Google_Protobuf_Timestamp(at) }
        definitionSha256 = record.sha256
        indicatorCount = Int32(clamping: definition.payingIndicators)
        pointsHundredths = definition.points.hundredths
        providerKinds = definition.providerKinds
        if whole {
            indicators = definition.indicators.map { Pcs_Cqrs_V1_Indicator($0) }
            tariffs = definition.tariffs.map { Pcs_Cqrs_V1_Tariff($0) }
        }
    }
}

extension Pcs_Cqrs_V1_Indicator {
    init(_ indicator: Indicator) {
        self.init()
        let route = indicator.routes[0]
        code = indicator.code
        description_p = indicator.description
        group = indicator.group
        kind = .init(rawValue: route.kind.rawValue) ?? .unspecified
        purpose = .init(rawValue: indicator.purpose.rawValue) ?? .unspecified
        pointsHundredths = indicator.points.hundredths
        lowerPercent = percentText(route.lower)
        upperPercent = percentText(route.upper)
        stepPointsHundredths = route.step.hundredths
        weighting = .init(rawValue: indicator.weighting.rawValue) ?? .unspecified
        weightingGroup = indicator.weightingGroup
        manual = indicator.isManual
        fields = indicator.fields.map { $0.role.rawValue + "=" + $0.name }
        incomeProtected = indicator.isIncomeProtected
        source = indicator.source
        confidence = .init(rawValue: indicator.confidence.rawValue) ?? .unspecified
        cappedBy = indicator.cappedByField
        hasDefault_p = indicator.hasDefault
        routes = indicator.routes.dropFirst().map { route in
            .with {
                $0.name = route.name
                $0.kind = .init(rawValue: route.kind.rawValue) ?? .unspecified
                $0.lowerPercent = percentText(route.lower)
                $0.upperPercent = percentText(route.upper)
                $0.stepPointsHundredths = route.step.hundredths
                $0.pointsHundredths = route.points.hundredths
            }
        }
    }
}

/// A percentage in hundredths as plain text; empty when it is not confirmed.
private func percentText(_ hundredths: Int64?) -> String {
    hundredths.map { ExactDecimal(mantissa: $0, scale: 2).trimmed().description } ?? ""
}

extension Pcs_Cqrs_V1_Tariff {
    init(_ tariff: Tariff) {
        self.init()
        name = tariff.name
        indicatorCode = tariff.indicator
        amountPounds = tariff.amount.description
        unit = tariff.indicator.isEmpty ? "\(tariff.base)" : "item"
        dividedBy = Int32(clamping: tariff.dividedBy)
        validFrom = Pcs_Common_V1_Date(tariff.from)
        if let to = tariff.to { validTo = Pcs_Common_V1_Date(to) }
        capAYear = tariff.capAYear ?? 0
        source = tariff.source
        confidence = .init(rawValue: tariff.confidence.rawValue) ?? .unspecified
    }
}

extension Pcs_Cqrs_V1_ExtractLoad {
    init(_ submission: CountStore.Submission) {
        self.init()
        loadID = submission.id
        format = .init(rawValue: submission.format) ?? .unspecified
        fileName = submission.fileName
        sha256 = submission.sha256
        rows = submission.rows
        providers = submission.providers
        added = submission.added
        changed = submission.changed
        unchanged = submission.unchanged
        keptManual = submission.keptManual
        services = submission.services.split(separator: " ").map(String.init)
        loadedBy = submission.by
        loadedAt = Google_Protobuf_Timestamp(submission.at)
    }
}

extension Pcs_Cqrs_V1_CalculationRun {
    init(_ run: CalculationStore.Run) {
        self.init()
        runID = run.id
        serviceCode = run.service
        serviceVersion = Int32(clamping: run.version)
        achievementDate = Pcs_Common_V1_Date(run.date)
        state = .init(rawValue: run.state.rawValue) ?? .unspecified
        providers = run.providers
        lines = run.lines
        incomplete = run.incomplete
        changed = run.changed
        unchanged = run.unchanged
        totalPence = run.totalPence
        pointsHundredths = run.points
        calculatedBy = run.by
        calculatedAt = Google_Protobuf_Timestamp(run.at)
        releasedBy = run.releasedBy
        meanBeforePence = run.meanBefore
        meanPence = run.providers > run.incomplete ? run.totalPence / (run.providers - run.incomplete) : 0
        movementBasisPoints = run.movement
    }
}
