import PluginAPI

/// A week of cover as claimed.
struct ClaimedWeek: Hashable, Sendable {
    var from: CalendarDate
    /// 1 to 7.
    var days: Int
    var invoicedPence: Int64
}

/// Cover of an absent doctor, as claimed.
struct ClaimedCover: Hashable, Sendable {
    var kind: ClaimKind
    var gmcNumber: String
    var absentFrom: CalendarDate
    var weeks: [ClaimedWeek]
}

/// A week for which sickness cover was paid before, for the look-back.
struct CoveredWeek: Hashable, Sendable {
    var from: CalendarDate
    var absentFrom: CalendarDate
}

/// What the rules come to for one week, or for a bill.
struct AssessedPart: Hashable, Sendable {
    var from: CalendarDate
    var claimedPence: Int64
    /// Highest amount payable; of bills the bill.
    var ceilingPence: Int64
    var payablePence: Int64
    /// Why less is payable; empty = paid as claimed.
    var reduction = ""
    var rule = ""
    /// Where the ceiling is a quantity at a rate: both.
    var cap: Cap?

    struct Cap: Hashable, Sendable {
        var quantity: ExactDecimal
        var rate: Rate
    }
}

/// Ceilings and waiting times of locum cover (payments.md 6.4): the lower of what was invoiced and the week's ceiling,
/// week by week; the ceiling is never made smaller by the absent doctor's sessions.
struct LocumAssessment: Sendable {
    let cover: ClaimedCover
    /// Sickness weeks paid for the same doctor under the same contractor.
    let covered: [CoveredWeek]
    let rates: RateTable

    func parts() throws(PaymentsError) -> [AssessedPart] {
        var parts: [AssessedPart] = []
        var past = covered
        var floor = 0
        for week in cover.weeks {
            let part: AssessedPart
            switch cover.kind {
            case .parentalLeave: part = try parental(week)
            case .sickness:
                floor = Swift.max(floor, lookBack(week, past))
                part = try sickness(week, weeksBefore: floor)
                if part.payablePence > 0 {
                    past.append(CoveredWeek(from: week.from, absentFrom: cover.absentFrom))
                }
            case .suspension: part = try flat(week, .locumSuspendedWeek, rule: "6.4 suspended doctor")
            default: part = try flat(week, .locumStudyWeek, rule: "6.4 study leave")
            }
            parts.append(part)
        }
        return parts
    }

    /// Rule 2: leave of more than a week; two weeks at the lower ceiling, then the full one, to the longest time.
    private func parental(_ week: ClaimedWeek) throws(PaymentsError) -> AssessedPart {
        guard absenceDays > 7 else { return nothing(week, "LEAVE_TOO_SHORT", "6.4 rule 2: leave exceeds one week") }
        let index = days(from: cover.absentFrom, to: week.from) / 7
        let most = Int(try rates.whole(.locumParentalWeeks, at: week.from))
        guard index < most else {
            return nothing(week, "EXHAUSTED", "6.4 rule 2: weeks 1 to \(most)")
        }
        let name: RateName = index < 2 ? .locumParentalFirstWeeks : .locumParentalWeek
        return try capped(week, name, reduction: "CEILING", rule: "6.4 rule 1: lower of invoice and ceiling")
    }

    /// Rule 3: more than two weeks of absence, nothing for the first two; 26 weeks at full, 26 at half.
    private func sickness(_ week: ClaimedWeek, weeksBefore: Int) throws(PaymentsError) -> AssessedPart {
        guard absenceDays > 14 else {
            return nothing(week, "LEAVE_TOO_SHORT", "6.4 rule 3: absence exceeds two weeks")
        }
        guard days(from: cover.absentFrom, to: week.from) >= 14 else {
            return nothing(week, "WAITING_TIME", "6.4 rule 3: nothing for the first two weeks")
        }
        switch weeksBefore {
        case ..<26:
            return try capped(
                week, .locumSicknessFull, reduction: "CEILING", rule: "6.4 rule 1: lower of invoice and ceiling")
        case 26..<52:
            return try capped(
                week, .locumSicknessHalf, reduction: "HALF_RATE", rule: "6.4 rule 3: weeks 27 to 52 at half")
        default:
            return nothing(week, "EXHAUSTED", "6.4 rule 3: 52 weeks in twelve months")
        }
    }

    private func flat(_ week: ClaimedWeek, _ name: RateName, rule: String) throws(PaymentsError) -> AssessedPart {
        try capped(week, name, reduction: "CEILING", rule: rule)
    }

    /// Sickness weeks paid with start days in the twelve months before the week.
    private func lookBack(_ week: ClaimedWeek, _ past: [CoveredWeek]) -> Int {
        let month = YearMonth(containing: week.from).adding(months: -12)
        let day = Swift.min(week.from.day, month.dayCount)
        let yearBefore = month.firstDay.adding(days: day - 1)
        return past.count { $0.from >= yearBefore && $0.from < week.from }
    }

    private func capped(
        _ week: ClaimedWeek, _ name: RateName, reduction: String, rule: String
    ) throws(PaymentsError) -> AssessedPart {
        let rate = try rates.rate(name, at: week.from)
        let ceiling: Int64
        do throws(ArithmeticError) {
            // Sevenths of the ceiling for a part week, rounded once.
            ceiling = Int64(
                clamping: try Rounding.quotient(Int128(rate.millionths) * Int128(week.days), 7 * 10_000))
        } catch {
            throw .amountOutOfRange("the claim")
        }
        let payable = Swift.min(week.invoicedPence, ceiling)
        let isReduced = payable < week.invoicedPence
        return AssessedPart(
            from: week.from, claimedPence: week.invoicedPence, ceilingPence: ceiling, payablePence: payable,
            reduction: isReduced ? reduction : "", rule: isReduced ? rule : "")
    }

    private func nothing(_ week: ClaimedWeek, _ reduction: String, _ rule: String) -> AssessedPart {
        AssessedPart(
            from: week.from, claimedPence: week.invoicedPence, ceilingPence: 0, payablePence: 0,
            reduction: reduction, rule: rule)
    }

    /// Days of the absence as far as it is covered.
    private var absenceDays: Int {
        guard let last = cover.weeks.last else { return 0 }
        return days(from: cover.absentFrom, to: last.from) + last.days
    }

    private func days(from: CalendarDate, to: CalendarDate) -> Int { Int(to.daysSince1970 - from.daysSince1970) }
}
