import PluginAPI

/// An amount by a scale of bands, exact, with its steps. Inputs 0 and 1 are the total and the practitioners.
struct BandedAmount {
    var inputs: [Explanation.Input]
    var steps: [Explanation.Step] = []
    let isDiscount: Bool
    let day: CalendarDate
    private(set) var pounds = Rational.zero
    /// Percent, or pounds a prescription, where one band prices everything.
    private(set) var rate: ExactDecimal?

    init(inputs: [Explanation.Input], isDiscount: Bool, day: CalendarDate) {
        self.inputs = inputs
        self.isDiscount = isDiscount
        self.day = day
    }

    /// The band that holds the total for each practitioner prices the whole of it.
    mutating func applyWhole(_ edition: [DispensingBand]) throws {
        let each = try forEachPractitioner()
        guard let band = edition.first(where: { band in band.upper.map { each <= Rational($0) } ?? true })
        else {
            throw PaymentsError.figureMissing("dispensing band", day)
        }
        let value = try use(band)
        rate = value
        let total = inputs[0].value.rational
        pounds = try total.multiplied(by: value.rational)
        steps.append(.init("for_each_practitioner", .input(0), .divide, .input(1)))
        if isDiscount {
            pounds = try pounds.divided(by: Rational(100))
            steps.append(.init("discount", .input(0), .percentage, .input(2)))
        } else {
            steps.append(.init("fees", .input(0), .multiply, .input(2)))
        }
    }

    /// Each band prices what lies within it.
    mutating func applySlices(_ edition: [DispensingBand]) throws {
        let each = try forEachPractitioner()
        steps.append(.init("for_each_practitioner", .input(0), .divide, .input(1)))
        var below: Int64 = 0
        var sum = Rational.zero
        var total: Explanation.Operand?
        for band in edition {
            let value = try use(band)
            let bandInput = Explanation.Operand.input(inputs.count - 1)
            let isLast = band.upper.map { each <= Rational($0) } ?? true
            let width: Rational
            if !isLast, let upper = band.upper {
                width = Rational(upper - below)
                steps.append(.init("slice", .whole(upper - below), .multiply, bandInput))
            } else {
                width = try each.subtracting(Rational(below))
                steps.append(.init("rest", .step(0), .subtract, .whole(below)))
                steps.append(.init("slice", .step(steps.count - 1), .multiply, bandInput))
            }
            sum = try sum.adding(try width.multiplied(by: value.rational))
            let slice = Explanation.Operand.step(steps.count - 1)
            if let before = total {
                steps.append(.init("slices", before, .add, slice))
                total = .step(steps.count - 1)
            } else {
                total = slice
            }
            if isLast { break }
            below = band.upper ?? below
        }
        pounds = try sum.multiplied(by: inputs[1].value.rational)
        steps.append(.init("all_practitioners", total ?? .whole(0), .multiply, .input(1)))
        if isDiscount {
            pounds = try pounds.divided(by: Rational(100))
            steps.append(.init("discount", .step(steps.count - 1), .divide, .whole(100)))
        }
    }

    /// The amount to six decimals, for show.
    func micropounds() throws -> Int64 {
        let (scaled, overflow) = pounds.numerator.multipliedReportingOverflow(by: 1_000_000)
        if overflow { throw ArithmeticError.overflow }
        return try Rounding.quotient(scaled, pounds.denominator)
    }

    private func forEachPractitioner() throws -> Rational {
        try inputs[0].value.rational.divided(by: inputs[1].value.rational)
    }

    /// Percent, or the fee in pounds; refused by name when it is a parameter.
    private mutating func use(_ band: DispensingBand) throws -> ExactDecimal {
        guard let given = band.value else {
            throw PaymentsError.figureMissing("dispensing band " + band.text, day)
        }
        let value = isDiscount ? given : ExactDecimal(mantissa: given.mantissa, scale: given.scale + 2)
        inputs.append(
            .init(
                isDiscount ? "discount_percent" : "fee", value, isDiscount ? .percent : .pounds,
                from: .init(
                    BandedAmount.record, version: band.version,
                    note: [band.text, band.source, band.grade].joined(separator: " ")),
                asOf: band.from))
        return value
    }

    /// What explanations call the record of a band.
    static let record = "dispensing bands"
}
