@_exported public import Accounting

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
public struct Instant: Hashable, Comparable, Sendable {
    public let microsecondsSince1970: Int64
    public init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }
    public static func < (left: Instant, right: Instant) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }
    public func adding(milliseconds: Int64) -> Instant {
        Instant(microsecondsSince1970: microsecondsSince1970 + milliseconds * 1000)
    }
}

/// Time as the Host tells it. Plugins take it from here, never from the system or from SQL, so that tests can set it.
public protocol HostClock: Sendable {
    var now: Instant { get }
    /// Today in Europe/London.
    var today: CalendarDate { get }
}
