import Foundation
package import PluginAPI
import Synchronization

/// The clock face in Europe/London: which day it is, and when the next morning at five begins.
///
/// The offset from UTC changes only at 01:00 UTC, so one look-up in the time zone's table serves a whole UTC
/// hour.
package final class LondonTime: Sendable {
    package static let shared = LondonTime()

    private let zone: TimeZone
    /// UTC hour number in the upper half, offset in seconds in the lower.
    private let cached = Atomic<Int64>(Int64.min)

    private init() {
        // Debian's base system has no tzdata on some images; GMT is then the best that can be said, and
        // summer days begin an hour late.
        zone = TimeZone(identifier: "Europe/London") ?? .gmt
    }

    /// Seconds that London is ahead of UTC at that moment.
    package func offsetSeconds(at instant: Instant) -> Int64 {
        let hour = Self.floorDivide(instant.microsecondsSince1970, 3_600_000_000)
        let known = cached.load(ordering: .relaxed)
        if known >> 32 == hour, known != Int64.min { return known & 0xFFFF_FFFF }
        let date = Date(timeIntervalSince1970: Double(hour * 3600))
        let offset = Int64(zone.secondsFromGMT(for: date))
        cached.store(hour << 32 | (offset & 0xFFFF_FFFF), ordering: .relaxed)
        return offset
    }

    package func day(at instant: Instant) -> CalendarDate {
        let local = instant.microsecondsSince1970 + offsetSeconds(at: instant) * 1_000_000
        return CalendarDate(daysSince1970: Int32(truncatingIfNeeded: Self.floorDivide(local, 86_400_000_000)))
    }

    /// The moment when London's clocks show this time of that day. A time that is skipped in spring is the
    /// moment an hour later; one that comes twice in autumn is its first coming.
    package func instant(on day: CalendarDate, hour: Int, minute: Int) -> Instant {
        let local = Int64(day.daysSince1970) * 86_400 + Int64(hour) * 3600 + Int64(minute) * 60
        // London is never behind UTC, so the earlier reading is the one in summer time.
        let summer = Instant(microsecondsSince1970: (local - 3600) * 1_000_000)
        if offsetSeconds(at: summer) == 3600 { return summer }
        return Instant(microsecondsSince1970: local * 1_000_000)
    }

    /// The first moment after `instant` at which London's clocks show this time.
    package func next(after instant: Instant, hour: Int, minute: Int) -> Instant {
        let today = day(at: instant)
        let candidate = self.instant(on: today, hour: hour, minute: minute)
        return candidate > instant
            ? candidate : self.instant(on: today.adding(days: 1), hour: hour, minute: minute)
    }

    /// The last moment at or before `instant` at which London's clocks showed this time.
    package func latest(upTo instant: Instant, hour: Int, minute: Int) -> Instant {
        let today = day(at: instant)
        let candidate = self.instant(on: today, hour: hour, minute: minute)
        return candidate <= instant
            ? candidate : self.instant(on: today.adding(days: -1), hour: hour, minute: minute)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
