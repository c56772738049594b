import PluginAPI

/// Months that are paid so many months later (payments.md 9.4, 9.5).
struct Arrears: Sendable {
    /// No arrears are longer: what reaches back looks no further.
    static let mostMonths = 12

    let rates: RateTable
    let name: RateName

    func paymentMonth(of month: YearMonth) throws(PaymentsError) -> YearMonth {
        let months = try rates.whole(name, at: month.firstDay)
        return month.adding(months: Int(Swift.min(months, Int64(Arrears.mostMonths))))
    }
}
