import PluginAPI

/// Until when claims are in time (payments.md 10.2, time limit): the day with the same number so many months later,
/// clamped to the end of the month. The months are effective-dated reference data by the day of the test or supply.
struct ClaimDeadline: Sendable {
    let rates: RateTable

    /// The last day on which a claim for `day` may come.
    func last(_ form: GOSForm, performedOn day: CalendarDate) throws(PaymentsError) -> CalendarDate {
        ClaimDeadline.adding(months: Int(try months(form, performedOn: day)), to: day)
    }

    /// The period that applies.
    func months(_ form: GOSForm, performedOn day: CalendarDate) throws(PaymentsError) -> Int64 {
        try rates.whole(form.isTest ? .gosTestClaimMonths : .gosVoucherClaimMonths, at: day)
    }

    static func adding(months: Int, to day: CalendarDate) -> CalendarDate {
        let month = YearMonth(containing: day).adding(months: months)
        return month.firstDay.adding(days: min(day.day, month.lastDay.day) - 1)
    }

    func rejection(
        _ form: GOSForm, performedOn day: CalendarDate, isOnPaper: Bool, today: CalendarDate
    ) throws(PaymentsError) -> GOSRejection? {
        if form == .professionalDevelopment { return try window(day, today) }
        if isOnPaper {
            let (work, forms) = (
                try rates.whole(.gosPaperWork, at: day), try rates.whole(.gosPaperForms, at: today)
            )
            if work != 1 || forms != 1 { return .paperEnded }
        }
        return today > (try last(form, performedOn: day)) ? .tooLate : nil
    }

    /// Education and training of a calendar year: from July to early November of the next.
    private func window(_ day: CalendarDate, _ today: CalendarDate) throws(PaymentsError) -> GOSRejection? {
        let opens = Int(try rates.whole(.gosTrainingFirstMonth, at: today))
        let closes = Int(try rates.whole(.gosTrainingLastNovemberDay, at: today))
        guard day.month == 12, day.day == 31, today.year == day.year + 1, today.month >= opens else {
            return .outsideWindow
        }
        return today.month < 11 || today.month == 11 && today.day <= closes ? nil : .outsideWindow
    }
}
