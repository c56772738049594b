import PluginAPI

// The correction factor (MPIG) of a GMS contract, payments.md 3.4: the monthly factor of 2013/14, of which so many
// sevenths were left in each later year. Not part of the amount from which opt-outs are deducted.
extension SegmentLines {
    func appendCorrectionFactor(to lines: inout [PaymentLine]) throws {
        guard terms.correctionFactorPence != 0 else { return }
        let sevenths = try needed(rates.correctionFactorSevenths, .correctionFactorSevenths)
        let (share, overflow) = Int128(terms.correctionFactorPence)
            .multipliedReportingOverflow(by: Int128(sevenths.millionths) * Int128(segment.days))
        if overflow { throw ArithmeticError.overflow }
        let pence = try Rounding.quotient(share, 7 * 1_000_000 * Int128(month.dayCount))
        let factor = ExactDecimal(mantissa: terms.correctionFactorPence, scale: 2)
        let inputs =
            [contractInput("correction_factor", factor), sevenths.input("sevenths", .count)] + dayInputs()
        var steps: [Explanation.Step] = [
            .init("factor_sevenths", .input(0), .multiply, .input(1)),
            .init("month", .step(0), .divide, .whole(7)),
        ]
        appendDaySteps(&steps, firstDayInput: 2)
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        add(
            .correctionFactor, pence, quantity: factor, rate: sevenths.value,
            basis: basis("MONTHLY_FACTOR/7"),
            Explanation(
                rule: "3.4 correction factor", ruleVersion: 1, inputs: inputs, steps: steps,
                rounding: "RND-2",
                amount: Money(pence: pence)), to: &lines)
    }
}
