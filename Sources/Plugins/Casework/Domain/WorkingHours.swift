import PluginAPI

/// Time that counts: on working days between two hours of the wall clock (identity-and-organisations.md 14.2).
struct WorkingHours: Hashable, Sendable {
    let days: WorkingDays
    /// Minutes after midnight.
    let opens: Int
    let closes: Int

    var minutesADay: Int { closes - opens }

    /// The end of the Nth working day after the day on which `start` lies. That day itself never counts, whether a
    /// working day or not: a complaint of Good Friday has its first day on Tuesday (example 16).
    func end(ofWorkingDay count: Int, after start: Instant) throws -> Instant {
        let day = try days.stepping(forward: count, from: LondonTime.day(at: start))
        return LondonTime.instant(on: day, minute: closes)
    }

    /// Working minutes from one moment to a later one; 0 when it is not later. Seconds do not count.
    func minutes(from start: Instant, to end: Instant) throws -> Int {
        guard start < end else { return 0 }
        let (first, last) = (LondonTime.moment(at: start), LondonTime.moment(at: end))
        var total = 0
        var day = first.day
        while day <= last.day {
            if try days.isWorkingDay(day) {
                let from = day == first.day ? max(first.minute, opens) : opens
                let to = day == last.day ? min(last.minute, closes) : closes
                total += max(0, to - from)
            }
            day = day.adding(days: 1)
        }
        return total
    }

    /// The moment by which `minutes` working minutes have passed since `start`; `start` itself for none.
    func adding(minutes: Int, to start: Instant) throws -> Instant {
        guard minutes > 0 else { return start }
        var left = minutes
        var moment = LondonTime.moment(at: start)
        while true {
            if try days.isWorkingDay(moment.day), moment.minute < closes {
                let from = max(moment.minute, opens)
                if from + left <= closes { return LondonTime.instant(on: moment.day, minute: from + left) }
                left -= closes - from
            }
            moment = LondonMoment(day: moment.day.adding(days: 1), minute: 0)
        }
    }
}

extension CalendarDate {
    /// The same day so many months later; the last of the month where there is none.
    func adding(calendarMonths count: Int) -> CalendarDate {
        guard let month = YearMonth(year: year, month: self.month)?.adding(months: count) else { return self }
        return CalendarDate(year: month.year, month: month.month, day: day) ?? month.lastDay
    }
}
