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

    /// The salaried doctor.
    var gmcNumber: String
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
struct SchemeAssessment {
    let claim: ClaimedScheme
    /// Whether the practice lies in London on a day: there the cap on salaries is higher.
    let isInLondon: (CalendarDate) -> Bool
    /// What is left of the allocation.
    let remainingPence: Int64
    /// Approved in other claims for the same doctor.
    let approved: [ApprovedPart]
    let rates: RateTable

    func parts() throws(PaymentsError) -> [AssessedPart] {
        var parts: [AssessedPart] = []
        do {
            var taken = self.taken(.hours)
            for hours in claim.hours { parts.append(less(&taken, try assess(hours))) }
            taken = self.taken(.month)
            for month in claim.months { parts.append(less(&taken, try assess(month))) }
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

    private func taken(_ span: ApprovedPart.Span) -> [CalendarDate: TakenCeiling] {
        var taken: [CalendarDate: TakenCeiling] = [:]
        for part in approved where part.span == span && part.kind == .reimbursementScheme {
            taken[part.from, default: TakenCeiling()].pence += part.pence
            taken[part.from]?.claims.insert(part.claimID)
        }
        return taken
    }

    /// The cap is that of the doctor, not of the claim: what other claims have of it is gone.
    private func less(_ taken: inout [CalendarDate: TakenCeiling], _ assessed: AssessedPart) -> AssessedPart {
        guard var used = taken[assessed.from], used.pence > 0 else { return assessed }
        var part = assessed
        used.pence = Swift.min(used.pence, part.ceilingPence)
        taken[part.from]?.pence -= used.pence
        part.ceilingPence -= used.pence
        guard part.payablePence > part.ceilingPence else { return part }
        part.payablePence = part.ceilingPence
        part.reduction = "ALREADY_APPROVED"
        part.rule = "6.5: lower of actual cost and the doctor's cap, \(used.words)"
        return part
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
        let isInLondon = self.isInLondon(day)
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
                "6.5: lower of actual cost and \(cap.value) a year\(isInLondon ? " in London" : "") for "
                    + "\(full.value) sessions, here \(claim.sessions)"
            )
        }
        return part
    }
}
