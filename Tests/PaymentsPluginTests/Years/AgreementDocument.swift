import Accounting
import PluginAPI

@testable import PaymentsPlugin

/// The table of agreement with the published years, as a page for people.
struct AgreementDocument {
    let years: [RealYear]

    var text: String {
        [Self.head, globalSum, groups, Self.globalSumNotes, headings, Self.headingNotes].joined(
            separator: "\n")
    }

    private static let head = """
        # Agreement with the published years

        What this system makes of seven real years of every practice in England, beside what was published: "NHS
        Payments to General Practice, England", in `opendata/nhs-payments-gp`. The tables are computed; nobody types
        them. `swift test --filter RealYearTests` fails when they no longer say what the comparison says, and
        `PCS_WRITE_AGREEMENT=1 swift test --filter RealYearTests` writes them anew. `pcs payments compare YEAR` prints
        the same for a year loaded on a host, `--practices` with every practice.

        Contains information from NHS England, licensed under the current version of the Open Government Licence.

        """

    private func percent(_ part: Int, _ whole: Int) -> String {
        guard whole > 0 else { return "" }
        let tenths = (part * 1000 + whole / 2) / whole
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func pounds(_ pence: Int64?) -> String { pence.map { Money(pence: $0).description } ?? "not set" }

    private func millions(_ pence: Int64) -> String {
        let tenths = (pence + (pence < 0 ? -5_000_000 : 5_000_000)) / 10_000_000
        return (tenths < 0 ? "-" : "") + "\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }

    private func ratio(_ millionths: Int64) -> String {
        ExactDecimal(mantissa: (millionths + 50) / 100, scale: 4).description
    }

    private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }

    private var globalSum: String {
        var text = """
            ## Global sum

            GMS practices open all year with more than 500 weighted patients and a global sum. *Net* is the price less
            the out-of-hours deduction as set in the rates; *implied* the median outside London of the global sum for
            each weighted patient, from the file alone; percent of practices within 0.5, 1 and 2 %.

            | year | net | exactly at it | implied | against | area | practices | 0.5 % | 1 % | 2 % | median ratio |
            |---|---|---|---|---|---|---|---|---|---|---|

            """
        for year in years {
            let comparison = year.comparison
            for (index, share) in comparison.shares().enumerated() where share.area != "England" {
                let isFirst = index == 0
                let against =
                    comparison.missingRate.map { "implied (`\($0.rawValue)` is not set)" } ?? "recomputed"
                let net = comparison.missingRate == nil ? pounds(comparison.netPricePence) : "not set"
                text += row([
                    isFirst ? year.year.description : "", isFirst ? net : "",
                    isFirst && comparison.missingRate == nil ? String(comparison.practicesAtNetPrice()) : "",
                    isFirst ? pounds(comparison.impliedNetPricePence) : "",
                    isFirst ? against : "",
                    share.area, String(share.practices), percent(share.withinHalfPercent, share.practices),
                    percent(share.withinOnePercent, share.practices),
                    percent(share.withinTwoPercent, share.practices),
                    ratio(share.medianRatioMillionths),
                ])
            }
        }
        return text
    }

    private var groups: String {
        var text = """

            Where the practices of the priced years are, and the money, published less recomputed, in million pounds:

            | year | within 2 % | kept out-of-hours | part year | London | no list | no sum | other \
            | published | recomputed |
            |---|---|---|---|---|---|---|---|---|---|

            """
        for year in years where year.comparison.missingRate == nil {
            let groups = year.comparison.groups()
            text += row(
                [year.year.description]
                    + groups.map { group in
                        "\(group.practices) (\(millions(group.publishedPence - group.recomputedPence)))"
                    } + [
                        millions(groups.reduce(0) { $0 + $1.publishedPence }),
                        millions(groups.reduce(0) { $0 + $1.recomputedPence }),
                    ])
        }
        text += """

            GMS practices without a global sum, and what they show under *Balance of PMS Expenditure* instead:

            | year | practices | recomputed global sum | practices with a balance | balance |
            |---|---|---|---|---|

            """
        for year in years where year.comparison.missingRate == nil {
            let rest = year.comparison.practices.filter { $0.group == .noGlobalSum }
            text += row([
                year.year.description, String(rest.count),
                millions(rest.reduce(0) { $0 + $1.recomputedPence }),
                String(rest.count { $0.row.baselinePence > 0 }),
                millions(rest.reduce(0) { $0 + $1.row.baselinePence }),
            ])
        }
        text += """

            What is left of practices within 2 %, pence a year for each registered patient, median:

            | year | outside London | London, after 2.18 for all registered patients |
            |---|---|---|

            """
        for year in years where year.comparison.missingRate == nil {
            text += row([
                year.year.description,
                ExactDecimal(mantissa: year.leftOver(london: false), scale: 2).description,
                ExactDecimal(mantissa: year.leftOver(london: true), scale: 2).description,
            ])
        }
        return text
    }

    private static let globalSumNotes = """

        How far this proves anything, and why practices differ:

        - **2022/23** is the independent test: price and deduction come from public pages, nothing was fitted.
          **2019/20** agrees to the penny with a price that is public and a deduction derived from these data; for
          **2018/19** both were settled with the data in view (payments.md 3.2), so its agreement shows the
          arithmetic, not the price.
        - **2014/15, 2017/18 and 2021/22** have no price or no deduction of a grade that may be used. They are
          parameters: until somebody sets them with a source, months of these years are refused by name and the
          table compares with the price that the year itself implies. The shares then say how alike practices are,
          not that the price is right.
        - **2015/16** had two prices (75.77, from October 76.51) and is recomputed with both; the net shown is
          April's. The median lies 0.6 % above, 41p a patient. The file has one quarter's list for the whole year,
          and the price is of secondary sources: what of the 0.6 % is which, the data do not tell.
        - **2020/21** is not in the open data here. Its rates give 93.46 less 4.77 % = 89.00, the commonest
          published amount (payments.md 3.2), which a worked example shows.
        - **Practices some 5 % above** kept the out-of-hours duty: their ratio is that of a global sum without the
          deduction. No flag in the file confirms it.
        - **London**: the file has no count of Greater London patients; the comparison takes all registered patients
          of the London region. What is left then is pence, as elsewhere.
        - **The pence that are left** in 2018/19 and 2019/20 are what the temporary patients adjustment would look
          like: some 25p a patient, and nothing for the practices that meet the net price exactly. The file does not
          itemise it. In 2022/23 nothing is left at the median; lists that grew between quarter day and year's
          average would hide as much. The file has neither the quarter's lists nor the adjustment, so this is not
          settled.
        - **No global sum**: nearly all show their core money under the PMS balance instead, close to the amount
          recomputed: paid as PMS, called GMS in the file.
        - **Part of a year, other**: an average list over a part of a year is not the list that was paid on;
          corrections of earlier years and changes of contract are inside the year in which they were booked.

        """

    private var headings: String {
        var text = """
            ## Other headings

            Every practice that shows an amount. *Exact*: a whole number of the fee to the penny; computed from a list,
            within a hundredth of a percent; totals to the penny (headings: to a pound). Within: percent of practices.

            | heading | against | year | practices | exact | % | within 0.5 % | 1 % | median ratio |
            |---|---|---|---|---|---|---|---|---|

            """
        for heading in PublishedHeading.allCases {
            for year in years {
                for found in year.headings where found.heading == heading {
                    let hasRatio = found.medianRatioMillionths != 0
                    text += row([
                        heading.title, rule(found), year.year.description, String(found.practices),
                        String(found.exact), percent(found.exact, found.practices),
                        hasRatio ? percent(found.withinHalfPercent, found.practices) : "",
                        hasRatio ? percent(found.withinOnePercent, found.practices) : "",
                        hasRatio ? ratio(found.medianRatioMillionths) : "",
                    ])
                }
            }
        }
        return text
    }

    private func rule(_ found: HeadingAgreement) -> String {
        let rate = found.rate?.description ?? ""
        return switch found.test {
        case .multipleOfFee: "whole numbers of \(rate)"
        case .weightedList: "\(rate) x weighted list"
        case .earlierWeightedList: "\(rate) x weighted list of the year before"
        case .runOff: "the year before in this table, sevenths left: \(rate)"
        case .headingsAddUp: "headings add up"
        case .netAddsUp: "total + deductions = net"
        }
    }

    private static let headingNotes = """

        - **Fees.** A year is compared where one fee was paid in it. Vaccinations are paid two months in arrears and
          some programmes changed price within a year: 2018/19 (meningitis, rotavirus, shingles) and 2019/20
          (influenza, pertussis) mix 9.80 and 10.06, 2017/18 mixes 116 and 140 for learning disabilities; any large
          amount is some mixture of two fees, so nothing would be shown. 2014/15 is published in whole pounds. What
          does not divide is a correction, a part payment, or a second programme under one heading (influenza and
          pneumococcal, childhood scheme: targets until 31 March 2021).
        - **A date that the data contradict**: payments.md 9.1 has 10.06 from 1 April 2021 (S38). Meningitis,
          rotavirus and shingles were paid at 10.06 through 2019/20 already.
        - **Participation** is paid on the list of 1 January before the year. Against the year's own average list
          most practices lie a percent or so below, because lists grow; against the average of the year before,
          where it is here, the median is within two in a thousand. 2019/20 shows the whole year's amount although
          networks began in July.
        - **Run-off.** Two years of a practice stand to each other as the sevenths left, exactly, for nine practices
          in ten; the others closed, merged, moved between contracts or were corrected. A gap of two years (2016/17
          is not here) changes nothing, which a yearly rounding would.
        - **Totals.** 2014/15 and 2015/16 show parts of enhanced services beside their totals, so a plain sum counts
          twice and is left out. A quarter of the nets of 2014/15 does not follow from total and deductions, as
          published.

        """
}
