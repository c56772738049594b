/// A moment as the clock on the wall in England shows it.
public struct LondonMoment: Hashable, Sendable {
    public let day: CalendarDate
    /// Minutes after midnight, 0 to 1439.
    public let minute: Int

    public init(day: CalendarDate, minute: Int) {
        self.day = day
        self.minute = minute
    }
}

/// Between moments and the wall clock in Europe/London. Summer time runs from 01:00 UTC on the last Sunday of March to
/// 01:00 UTC on the last Sunday of October, as it has since 1996; written down here, because a machine without a table
/// of time zones would reckon every summer day an hour late without saying so.
public enum LondonTime {
    public static func moment(at instant: Instant) -> LondonMoment {
        let local = instant.microsecondsSince1970 + offsetMicroseconds(at: instant)
        let day = floorDivide(local, dayMicroseconds)
        return LondonMoment(
            day: CalendarDate(daysSince1970: Int32(clamping: day)),
            minute: Int((local - day * dayMicroseconds) / 60_000_000))
    }

    /// The day in England in which a moment lies.
    public static func day(at instant: Instant) -> CalendarDate {
        let local = instant.microsecondsSince1970 + offsetMicroseconds(at: instant)
        return CalendarDate(daysSince1970: Int32(clamping: floorDivide(local, dayMicroseconds)))
    }

    /// The moment when London's clocks show this time of that day. A time that is skipped in spring is the moment an
    /// hour later; one that comes twice in autumn is its first coming.
    public static func instant(on day: CalendarDate, hour: Int = 0, minute: Int = 0) -> Instant {
        let local = Int64(day.daysSince1970) * dayMicroseconds + Int64(hour * 60 + minute) * 60_000_000
        // London is never behind UTC, so the earlier reading is the one in summer time.
        let summer = Instant(microsecondsSince1970: local - hourMicroseconds)
        return offsetMicroseconds(at: summer) > 0 ? summer : Instant(microsecondsSince1970: local)
    }

    /// The moment at which the day after `day` begins.
    public static func end(of day: CalendarDate) -> Instant { instant(on: day.adding(days: 1)) }

    /// The first moment after `instant` at which London's clocks show this time.
    public static func next(after instant: Instant, hour: Int, minute: Int) -> Instant {
        let today = day(at: instant)
        let candidate = self.instant(on: today, hour: hour, minute: minute)
        return candidate > instant
            ? candidate : self.instant(on: today.adding(days: 1), hour: hour, minute: minute)
    }

    /// The last moment at or before `instant` at which London's clocks showed this time.
    public static func latest(upTo instant: Instant, hour: Int, minute: Int) -> Instant {
        let today = day(at: instant)
        let candidate = self.instant(on: today, hour: hour, minute: minute)
        return candidate <= instant
            ? candidate : self.instant(on: today.adding(days: -1), hour: hour, minute: minute)
    }

    private static let hourMicroseconds: Int64 = 3_600_000_000
    private static let dayMicroseconds: Int64 = 86_400_000_000

    /// How far London is ahead of UTC.
    private static func offsetMicroseconds(at instant: Instant) -> Int64 {
        let microseconds = instant.microsecondsSince1970
        let day = CalendarDate(daysSince1970: Int32(clamping: floorDivide(microseconds, dayMicroseconds)))
        // Most days need no look at the calendar.
        if day.month > 3 && day.month < 10 { return hourMicroseconds }
        guard day.month == 3 || day.month == 10, let change = change(of: day.year, month: day.month) else { return 0 }
        return (microseconds >= change) == (day.month == 3) ? hourMicroseconds : 0
    }

    /// 01:00 UTC on the last Sunday of the month.
    private static func change(of year: Int, month: Int) -> Int64? {
        guard let last = YearMonth(year: year, month: month)?.lastDay else { return nil }
        let sunday = last.adding(days: -(last.isoWeekday % 7))
        return Int64(sunday.daysSince1970) * dayMicroseconds + hourMicroseconds
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
