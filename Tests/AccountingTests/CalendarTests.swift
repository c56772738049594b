import Accounting
import Testing

@Suite("Months, quarters and financial years")
struct PeriodTests {
    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text)) }

    @Test("a month knows its days and its neighbours")
    func months() throws {
        let february = try #require(YearMonth(iso8601: "2024-02"))
        #expect(february.dayCount == 29)
        #expect(february.lastDay == (try day("2024-02-29")))
        #expect(february.adding(months: -2).description == "2023-12")
        #expect(february.adding(months: 11).description == "2025-01")
        #expect(february.months(since: try #require(YearMonth(year: 2023, month: 2))) == 12)
        #expect(YearMonth(iso8601: "2024-13") == nil)
        #expect(YearMonth(iso8601: "2024-2") == nil)
        #expect(YearMonth(year: 0, month: 1) == nil)
    }

    @Test("a financial year runs from April to March and is written 2026/27")
    func financialYears() throws {
        let year = try #require(FinancialYear("2026/27"))
        #expect(year.firstDay == (try day("2026-04-01")))
        #expect(year.lastDay == (try day("2027-03-31")))
        #expect(year.months.count == 12)
        #expect(year.quarters.map(\.description) == ["2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"])
        #expect(FinancialYear(containing: try day("2027-03-31")) == year)
        #expect(FinancialYear(containing: try day("2027-04-01")).description == "2027/28")
        #expect(FinancialYear("1999/00")?.startYear == 1999)
        for bad in ["2026/28", "2026-27", "26/27", "2026/2027", "", "2026/"] {
            #expect(FinancialYear(bad) == nil)
        }
    }

    @Test("a quarter begins on a quarter day")
    func quarters() throws {
        #expect(Quarter(containing: try day("2026-06-30")).quarterDay == (try day("2026-04-01")))
        #expect(Quarter(quarterDay: try day("2026-05-01")) == nil)
        #expect(Quarter(quarterDay: try day("2027-01-01"))?.previous.description == "2026-10-01")
    }
}

@Suite("Payment dates (E20)")
struct PaymentDateTests {
    private static let holidays = [
        "2017-01-02", "2017-04-14", "2017-04-17", "2017-05-01", "2017-05-29", "2017-08-28", "2017-12-25",
        "2017-12-26",
        "2024-01-01", "2024-03-29", "2024-04-01", "2024-05-06", "2024-05-27", "2024-08-26", "2024-12-25",
        "2024-12-26",
        "2025-01-01", "2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26", "2025-08-25", "2025-12-25",
        "2025-12-26",
        "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25",
        "2026-12-28",
    ]
    private let dates = PaymentDates(
        WorkingDays(bankHolidays: PaymentDateTests.holidays.compactMap { CalendarDate(iso8601: $0) }))

    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text)) }

    @Test(
        "E20: cut-off 9 and 8 working days before",
        arguments: [
            ("2026-04-24", 9, "2026-04-13"), ("2026-04-24", 8, "2026-04-14"),
            ("2026-12-31", 9, "2026-12-16"), ("2026-12-31", 8, "2026-12-17"),
        ])
    func cutOff(payment: String, count: Int, expected: String) throws {
        #expect(
            try dates.cutOff(forPayment: try day(payment), workingDaysBefore: count) == (try day(expected)))
    }

    @Test("E20: Bacs input and processing days")
    func bacs() throws {
        #expect(try dates.bacsInput(forPayment: try day("2026-04-24")) == (try day("2026-04-22")))
        #expect(try dates.bacsProcessing(forPayment: try day("2026-04-24")) == (try day("2026-04-23")))
        #expect(try dates.bacsInput(forPayment: try day("2026-12-31")) == (try day("2026-12-29")))
    }

    @Test(
        "E20: a practice or PCN date that is no working day moves back",
        arguments: [
            ("2025-04-20", "2025-04-17"), ("2026-06-20", "2026-06-19"), ("2026-06-22", "2026-06-22"),
        ])
    func practice(wanted: String, paid: String) throws {
        #expect(try dates.practicePayment(on: try day(wanted)) == (try day(paid)))
    }

    @Test(
        "E20: pharmacies are paid on the first, earlier if need be, but never earlier than 1 April",
        arguments: [
            ("2024-06", "2024-05-31"), ("2017-04", "2017-04-03"), ("2024-04", "2024-04-02"),
            ("2026-10", "2026-10-01"),
        ])
    func pharmacy(month: String, paid: String) throws {
        #expect(try dates.pharmacyPayment(in: try #require(YearMonth(iso8601: month))) == (try day(paid)))
    }

    @Test("a year without known bank holidays is refused, not guessed")
    func unknownYear() throws {
        let wanted = try day("2030-06-03")
        #expect(throws: CalendarError.yearUnknown(2030)) { try dates.practicePayment(on: wanted) }
        let early = try day("2024-01-05")
        #expect(throws: CalendarError.yearUnknown(2023)) {
            try dates.cutOff(forPayment: early, workingDaysBefore: 9)
        }
    }
}
