package import PaymentsContract

/// The comparison with a published year as people see it.
package enum ComparisonView {
    package static let emptyPracticeTable = Table([
        .left("practice"), .left("name", mayShorten: true), .left("region"), .left("contract"),
        .right("weighted list"),
        .right("published"), .right("recomputed"), .right("ratio"), .left("group"),
    ])

    package static func cells(_ practice: Pcs_Payments_V1_PublishedPractice) -> [Table.Cell] {
        [
            Table.Cell(practice.practiceCode, style: .bold), Table.Cell(practice.practiceName),
            Table.Cell(practice.regionCode), Table.Cell(EnumWords.upper(practice.contractType)),
            Table.Cell(Wording.hundredths(practice.weightedPatientsHundredths)),
            Table.Cell(Wording.pounds(practice.publishedPence)),
            Table.Cell(Wording.pounds(practice.recomputedPence)),
            Table.Cell(ratio(practice.ratioMillionths)), Table.Cell(EnumWords.words(practice.group)),
        ]
    }

    private static func ratio(_ millionths: Int64) -> String {
        millionths == 0
            ? "" : (millionths < 0 ? "-" : "") + Wording.decimals((millionths.magnitude + 50) / 100, 4)
    }

    package static func text(_ summary: Pcs_Payments_V1_PublishedSummary, for terminal: Terminal) -> String {
        var sheet = Sheet()
        sheet.add("year", summary.financialYear, style: .bold)
        sheet.add("from runs", "\(Wording.plural(summary.monthsFromRuns, "month")), the others recomputed")
        if summary.missingRate.isEmpty {
            sheet.add(
                "net price",
                "\(Wording.pounds(summary.netPricePence)) a weighted patient, met exactly by "
                    + Wording.plural(summary.practicesAtNetPrice, "practice"))
        } else {
            sheet.add(
                "net price", "not set (\(summary.missingRate)): compared with the price that the file implies"
            )
        }
        sheet.add(
            "implied price", "\(Wording.pounds(summary.impliedNetPricePence)), the median outside London")
        sheet.add("published", Wording.pounds(summary.publishedPence))
        sheet.add("recomputed", Wording.pounds(summary.recomputedPence))
        var shares = Table([
            .left("area"), .right("practices"), .right("within 0.5 %"), .right("within 1 %"),
            .right("within 2 %"),
            .right("median ratio"),
        ])
        for share in summary.shares {
            shares.add(
                Table.Cell(share.area, style: .bold), Table.Cell(Wording.count(share.practices)),
                Table.Cell(Wording.percent(share.withinHalfPercent, of: share.practices)),
                Table.Cell(Wording.percent(share.withinOnePercent, of: share.practices)),
                Table.Cell(Wording.percent(share.withinTwoPercent, of: share.practices)),
                Table.Cell(ratio(share.medianRatioMillionths)))
        }
        var groups = Table([
            .left("group"), .right("practices"), .right("published"), .right("recomputed"), .left("why"),
        ])
        for group in summary.groups {
            groups.add(
                Table.Cell(EnumWords.words(group.group), style: .bold),
                Table.Cell(Wording.count(group.practices)),
                Table.Cell(Wording.pounds(group.publishedPence)),
                Table.Cell(Wording.pounds(group.recomputedPence)),
                Table.Cell(reason(group.group)))
        }
        return [
            sheet.rendered(for: terminal), shares.rendered(for: terminal), groups.rendered(for: terminal),
            headings(summary).rendered(for: terminal),
        ]
        .joined(separator: "\n\n")
    }

    private static func headings(_ summary: Pcs_Payments_V1_PublishedSummary) -> Table {
        var table = Table([
            .left("heading"), .left("against"), .right("practices"), .right("exact"), .right("within 1 %"),
            .right("median ratio"),
        ])
        for heading in summary.headings {
            let hasRatio = heading.medianRatioMillionths != 0
            table.add(
                Table.Cell(EnumWords.words(heading.heading), style: .bold), Table.Cell(rule(heading)),
                Table.Cell(Wording.count(heading.practices)),
                Table.Cell(Wording.percent(heading.exact, of: heading.practices)),
                Table.Cell(hasRatio ? Wording.percent(heading.withinOnePercent, of: heading.practices) : ""),
                Table.Cell(ratio(heading.medianRatioMillionths)))
        }
        return table
    }

    private static func rule(_ heading: Pcs_Payments_V1_PublishedHeadingAgreement) -> String {
        switch heading.test {
        case .multipleOfFee: "whole numbers of \(heading.rate)"
        case .weightedList: "\(heading.rate) x weighted list"
        case .earlierWeightedList: "\(heading.rate) x weighted list of the year before"
        case .runOff: "the earlier year, \(heading.rate) sevenths left"
        case .headingsAddUp: "the headings add up"
        case .netAddsUp: "total and deductions make the net"
        default: ""
        }
    }

    private static func reason(_ group: Pcs_Payments_V1_PublishedGroup) -> String {
        switch group {
        case .agrees: "within 2 %"
        case .keptOutOfHours: "paid without the out-of-hours deduction"
        case .partYear: "opened or closed in the year"
        case .london: "the count of London patients is not in the file"
        case .noList: "no list, or tail payments only"
        case .noGlobalSum: "paid under another heading"
        case .oneOff: "corrections and what the file does not explain"
        default: ""
        }
    }
}
