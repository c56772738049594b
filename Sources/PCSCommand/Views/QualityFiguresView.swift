package import PaymentsContract

/// Figures of the quality framework as people see them.
package enum QualityFiguresView {
    package static func text(_ figures: [Pcs_Payments_V1_QualityFigures], for terminal: Terminal) -> String {
        var table = Table([
            .left("practice"), .left("name", mayShorten: true), .left("year"), .right("aspiration a month"),
            .right("months"), .right("paid ahead"), .right("points"), .right("achieved"), .right("balance"),
            .left("paid on"),
        ])
        for year in figures {
            let achievement = year.achievement
            table.add(
                Table.Cell(year.practiceCode, style: .bold), Table.Cell(year.practiceName),
                Table.Cell(year.financialYear), Table.Cell(Wording.pounds(year.aspiration.monthlyPence)),
                Table.Cell("\(year.aspiration.monthsPaid)"),
                Table.Cell(Wording.pounds(year.aspiration.paidPence)),
                Table.Cell(year.hasAchievement ? Wording.hundredths(achievement.pointsHundredths) : ""),
                Table.Cell(year.hasAchievement ? Wording.pounds(achievement.grossPence) : "not approved yet"),
                Table.Cell(year.hasAchievement ? Wording.pounds(achievement.balancePence) : ""),
                Table.Cell(achievement.hasPaidOn ? Wording.day(achievement.paidOn) : ""))
        }
        let rendered = table.rendered(for: terminal)
        guard figures.count == 1, let only = figures.first, !only.achievement.areas.isEmpty else {
            return rendered
        }
        return rendered + "\n\n" + areas(only.achievement).rendered(for: terminal)
    }

    private static func areas(_ achievement: Pcs_Payments_V1_QualityAchievement) -> Table {
        var table = Table([
            .left("area"), .right("points"), .right("register"), .right("national prevalence"),
            .right("disease factor"), .right("amount"),
        ])
        for area in achievement.areas {
            table.add(
                Table.Cell(area.area, style: .bold), Table.Cell(Wording.hundredths(area.pointsHundredths)),
                Table.Cell(area.practiceRegister), Table.Cell(area.nationalPrevalence),
                Table.Cell(area.diseaseFactor),
                Table.Cell(Wording.pounds(area.amountPence)))
        }
        return table
    }
}
