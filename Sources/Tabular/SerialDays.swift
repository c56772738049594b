package import Accounting

/// How a workbook counts days. Cells keep the number; it becomes a day only where a rule asks for one.
package enum SerialDays: Sendable {
    /// Day 1 is 1900-01-01, and 1900 is taken for a leap year, which it was not.
    case from1900
    /// Day 0 is 1904-01-01.
    case from1904

    /// The day of a number; `nil` for the 29th of February 1900, and outside 1900 to 9999.
    package func day(_ serial: Int) -> CalendarDate? {
        switch self {
        case .from1900:
            // 1899-12-31 is day 0. Behind the day that never was, every number is one too high.
            guard (1...2_958_465).contains(serial), serial != 60 else { return nil }
            return CalendarDate(daysSince1970: Int32(serial - (serial > 60 ? 1 : 0) - 25_568))
        case .from1904:
            guard (0...2_957_003).contains(serial) else { return nil }
            return CalendarDate(daysSince1970: Int32(serial - 24_107))
        }
    }
}
