/// Three months for which a practice's list holds. It begins on a quarter day: 1 January, 1 April, 1 July, 1 October.
public struct Quarter: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let firstMonth: YearMonth

    public init(containing month: YearMonth) {
        firstMonth = month.adding(months: -((month.month - 1) % 3))
    }

    public init(containing day: CalendarDate) { self.init(containing: YearMonth(containing: day)) }

    /// `nil` unless the day is a quarter day.
    public init?(quarterDay: CalendarDate) {
        self.init(containing: quarterDay)
        guard self.quarterDay == quarterDay else { return nil }
    }

    public var quarterDay: CalendarDate { firstMonth.firstDay }
    public var months: [YearMonth] { (0..<3).map { firstMonth.adding(months: $0) } }
    public var previous: Quarter { Quarter(containing: firstMonth.adding(months: -3)) }
    public var next: Quarter { Quarter(containing: firstMonth.adding(months: 3)) }

    public static func < (left: Quarter, right: Quarter) -> Bool { left.firstMonth < right.firstMonth }

    /// The quarter day.
    public var description: String { quarterDay.description }
}
