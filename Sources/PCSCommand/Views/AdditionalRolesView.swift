package import PaymentsContract

/// Claims for additional roles as people see them.
package enum AdditionalRolesView {
    package static let emptyClaimTable = Table([
        .left("claim"), .left("network"), .left("month"), .right("no"), .left("state"), .right("people"),
        .right("claimed"), .right("approved"), .right("paid as difference"), .left("decided by"),
    ])

    package static func cells(_ claim: Pcs_Payments_V1_AdditionalRolesClaim) -> [Table.Cell] {
        let isDecided = claim.hasMaximum
        return [
            Table.Cell(claim.claimID, style: .bold), Table.Cell(claim.pcnCode),
            Table.Cell(Wording.month(claim.month)), Table.Cell("\(claim.number)"),
            Table.Cell(EnumWords.words(claim.state)), Table.Cell("\(claim.rowCount)"),
            Table.Cell(Wording.pounds(claim.claimedPence)),
            Table.Cell(isDecided ? Wording.pounds(claim.payablePence) : ""),
            Table.Cell(claim.correctsClaimID.isEmpty ? "" : Wording.pounds(claim.differencePence)),
            Table.Cell(claim.decidedBy),
        ]
    }

    package static func text(
        _ claim: Pcs_Payments_V1_AdditionalRolesClaim, for terminal: Terminal
    ) -> String {
        var sheet = Sheet()
        sheet.add("claim", claim.claimID, style: .bold)
        sheet.add("network", "\(claim.pcnCode) \(claim.pcnName)")
        sheet.add("month", "\(Wording.month(claim.month)), claim \(claim.number), version \(claim.version)")
        sheet.add("state", EnumWords.words(claim.state) + (claim.alreadyLoaded ? "; loaded before" : ""))
        sheet.add("claimed", Wording.pounds(claim.claimedPence))
        sheet.add("comes to", Wording.pounds(claim.payablePence), style: .bold)
        sheet.addUnlessEmpty("stands against it", claim.obstacle, style: .warning)
        sheet.addUnlessEmpty("corrects", claim.correctsClaimID)
        sheet.addUnlessEmpty("replaced by", claim.replacedByClaimID)
        sheet.addUnlessEmpty("reason", claim.reason)
        if claim.hasMaximum { maximum(claim.maximum, in: &sheet) }
        return sheet.rendered(for: terminal) + "\n\n" + rows(claim).rendered(for: terminal)
    }

    private static func maximum(_ maximum: Pcs_Payments_V1_AdditionalRolesMaximum, in sheet: inout Sheet) {
        sheet.add(
            "maximum sum",
            "\(Wording.pounds(maximum.maximumSumPence)) in \(maximum.financialYear): \(maximum.rate) x "
                + Wording.hundredths(maximum.weightedPatientsHundredths))
        sheet.add("approved besides", Wording.pounds(maximum.alreadyApprovedPence))
        sheet.add("left", Wording.pounds(maximum.leftPence))
    }

    private static func rows(_ claim: Pcs_Payments_V1_AdditionalRolesClaim) -> Table {
        var table = Table([
            .right("row"), .left("employee"), .left("role"), .right("whole time"), .right("days"),
            .right("actual cost"), .right("role maximum"), .right("comes to"), .left("less because"),
        ])
        for row in claim.rows {
            let assessment = row.assessment
            table.add(
                Table.Cell("\(row.rowNumber)"), Table.Cell(row.employeeRef, style: .bold),
                Table.Cell(row.role), Table.Cell(Wording.hundredths(Int64(row.wteHundredths))),
                Table.Cell("\(assessment.days)/\(assessment.daysInMonth)"),
                Table.Cell(
                    Wording.pounds(row.salaryPence + row.employerNiPence + row.employerPensionPence)),
                Table.Cell(row.hasAssessment ? Wording.pounds(assessment.ceilingPence) : ""),
                Table.Cell(row.hasAssessment ? Wording.pounds(assessment.payablePence) : ""),
                Table.Cell(
                    assessment.hasAdjustment
                        ? assessment.adjustment.reason : assessment.reduction.lowercased()))
        }
        return table
    }

    package static func text(
        _ year: Pcs_Payments_V1_AdditionalRolesYear, for terminal: Terminal
    ) -> String {
        var table = Table([
            .left("network"), .left("name", mayShorten: true), .right("maximum sum"), .right("claimed"),
            .right("approved"), .right("paid"), .right("left"),
        ])
        for network in year.networks {
            let isKnown = network.hasMaximum
            table.add(
                [Table.Cell(network.pcnCode, style: .bold), Table.Cell(network.pcnName)]
                    + [Table.Cell(isKnown ? Wording.pounds(network.maximum.maximumSumPence) : "not known")]
                    + amounts(network.total)
                    + [Table.Cell(isKnown ? Wording.pounds(network.maximum.leftPence) : "")])
        }
        let rendered = table.rendered(for: terminal)
        guard year.networks.count == 1, let only = year.networks.first, !only.roles.isEmpty else {
            return rendered
        }
        var parts = Table([
            .left("role or month"), .right("claimed"), .right("approved"), .right("paid"),
        ])
        for sums in only.roles { parts.add([Table.Cell(sums.role, style: .bold)] + amounts(sums)) }
        parts.addRule()
        for sums in only.months { parts.add([Table.Cell(Wording.month(sums.month))] + amounts(sums)) }
        return rendered + "\n\n" + parts.rendered(for: terminal)
    }

    private static func amounts(_ sums: Pcs_Payments_V1_AdditionalRolesAmounts) -> [Table.Cell] {
        [
            Table.Cell(Wording.pounds(sums.claimedPence)), Table.Cell(Wording.pounds(sums.approvedPence)),
            Table.Cell(Wording.pounds(sums.paidPence)),
        ]
    }
}
