// Days, months and moments between the contract and the code that reckons with them.

public import PluginAPI
public import SwiftProtobuf

extension Pcs_Common_V1_Date {
    /// The message for a day.
    public init(_ date: CalendarDate) {
        let (year, month, day) = date.components
        self.init()
        self.year = Int32(year)
        self.month = Int32(month)
        self.day = Int32(day)
    }

    /// The day, or `nil` when the numbers are no real day, as in an empty message.
    public var calendarDate: CalendarDate? {
        CalendarDate(year: Int(year), month: Int(month), day: Int(day))
    }
}

extension Pcs_Common_V1_Month {
    /// The month in which a day lies.
    public init(containing date: CalendarDate) {
        let (year, month, _) = date.components
        self.init()
        self.year = Int32(year)
        self.month = Int32(month)
    }

    /// Year and month, 1 to 12.
    public init(year: Int, month: Int) {
        self.init()
        self.year = Int32(clamping: year)
        self.month = Int32(clamping: month)
    }

    /// First day of the month, or `nil` when the numbers are no real month, as in an empty message.
    public var firstDay: CalendarDate? {
        CalendarDate(year: Int(year), month: Int(month), day: 1)
    }

    /// Last day of the month, or `nil` when the numbers are no real month.
    public var lastDay: CalendarDate? {
        guard let firstDay else { return nil }
        return firstDay.adding(days: CalendarDate.daysIn(month: Int(month), of: Int(year)) - 1)
    }
}

extension Google_Protobuf_Timestamp {
    /// The moment as messages carry it.
    public init(_ instant: Instant) {
        let microseconds = instant.microsecondsSince1970
        // Rounded down, so that the nanoseconds are never negative.
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        self.init()
        seconds = remainder < 0 ? quotient - 1 : quotient
        nanos = Int32((remainder < 0 ? remainder + 1_000_000 : remainder) * 1_000)
    }
}

extension Instant {
    /// The moment of a message, to the microsecond.
    public init(_ timestamp: Google_Protobuf_Timestamp) {
        self.init(microsecondsSince1970: timestamp.seconds * 1_000_000 + Int64(timestamp.nanos / 1_000))
    }
}
