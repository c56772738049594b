/// Working days in England: Monday to Friday, not a bank holiday. Bank holidays are data.
///
/// Holds the calendar years it knows; a question about another year throws `CalendarError.yearUnknown`, because a
/// year without holidays would give a wrong date, not none.
public struct WorkingDays: Hashable, Sendable {
    private let holidays: Set<CalendarDate>
    private let years: Set<Int>

    /// - Parameter bankHolidays: of whole calendar years: a year in which at least one falls counts as known.
    public init(bankHolidays: some Sequence<CalendarDate>) {
        holidays = Set(bankHolidays)
        years = Set(holidays.map(\.year))
    }

    public func knows(_ year: Int) -> Bool { years.contains(year) }

    public func isWorkingDay(_ day: CalendarDate) throws(CalendarError) -> Bool {
        let year = day.year
        if !years.contains(year) { throw .yearUnknown(year) }
        return day.isoWeekday <= 5 && !holidays.contains(day)
    }

    /// The day itself when it is a working day, otherwise the last one before it.
    public func onOrBefore(_ day: CalendarDate) throws(CalendarError) -> CalendarDate {
        var candidate = day
        while try !isWorkingDay(candidate) { candidate = candidate.adding(days: -1) }
        return candidate
    }

    /// The day itself when it is a working day, otherwise the first one after it.
    public func onOrAfter(_ day: CalendarDate) throws(CalendarError) -> CalendarDate {
        var candidate = day
        while try !isWorkingDay(candidate) { candidate = candidate.adding(days: 1) }
        return candidate
    }

    /// "N working days before D": steps back counting only working days, D itself not counted (payments.md 2.3).
    public func stepping(back count: Int, from day: CalendarDate) throws(CalendarError) -> CalendarDate {
        var candidate = day
        var left = count
        while left > 0 {
            candidate = candidate.adding(days: -1)
            if try isWorkingDay(candidate) { left -= 1 }
        }
        return candidate
    }

    /// "Within N working days of D": steps forward counting only working days, D itself not counted.
    public func stepping(forward count: Int, from day: CalendarDate) throws(CalendarError) -> CalendarDate {
        var candidate = day
        var left = count
        while left > 0 {
            candidate = candidate.adding(days: 1)
            if try isWorkingDay(candidate) { left -= 1 }
        }
        return candidate
    }
}

public enum CalendarError: Error, Hashable, Sendable {
    /// The bank holidays of this calendar year are not known.
    case yearUnknown(Int)
}
