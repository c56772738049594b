import PluginAPI

/// Salaried doctors as claimed under the reimbursement scheme.
struct ClaimedScheme: Hashable, Sendable {
    struct Hours: Hashable, Sendable {
        var from: CalendarDate
        var hundredths: Int64
        var payPence: Int64
        var employerNIPence: Int64
        var pensionPence: Int64

        var claimedPence: Int64 { payPence + employerNIPence + pensionPence }
    }

    struct Month: Hashable, Sendable {
        var month: YearMonth
        var costPence: Int64
    }

    /// Sessions a week in the contract of employment.
    var sessions: Int64
    var hours: [Hours]
    var months: [Month]

    var claimedPence: Int64 {
        hours.reduce(0) { $0 + $1.claimedPence } + months.reduce(0) { $0 + $1.costPence }
    }
}

/// What the scheme pays (payments.md 6.5): the lower of the actual cost and the cap, hours by hours or month by month,
/// until the practice's allocation of the year is used up.
struct SchemeAssessment: Sendable {
    let claim: ClaimedScheme
    /// Practices in London have a higher cap on salaries.
    let isInLondon: Bool
    /// What is left of the allocation.
    let remainingPence: Int64
    let rates: RateTable

    func parts() throws(PaymentsError) -> [AssessedPart] {
        var parts: [AssessedPart] = []
        do {
            for hours in claim.hours { parts.append(try assess(hours)) }
            for month in claim.months { parts.append(try assess(month)) }
        } catch let error as PaymentsError {
            throw error
        } catch {
            throw .amountOutOfRange("the claim")
        }
        var left = Swift.max(0, remainingPence)
        for index in parts.indices {
            if parts[index].payablePence > left {
                parts[index].payablePence = left
                parts[index].reduction = "ALLOCATION"
                parts[index].rule = "6.5: the allocation of the year is used up"
            }
            left -= parts[index].payablePence
        }
        return parts
    }

    private func assess(_ hours: ClaimedScheme.Hours) throws -> AssessedPart {
        let cap = try rates.rate(.schemeHourlyCap, at: hours.from)
        let percent = try rates.rate(.schemeEmployerNIPercent, at: hours.from)
        let worked = ExactDecimal(mantissa: hours.hundredths, scale: 2)
        let ceiling = try Rounding.toPence(try worked.rational.multiplied(by: cap.value.rational)).pence
        let insurance = try Rounding.toPence(
            try Money(pence: hours.payPence).pounds.rational.multiplied(by: percent.value.rational)
                .divided(by: Rational(100))
        ).pence
        let cost = hours.payPence + Swift.min(hours.employerNIPence, insurance) + hours.pensionPence
        var part = AssessedPart(
            from: hours.from, claimedPence: hours.claimedPence, ceilingPence: ceiling,
            payablePence: Swift.min(cost, ceiling))
        part.cap = .init(quantity: worked, rate: cap)
        if cost > ceiling {
            (part.reduction, part.rule) = ("CEILING", "6.5: lower of actual cost and \(cap.value) an hour")
        } else if cost < hours.claimedPence {
            (part.reduction, part.rule) = (
                "EMPLOYER_NI", "6.5: employer National Insurance is \(percent.value) % of extra pay"
            )
        }
        return part
    }

    private func assess(_ month: ClaimedScheme.Month) throws -> AssessedPart {
        let day = month.month.firstDay
        let cap = try rates.rate(isInLondon ? .schemeSalaryCapLondon : .schemeSalaryCap, at: day)
        let full = try rates.rate(.schemeFullTimeSessions, at: day)
        let share = try cap.value.rational.divided(by: Rational(12)).multiplied(by: Rational(claim.sessions))
            .divided(by: full.value.rational)
        let ceiling = try Rounding.toPence(share).pence
        var part = AssessedPart(
            from: day, claimedPence: month.costPence, ceilingPence: ceiling,
            payablePence: Swift.min(month.costPence, ceiling))
        if month.costPence > ceiling {
            (part.reduction, part.rule) = (
                "CEILING",
                "6.5: lower of actual cost and \(cap.value) a year for \(full.value) sessions, here \(claim.sessions)"
            )
        }
        return part
    }
}
