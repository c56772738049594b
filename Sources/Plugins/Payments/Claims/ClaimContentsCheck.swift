import CommonContract
import PaymentsContract
import PluginAPI

/// A claim as a practice wrote it, read into typed values, with everything that is missing or wrong.
struct ClaimContentsCheck {
    private(set) var violations: [Violation] = []
    private(set) var kind: ClaimKind?
    private(set) var from: CalendarDate?
    private(set) var to: CalendarDate?
    private(set) var cover: ClaimedCover?
    private(set) var scheme: ClaimedScheme?
    private(set) var claimedPence: Int64 = 0

    /// Highest amount of one claim, against slips of the comma.
    static let largestPence: Int64 = 100_000_000

    init(_ contents: Pcs_Payments_V1_ClaimContents, today: CalendarDate) {
        kind = ClaimKind(rawValue: Int64(contents.type.rawValue))
        if kind == nil { refuse("claim.type", "6.1", "Name what is claimed.") }
        from = contents.hasPeriodFrom ? contents.periodFrom.calendarDate : nil
        to = contents.hasPeriodTo ? contents.periodTo.calendarDate : nil
        if from == nil { refuse("claim.period_from", "6.2", "The first day is needed.") }
        if to == nil { refuse("claim.period_to", "6.2", "The last day is needed.") }
        if let from, let to, to < from {
            refuse("claim.period_to", "6.2", "The last day lies before the first.")
        }
        if let to, to > today.adding(days: 366) {
            refuse("claim.period_to", "6.2", "The period lies more than a year ahead.")
        }
        if !(1...10).contains(contents.evidenceDocumentIds.count) {
            refuse("claim.evidence_document_ids", "6.1", "One to ten bills or invoices are needed.")
        }
        guard let kind else { return }
        if kind == .reimbursementScheme {
            checkScheme(contents.scheme)
        } else if kind.isLocumCover {
            checkCover(contents.locum, kind)
            if kind == .sickness { checkFitNote(contents) }
        } else {
            checkBill(contents)
        }
    }

    private mutating func refuse(_ field: String, _ rule: String, _ message: String) {
        violations.append(Violation(field: field, rule: "payments.md " + rule, message: message))
    }

    private mutating func checkBill(_ contents: Pcs_Payments_V1_ClaimContents) {
        claimedPence = contents.amountPence
        if !(1...ClaimContentsCheck.largestPence).contains(contents.amountPence) {
            refuse("claim.amount_pence", "6.2", "The amount is above nothing and at most 1,000,000 pounds.")
        }
        if contents.invoiceNumber.isEmpty || contents.invoiceNumber.count > 60 {
            refuse("claim.invoice_number", "6.2", "The number of the bill is needed, 60 characters at most.")
        }
    }

    private mutating func checkCover(_ locum: Pcs_Payments_V1_LocumCover, _ kind: ClaimKind) {
        if locum.gmcNumber.utf8.count != 7 || !locum.gmcNumber.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            refuse("claim.locum.gmc_number", "6.4", "A GMC number has seven digits.")
        }
        if locum.doctorName.isEmpty { refuse("claim.locum.doctor_name", "6.4", "Name the absent doctor.") }
        guard let absentFrom = locum.hasAbsentFrom ? locum.absentFrom.calendarDate : nil else {
            refuse("claim.locum.absent_from", "6.4", "The first day of the absence is needed.")
            return
        }
        if !(1...3).contains(locum.coverKind.rawValue) {
            refuse(
                "claim.locum.cover_kind", "6.4 rule 4",
                "Cover is by an external locum, a salaried doctor on a fixed term, or an own doctor who is not full time.")
        }
        let absentTo = locum.hasAbsentTo ? locum.absentTo.calendarDate : nil
        if locum.hasAbsentTo, absentTo.map({ $0 < absentFrom }) ?? true {
            refuse("claim.locum.absent_to", "6.4", "The last day of the absence is no day, or lies before the first.")
        }
        if !(1...60).contains(locum.weeks.count) {
            refuse("claim.locum.weeks", "6.4", "A claim has 1 to 60 weeks.")
        }
        var weeks: [ClaimedWeek] = []
        for (index, week) in locum.weeks.prefix(60).enumerated() {
            let field = "claim.locum.weeks[\(index)]"
            guard let day = week.from.calendarDate else {
                refuse(field + ".from", "6.4", "The week needs its first day.")
                continue
            }
            if !(1...7).contains(week.days) { refuse(field + ".days", "6.4 rule 7", "A week has 1 to 7 days.") }
            if !(1...ClaimContentsCheck.largestPence).contains(week.invoicedPence) {
                refuse(field + ".invoiced_pence", "6.4 rule 1", "The invoice of the week is above nothing.")
            }
            if day < absentFrom { refuse(field + ".from", "6.4", "The week lies before the absence.") }
            if let absentTo, day > absentTo { refuse(field + ".from", "6.4", "The week lies after the absence.") }
            if let last = weeks.last, day < last.from.adding(days: last.days) {
                refuse(field + ".from", "6.4", "The weeks overlap or are not in order.")
            }
            if let from, let to, day < from || day > to {
                refuse(field + ".from", "6.4", "The week lies outside the period of the claim.")
            }
            weeks.append(
                ClaimedWeek(
                    from: day, days: Swift.min(7, Swift.max(1, Int(week.days))),
                    invoicedPence: Swift.min(ClaimContentsCheck.largestPence, Swift.max(0, week.invoicedPence))))
        }
        claimedPence = weeks.reduce(0) { $0 + $1.invoicedPence }
        cover = ClaimedCover(
            kind: kind, gmcNumber: locum.gmcNumber, absentFrom: absentFrom, absentTo: absentTo, weeks: weeks)
    }

    private mutating func checkFitNote(_ contents: Pcs_Payments_V1_ClaimContents) {
        guard let cover, let last = cover.weeks.last else { return }
        let end = cover.absentTo ?? last.from.adding(days: last.days - 1)
        let note = contents.locum.fitNoteDocumentID
        guard end.daysSince1970 - cover.absentFrom.daysSince1970 >= 7,
            note.isEmpty || !contents.evidenceDocumentIds.contains(note)
        else { return }
        refuse(
            "claim.locum.fit_note_document_id", "6.4 rule 5",
            "Say which document of the evidence is the fit note for sickness of more than a week.")
    }

    /// Salaried doctors only: no locum, no partner; extra hours under full time (payments.md 6.5).
    private mutating func checkScheme(_ claim: Pcs_Payments_V1_SchemeClaim) {
        let rule = "6.5"
        if claim.gmcNumber.utf8.count != 7 || !claim.gmcNumber.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            refuse("claim.scheme.gmc_number", rule, "A GMC number has seven digits.")
        }
        if let from, let to, FinancialYear(containing: from) != FinancialYear(containing: to) {
            refuse("claim.period_to", rule, "A claim lies within one financial year.")
        }
        let isOneKind = claim.extraHours.isEmpty != claim.newDoctor.isEmpty
        if !isOneKind || claim.extraHours.count > 60 || claim.newDoctor.count > 12 {
            refuse("claim.scheme", rule, "Claim extra hours (up to 60 entries), or a new doctor by months (up to 12).")
        }
        let most: Int32 = claim.newDoctor.isEmpty ? 8 : 9
        if !(1...most).contains(claim.sessions) {
            refuse("claim.scheme.sessions", rule, "The contract of employment has 1 to \(most) sessions a week.")
        }
        let hours = claim.extraHours.prefix(60).enumerated().compactMap { checkHours($0.element, $0.offset) }
        let months = claim.newDoctor.prefix(12).enumerated().compactMap { checkMonth($0.element, $0.offset) }
        for (index, pair) in zip(hours, hours.dropFirst()).enumerated() where pair.1.from < pair.0.from {
            refuse("claim.scheme.extra_hours[\(index + 1)].from", rule, "Hours are in order.")
        }
        for (index, pair) in zip(months, months.dropFirst()).enumerated() where pair.1.month <= pair.0.month {
            refuse("claim.scheme.new_doctor[\(index + 1)].month", rule, "Months are in order, each once.")
        }
        let claimed = ClaimedScheme(
            gmcNumber: claim.gmcNumber, sessions: Int64(claim.sessions), hours: hours, months: months)
        claimedPence = claimed.claimedPence
        scheme = claimed
    }

    private mutating func checkHours(_ hours: Pcs_Payments_V1_SchemeHours, _ index: Int) -> ClaimedScheme.Hours? {
        let field = "claim.scheme.extra_hours[\(index)]"
        guard let day = hours.hasFrom ? hours.from.calendarDate : nil else {
            refuse(field + ".from", "6.5", "Say from which day the hours were worked.")
            return nil
        }
        if let from, let to, day < from || day > to {
            refuse(field + ".from", "6.5", "The hours lie outside the period of the claim.")
        }
        if !(1...20_000).contains(hours.hoursHundredths) {
            refuse(field + ".hours_hundredths", "6.5", "The hours are above nothing and at most 200.")
        }
        let amounts = [
            ("pay_pence", hours.payPence, Int64(1)), ("employer_ni_pence", hours.employerNiPence, 0),
            ("pension_pence", hours.pensionPence, 0),
        ]
        for (name, pence, least) in amounts where !(least...ClaimContentsCheck.largestPence).contains(pence) {
            refuse("\(field).\(name)", "6.5", "The amount is from \(Money(pence: least)) to 1,000,000 pounds.")
        }
        func bounded(_ pence: Int64) -> Int64 { Swift.min(ClaimContentsCheck.largestPence, Swift.max(0, pence)) }
        return ClaimedScheme.Hours(
            from: day, hundredths: Int64(hours.hoursHundredths), payPence: bounded(hours.payPence),
            employerNIPence: bounded(hours.employerNiPence), pensionPence: bounded(hours.pensionPence))
    }

    private mutating func checkMonth(_ month: Pcs_Payments_V1_SchemeMonth, _ index: Int) -> ClaimedScheme.Month? {
        let field = "claim.scheme.new_doctor[\(index)]"
        guard let parsed = YearMonth(year: Int(month.month.year), month: Int(month.month.month)) else {
            refuse(field + ".month", "6.5", "Name the month.")
            return nil
        }
        if let from, let to, parsed.lastDay < from || parsed.firstDay > to {
            refuse(field + ".month", "6.5", "The month lies outside the period of the claim.")
        }
        if !(1...ClaimContentsCheck.largestPence).contains(month.costPence) {
            refuse(field + ".cost_pence", "6.5", "The cost is above nothing and at most 1,000,000 pounds.")
        }
        return ClaimedScheme.Month(
            month: parsed, costPence: Swift.min(ClaimContentsCheck.largestPence, Swift.max(0, month.costPence)))
    }
}
