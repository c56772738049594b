import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension PublishedYearHandlers {
    func comparePublishedYear(
        _ request: Pcs_Payments_V1_ComparePublishedYearRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_PublishedComparison>, _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let year else { throw Failure(PaymentsReasons.publishedYearUnknown) }
        let recomputed = try context.store.read { reader in try refusing { try RecomputedYear(year, reader) }
        }
        var comparison = PublishedComparison(year: year, rates: recomputed.rates)
        let practices = recomputed.rows.filter { $0.kind == .gms }
        if let missing = recomputed.missingRate {
            comparison.addImplied(practices, missing: missing)
        } else {
            for row in practices {
                comparison.add(row, recomputedPence: recomputed.globalSum[row.practice] ?? 0)
            }
        }
        let headings = HeadingComparison(year: year, rows: recomputed.rows, rates: recomputed.rates)
            .agreements(earlier: recomputed.earlier)
        if request.includePractices {
            for practice in comparison.practices {
                try await reply.send(.with { $0.practice = Pcs_Payments_V1_PublishedPractice(practice) })
            }
        }
        var summary = Pcs_Payments_V1_PublishedSummary(comparison, monthsFromRuns: recomputed.monthsFromRuns)
        summary.headings = headings.map(Pcs_Payments_V1_PublishedHeadingAgreement.init)
        let last = summary
        try await reply.send(.with { $0.summary = last })
    }
}

/// A year's global sum by practice: from the runs that are calculated, and for the other months as they would be
/// calculated with what is recorded now.
struct RecomputedYear: Sendable {
    var rows: [PublishedRow] = []
    var rates: RateTable
    var globalSum: [ODSCode: Int64] = [:]
    var monthsFromRuns = 0
    /// A rate without which a month cannot be recomputed.
    var missingRate: RateName?
    /// The last earlier year that is loaded.
    var earlier: (year: FinancialYear, rows: [PublishedRow])?

    init(_ year: FinancialYear, _ reader: any Reader) throws {
        guard let load = try PublishedStore.lastLoad(of: year, reader),
            let body = try EvidenceStore.body(load.evidenceID, reader)
        else {
            throw Failure(PaymentsReasons.publishedYearUnknown, "No published file of \(year) is loaded.")
        }
        rows = PublishedYearFile.read(body).rows
        rates = try ReferenceStore.rates(knownAt: .max, reader)
        earlier = try RecomputedYear.lastYear(before: year, reader)
        let family = Set(Paycode.globalSumFamily)
        let runs = try RunStore.runs(reader).filter(\.state.isCalculated)
        let calculated = Set(runs.map(\.month))
        monthsFromRuns = year.months.count { calculated.contains($0) }
        let months = Set(year.months)
        for run in runs where run.month >= year.firstMonth {
            for account in try StatementStore.ledger(of: run.id, reader) {
                for entry in account.entries
                where family.contains(entry.paycode) && months.contains(entry.month) {
                    try add(entry.pence, to: account.practice)
                }
            }
        }
        let missing = year.months.filter { !calculated.contains($0) }
        guard !missing.isEmpty else { return }
        let timelines = try ContractStore.timelines(knownAt: .max, reader)
        let lists = try CapitationStore.lists(of: Set(year.quarters), knownAt: .max, reader)
        for month in missing {
            let calculator = MonthCalculator(month: month, lists: lists, rates: rates)
            do {
                for timeline in timelines {
                    for line in try calculator.calculate(timeline).lines where family.contains(line.paycode) {
                        try add(line.pence, to: timeline.practice)
                    }
                }
            } catch PaymentsError.rateMissing(let name, _) {
                missingRate = name
                return
            }
        }
    }

    private static func lastYear(
        before year: FinancialYear, _ reader: any Reader
    ) throws -> (year: FinancialYear, rows: [PublishedRow])? {
        guard let load = try PublishedStore.lastLoad(before: year, reader),
            let body = try EvidenceStore.body(load.evidenceID, reader)
        else { return nil }
        return (load.year, PublishedYearFile.read(body).rows)
    }

    private mutating func add(_ pence: Int64, to practice: ODSCode) throws(ArithmeticError) {
        globalSum[practice] = try Money(pence: globalSum[practice] ?? 0).adding(Money(pence: pence)).pence
    }
}

extension Pcs_Payments_V1_PublishedGroup {
    init(_ group: PublishedComparison.Group) { self = Self(rawValue: group.rawValue) ?? .unspecified }
}

extension Pcs_Payments_V1_PublishedPractice {
    init(_ practice: PublishedComparison.Practice) {
        self.init()
        practiceCode = practice.row.practice.value
        practiceName = practice.row.name
        regionCode = practice.row.region
        contractType = practice.row.kind.map { Pcs_Payments_V1_ContractType($0) } ?? .unspecified
        registeredPatients = practice.row.registered
        weightedPatientsHundredths = practice.row.weightedHundredths
        publishedPence = practice.row.globalSumPence
        recomputedPence = practice.recomputedPence
        ratioMillionths = practice.ratioMillionths
        group = Pcs_Payments_V1_PublishedGroup(practice.group)
    }
}

extension Pcs_Payments_V1_PublishedSummary {
    init(_ comparison: PublishedComparison, monthsFromRuns: Int) {
        self.init()
        financialYear = comparison.year.description
        self.monthsFromRuns = Int32(monthsFromRuns)
        netPricePence = comparison.netPricePence ?? 0
        practicesAtNetPrice = Int64(comparison.practicesAtNetPrice())
        shares = comparison.shares().map { share in
            .with {
                $0.area = share.area
                $0.practices = Int64(share.practices)
                $0.withinHalfPercent = Int64(share.withinHalfPercent)
                $0.withinOnePercent = Int64(share.withinOnePercent)
                $0.withinTwoPercent = Int64(share.withinTwoPercent)
                $0.medianRatioMillionths = share.medianRatioMillionths
            }
        }
        groups = comparison.groups().map { count in
            .with {
                $0.group = Pcs_Payments_V1_PublishedGroup(count.group)
                $0.practices = Int64(count.practices)
                $0.publishedPence = count.publishedPence
                $0.recomputedPence = count.recomputedPence
            }
        }
        impliedNetPricePence = comparison.impliedNetPricePence
        missingRate = comparison.missingRate?.rawValue ?? ""
        publishedPence = groups.reduce(0) { $0 &+ $1.publishedPence }
        recomputedPence = groups.reduce(0) { $0 &+ $1.recomputedPence }
    }
}

extension Pcs_Payments_V1_PublishedHeadingAgreement {
    init(_ agreement: HeadingAgreement) {
        self.init()
        heading = Pcs_Payments_V1_PublishedHeading(rawValue: agreement.heading.rawValue) ?? .unspecified
        test = Pcs_Payments_V1_PublishedTest(rawValue: agreement.test.rawValue) ?? .unspecified
        rate = agreement.rate?.description ?? ""
        practices = Int64(agreement.practices)
        exact = Int64(agreement.exact)
        withinHalfPercent = Int64(agreement.withinHalfPercent)
        withinOnePercent = Int64(agreement.withinOnePercent)
        withinTwoPercent = Int64(agreement.withinTwoPercent)
        medianRatioMillionths = agreement.medianRatioMillionths
        publishedPence = agreement.publishedPence
    }
}
