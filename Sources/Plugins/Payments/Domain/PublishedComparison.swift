import PluginAPI

/// One practice of the yearly official file, as far as it is used here.
struct PublishedRow: Hashable, Sendable {
    var practice: ODSCode
    var name: String
    var region: String
    var regionName: String
    var commissioner: String
    /// `nil` = UNKNOWN: closed before the year, adjustments only.
    var kind: ContractKind?
    var openedOn: CalendarDate?
    /// Last day.
    var closedOn: CalendarDate?
    /// Average or last known list, rounded to whole patients (RND-7).
    var registered: Int64
    var weightedHundredths: Int64
    var globalSumPence: Int64
    var baselinePence: Int64
    var amounts = PublishedAmounts()

    var isLondon: Bool { regionName.uppercased().contains("LONDON") }

    /// Core money of a PMS or APMS practice: the file shows it under either heading.
    var coreMoneyPence: Int64 { globalSumPence &+ baselinePence }
}

/// Compares the published global sum of a year with the recomputed one.
struct PublishedComparison: Sendable {
    /// Numbers follow `pcs.payments.v1.PublishedGroup`.
    enum Group: Int, CaseIterable, Sendable {
        case agrees = 1
        case keptOutOfHours = 2
        case partYear = 3
        case london = 4
        case noList = 5
        case noGlobalSum = 6
        case oneOff = 7
    }

    struct Practice: Hashable, Sendable {
        var row: PublishedRow
        var recomputedPence: Int64
        /// Published / recomputed in millionths; 0 = none recomputed.
        var ratioMillionths: Int64
        var group: Group
        var isOpenAllYear: Bool
    }

    struct Share: Hashable, Sendable {
        var area: String
        var practices = 0
        var withinHalfPercent = 0
        var withinOnePercent = 0
        var withinTwoPercent = 0
        var medianRatioMillionths: Int64 = 0
    }

    struct GroupCount: Hashable, Sendable {
        var group: Group
        var practices = 0
        var publishedPence: Int64 = 0
        var recomputedPence: Int64 = 0
    }

    /// Weighted list, in hundredths, up to which only tail payments are to be expected.
    static let smallListHundredths: Int64 = 50_000

    let year: FinancialYear
    /// Price less the out-of-hours deduction, rounded to pence; `nil` when the rates are not set.
    let netPricePence: Int64?
    /// The rate that is not set: then the price implied by the file stands for the recomputed one.
    private(set) var missingRate: RateName?
    /// Out-of-hours deduction in millionths of a percent.
    let outOfHoursMillionths: Int64
    private(set) var practices: [Practice] = []

    init(year: FinancialYear, rates: RateTable) {
        self.year = year
        let price = try? rates.rate(.globalSumPrice, at: year.firstDay)
        let percent = try? rates.rate(.outOfHoursPercent, at: year.firstDay)
        outOfHoursMillionths = percent?.millionths ?? 0
        netPricePence = price.flatMap { price in
            let kept = Int128(100 * 1_000_000 - (percent?.millionths ?? 0))
            return try? Rounding.quotient(Int128(price.millionths) * kept, 10_000 * 100 * 1_000_000)
        }
    }

    /// What the file itself implies where a rate of the year is not set: the weighted list times the median price.
    mutating func addImplied(_ rows: [PublishedRow], missing: RateName) {
        missingRate = missing
        let price = PublishedComparison.impliedNetPricePence(rows, year)
        for row in rows {
            add(
                row,
                recomputedPence: (try? Rounding.quotient(Int128(row.weightedHundredths) * Int128(price), 100))
                    ?? 0)
        }
    }

    /// Median, outside London, of the global sum for each weighted patient; 0 = no practice to tell it from.
    static func impliedNetPricePence(_ rows: [PublishedRow], _ year: FinancialYear) -> Int64 {
        let prices = rows.filter { isCounted($0, year) && !$0.isLondon && $0.kind == .gms }.compactMap {
            row in
            try? Rounding.quotient(Int128(row.globalSumPence) * 100, Int128(row.weightedHundredths))
        }.sorted()
        return prices.isEmpty ? 0 : prices[prices.count / 2]
    }

    /// The price that the practices added imply.
    var impliedNetPricePence: Int64 { PublishedComparison.impliedNetPricePence(practices.map(\.row), year) }

    private static func isOpenAllYear(_ row: PublishedRow, _ year: FinancialYear) -> Bool {
        row.closedOn == nil && !(row.openedOn.map { $0 > year.firstDay } ?? false)
    }

    /// Practices whose agreement says something: open all year, more than a small list, a global sum shown.
    private static func isCounted(_ row: PublishedRow, _ year: FinancialYear) -> Bool {
        isOpenAllYear(row, year) && row.weightedHundredths > smallListHundredths && row.globalSumPence != 0
    }

    /// Adds a GMS practice with what this system makes of its year.
    mutating func add(_ row: PublishedRow, recomputedPence: Int64) {
        let ratio =
            recomputedPence > 0
            ? (try? Rounding.quotient(Int128(row.globalSumPence) * 1_000_000, Int128(recomputedPence))) ?? 0
            : 0
        let isOpenAllYear = PublishedComparison.isOpenAllYear(row, year)
        practices.append(
            Practice(
                row: row, recomputedPence: recomputedPence, ratioMillionths: ratio,
                group: group(row, ratio: ratio, isOpenAllYear: isOpenAllYear), isOpenAllYear: isOpenAllYear))
    }

    private func group(_ row: PublishedRow, ratio: Int64, isOpenAllYear: Bool) -> Group {
        if row.weightedHundredths <= PublishedComparison.smallListHundredths { return .noList }
        if row.globalSumPence == 0 { return .noGlobalSum }
        if abs(ratio - 1_000_000) <= 20_000 { return .agrees }
        // Without the deduction the global sum is 1 / (1 - percentage) of the net one; within 1 % of that.
        let withDeduction = Int128(ratio) * Int128(100_000_000 - outOfHoursMillionths) / 100_000_000
        if abs(Int64(clamping: withDeduction) - 1_000_000) <= 10_000 { return .keptOutOfHours }
        if !isOpenAllYear { return .partYear }
        return row.isLondon ? .london : .oneOff
    }

    func counted(_ isIncluded: (Practice) -> Bool) -> [Practice] {
        practices.filter { PublishedComparison.isCounted($0.row, year) && isIncluded($0) }
    }

    /// Of a year with an implied price only outside London: the price holds no London adjustment.
    func shares() -> [Share] {
        guard missingRate == nil else { return [share("outside London", counted { !$0.row.isLondon })] }
        return [
            share("outside London", counted { !$0.row.isLondon }),
            share("London", counted { $0.row.isLondon }),
            share("England", counted { _ in true }),
        ]
    }

    private func share(_ area: String, _ practices: [Practice]) -> Share {
        var share = Share(area: area, practices: practices.count)
        let ratios = practices.map(\.ratioMillionths).sorted()
        share.withinHalfPercent = ratios.count { abs($0 - 1_000_000) <= 5_000 }
        share.withinOnePercent = ratios.count { abs($0 - 1_000_000) <= 10_000 }
        share.withinTwoPercent = ratios.count { abs($0 - 1_000_000) <= 20_000 }
        if !ratios.isEmpty { share.medianRatioMillionths = ratios[ratios.count / 2] }
        return share
    }

    /// Practices whose published amount for each weighted patient rounds to the net price.
    func practicesAtNetPrice() -> Int {
        guard let netPricePence else { return 0 }
        return counted { _ in true }.count {
            (try? Rounding.quotient(Int128($0.row.globalSumPence) * 100, Int128($0.row.weightedHundredths)))
                == netPricePence
        }
    }

    func groups() -> [GroupCount] {
        var counts = Group.allCases.map { GroupCount(group: $0) }
        for practice in practices {
            let index = practice.group.rawValue - 1
            counts[index].practices += 1
            counts[index].publishedPence &+= practice.row.globalSumPence
            counts[index].recomputedPence &+= practice.recomputedPence
        }
        return counts
    }
}
