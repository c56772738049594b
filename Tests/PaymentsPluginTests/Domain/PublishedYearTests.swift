import Accounting
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("The published year 2019/20, real data")
struct PublishedYearTests {
    static let path = "nhs-payments-gp/nhs_payments_gp_practice_2019-20.csv.gz"

    @Test("twelve months of every GMS practice against the published global sum")
    func comparison() throws {
        let (rows, violations) = PublishedYearFile.read(try OpenData.read(Self.path))
        try #require(violations.isEmpty)
        let year = try #require(FinancialYear("2019/20"))
        let published = PublishedYear(year: year, rows: rows)
        let load = published.load(id: "", evidence: "")
        #expect(load.rows == 7001)
        #expect(
            load.gms + load.pms + load.apms + load.skippedUnknown + load.skippedNoList + load.skippedNoMoney
                == 7001)

        let rates = RateTable(RateFile.read(PackageResources.rates_csv).rows)
        var lists = ListTable()
        for row in published.lists() {
            for quarter in year.quarters {
                lists.set(
                    PatientLists(
                        registered: row.registered, weightedHundredths: row.weightedHundredths, london: 0,
                        version: 1),
                    of: row.practice, in: quarter)
            }
        }
        let timelines = published.contracts().map { row in
            ContractTimeline(
                practice: row.practice,
                records: [ContractRecord(version: 1, from: row.from, to: row.to, terms: row.terms)])
        }
        var recomputed: [ODSCode: Int64] = [:]
        for month in year.months {
            let calculator = MonthCalculator(month: month, lists: lists, rates: rates)
            for timeline in timelines {
                for line in try calculator.calculate(timeline).lines
                where Paycode.globalSumFamily.contains(line.paycode) {
                    recomputed[timeline.practice, default: 0] += line.pence
                }
            }
        }
        var comparison = PublishedComparison(year: year, rates: rates)
        for row in rows where row.kind == .gms {
            comparison.add(row, recomputedPence: recomputed[row.practice] ?? 0)
        }
        printTable(comparison)
        #expect(comparison.netPricePence == 8555)
        #expect(comparison.practicesAtNetPrice() >= 280)
        let outside = try #require(comparison.shares().first { $0.area == "outside London" })
        #expect((4000...4110).contains(outside.practices))
        func permille(_ count: Int) -> Int { count * 1000 / outside.practices }
        #expect((670...690).contains(permille(outside.withinHalfPercent)))
        #expect((840...856).contains(permille(outside.withinOnePercent)))
        #expect((890...906).contains(permille(outside.withinTwoPercent)))
        #expect((1_002_000...1_004_000).contains(outside.medianRatioMillionths))
        #expect(comparison.groups().reduce(0) { $0 + $1.practices } == 4917)
    }

    private func printTable(_ comparison: PublishedComparison) {
        func percent(_ part: Int, _ whole: Int) -> String {
            whole == 0 ? "-" : "\(part * 1000 / whole / 10).\(part * 1000 / whole % 10) %"
        }
        print(
            "Published year \(comparison.year), net price \(Money(pence: comparison.netPricePence ?? 0)), "
                + "\(comparison.practicesAtNetPrice()) practices at exactly that")
        for share in comparison.shares() {
            print(
                "  \(share.area): \(share.practices) practices, within 0.5 / 1 / 2 %: "
                    + "\(percent(share.withinHalfPercent, share.practices)) / "
                    + "\(percent(share.withinOnePercent, share.practices)) / "
                    + "\(percent(share.withinTwoPercent, share.practices)), median ratio "
                    + "\(ExactDecimal(mantissa: share.medianRatioMillionths, scale: 6))")
        }
        for group in comparison.groups() {
            print(
                "  \(group.group): \(group.practices) practices, published \(Money(pence: group.publishedPence)), "
                    + "recomputed \(Money(pence: group.recomputedPence))")
        }
    }

    @Test("rows without a contract in the year are left out, each for its reason")
    func fates() throws {
        let year = try #require(FinancialYear("2019/20"))
        func row(_ kind: ContractKind?, weighted: Int64 = 100_000, core: Int64 = 100, closed: String? = nil)
            throws -> PublishedRow
        {
            PublishedRow(
                practice: try practice("A81001"), name: "A", region: "Y63", regionName: "NORTH",
                commissioner: "16C",
                kind: kind, openedOn: nil, closedOn: try closed.map { try day($0) }, registered: 1000,
                weightedHundredths: weighted, globalSumPence: core, baselinePence: 0)
        }
        let published = PublishedYear(year: year, rows: [])
        #expect(published.fate(of: try row(nil)) == .unknownContract)
        #expect(published.fate(of: try row(.gms, closed: "2019-03-31")) == .unknownContract)
        #expect(published.fate(of: try row(.gms, weighted: 0)) == .noList)
        #expect(published.fate(of: try row(.pms, core: 0)) == .noCoreMoney)
        #expect(published.fate(of: try row(.gms, core: 0)) == .contract(.gms))
        let closing = PublishedYear(year: year, rows: [try row(.gms, closed: "2019-11-10")])
        let contract = try #require(closing.contracts().first)
        #expect(contract.from.description == "2019-04-01")
        #expect(contract.to?.description == "2019-11-11")
    }
}
