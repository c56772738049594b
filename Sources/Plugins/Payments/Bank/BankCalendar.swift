import PluginAPI

/// Days around bank details, files and returned credits, by the calendar and the parameters in force (payments.md 12.5,
/// 12.7).
struct BankCalendar: Sendable {
    let dates: PaymentDates
    private let rates: RateTable

    init(_ reader: any Reader) throws {
        dates = PaymentDates(try ReferenceStore.workingDays(knownAt: .max, reader))
        rates = try ReferenceStore.rates(knownAt: .max, reader)
    }

    private func parameter(_ name: RateName, on day: CalendarDate) throws -> Int {
        Int(try rates.whole(name, at: YearMonth(containing: day).firstDay))
    }

    /// Last day on which details must be authorised and in effect to be used by a run; later ones wait for the next.
    func lastDayForDetails(of run: RunRecord) throws -> CalendarDate {
        try refusing {
            let count = try parameter(.bankDetailsLeadDays, on: run.month.firstDay)
            return try dates.workingDays.stepping(back: count, from: run.cutOffOn)
        }
    }

    /// Whether a day lies in the cooling-off before a cut-off.
    func isCoolingOff(_ day: CalendarDate, before cutOff: CalendarDate) throws -> Bool {
        guard day <= cutOff else { return false }
        let count = try parameter(.bankCoolingOffDays, on: day)
        return try dates.workingDays.stepping(back: count, from: cutOff) <= day
    }

    /// Days for which the number of a call-back has been on file.
    func numberOnFileDays(on day: CalendarDate) throws -> Int {
        try refusing { try parameter(.bankNumberOnFileDays, on: day) }
    }

    func contactChangeDays(on day: CalendarDate) throws -> Int {
        try refusing { try parameter(.bankContactChangeDays, on: day) }
    }

    /// Last day on which credits of an entry day come back.
    func returns(ofEntry day: CalendarDate) throws -> CalendarDate {
        try refusing {
            try dates.workingDays.stepping(forward: try parameter(.bacsReturnDays, on: day), from: day)
        }
    }

    /// Last day for a payee to act on a return.
    func action(onReturnOf day: CalendarDate) throws -> CalendarDate {
        try refusing {
            try dates.workingDays.stepping(forward: try parameter(.returnActionDays, on: day), from: day)
        }
    }

    /// Whether a file that is sent on `sent` arrives on its day.
    func reaches(_ entry: CalendarDate, sentOn sent: CalendarDate) throws -> Bool {
        try refusing { try sent <= dates.bacsInput(forPayment: entry) }
    }

    func earliestEntry(sentOn day: CalendarDate) throws -> CalendarDate {
        try refusing { try dates.earliestEntry(sentOn: day) }
    }
}
