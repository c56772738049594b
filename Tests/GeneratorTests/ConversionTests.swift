import CommonContract
import PluginAPI
import Testing

@Suite("days and months of the contract")
struct ConversionTests {
    @Test("go to and fro without loss", arguments: ["0001-01-01", "1948-07-05", "2020-02-29", "9999-12-31"])
    func roundTrip(_ text: String) throws {
        let date = try #require(CalendarDate(iso8601: text))
        #expect(Pcs_Common_V1_Date(date).calendarDate == date)
    }

    @Test(
        "are refused when there is no such day",
        arguments: [(0, 0, 0), (2019, 2, 29), (2019, 13, 1), (2019, 4, 31), (-1, 1, 1), (10_000, 1, 1)]
            as [(Int32, Int32, Int32)])
    func noSuchDay(_ year: Int32, _ month: Int32, _ day: Int32) {
        let message = Pcs_Common_V1_Date.with {
            $0.year = year
            $0.month = month
            $0.day = day
        }
        #expect(message.calendarDate == nil)
    }

    @Test("begin and end a month")
    func monthEnds() {
        let leap = Pcs_Common_V1_Month(year: 2020, month: 2)
        #expect(leap.firstDay?.description == "2020-02-01")
        #expect(leap.lastDay?.description == "2020-02-29")
        #expect(Pcs_Common_V1_Month().firstDay == nil)
        #expect(Pcs_Common_V1_Month(year: 2020, month: 13).lastDay == nil)
        #expect(leap.lastDay.map(Pcs_Common_V1_Month.init(containing:)) == leap)
    }
}
