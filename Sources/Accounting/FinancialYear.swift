/// A financial year of the NHS: 1 April to 31 March, written `2026/27`.
public struct FinancialYear: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The calendar year in which it begins.
    public let startYear: Int

    /// `nil` unless the year is 1 to 9998.
    public init?(startYear: Int) {
        guard (1...9998).contains(startYear) else { return nil }
        self.startYear = startYear
    }

    /// The financial year in which a month lies.
    public init(containing month: YearMonth) {
        startYear = month.month >= 4 ? month.year : month.year - 1
    }

    public init(containing day: CalendarDate) { self.init(containing: YearMonth(containing: day)) }

    /// Parses `2026/27` strictly: the second part is the following year's last two digits.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let start = Int(parts[0]), let end = Int(parts[1]), (start + 1) % 100 == end
        else { return nil }
        self.init(startYear: start)
    }

    public var firstDay: CalendarDate { firstMonth.firstDay }
    public var lastDay: CalendarDate { firstMonth.adding(months: 11).lastDay }
    public var firstMonth: YearMonth {
        YearMonth(year: startYear, month: 4) ?? YearMonth(containing: CalendarDate(daysSince1970: 0))
    }
    /// April to March.
    public var months: [YearMonth] { (0..<12).map { firstMonth.adding(months: $0) } }
    /// April to June, July to September, October to December, January to March.
    public var quarters: [Quarter] { (0..<4).map { Quarter(containing: firstMonth.adding(months: $0 * 3)) } }

    public func contains(_ day: CalendarDate) -> Bool { day >= firstDay && day <= lastDay }

    public static func < (left: FinancialYear, right: FinancialYear) -> Bool {
        left.startYear < right.startYear
    }

    public var description: String {
        let end = (startYear + 1) % 100
        let start = String(startYear)
        return String(repeating: "0", count: 4 - start.utf8.count) + start + "/" + (end < 10 ? "0" : "")
            + String(end)
    }
}
