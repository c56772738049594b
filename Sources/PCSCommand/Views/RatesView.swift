package import PaymentsContract

/// Reference data of payments as people see it.
package enum RatesView {
    package static func rates(_ rates: [Pcs_Payments_V1_RateVersion]) -> Table {
        var table = Table([
            .left("rate"), .left("from"), .left("to"), .right("value"), .left("unit"), .left("grade"),
            .left("version"),
            .left("source", mayShorten: true),
        ])
        for version in rates {
            let rate = version.rate
            table.add(
                Table.Cell(rate.name, style: .bold), Table.Cell(Wording.day(rate.effectiveFrom)),
                Table.Cell(Wording.day(rate.effectiveTo)),
                rate.value.isEmpty ? Table.Cell("not known", style: .warning) : Table.Cell(rate.value),
                Table.Cell(EnumWords.words(rate.unit)), Table.Cell(rate.grade),
                Table.Cell("\(version.version)" + (version.superseded ? ", superseded" : "")),
                Table.Cell(rate.source))
        }
        return table
    }

    package static func sets(_ sets: [Pcs_Payments_V1_RateSet]) -> Table {
        var table = Table([
            .left("set"), .left("kind"), .left("state"), .right("rows"), .left("proposed by"),
            .left("decided by"),
            .left("changes paid months from"), .left("reason", mayShorten: true),
        ])
        for set in sets {
            let style: TextStyle =
                switch set.state {
                case .approved: .good
                case .proposed: .warning
                default: .plain
                }
            table.add(
                Table.Cell(set.setID, style: .bold), Table.Cell(EnumWords.words(set.kind)),
                Table.Cell(EnumWords.words(set.state), style: style), Table.Cell(Wording.count(set.rows)),
                Table.Cell(set.proposedBy), Table.Cell(set.decidedBy),
                Table.Cell(Wording.month(set.firstPaidMonthAffected)),
                Table.Cell(set.reason))
        }
        return table
    }
}
