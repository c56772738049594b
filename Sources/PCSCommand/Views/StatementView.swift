package import PaymentsContract

/// Statements as people see them.
package enum StatementView {
    package static func text(
        _ statement: Pcs_Payments_V1_Statement, for terminal: Terminal, indentation: Int = 0
    ) -> String {
        var sheet = Sheet()
        sheet.add(
            "statement",
            statement.statementID + (statement.published ? "" : " (draft: the run is not approved yet)"),
            style: .bold)
        sheet.add("practice", "\(statement.practiceCode) \(statement.practiceName)")
        sheet.add(
            "contract",
            "\(EnumWords.upper(statement.contractType)), commissioner \(statement.commissionerCode), "
                + "region \(statement.regionCode)")
        sheet.add("payment date", Wording.day(statement.paymentDate))
        sheet.add(
            "lists",
            "\(Wording.day(statement.quarterDay)): \(Wording.count(statement.registeredPatients)) registered, "
                + "\(Wording.hundredths(statement.weightedPatientsHundredths)) weighted"
                + (statement.londonPatients > 0
                    ? ", \(Wording.count(statement.londonPatients)) in London" : ""))
        if !statement.bankReference.isEmpty {
            sheet.add("paid to", "account ending \(statement.bankAccountLastFour), reference \(statement.bankReference)")
        }
        for step in statement.paymentSteps {
            sheet.add(step.step, "\(Wording.day(step.recordedOn)), \(Wording.pounds(step.pence)), \(step.detail)")
        }
        if statement.carriedForwardPence != 0 {
            sheet.add("debt carried on", Wording.pounds(statement.carriedForwardPence))
        }
        var lines = Table([
            .right("line"), .left("paycode"), .left("description", mayShorten: true), .left("period"),
            .right("quantity"),
            .right("rate"), .right("amount"), .right("year to date"),
        ])
        for line in statement.lines {
            let period =
                line.isRetro
                ? "corrects \(Wording.month(line.originalMonth))"
                : String(Wording.day(line.periodFrom).prefix(7))
            lines.add(
                Table.Cell("\(line.lineNumber)"), Table.Cell(line.paycode, style: .bold),
                Table.Cell(line.description_p),
                Table.Cell(period), Table.Cell(line.quantity), Table.Cell(line.rate),
                Table.Cell(Wording.pounds(line.amountPence)), Table.Cell(Wording.pounds(line.yearToDatePence))
            )
        }
        lines.addRule()
        lines.add("", "", "gross", "", "", "", Table.Cell(Wording.pounds(statement.grossPence)), "")
        lines.add("", "", "deductions", "", "", "", Table.Cell(Wording.pounds(statement.deductionsPence)), "")
        lines.add(
            "", "", Table.Cell("net", style: .bold), "", "", "",
            Table.Cell(Wording.pounds(statement.netPence), style: .bold), "")
        return sheet.rendered(for: terminal, indentation: indentation) + "\n\n"
            + lines.rendered(for: terminal, indentation: indentation)
    }

    package static func table(_ statements: [Pcs_Payments_V1_Statement]) -> Table {
        var table = Table([
            .left("statement"), .left("state"), .left("payment date"), .left("contract"),
            .right("weighted list"),
            .right("gross"), .right("deductions"), .right("net"),
        ])
        for statement in statements {
            table.add(
                Table.Cell(statement.statementID, style: .bold),
                Table.Cell(statement.published ? "published" : "draft"),
                Table.Cell(Wording.day(statement.paymentDate)),
                Table.Cell(EnumWords.upper(statement.contractType)),
                Table.Cell(Wording.hundredths(statement.weightedPatientsHundredths)),
                Table.Cell(Wording.pounds(statement.grossPence)),
                Table.Cell(Wording.pounds(statement.deductionsPence)),
                Table.Cell(Wording.pounds(statement.netPence)))
        }
        return table
    }

    package static func changes(_ changes: [Pcs_Payments_V1_StatementChange]) -> Table {
        var table = Table([
            .left("paycode"), .left("description", mayShorten: true), .left("corrects"), .right("before"),
            .right("after"), .right("difference"), .left("because", mayShorten: true),
        ])
        for change in changes {
            let reasons = change.reasons.map { reason in
                let cause = reason.cause
                return "\(EnumWords.words(reason.kind)): \(cause.input) \(cause.before) -> \(cause.after)"
            }
            table.add(
                Table.Cell(change.paycode, style: .bold), Table.Cell(change.description_p),
                Table.Cell(Wording.month(change.originalMonth)), Table.Cell(Wording.pounds(change.beforePence)),
                Table.Cell(Wording.pounds(change.afterPence)),
                Table.Cell(Wording.pounds(change.afterPence - change.beforePence)),
                Table.Cell(reasons.joined(separator: "; ")))
        }
        return table
    }

    package static func queries(_ queries: [Pcs_Payments_V1_StatementQuery]) -> Table {
        var table = Table([
            .left("query"), .left("line"), .left("paycode"), .right("amount"), .left("state"), .left("resolve by"),
            .left("question", mayShorten: true),
        ])
        for query in queries {
            table.add(
                Table.Cell(query.queryID, style: .bold), Table.Cell(query.lineID), Table.Cell(query.paycode),
                Table.Cell(Wording.pounds(query.amountPence)), Table.Cell(query.state),
                Table.Cell(Wording.moment(query.resolveBy, isSet: query.hasResolveBy)), Table.Cell(query.question))
        }
        return table
    }
}
