import PluginAPI

// The global sum of a GMS contract, payments.md 3.1:
//
//   annual     = CWP * price
//   london     = London patients * adjustment
//   initial    = (annual + london + temporary patients adjustment) / 12
//   deductions = initial * percentages of the services not provided, each on the unrounded initial amount (RND-4)
//
// Each part is a line of its own, rounded once (RND-2, RND-3); the percentages add, they do not compound.
extension SegmentLines {
    func appendGlobalSum(to lines: inout [PaymentLine]) throws {
        try appendCorrectionFactor(to: &lines)
        guard let lists else { return }
        let price = try needed(rates.price, .globalSumPrice)
        let weighted = CapitationMath.annual(
            weightedHundredths: lists.weightedHundredths, priceMicropounds: price.millionths)
        var annual = weighted
        addPerPatient(
            .globalSum, try base(weighted).pence(),
            quantity: ExactDecimal(mantissa: lists.weightedHundredths, scale: 2),
            price, input: weightedInput(lists), rateName: "price", rule: "3.1 global sum",
            basis: "WEIGHTED_PATIENTS/12", to: &lines)

        let patients = londonPatients(lists)
        var london: Rate?
        if patients > 0 {
            let adjustment = try needed(rates.london, .londonAdjustment)
            london = adjustment
            let amount = CapitationMath.annual(patients: patients, priceMicropounds: adjustment.millionths)
            annual += amount
            addPerPatient(
                .london, try base(amount).pence(), quantity: ExactDecimal(patients), adjustment,
                input: londonInput(lists, patients), rateName: "london_adjustment",
                rule: "3.1 London adjustment",
                basis: "LONDON_PATIENTS/12", to: &lines)
        }
        if terms.temporaryPatientsPence != 0 {
            let amount = CapitationMath.annual(pence: terms.temporaryPatientsPence)
            annual += amount
            addFixed(
                .temporaryPatients, try base(amount).pence(), annualPence: terms.temporaryPatientsPence,
                name: "temporary_patients_adjustment", rule: "3.1 temporary patients adjustment", to: &lines)
        }
        let initial = Initial(lists: lists, price: price, patients: patients, london: london, annual: annual)
        if terms.outOfHoursOptOut {
            try addDeduction(
                .outOfHours, try needed(rates.outOfHours, .outOfHoursPercent), initial,
                rule: "3.1 out-of-hours deduction", to: &lines)
        }
        if terms.minorSurgeryOptOut {
            try addDeduction(
                .minorSurgery, try needed(rates.minorSurgery, .minorSurgeryPercent), initial,
                rule: "3.1 minor surgery deduction", to: &lines)
        }
    }

    private func londonPatients(_ lists: PatientLists) -> Int64 {
        switch terms.london {
        case .none: 0
        case .counted: lists.london
        case .allRegistered: lists.registered
        }
    }

    private func londonInput(_ lists: PatientLists, _ patients: Int64) -> Explanation.Input {
        .init(
            "london_patients", ExactDecimal(patients), .patients,
            from: .init(
                "capitation", version: lists.version,
                note: terms.london == .allRegistered ? "all registered patients" : ""),
            asOf: quarterDay)
    }

    /// `patients x price / 12`, by days when only part of the month is paid.
    func addPerPatient(
        _ paycode: Paycode, _ pence: Int64, quantity: ExactDecimal, _ rate: Rate, input: Explanation.Input,
        rateName: String, rule: String, basis name: String, to lines: inout [PaymentLine]
    ) {
        var steps: [Explanation.Step] = [.init("annual", .input(0), .multiply, .input(1))]
        let share = monthSteps(&steps, annual: .step(0), firstDayInput: 2)
        steps.append(.init("amount", rounding: share))
        add(
            paycode, pence, quantity: quantity, rate: rate.value, basis: basis(name),
            Explanation(
                rule: rule, ruleVersion: 1, inputs: [input, rate.input(rateName, .pounds)] + dayInputs(),
                steps: steps,
                rounding: "RND-2, RND-3", amount: Money(pence: pence)), to: &lines)
    }

    /// `annual amount / 12`, by days when only part of the month is paid.
    func addFixed(
        _ paycode: Paycode, _ pence: Int64, annualPence: Int64, name: String, rule: String,
        to lines: inout [PaymentLine]
    ) {
        let annual = ExactDecimal(mantissa: annualPence, scale: 2)
        var steps: [Explanation.Step] = []
        let share = monthSteps(&steps, annual: .input(0), firstDayInput: 1)
        steps.append(.init("amount", rounding: share))
        add(
            paycode, pence, quantity: ExactDecimal(1), rate: annual, basis: basis("ANNUAL/12"),
            Explanation(
                rule: rule, ruleVersion: 1, inputs: [contractInput(name, annual)] + dayInputs(), steps: steps,
                rounding: "RND-2, RND-3", amount: Money(pence: pence)), to: &lines)
    }

    /// What the unrounded initial amount is made of.
    private struct Initial {
        var lists: PatientLists
        var price: Rate
        var patients: Int64
        var london: Rate?
        var annual: Int128
    }

    private func addDeduction(
        _ paycode: Paycode, _ percent: Rate, _ initial: Initial, rule: String, to lines: inout [PaymentLine]
    ) throws {
        let base = base(initial.annual)
        let pence = try base.deduction(percentMillionths: percent.millionths)
        var inputs = [weightedInput(initial.lists), initial.price.input("price", .pounds)]
        var steps: [Explanation.Step] = [.init("annual_list", .input(0), .multiply, .input(1))]
        if let london = initial.london {
            inputs.append(londonInput(initial.lists, initial.patients))
            inputs.append(london.input("london_adjustment", .pounds))
            steps.append(.init("annual_london", .input(2), .multiply, .input(3)))
            steps.append(.init("annual_with_london", .step(0), .add, .step(1)))
        }
        if terms.temporaryPatientsPence != 0 {
            inputs.append(
                contractInput(
                    "temporary_patients_adjustment",
                    ExactDecimal(mantissa: terms.temporaryPatientsPence, scale: 2)))
            steps.append(
                .init("annual_with_temporary", .step(steps.count - 1), .add, .input(inputs.count - 1)))
        }
        inputs.append(percent.input("percent", .percent))
        let percentInput = inputs.count - 1
        inputs += dayInputs()
        let share = monthSteps(&steps, annual: .step(steps.count - 1), firstDayInput: percentInput + 1)
        steps.append(.init("share", share, .percentage, .input(percentInput)))
        steps.append(.init("deduction", .whole(0), .subtract, .step(steps.count - 1)))
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        add(
            paycode, pence, quantity: try shown(base),
            rate: ExactDecimal(
                mantissa: -percent.value.mantissa, scale: percent.value.scale), basis: "PERCENT_OF_INITIAL",
            Explanation(
                rule: rule, ruleVersion: 1, inputs: inputs, steps: steps, rounding: "RND-2, RND-4",
                amount: Money(pence: pence)), to: &lines)
    }

    /// The unrounded initial amount as shown on the line: six decimals, which is far finer than the line's penny.
    private func shown(_ base: CapitationMath.MonthlyBase) throws -> ExactDecimal {
        let (part, overflow) = base.annual.multipliedReportingOverflow(by: Int128(base.days))
        if overflow { throw ArithmeticError.overflow }
        let micropounds = try Rounding.quotient(part, 12 * 100 * Int128(base.daysInMonth))
        return ExactDecimal(mantissa: micropounds, scale: 6)
    }
}
