import PluginAPI

/// Counts become points (cqrs.md 6.2). All comparisons are of whole numbers; the one rounding, half up to two decimals,
/// is at the end (GEN-3).
struct IndicatorScore: Hashable, Sendable {
    enum Standing: Int, Sendable {
        /// At or below the lower threshold, or at or above the worst.
        case nothing = 1
        case between
        case everything
        /// Nobody in the cohort: nothing can be earned (CALC-1).
        case emptyCohort
        /// A threshold is not confirmed.
        case thresholdUnknown
        /// Last year's points are paid (6.5).
        case incomeProtected
        /// No points: counts that a tariff pays, or information.
        case unscored
        /// Figures are missing.
        case missing
    }

    var points: Points
    var standing: Standing
    /// Index of the route that counted.
    var route = 0

    /// Largest count taken, so that every product below fits in 64 bits.
    static let largestCount: Int64 = 99_999_999
    /// Most points of one indicator, in hundredths.
    static let mostPoints: Int64 = 1_000_00

    static func score(_ route: ScoringRoute, numerator n: Int64, denominator d: Int64) -> IndicatorScore {
        guard d > 0 else { return IndicatorScore(points: .zero, standing: .emptyCohort) }
        guard let lower = route.lower, let upper = route.upper else {
            return IndicatorScore(points: .zero, standing: .thresholdUnknown)
        }
        // 10,000 n / d is the percentage in hundredths: compared crosswise, it stays whole.
        let achieved = 10_000 * n
        let (atLower, atUpper) = (lower * d, upper * d)
        switch route.kind {
        case .inverse:
            if achieved >= atUpper { return IndicatorScore(points: .zero, standing: .nothing) }
            if achieved <= atLower { return IndicatorScore(points: route.points, standing: .everything) }
            return share(route.points.hundredths, of: atUpper - achieved, in: atUpper - atLower, plus: 0)
        case .stepped:
            if achieved < atLower { return IndicatorScore(points: .zero, standing: .nothing) }
            if achieved >= atUpper { return IndicatorScore(points: route.points, standing: .everything) }
            let step = route.step.hundredths
            return share(
                route.points.hundredths - step, of: achieved - atLower, in: atUpper - atLower, plus: step)
        default:
            // CALC-2: exactly at the lower threshold earns nothing, exactly at the upper everything.
            if achieved <= atLower { return IndicatorScore(points: .zero, standing: .nothing) }
            if achieved >= atUpper { return IndicatorScore(points: route.points, standing: .everything) }
            return share(route.points.hundredths, of: achieved - atLower, in: atUpper - atLower, plus: 0)
        }
    }

    private static func share(_ points: Int64, of part: Int64, in whole: Int64, plus step: Int64)
        -> IndicatorScore
    {
        // points <= 1e5, part <= 1e12: the product stays below 1e17.
        IndicatorScore(
            points: Points(hundredths: step + Rounding.quotient(points * part, whole)), standing: .between)
    }

    /// The best of the routes; of equal ones the first.
    static func best(_ routes: [ScoringRoute], numerator: Int64, denominator: Int64) -> IndicatorScore {
        var best = score(routes[0], numerator: numerator, denominator: denominator)
        for index in routes.indices.dropFirst() {
            var other = score(routes[index], numerator: numerator, denominator: denominator)
            other.route = index
            if other.points > best.points { best = other }
        }
        return best
    }

    static func register(_ indicator: Indicator, count: Int64) -> IndicatorScore {
        count > 0
            ? IndicatorScore(points: indicator.points, standing: .everything)
            : IndicatorScore(points: .zero, standing: .emptyCohort)
    }

    static func flag(_ indicator: Indicator, isYes: Bool) -> IndicatorScore {
        isYes
            ? IndicatorScore(points: indicator.points, standing: .everything)
            : IndicatorScore(points: .zero, standing: .nothing)
    }

    /// Unrounded points between the thresholds, for comparison with data that prints them so.
    static func exactPoints(
        points: ExactDecimal, lower: ExactDecimal, upper: ExactDecimal, numerator: Int64, denominator: Int64
    ) throws(ArithmeticError) -> Rational {
        guard denominator > 0 else { return .zero }
        let achieved = try Rational(Int128(numerator) * 100, over: Int128(denominator))
        if achieved <= lower.rational { return .zero }
        if achieved >= upper.rational { return points.rational }
        let share = try achieved.subtracting(lower.rational)
            .divided(by: try upper.rational.subtracting(lower.rational))
        return try share.multiplied(by: points.rational)
    }
}
