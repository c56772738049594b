import PluginAPI

/// Headings of the yearly file, beside the global sum, that are looked at one by one. Numbers follow
/// `pcs.payments.v1.PublishedHeading`; net and headings added up have none, they are what others are compared with.
enum PublishedHeading: Int, CaseIterable, Sendable {
    case correctionFactor = 1
    case childhoodVaccination = 2
    case influenzaPneumococcal = 3
    case learningDisabilities = 4
    case meningitis = 5
    case pertussis = 6
    case rotavirusShingles = 7
    case mainProgramme = 8
    case weightManagement = 9
    case networkParticipation = 10
    case total = 11
    case deductions = 12
    case net = 13

    /// As the file calls it; a year's file may lack it.
    var title: String {
        switch self {
        case .correctionFactor: "MPIG Correction factor"
        case .childhoodVaccination: "Childhood Vaccination and Immunisation Scheme"
        case .influenzaPneumococcal: "Influenza and Pneumococcal Immunisations"
        case .learningDisabilities: "Learning Disabilities"
        case .meningitis: "Meningitis"
        case .pertussis: "Pertussis"
        case .rotavirusShingles: "Rotavirus and Shingles Immunisation"
        case .mainProgramme: "Non DES Item Pneumococcal Vaccine, Childhood Immunisation Main Programme"
        case .weightManagement: "Weight Management Service"
        case .networkParticipation: "PCN Participation"
        case .total: "Total NHS Payments to General Practice"
        case .deductions: "Deductions for Pensions, Levies and Prescription Charge Income"
        case .net: "Total NHS Payments to General Practice Minus Deductions"
        }
    }

    /// The fee of which an amount is a whole number.
    var fee: RateName? {
        switch self {
        case .childhoodVaccination: .publishedFeeChildhoodVaccination
        case .influenzaPneumococcal: .publishedFeeInfluenzaPneumococcal
        case .learningDisabilities: .publishedFeeLearningDisabilities
        case .meningitis: .publishedFeeMeningitis
        case .pertussis: .publishedFeePertussis
        case .rotavirusShingles: .publishedFeeRotavirusShingles
        case .mainProgramme: .publishedFeeMainProgramme
        case .weightManagement: .publishedFeeWeightManagement
        case .correctionFactor, .networkParticipation, .total, .deductions, .net: nil
        }
    }
}

/// A practice's amounts under those headings, in pence; what the file does not have is zero.
struct PublishedAmounts: Hashable, Sendable {
    private var pence = [Int64](repeating: 0, count: PublishedHeading.allCases.count)
    /// All headings from the global sum to other payments; `nil` in years whose file shows both parts and their totals.
    var headingsPence: Int64?

    subscript(heading: PublishedHeading) -> Int64 {
        get { pence[heading.rawValue - 1] }
        set { pence[heading.rawValue - 1] = newValue }
    }
}

/// How far the amounts under one heading follow from its rule (payments.md 3.4, 8.1, 9.1, 9.2).
struct HeadingAgreement: Hashable, Sendable {
    /// Numbers follow `pcs.payments.v1.PublishedTest`.
    enum Test: Int, Sendable {
        case multipleOfFee = 1
        case weightedList = 2
        case runOff = 3
        case headingsAddUp = 4
        case netAddsUp = 5
        case earlierWeightedList = 6
    }

    var heading: PublishedHeading
    var test: Test
    var rate: ExactDecimal?
    var practices = 0
    var exact = 0
    var withinHalfPercent = 0
    var withinOnePercent = 0
    var withinTwoPercent = 0
    var medianRatioMillionths: Int64 = 0
    var publishedPence: Int64 = 0

    /// From a list to an amount there are roundings of twelve months and two decimals of the list: a hundredth of a
    /// percent.
    private static let exactMillionths: Int64 = 100

    fileprivate mutating func count(ratios: [Int64]) {
        practices = ratios.count
        let sorted = ratios.sorted()
        let distances = sorted.map { abs($0 - 1_000_000) }
        exact = distances.count { $0 <= HeadingAgreement.exactMillionths }
        withinHalfPercent = distances.count { $0 <= 5_000 }
        withinOnePercent = distances.count { $0 <= 10_000 }
        withinTwoPercent = distances.count { $0 <= 20_000 }
        if !sorted.isEmpty { medianRatioMillionths = sorted[sorted.count / 2] }
    }

    fileprivate mutating func count(exact isExact: Bool, _ pence: Int64) {
        practices += 1
        publishedPence &+= pence
        if isExact { exact += 1 }
    }
}

/// Compares a year's headings with their rules, and the correction factor with an earlier year's.
struct HeadingComparison: Sendable {
    let year: FinancialYear
    let rows: [PublishedRow]
    let rates: RateTable

    /// - Parameter earlier: the last earlier year, for what is run off.
    func agreements(earlier: (year: FinancialYear, rows: [PublishedRow])?) -> [HeadingAgreement] {
        var found = PublishedHeading.allCases.compactMap { multiples(of: $0) }
        found += [participation(on: nil)].compactMap { $0 }
        if let earlier, earlier.year.startYear == year.startYear - 1 {
            let lists = Dictionary(
                earlier.rows.map { ($0.practice, $0.weightedHundredths) },
                uniquingKeysWith: { first, _ in first })
            found += [participation(on: lists)].compactMap { $0 }
        }
        if let earlier, let runOff = runOff(from: earlier.year, earlier.rows) { found.append(runOff) }
        if let sums = headingsAddUp() { found.append(sums) }
        found.append(netAddsUp())
        return found
    }

    /// `nil` = no fee is set for the year, or nobody shows an amount.
    private func multiples(of heading: PublishedHeading) -> HeadingAgreement? {
        guard let name = heading.fee, let rate = try? rates.rate(name, at: year.firstDay),
            let fee = rate.value.scaled(to: 2), fee > 0
        else { return nil }
        var agreement = HeadingAgreement(heading: heading, test: .multipleOfFee, rate: rate.value)
        for row in rows {
            let pence = row.amounts[heading]
            if pence != 0 { agreement.count(exact: pence % fee == 0, pence) }
        }
        return agreement.practices == 0 ? nil : agreement
    }

    /// Practices open at the end of the year with more than a small list: for others the list is not that of the year.
    ///
    /// - Parameter earlier: weighted lists of the year before, in hundredths; `nil` = the year's own.
    private func participation(on earlier: [ODSCode: Int64]?) -> HeadingAgreement? {
        guard let rate = try? rates.rate(.networkParticipation, at: year.lastDay) else { return nil }
        var agreement = HeadingAgreement(
            heading: .networkParticipation, test: earlier == nil ? .weightedList : .earlierWeightedList,
            rate: rate.value)
        var ratios: [Int64] = []
        for row in rows where row.closedOn == nil {
            let pence = row.amounts[.networkParticipation]
            let list = earlier.map { $0[row.practice] ?? 0 } ?? row.weightedHundredths
            guard pence != 0, min(list, row.weightedHundredths) > PublishedComparison.smallListHundredths,
                let ratio = try? Rounding.quotient(
                    Int128(pence) * 1_000_000 * 1_000_000, Int128(list) * Int128(rate.millionths))
            else { continue }
            agreement.publishedPence &+= pence
            ratios.append(ratio)
        }
        agreement.count(ratios: ratios)
        return ratios.isEmpty ? nil : agreement
    }

    /// What is left of the factor of 2013/14 falls by a seventh of it each year, so two years of one practice stand to
    /// each other as the sevenths left.
    private func runOff(from earlierYear: FinancialYear, _ earlierRows: [PublishedRow]) -> HeadingAgreement? {
        guard let before = try? rates.whole(.correctionFactorSevenths, at: earlierYear.firstDay), before > 0,
            let now = try? rates.rate(.correctionFactorSevenths, at: year.firstDay), now.millionths > 0
        else { return nil }
        let earlier = Dictionary(
            earlierRows.map { ($0.practice, $0.amounts[.correctionFactor]) },
            uniquingKeysWith: { first, _ in first })
        var agreement = HeadingAgreement(heading: .correctionFactor, test: .runOff, rate: now.value)
        var ratios: [Int64] = []
        for row in rows {
            let pence = row.amounts[.correctionFactor]
            guard pence > 0, let base = earlier[row.practice], base > 0,
                let ratio = try? Rounding.quotient(
                    Int128(pence) * Int128(before) * 1_000_000 * 1_000_000,
                    Int128(base) * Int128(now.millionths))
            else { continue }
            agreement.publishedPence &+= pence
            ratios.append(ratio)
        }
        agreement.count(ratios: ratios)
        return ratios.isEmpty ? nil : agreement
    }

    private func headingsAddUp() -> HeadingAgreement? {
        var agreement = HeadingAgreement(heading: .total, test: .headingsAddUp)
        for row in rows {
            guard let sum = row.amounts.headingsPence else { return nil }
            agreement.count(exact: abs(sum - row.amounts[.total]) <= 100, row.amounts[.total])
        }
        return agreement
    }

    private func netAddsUp() -> HeadingAgreement {
        var agreement = HeadingAgreement(heading: .deductions, test: .netAddsUp)
        for row in rows {
            let net = row.amounts[.total] &+ row.amounts[.deductions]
            agreement.count(exact: net == row.amounts[.net], row.amounts[.deductions])
        }
        return agreement
    }
}
