package import PaymentsContract

/// Payment runs as people see them.
package enum RunView {
    package static func sheet(_ run: Pcs_Payments_V1_Run) -> Sheet {
        var sheet = Sheet()
        sheet.add("run", run.runID, style: .bold)
        sheet.add("state", EnumWords.words(run.state), style: style(run.state))
        sheet.add("payment date", Wording.day(run.paymentDate))
        sheet.addUnlessEmpty("cut-off on", Wording.day(run.cutOffOn))
        sheet.add("opened by", run.openedBy)
        if run.calculation > 0 {
            sheet.add(
                "calculation",
                "\(run.calculation), by \(run.calculatedBy), "
                    + Wording.moment(run.calculatedAt, isSet: run.hasCalculatedAt)
                    + ", in \(Wording.duration(microseconds: run.calculationMicroseconds))")
            sheet.add(
                "statements", "\(Wording.count(run.statements)) with \(Wording.plural(run.lines, "line"))")
            sheet.add("gross", Wording.pounds(run.grossPence))
            sheet.add("deductions", Wording.pounds(run.deductionsPence))
            sheet.add("net", Wording.pounds(run.netPence), style: .bold)
            if run.retroLines > 0 {
                sheet.add(
                    "of it for earlier months",
                    "\(Wording.pounds(run.retroPence)) in \(Wording.plural(run.retroLines, "line"))")
            }
            sheet.add(
                "exceptions",
                "\(Wording.count(run.blockingExceptionsOpen)) open, "
                    + "\(Wording.count(run.blockingExceptionsAccepted)) accepted, "
                    + Wording.plural(run.warnings, "warning"),
                style: run.blockingExceptionsOpen > 0 ? .warning : .plain)
        }
        sheet.addUnlessEmpty("reviewed by", run.reviewedBy)
        sheet.addUnlessEmpty("approved by", run.approvals.map(\.approvedBy).joined(separator: ", "))
        sheet.addUnlessEmpty("abort asked for by", run.abortRequestedBy, style: .warning)
        sheet.addUnlessEmpty(
            "paid on", Wording.day(run.paidOn) + (run.bankReference.isEmpty ? "" : ", \(run.bankReference)"))
        sheet.addUnlessEmpty("statements sha-256", run.statementsSha256)
        return sheet
    }

    private static func style(_ state: Pcs_Payments_V1_RunState) -> TextStyle {
        switch state {
        case .approved, .paid, .closed: .good
        case .aborted: .bad
        default: .plain
        }
    }

    package static func history(_ run: Pcs_Payments_V1_Run) -> Table {
        var table = Table([.left("at"), .left("step"), .left("by"), .left("detail", mayShorten: true)])
        for step in run.history {
            table.add(
                Table.Cell(Wording.moment(step.at, isSet: step.hasAt)), Table.Cell(step.step),
                Table.Cell(step.by),
                Table.Cell(step.detail))
        }
        return table
    }

    package static func table(_ runs: [Pcs_Payments_V1_Run]) -> Table {
        var table = Table([
            .left("run"), .left("state"), .left("payment date"), .right("statements"), .right("gross"),
            .right("deductions"),
            .right("net"), .right("open exceptions"), .left("approved by", mayShorten: true),
        ])
        for run in runs {
            table.add(
                Table.Cell(run.runID, style: .bold),
                Table.Cell(EnumWords.words(run.state), style: style(run.state)),
                Table.Cell(Wording.day(run.paymentDate)), Table.Cell(Wording.count(run.statements)),
                Table.Cell(Wording.pounds(run.grossPence)), Table.Cell(Wording.pounds(run.deductionsPence)),
                Table.Cell(Wording.pounds(run.netPence)),
                Table.Cell(
                    Wording.count(run.blockingExceptionsOpen),
                    style: run.blockingExceptionsOpen > 0 ? .warning : .plain),
                Table.Cell(run.approvals.map(\.approvedBy).joined(separator: ", ")))
        }
        return table
    }

    /// With the sum of all.
    package static func totals(_ totals: Pcs_Payments_V1_RunTotals) -> Table {
        let hasNames = totals.totals.contains { !$0.name.isEmpty && $0.name != $0.key }
        var columns: [Table.Column] = [.left(EnumWords.words(totals.dimension))]
        if hasNames { columns.append(.left("name", mayShorten: true)) }
        // A statement has lines of several paycodes: there its number says nothing in sum.
        let countsStatements = totals.dimension != .paycode
        columns += [
            .right("statements"), .right("lines"), .right("gross"), .right("deductions"), .right("net"),
        ]
        var table = Table(columns)
        var sum = Pcs_Payments_V1_RunTotal()
        for total in totals.totals {
            sum.statements += total.statements
            sum.lines += total.lines
            sum.grossPence += total.grossPence
            sum.deductionsPence += total.deductionsPence
            sum.netPence += total.netPence
            table.add(row(total, key: Table.Cell(total.key, style: .bold), hasNames: hasNames))
        }
        table.addRule()
        var last = row(sum, key: "all", hasNames: hasNames)
        if !countsStatements { last[hasNames ? 2 : 1] = "" }
        table.add(last)
        return table
    }

    private static func row(_ total: Pcs_Payments_V1_RunTotal, key: Table.Cell, hasNames: Bool) -> [Table
        .Cell]
    {
        [key] + (hasNames ? [Table.Cell(total.name)] : []) + [
            Table.Cell(Wording.count(total.statements)), Table.Cell(Wording.count(total.lines)),
            Table.Cell(Wording.pounds(total.grossPence)), Table.Cell(Wording.pounds(total.deductionsPence)),
            Table.Cell(Wording.pounds(total.netPence), style: .bold),
        ]
    }

    package static let emptyExceptionTable = Table([
        .right("no"), .left("severity"), .left("kind"), .left("practice"), .left("name", mayShorten: true),
        .left("paycode"),
        .left("message", mayShorten: true), .left("accepted by"),
    ])

    package static func cells(_ exception: Pcs_Payments_V1_RunException) -> [Table.Cell] {
        let style: TextStyle =
            switch exception.severity {
            case .fatal: .bad
            case .blocking: exception.acceptedBy.isEmpty ? .warning : .plain
            default: .plain
            }
        return [
            Table.Cell("\(exception.number)"), Table.Cell(EnumWords.words(exception.severity), style: style),
            Table.Cell(EnumWords.words(exception.kind)), Table.Cell(exception.practiceCode, style: .bold),
            Table.Cell(exception.practiceName), Table.Cell(exception.paycode), Table.Cell(exception.message),
            Table.Cell(exception.acceptedBy),
        ]
    }
}
