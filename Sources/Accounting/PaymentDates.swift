/// Dates around a payment (payments.md 2.3, 12.7; worked example E20). Parameters such as the number of days come from
/// effective-dated reference data.
public struct PaymentDates: Hashable, Sendable {
    public let workingDays: WorkingDays

    public init(_ workingDays: WorkingDays) { self.workingDays = workingDays }

    /// GP and PCN payments whose date is no working day are made on the previous one.
    public func practicePayment(on day: CalendarDate) throws(CalendarError) -> CalendarDate {
        try workingDays.onOrBefore(day)
    }

    /// Pharmacy: the first of the month; otherwise the previous working day, except that 1 April moves to the next one,
    /// so that no financial year has 13 payments.
    public func pharmacyPayment(in month: YearMonth) throws(CalendarError) -> CalendarDate {
        try month.month == 4 ? workingDays.onOrAfter(month.firstDay) : workingDays.onOrBefore(month.firstDay)
    }

    /// The last day, until 23:59:59 Europe/London, on which inputs are in time for the payment.
    public func cutOff(forPayment day: CalendarDate, workingDaysBefore count: Int) throws(CalendarError)
        -> CalendarDate
    {
        try workingDays.stepping(back: count, from: day)
    }

    /// Bacs input day: two working days before the entry day.
    public func bacsInput(forPayment day: CalendarDate) throws(CalendarError) -> CalendarDate {
        try workingDays.stepping(back: 2, from: day)
    }

    /// The first entry day that a file can still reach which is sent on `day`, or on the next working day.
    public func earliestEntry(sentOn day: CalendarDate) throws(CalendarError) -> CalendarDate {
        try workingDays.stepping(forward: 2, from: try workingDays.onOrAfter(day))
    }

    /// Bacs processing day, the date in the file: the working day before the entry day.
    public func bacsProcessing(forPayment day: CalendarDate) throws(CalendarError) -> CalendarDate {
        try workingDays.stepping(back: 1, from: day)
    }
}
