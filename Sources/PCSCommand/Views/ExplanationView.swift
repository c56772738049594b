package import PaymentsContract

/// Explanations of lines as people see them.
package enum ExplanationView {
    package static func text(
        _ explanation: Pcs_Payments_V1_LineExplanation, for terminal: Terminal, indentation: Int = 0
    ) -> String {
        var sheet = Sheet()
        sheet.add(
            "line",
            "\(explanation.line.lineNumber) of \(explanation.statementID): \(explanation.line.description_p)",
            style: .bold)
        sheet.add("rule", "\(explanation.rule), version \(explanation.ruleVersion)")
        var inputs = Table([
            .left("input"), .right("value"), .left("unit"), .left("as of"), .left("source", mayShorten: true),
        ])
        for input in explanation.inputs {
            inputs.add(
                Table.Cell(input.name), Table.Cell(input.value, style: .bold), Table.Cell(input.unit),
                Table.Cell(Wording.day(input.asOf)), Table.Cell(input.source))
        }
        var steps = Table([.left("step"), .right("value")])
        for step in explanation.steps {
            steps.add(Table.Cell(step.expression), Table.Cell(step.value, style: .bold))
        }
        let agrees = explanation.replayedPence == explanation.amountPence
        var outcome = Sheet()
        outcome.add("rounding", explanation.rounding)
        outcome.add("amount", Wording.pounds(explanation.amountPence), style: .bold)
        outcome.add(
            "replayed",
            Wording.pounds(explanation.replayedPence) + (agrees ? ", to the penny" : ": DOES NOT AGREE"),
            style: agrees ? .good : .bad)
        return [
            sheet.rendered(for: terminal, indentation: indentation),
            inputs.rendered(for: terminal, indentation: indentation),
            steps.rendered(for: terminal, indentation: indentation),
            outcome.rendered(for: terminal, indentation: indentation),
        ].joined(separator: "\n\n")
    }
}
