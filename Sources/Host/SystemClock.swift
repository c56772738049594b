import Glibc
package import PluginAPI

/// Time of the machine; days in Europe/London.
package struct SystemClock: HostClock {
    package init() {}

    package var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microsecondsSince1970: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package var today: CalendarDate { LondonTime.day(at: now) }
}

/// Nanoseconds of a clock that never goes back; for measuring and for bounds, never for records.
enum MonotonicTime {
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
