import Accounting
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// One year of the official file, and what this system makes of it: the domain alone, without store and host.
struct RealYear {
    let year: FinancialYear
    let rows: [PublishedRow]
    let comparison: PublishedComparison
    let headings: [HeadingAgreement]

    /// The years that are committed; 2016/17 and 2020/21 are not among them.
    static let all = ["2014/15", "2015/16", "2017/18", "2018/19", "2019/20", "2021/22", "2022/23"]

    static func path(_ year: String) -> String {
        "nhs-payments-gp/nhs_payments_gp_practice_\(year.replacing("/", with: "-")).csv.gz"
    }

    init(_ text: String, rates: RateTable, earlier: RealYear?) throws {
        let year = try #require(FinancialYear(text))
        let (rows, violations) = PublishedYearFile.read(try OpenData.read(Self.path(text)))
        try #require(violations.isEmpty, "\(text): \(violations.listed.prefix(5))")
        var comparison = PublishedComparison(year: year, rates: rates)
        let practices = rows.filter { $0.kind == .gms }
        do {
            let recomputed = try Self.recompute(PublishedYear(year: year, rows: rows), rates)
            for row in practices { comparison.add(row, recomputedPence: recomputed[row.practice] ?? 0) }
        } catch PaymentsError.rateMissing(let name, _) {
            comparison.addImplied(practices, missing: name)
        }
        self.year = year
        self.rows = rows
        self.comparison = comparison
        headings = HeadingComparison(year: year, rows: rows, rates: rates)
            .agreements(earlier: earlier.map { ($0.year, $0.rows) })
    }

    /// Twelve months of every contract of the year: the global sum by practice.
    static func recompute(_ published: PublishedYear, _ rates: RateTable) throws -> [ODSCode: Int64] {
        var lists = ListTable()
        for row in published.lists() {
            for quarter in published.year.quarters {
                lists.set(
                    PatientLists(
                        registered: row.registered, weightedHundredths: row.weightedHundredths, london: 0,
                        version: 1),
                    of: row.practice, in: quarter)
            }
        }
        let timelines = published.contracts().filter { $0.terms.payment.kind == .gms }.map { row in
            ContractTimeline(
                practice: row.practice,
                records: [ContractRecord(version: 1, from: row.from, to: row.to, terms: row.terms)])
        }
        var recomputed: [ODSCode: Int64] = [:]
        for month in published.year.months {
            let calculator = MonthCalculator(month: month, lists: lists, rates: rates)
            for timeline in timelines {
                for line in try calculator.calculate(timeline).lines
                where Paycode.globalSumFamily.contains(line.paycode) {
                    recomputed[timeline.practice, default: 0] += line.pence
                }
            }
        }
        return recomputed
    }

    func share(_ area: String) -> PublishedComparison.Share? { comparison.shares().first { $0.area == area } }

    func heading(_ heading: PublishedHeading) -> HeadingAgreement? {
        headings.first { $0.heading == heading }
    }

    /// Median of what is published beyond the recomputed global sum, in hundredths of a penny for each registered
    /// patient: what is left when list, price, deduction and London adjustment are taken off.
    func leftOver(london: Bool) -> Int64 {
        let rest = comparison.practices.filter {
            $0.isOpenAllYear && $0.group == .agrees && $0.row.isLondon == london && $0.row.registered > 0
        }.map { ($0.row.globalSumPence - $0.recomputedPence) * 100 / $0.row.registered }.sorted()
        return rest.isEmpty ? 0 : rest[rest.count / 2]
    }
}

/// The seven years, read once for all tests.
enum RealYears {
    static let rates = RateTable(RateFile.read(PackageResources.rates_csv).rows)
    static let all = Result {
        var years: [RealYear] = []
        for text in RealYear.all { years.append(try RealYear(text, rates: rates, earlier: years.last)) }
        return years
    }

    static func year(_ text: String) throws -> RealYear {
        try #require(try all.get().first { $0.year.description == text })
    }
}
