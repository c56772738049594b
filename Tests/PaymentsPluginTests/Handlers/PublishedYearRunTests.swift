import Accounting
import CommonContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("The published year through the public door, all of England")
struct PublishedYearRunTests {
    @Test("2019/20: loaded, all twelve months run and approved, compared with what was published")
    func year() async throws {
        let bytes = Data(try OpenData.read(PublishedYearTests.path))
        try await PaymentsOffice.with { office in
            // With the real register, as on an operator's host.
            try await office.host.loadOrganisations()
            func load() async throws -> Pcs_Payments_V1_PublishedYearLoad {
                let messages = stride(from: 0, to: bytes.count, by: 512 << 10).map { start in
                    Pcs_Payments_V1_LoadPublishedYearRequest.with {
                        if start == 0 { ($0.financialYear, $0.fileName) = ("2019/20", "2019-20.csv") }
                        $0.data = bytes[start..<min(start + (512 << 10), bytes.count)]
                    }
                }
                return try await office.published().loadPublishedYear(messages)
            }
            let loaded = try await load()
            #expect(loaded.rows == 7001)
            #expect(loaded.gms > 4800 && loaded.pms > 1700 && loaded.apms > 150)
            #expect(try await load().alreadyLoaded)
            let clock = ContinuousClock()
            let april = try await office.open("2019-04")
            var run = Pcs_Payments_V1_Run()
            let took = try await clock.measure { run = try await office.calculate(april.runID) }
            print(
                "April 2019: \(run.statements) statements, \(run.lines) lines, net \(Money(pence: run.netPence)), "
                    + "calculated and stored in \(took) (debug build)")
            #expect(run.statements > 6800)
            let regions = try await office.runs().getRunTotals(
                .with { ($0.runID, $0.dimension) = (run.runID, .region) })
            #expect(regions.totals.count == 7)
            #expect(regions.totals.reduce(0) { $0 + $1.netPence } == run.netPence)
            let exceptions = try await office.exceptions(run.runID)
            let kinds = Dictionary(grouping: exceptions, by: \.kind).mapValues(\.count)
            print("Exceptions: \(kinds.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))")
            try await office.approve(run)
            let (first, last) = (try month("2019-05"), try month("2020-03"))
            for offset in 0...last.months(since: first) {
                let next = try await office.pay(first.adding(months: offset).description)
                #expect(next.retroLines == 0)
            }
            var summary: Pcs_Payments_V1_PublishedSummary?
            var practices = 0
            let stream = try await office.published().comparePublishedYear(
                .with { ($0.financialYear, $0.includePractices) = ("2019/20", true) })
            for try await part in stream {
                switch part.part {
                case .practice: practices += 1
                case .summary(let last): summary = last
                case nil: Issue.record("an empty part")
                }
            }
            let found = try #require(summary)
            #expect(practices == 4917)
            #expect(found.monthsFromRuns == 12)
            #expect(found.netPricePence == 8555)
            #expect(found.practicesAtNetPrice == 292)
            let outside = try #require(found.shares.first { $0.area == "outside London" })
            #expect(outside.practices == 4099)
            #expect((670...690).contains(outside.withinHalfPercent * 1000 / outside.practices))
        }
    }
}
