import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

@Suite("Network lines (payments.md 8)")
struct NetworkLinesTests {
    private let network: ODSCode
    private let rates: RateTable

    init() throws {
        network = try #require(ODSCode("U99001"))
        rates = RateTable(RateFile.read(PackageResources.rates_csv).rows)
    }

    private func lines(_ month: YearMonth, beds: [NetworkBeds]) throws -> [PaymentLine] {
        let year = FinancialYear(containing: month)
        let source = NetworkLines(
            months: [month],
            sizes: [
                network: [
                    year: NetworkSizes(
                        registered: 43_210, adjustedHundredths: 4_487_235, weightedHundredths: 4_400_000, version: 7)
                ]
            ], beds: [network: beds], rates: rates)
        return try source.lines(for: network, in: month)
    }

    @Test("E7: a network's month of 2025/26, and a member's participation payment")
    func workedExample7() throws {
        let month = try #require(YearMonth(iso8601: "2025-06"))
        let start = try #require(YearMonth(iso8601: "2025-04"))
        let lines = try lines(month, beds: [NetworkBeds(from: start, beds: 312, version: 8)])
        #expect(
            lines.map { "\($0.paycode.code) \(Money(pence: $0.pence))" } == [
                "PCNCOR 10900.44", "PCNEA 31511.61", "PCNCSP 11995.87", "PCNCHP 3386.58",
            ])
        #expect(lines.reduce(0) { $0 + $1.pence } == 5_779_450)
        for line in lines { #expect(try line.explanation.replay().pence == line.pence) }

        let practice = try #require(ODSCode("A99001"))
        var lists = ListTable()
        lists.set(
            PatientLists(registered: 11_000, weightedHundredths: 1_084_217, london: 0, version: 1), of: practice,
            in: Quarter(containing: month))
        let participation = ParticipationLines(lists: lists, rates: rates, participants: [month: [practice]])
        let found = try participation.lines(for: practice, in: month)
        let payment = try #require(found.first)
        #expect(payment.pence == 159_109)
        #expect(try payment.explanation.replay().pence == payment.pence)
        let other = try #require(YearMonth(iso8601: "2025-07"))
        #expect(try participation.lines(for: practice, in: other).isEmpty)
    }

    @Test("E8: the care-home rate of 2024/25 raised back to April, month by month")
    func workedExample8() throws {
        let beds: [(String, Int64)] = [("2024-04", 100), ("2024-06", 104), ("2024-09", 98)]
        let held = beds.compactMap { text, count in
            YearMonth(iso8601: text).map { NetworkBeds(from: $0, beds: count, version: 1) }
        }
        var due: [Int64] = []
        for text in ["2024-04", "2024-05", "2024-06", "2024-07", "2024-08", "2024-09"] {
            let month = try #require(YearMonth(iso8601: text))
            let premium = try lines(month, beds: held).first { $0.paycode == .networkCareHomes }
            due.append(try #require(premium).pence)
        }
        #expect(due == [106_000, 106_000, 110_240, 110_240, 110_240, 103_880])
        let paid: [Int64] = [100_000, 100_000, 104_000, 104_000, 104_000, 98_000]
        #expect(zip(due, paid).map { $0 - $1 }.reduce(0, +) == 36_600)
    }

    @Test("no beds, no premium; a rate left as a parameter makes no line; before October 2022 nothing is calculated")
    func gaps() throws {
        let month = try #require(YearMonth(iso8601: "2026-05"))
        #expect(try lines(month, beds: []).map(\.paycode) == [.networkCore])
        let source = NetworkLines(months: [], sizes: [:], beds: [:], rates: rates)
        #expect(source.payees(in: month).isEmpty)
    }
}
