/// A calendar month, for example the month that a run pays. Written `YYYY-MM`.
///
/// Range: 0001-01 to 9999-12. Comparison and arithmetic are those of integers.
public struct YearMonth: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Months since 0000-01.
    public let index: Int32

    private init(index: Int32) { self.index = index }

    /// `nil` unless the year is 1 to 9999 and the month 1 to 12.
    public init?(year: Int, month: Int) {
        guard (1...9999).contains(year), (1...12).contains(month) else { return nil }
        index = Int32(year * 12 + month - 1)
    }

    /// The month in which a day lies.
    public init(containing day: CalendarDate) {
        let (year, month, _) = day.components
        index = Int32(year * 12 + month - 1)
    }

    /// Parses `YYYY-MM` strictly.
    public init?(iso8601 text: some StringProtocol) {
        guard text.utf8.count == 7, let day = CalendarDate(iso8601: String(text) + "-01") else { return nil }
        self.init(containing: day)
    }

    public var year: Int { Int(index / 12) }
    /// 1 to 12.
    public var month: Int { Int(index % 12) + 1 }
    /// 28 to 31.
    public var dayCount: Int { CalendarDate.daysIn(month: month, of: year) }

    public var firstDay: CalendarDate { date(1) }
    public var lastDay: CalendarDate { date(dayCount) }

    private func date(_ day: Int) -> CalendarDate {
        // Every month in range has these days.
        CalendarDate(year: year, month: month, day: day) ?? CalendarDate(daysSince1970: 0)
    }

    /// The month so many months later (or earlier). Precondition: it is in range.
    public func adding(months: Int) -> YearMonth {
        let moved = index + Int32(months)
        precondition((12..<120_000).contains(moved), "months run from 0001-01 to 9999-12")
        return YearMonth(index: moved)
    }

    /// Whole months from `other` to this one; negative when this one is earlier.
    public func months(since other: YearMonth) -> Int { Int(index - other.index) }

    public func contains(_ day: CalendarDate) -> Bool { day >= firstDay && day <= lastDay }

    public static func < (left: YearMonth, right: YearMonth) -> Bool { left.index < right.index }

    public var description: String { String(firstDay.description.dropLast(3)) }
}
