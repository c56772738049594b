import PluginAPI

// PMS and APMS baselines, payments.md 4: a fixed annual sum, or a price for each weighted or registered patient of the
// quarter; a twelfth each month (RND-3).
extension SegmentLines {
    func appendBaseline(_ paycode: Paycode, to lines: inout [PaymentLine]) throws {
        switch terms.baseline {
        case nil:
            return
        case .fixed(let annualPence):
            addFixed(
                paycode, try base(CapitationMath.annual(pence: annualPence)).pence(),
                annualPence: annualPence,
                name: "baseline", rule: "4 fixed baseline", to: &lines)
        case .weighted(let price):
            guard let lists else { return }
            let annual = CapitationMath.annual(
                weightedHundredths: lists.weightedHundredths, priceMicropounds: price)
            addPriced(
                paycode, try base(annual).pence(),
                quantity: ExactDecimal(mantissa: lists.weightedHundredths, scale: 2), price,
                input: weightedInput(lists), rule: "4 baseline by weighted list",
                basis: "WEIGHTED_PATIENTS/12",
                to: &lines)
        case .raw(let price):
            guard let lists else { return }
            let annual = CapitationMath.annual(patients: lists.registered, priceMicropounds: price)
            let input = Explanation.Input(
                "registered_patients", ExactDecimal(lists.registered), .patients,
                from: .init("capitation", version: lists.version), asOf: quarterDay)
            addPriced(
                paycode, try base(annual).pence(), quantity: ExactDecimal(lists.registered), price,
                input: input,
                rule: "4 baseline by registered list", basis: "REGISTERED_PATIENTS/12", to: &lines)
        }
    }

    private func addPriced(
        _ paycode: Paycode, _ pence: Int64, quantity: ExactDecimal, _ priceMicropounds: Int64,
        input: Explanation.Input, rule: String, basis name: String, to lines: inout [PaymentLine]
    ) {
        let price = ExactDecimal(mantissa: priceMicropounds, scale: 6).trimmed(keeping: 2)
        var steps: [Explanation.Step] = [.init("annual", .input(0), .multiply, .input(1))]
        let share = monthSteps(&steps, annual: .step(0), firstDayInput: 2)
        steps.append(.init("amount", rounding: share))
        add(
            paycode, pence, quantity: quantity, rate: price, basis: basis(name),
            Explanation(
                rule: rule, ruleVersion: 1,
                inputs: [input, contractInput("baseline_price", price)] + dayInputs(),
                steps: steps, rounding: "RND-2, RND-3", amount: Money(pence: pence)), to: &lines)
    }
}
