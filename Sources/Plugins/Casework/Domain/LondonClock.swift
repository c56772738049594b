import PluginAPI

/// A moment as the clock on the wall in England shows it.
struct LondonMoment: Hashable {
    var day: CalendarDate
    /// Minutes after midnight, 0 to 1439.
    var minute: Int
}

/// Between moments and the wall clock in Europe/London. Summer time runs from 01:00 UTC on the last Sunday of March to
/// 01:00 UTC on the last Sunday of October.
enum LondonClock {
    static func moment(of instant: Instant) -> LondonMoment {
        let microseconds = instant.microsecondsSince1970
        let minutes = floorDivide(microseconds, 60_000_000) + offset(at: microseconds)
        let day = floorDivide(minutes, 1_440)
        return LondonMoment(
            day: CalendarDate(daysSince1970: Int32(clamping: day)), minute: Int(minutes - day * 1_440))
    }

    /// The moment at which the wall clock shows `minute` of `day`. Working hours never touch the hour that is skipped or
    /// repeated at night.
    static func instant(_ day: CalendarDate, minute: Int) -> Instant {
        let local = (Int64(day.daysSince1970) * 1_440 + Int64(minute)) * 60_000_000
        let summer = local - 3_600_000_000
        return Instant(microsecondsSince1970: offset(at: summer) == 60 ? summer : local)
    }

    static func day(of instant: Instant) -> CalendarDate { moment(of: instant).day }

    /// Minutes ahead of UTC.
    private static func offset(at microseconds: Int64) -> Int64 {
        let day = CalendarDate(daysSince1970: Int32(clamping: floorDivide(microseconds, 86_400_000_000)))
        guard let spring = lastSunday(of: 3, day.year), let autumn = lastSunday(of: 10, day.year) else {
            return 0
        }
        let change: (CalendarDate) -> Int64 = { Int64($0.daysSince1970) * 86_400_000_000 + 3_600_000_000 }
        return microseconds >= change(spring) && microseconds < change(autumn) ? 60 : 0
    }

    private static func lastSunday(of month: Int, _ year: Int) -> CalendarDate? {
        guard let last = YearMonth(year: year, month: month)?.lastDay else { return nil }
        return last.adding(days: -(last.isoWeekday % 7))
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
