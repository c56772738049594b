import PluginAPI

/// The levy of a Local Optical Committee: a percentage of a contractor's sight-test fees, off what the contractor is paid,
/// and of the same amount to the committee (payments.md 10.2).
struct OpticalLevy: Sendable {
    let committee: ODSCode
    let rate: LevyRate

    // By these names remittances find both in a line's explanation.
    static let percentName = "levy_percent"
    static let feesName = "sight_test_fees"

    /// `nil` = the contractor belongs to no committee, or to one that has no rate or deducts by itself.
    init?(_ contractor: ODSCode, month: YearMonth, _ book: LevyBook) {
        let quarter = Quarter(containing: month)
        guard let code = book.opticalCommittee(of: contractor, in: quarter),
            let committee = book.committee(code, at: quarter.quarterDay), !committee.isRunByCommissioner,
            let rate = book.rate(code, .optical, at: quarter.quarterDay)
        else { return nil }
        (self.committee, self.rate) = (code, rate)
    }

    /// Off the unrounded sum, as a line of its own (RND-4; E14); or the same amount for the committee.
    func line(
        on fees: Money, of contractor: ODSCode, in month: YearMonth, paidOver: Bool
    ) throws(ArithmeticError) -> PaymentLine? {
        guard fees != .zero else { return nil }
        let deducted = try Rounding.deduction(percent: rate.pence, of: Rational(Int128(fees.pence), over: 100))
        guard deducted != .zero else { return nil }
        let amount = paidOver ? try deducted.negated() : deducted
        let inputs = [
            Explanation.Input(
                OpticalLevy.percentName, rate.pence, .percent,
                from: .init("optical levy of \(committee)", version: rate.version, note: rate.period.name),
                asOf: rate.from),
            Explanation.Input(
                OpticalLevy.feesName, fees.pounds, .pounds,
                from: .init("lines of this month", note: contractor.value), asOf: month.lastDay),
        ]
        var steps: [Explanation.Step] = [.init("share", .input(0), .percentage, .input(1))]
        if !paidOver { steps.append(.init("deduction", .whole(0), .subtract, .step(0))) }
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        return PaymentLine(
            paycode: paidOver ? .levyPayover : .opticalLevy, contractID: (paidOver ? committee : contractor).value,
            contractVersion: paidOver ? 0 : rate.version, periodFrom: month.firstDay, periodTo: month.lastDay,
            quantity: fees.pounds,
            rate: paidOver
                ? rate.pence : ExactDecimal(mantissa: -rate.pence.mantissa, scale: rate.pence.scale),
            basis: "PERCENT_OF_SIGHT_TEST_FEES", pence: amount.pence, source: .recurring, month: month,
            explanation: Explanation(
                rule: "10.2 Local Optical Committee levy", ruleVersion: 1, inputs: inputs, steps: steps,
                rounding: "RND-4", amount: amount),
            origin: "levy/optical/\(paidOver ? contractor : committee)")
    }
}

/// Contractors with sight-test fees of whom no levy is deducted (payments.md 10.2): their committee has no rate, which stops
/// the run once for each committee; or they belong to none, which a person looks at.
struct MissingOpticalLevies: RunCheck {
    private let source: OphthalmicLines?
    private let month: YearMonth

    init(_ read: RunInputs) {
        source = read.inputs.recurring.lazy.compactMap { $0 as? OphthalmicLines }.first
        month = read.run.month
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError) -> [RunException] {
        guard let source else { return [] }
        let quarter = Quarter(containing: month)
        var withoutRate: [ODSCode: Int] = [:]
        var alone: [ODSCode] = []
        for contractor in try source.withFees(in: month) {
            guard let code = source.book.opticalCommittee(of: contractor, in: quarter) else {
                alone.append(contractor)
                continue
            }
            let committee = source.book.committee(code, at: quarter.quarterDay)
            let isDeducted = committee?.isRunByCommissioner == false
            if isDeducted, source.book.rate(code, .optical, at: quarter.quarterDay) == nil {
                withoutRate[code, default: 0] += 1
            }
        }
        var found = withoutRate.sorted { $0.key < $1.key }.map { code, count in
            RunException(
                severity: .blocking, kind: .expectedMissing, practice: code,
                practiceName: source.book.committee(code, at: month.lastDay)?.name ?? "",
                paycode: Paycode.opticalLevy.code,
                message: "\(code) has no rate of the optical levy: nothing is deducted of \(count) contractors")
        }
        if let first = alone.first {
            found.append(
                RunException(
                    severity: .warning, kind: .expectedMissing, practice: alone.count == 1 ? first : nil,
                    paycode: Paycode.opticalLevy.code,
                    message: "\(alone.count) contractors with sight-test fees belong to no Local Optical Committee, "
                        + "\(first) among them: no levy is deducted"))
        }
        return found
    }
}
