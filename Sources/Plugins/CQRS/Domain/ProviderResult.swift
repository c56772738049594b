import PluginAPI

/// What a provider achieved and earned: every figure that its explanation needs is in it.
struct ProviderResult: Hashable, Sendable {
    var provider: ODSCode
    var lines: [ResultLine]
    /// Whether all figures are there; otherwise it is for information and never declared (DAT-4).
    var isComplete: Bool
    var bases: ProviderBases
    var points: Points
    var maximum: Points
    var total: Money
}

/// One line: an indicator, or a tariff on a population.
struct ResultLine: Hashable, Sendable {
    /// Index in the definition; -1 = none.
    var indicator: Int = -1
    /// Index of the (first) tariff in the definition; -1 = none.
    var tariff: Int = -1
    var numerator: Int64 = 0
    var denominator: Int64 = 0
    var register: Int64 = 0
    var adjustments: Int64 = 0
    var quantity: Int64 = 0
    var points = Points.zero
    var standing = IndicatorScore.Standing.unscored
    var route: Int = 0
    var amount = Money.zero
}

/// Population figures of a provider as they were used, with the rows they came from (POP-1).
struct ProviderBases: Hashable, Sendable {
    struct Figure: Hashable, Sendable {
        var rowID: Int64
        var value: ExactDecimal
        var asOf: CalendarDate
        var source: String
    }
    /// List that weights the size.
    var list: Figure?
    /// List that prevalence is taken of.
    var prevalenceList: Figure?
    var weighted: Figure?
    var adjusted: Figure?
    var beds: Figure?

    func figure(_ base: PopulationBase) -> Figure? {
        switch base {
        case .crp: list
        case .wpls: weighted
        case .pcnAdjusted: adjusted
        case .careHomeBeds: beds
        case .none: nil
        }
    }
}

/// National figures of a run, chosen once for all providers.
struct RunInputs: Hashable, Sendable {
    var day: CalendarDate
    var valuePerPoint: NationalFigures.Figure?
    var averageList: NationalFigures.Figure?
    var nationalList: NationalFigures.Figure?
    /// By weighting group: register of a disease (QOF), or the national denominator (networks).
    var nationalRegisters: [String: NationalFigures.Figure] = [:]
    /// Number of networks in England.
    var networks: NationalFigures.Figure?

    /// Chooses what the method needs; the first figure that is missing is named.
    init(_ definition: ServiceDefinition, on day: CalendarDate, _ figures: NationalFigures) throws(CQRSError)
    {
        self.day = day
        let scheme: String
        switch definition.method {
        case .qof: scheme = "QOF"
        case .networkPoints: scheme = "IIF"
        default: return
        }
        let year = FinancialYear(containing: day)
        valuePerPoint = try figures.figure("value_per_point", scheme, on: day)
        if definition.method == .qof {
            averageList = try figures.averageListSize(scheme, for: year)
        } else {
            networks = try figures.figure("network_count", "", on: day)
        }
        let groups = Set(
            definition.indicators.filter { $0.purpose == .payment && $0.weighting == .register }.map(
                \.weightingGroup))
        if !groups.isEmpty || definition.method == .networkPoints {
            nationalList = try figures.figure("national_list", "", on: year.lastDay)
        }
        for group in groups.sorted() {
            nationalRegisters[group] = try figures.figure("national_register", group, on: year.lastDay)
        }
    }
}
