import Host
public import PluginAPI
import Synchronization

/// A clock that stands still until a test moves it. Days are those of Europe/London, as on the real one.
///
/// Deadlines, drains and keepalives are bounds on waiting, not facts about the world: they run on the
/// machine's own clock and do not move with this one.
public final class ManualClock: HostClock {
    private let instant: Mutex<Instant>

    public init(_ start: Instant) { instant = Mutex(start) }

    /// - Parameter day: the clock starts there at the given time in London.
    public convenience init(_ day: CalendarDate, hour: Int = 9, minute: Int = 0) {
        self.init(LondonTime.instant(on: day, hour: hour, minute: minute))
    }

    public var now: Instant { instant.withLock { $0 } }
    public var today: CalendarDate { LondonTime.day(at: now) }

    /// Sets the clock, forward or back.
    public func set(_ now: Instant) { instant.withLock { $0 = now } }

    /// Sets the clock to a time in London.
    public func set(_ day: CalendarDate, hour: Int = 9, minute: Int = 0) {
        set(LondonTime.instant(on: day, hour: hour, minute: minute))
    }

    public func advance(milliseconds: Int64) {
        instant.withLock { $0 = $0.adding(milliseconds: milliseconds) }
    }
    public func advance(days: Int) { advance(milliseconds: Int64(days) * 86_400_000) }
}
