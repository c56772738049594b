import PluginAPI

/// One version of a quality service: what is counted and what it earns (cqrs.md 3.1). Immutable once published.
struct ServiceDefinition: Hashable, Sendable {
    var code: String
    var version: Int
    var name: String
    var financialYear: String
    var paymentType: PaymentType
    var startOn: CalendarDate
    var endOn: CalendarDate
    var paymentPeriod: Frequency
    var collectionFrequency: Frequency
    var collectionType: CollectionType
    var offerUnit: OfferUnit
    var method: CalculationMethod
    var populationBase: PopulationBase
    var providerKinds: [String]
    var flags: Set<Flag>
    var payCode: String
    var subjectiveCode: String
    var confidence: Confidence
    var source: String
    var indicators: [Indicator] = []
    var tariffs: [Tariff] = []

    enum Flag: String, CaseIterable, Sendable {
        case noDeclarationRequired, noApprovalRequired, autoDeclare, autoAcceptOffer, pcnAggregated,
            coCommissioned
        case financeApprovalRequired
    }

    /// Indicators that earn something; information-only ones are not counted.
    var payingIndicators: Int { indicators.count { $0.purpose == .payment } }

    var points: Points { Points(hundredths: indicators.reduce(0) { $0 + $1.points.hundredths }) }

    func covers(_ day: CalendarDate) -> Bool { day >= startOn && day <= endOn }
}

// The numbers are those of the contract; the words those of the files.

enum PaymentType: Int, CaseIterable, Sendable { case qof = 1, des, vaccination, pcn, local, information }
enum Frequency: Int, CaseIterable, Sendable { case none = 1, monthly, quarterly, annual, oneOff }
enum CollectionType: Int, CaseIterable, Sendable { case automated = 1, manual, mixed, calculationOnly }
enum OfferUnit: Int, CaseIterable, Sendable { case practice = 1, pcn }
enum CalculationMethod: Int, CaseIterable, Sendable {
    case none = 1, qof, itemOfService, population, networkPoints
}
enum PopulationBase: Int, CaseIterable, Sendable { case none = 1, crp, wpls, pcnAdjusted, careHomeBeds }
enum Weighting: Int, CaseIterable, Sendable { case none = 1, register, targetPopulation }
enum IndicatorPurpose: Int, CaseIterable, Sendable { case payment = 1, information }
/// Official, secondary, our decision, unconfirmed: the marks of cqrs.md.
enum Confidence: Int, CaseIterable, Sendable { case A = 1, B, C, U }

/// Points to two decimals (GEN-3).
struct Points: Hashable, Comparable, Sendable, CustomStringConvertible {
    var hundredths: Int64
    static let zero = Points(hundredths: 0)
    var decimal: ExactDecimal { ExactDecimal(mantissa: hundredths, scale: 2) }
    var description: String { decimal.description }
    static func < (left: Points, right: Points) -> Bool { left.hundredths < right.hundredths }
}

struct Indicator: Hashable, Sendable {
    var code: String
    var description: String
    var group: String
    var purpose: IndicatorPurpose
    var points: Points
    /// The first route is the indicator's own; the best of several counts.
    var routes: [ScoringRoute]
    var weighting: Weighting
    var weightingGroup: String
    var isManual: Bool
    var hasDefault: Bool
    var isIncomeProtected: Bool
    var fields: [CountField]
    /// Of a count: the field of this indicator that the year's sum must not exceed (DAT-10).
    var cappedByField: String
    var confidence: Confidence
    var source: String

    var kind: IndicatorKind { routes[0].kind }

    /// Fields without which the indicator is not complete (DAT-4).
    var requiredFields: [CountField] { fields.filter { $0.role.isRequired } }
    func field(_ role: CountField.Role) -> String? { fields.first { $0.role == role }?.name }
}

enum IndicatorKind: Int, CaseIterable, Sendable {
    case register = 1, fraction, boolean, count, stepped, inverse

    var isFraction: Bool { self == .fraction || self == .stepped || self == .inverse }
}

/// A way to the points. Thresholds in hundredths of a percent; `nil` = not confirmed, so that it cannot be scored.
struct ScoringRoute: Hashable, Sendable {
    var name: String
    var kind: IndicatorKind
    var lower: Int64?
    var upper: Int64?
    var points: Points
    /// Points at the lower threshold, of a stepped fraction.
    var step: Points
}

/// A figure in which an indicator's counts arrive.
struct CountField: Hashable, Sendable {
    enum Role: String, CaseIterable, Sendable {
        case numerator = "N", denominator = "D", register = "R", flag = "Y", count = "C", maximum = "M"
        /// A personalised care adjustment, or an exclusion: kept, never scored.
        case adjustment = "A", exclusion = "X"

        var isRequired: Bool { self != .adjustment && self != .exclusion }
    }
    var role: Role
    var name: String
}

/// Pounds for each unit, on dated rows (GEN-5).
struct Tariff: Hashable, Sendable {
    var name: String
    /// Indicator whose count it pays; empty = paid on a population.
    var indicator: String
    /// Pounds, exact.
    var amount: ExactDecimal
    var base: PopulationBase
    /// 12 = a year's amount paid by the month.
    var dividedBy: Int64
    var from: CalendarDate
    /// Last day.
    var to: CalendarDate?
    /// Most units in a financial year; `nil` = no cap.
    var capAYear: Int64?
    var confidence: Confidence
    var source: String

    func holds(on day: CalendarDate) -> Bool { from <= day && (to.map { day <= $0 } ?? true) }
}
