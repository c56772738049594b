import PluginAPI

/// Moments of days in England, for questions like "as known by the end of that day".
enum LondonDay {
    /// The moment at which the day after `day` begins in Europe/London.
    static func end(of day: CalendarDate) -> Instant {
        let next = day.adding(days: 1)
        let midnightUTC = Int64(next.daysSince1970) * 86_400
        return Instant(
            microsecondsSince1970: (midnightUTC - (isSummerTime(atMidnightOf: next) ? 3_600 : 0)) * 1_000_000)
    }

    /// The day in England in which a moment lies.
    static func day(of moment: Instant) -> CalendarDate {
        let seconds = moment.microsecondsSince1970 / 1_000_000
        let day = CalendarDate(daysSince1970: Int32(clamping: seconds / 86_400))
        return moment < end(of: day) ? day : day.adding(days: 1)
    }

    /// Clocks change at 01:00 UTC on the last Sundays of March and October, after that day's midnight.
    private static func isSummerTime(atMidnightOf day: CalendarDate) -> Bool {
        guard let spring = lastSunday(of: 3, day.year), let autumn = lastSunday(of: 10, day.year) else {
            return false
        }
        return day > spring && day <= autumn
    }

    private static func lastSunday(of month: Int, _ year: Int) -> CalendarDate? {
        guard let last = YearMonth(year: year, month: month)?.lastDay else { return nil }
        return last.adding(days: -(last.isoWeekday % 7))
    }
}
