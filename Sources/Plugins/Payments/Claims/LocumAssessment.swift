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
    /// Last day of the absence, as known or expected; `nil` = as long as the weeks claimed reach.
    var absentTo: CalendarDate?
    var weeks: [ClaimedWeek]
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
    /// Weeks approved in other claims for the same doctor under the same contractor.
    let approved: [ApprovedPart]
    let rates: RateTable
    /// Weeks of parental leave that the commissioner decided to pay for; `nil` = the general limit.
    var parentalMostWeeks: Int64?

    func parts() throws(PaymentsError) -> [AssessedPart] {
        var parts: [AssessedPart] = []
        var paid = approved.filter { $0.kind == .sickness }
        for week in cover.weeks {
            let part: AssessedPart
            switch cover.kind {
            case .parentalLeave: part = try parental(week)
            case .sickness:
                part = try sickness(week, weeksBefore: weeksBefore(week, paid))
                if part.payablePence > 0 {
                    paid.append(
                        ApprovedPart(
                            claimID: "", kind: .sickness, from: week.from, days: week.days,
                            absentFrom: cover.absentFrom, pence: part.payablePence))
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
        let general = try rates.whole(.locumParentalWeeks, at: week.from)
        let most = Int(parentalMostWeeks ?? general)
        guard index < most else {
            let because = parentalMostWeeks == nil ? "" : ", as decided for this leave"
            return nothing(week, "EXHAUSTED", "6.4 rule 2: weeks 1 to \(most)\(because)")
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

    /// Weeks that count before a week. Within one absence they never become fewer, in whichever claims its weeks are.
    private func weeksBefore(_ week: ClaimedWeek, _ paid: [ApprovedPart]) -> Int {
        let ends = paid.filter { $0.absentFrom == cover.absentFrom }.map { $0.from.adding(days: $0.days) }
        return ([cover.absentFrom, week.from] + ends).filter { $0 <= week.from }.map { lookBack($0, paid) }.max() ?? 0
    }

    /// Sickness weeks paid with start days in the twelve months before the day.
    private func lookBack(_ day: CalendarDate, _ paid: [ApprovedPart]) -> Int {
        let month = YearMonth(containing: day).adding(months: -12)
        let yearBefore = month.firstDay.adding(days: Swift.min(day.day, month.dayCount) - 1)
        return Set(paid.lazy.map(\.from).filter { $0 >= yearBefore && $0 < day }).count
    }

    /// What other claims have for days of the week: of a week that only overlaps, its share by days.
    private func taken(of week: ClaimedWeek) throws(ArithmeticError) -> TakenCeiling {
        var taken = TakenCeiling()
        // 420 is divisible by 1 to 7, so the shares are added exactly and rounded once.
        var parts: Int128 = 0
        for other in approved where other.span == .week {
            let first = Swift.max(week.from, other.from)
            let end = Swift.min(week.from.adding(days: week.days), other.from.adding(days: other.days))
            guard first < end else { continue }
            parts += Int128(other.pence) * Int128(days(from: first, to: end)) * Int128(420 / other.days)
            taken.claims.insert(other.claimID)
        }
        taken.pence = try Rounding.quotient(parts, 420)
        return taken
    }

    private func capped(
        _ week: ClaimedWeek, _ name: RateName, reduction: String, rule: String
    ) throws(PaymentsError) -> AssessedPart {
        let rate = try rates.rate(name, at: week.from)
        let whole: Int64
        let taken: TakenCeiling
        do throws(ArithmeticError) {
            // Sevenths of the ceiling for a part week, rounded once.
            whole = Int64(
                clamping: try Rounding.quotient(Int128(rate.millionths) * Int128(week.days), 7 * 10_000))
            taken = try self.taken(of: week)
        } catch {
            throw .amountOutOfRange("the claim")
        }
        let ceiling = Swift.max(0, whole - taken.pence)
        var part = AssessedPart(
            from: week.from, claimedPence: week.invoicedPence, ceilingPence: ceiling,
            payablePence: Swift.min(week.invoicedPence, ceiling))
        guard part.payablePence < week.invoicedPence else { return part }
        (part.reduction, part.rule) = (reduction, rule)
        if taken.pence > 0 {
            part.reduction = "ALREADY_APPROVED"
            part.rule = "6.4 rule 1: lower of invoice and the week's ceiling, \(taken.words)"
        }
        return part
    }

    private func nothing(_ week: ClaimedWeek, _ reduction: String, _ rule: String) -> AssessedPart {
        AssessedPart(
            from: week.from, claimedPence: week.invoicedPence, ceilingPence: 0, payablePence: 0,
            reduction: reduction, rule: rule)
    }

    /// Days of the absence; where its end is not said, as far as it is covered.
    private var absenceDays: Int {
        if let end = cover.absentTo { return days(from: cover.absentFrom, to: end) + 1 }
        guard let last = cover.weeks.last else { return 0 }
        return days(from: cover.absentFrom, to: last.from) + last.days
    }

    private func days(from: CalendarDate, to: CalendarDate) -> Int { Int(to.daysSince1970 - from.daysSince1970) }
}
