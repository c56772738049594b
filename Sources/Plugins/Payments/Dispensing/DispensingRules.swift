import PluginAPI

/// The lines that the data of a practice and month come to (payments.md 9.4): basic price, discount, fee, VAT
/// allowance, charges collected. A scale prices the whole volume by the band that holds the total for each
/// practitioner, or slice by slice (rate `dispensing_band_marginal`).
struct DispensingRules: Sendable {
    let bands: DispensingBands
    let rates: RateTable

    /// - Parameter month: month whose run pays them.
    func lines(_ data: DispensingData, paidIn month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        let day = data.month.firstDay
        let isMarginal = try rates.whole(.dispensingBandMarginal, at: day) == 1
        let discounts = try data.basicPricePence == 0 ? [] : bands.edition(.discount, at: day)
        let fees = try data.prescriptions == 0 ? [] : bands.edition(data.kind.feeScale, at: day)
        let vat = try data.vatBasePence == 0 ? nil : rates.rate(.drugVATPercent, at: day)
        let draft = Draft(data: data, month: month, isMarginal: isMarginal)
        do {
            var lines = [draft.price()]
            lines.append(try draft.banded(discounts, .drugDiscount))
            lines.append(try draft.banded(fees, data.kind.feePaycode))
            if let vat { lines.append(try draft.allowance(vat)) }
            lines.append(draft.charges())
            return lines.filter { $0.pence != 0 }
        } catch let error as PaymentsError {
            throw error
        } catch {
            throw .amountOutOfRange(data.practice.value)
        }
    }

    /// Puts the lines of one practice together.
    private struct Draft {
        let data: DispensingData
        let month: YearMonth
        let isMarginal: Bool

        private var day: CalendarDate { data.month.firstDay }
        private var basicPrice: ExactDecimal { Money(pence: data.basicPricePence).pounds }

        func price() -> PaymentLine {
            fixed(
                .drugReimbursement, data.basicPricePence, input("basic_price", basicPrice, .pounds),
                "BASIC_PRICE")
        }

        func charges() -> PaymentLine {
            let charges = Money(pence: data.chargesPence).pounds
            var line = fixed(
                .prescriptionCharges, -data.chargesPence, input("charges_collected", charges, .pounds),
                "CHARGES_COLLECTED")
            line.explanation.steps = [.init("amount", .whole(0), .subtract, .input(0))]
            return line
        }

        func allowance(_ vat: Rate) throws -> PaymentLine {
            let base = Money(pence: data.vatBasePence).pounds
            let share = try base.rational.multiplied(by: vat.value.rational).divided(by: Rational(100))
            return line(
                .drugVAT, try Rounding.toPence(share).pence, quantity: base, rate: vat.value,
                basis: "PERCENT_OF_PRICE",
                inputs: [input("vat_base", base, .pounds), vat.input("percent", .percent)],
                steps: [
                    .init("allowance", .input(0), .percentage, .input(1)),
                    .init("amount", rounding: .step(0)),
                ])
        }

        /// A discount on the basic price, or a fee on the prescriptions.
        func banded(_ edition: [DispensingBand], _ paycode: Paycode) throws -> PaymentLine {
            guard !edition.isEmpty else {
                return fixed(paycode, 0, input("nothing", ExactDecimal(0), .count), "NONE")
            }
            let isDiscount = paycode == .drugDiscount
            let total = isDiscount ? basicPrice : ExactDecimal(data.prescriptions)
            var banded = BandedAmount(
                inputs: [
                    isDiscount
                        ? input("basic_price", total, .pounds) : input("prescriptions", total, .count),
                    input("practitioners", ExactDecimal(data.practitioners), .count),
                ], isDiscount: isDiscount, day: day)
            if isMarginal { try banded.applySlices(edition) } else { try banded.applyWhole(edition) }
            let amount = try Rounding.toPence(banded.pounds)
            let sign: Int64 = isDiscount ? -1 : 1
            if isDiscount {
                banded.steps.append(.init("taken_off", .whole(0), .subtract, .step(banded.steps.count - 1)))
            }
            banded.steps.append(.init("amount", rounding: .step(banded.steps.count - 1)))
            guard let rate = banded.rate else {
                let pounds = ExactDecimal(mantissa: sign * (try banded.micropounds()), scale: 6)
                return line(
                    paycode, sign * amount.pence, quantity: ExactDecimal(1), rate: pounds,
                    basis: "SUM_OF_BANDS",
                    inputs: banded.inputs, steps: banded.steps)
            }
            return line(
                paycode, sign * amount.pence, quantity: total,
                rate: ExactDecimal(mantissa: sign * rate.mantissa, scale: rate.scale),
                basis: isDiscount ? "PERCENT_OF_PRICE" : "PRESCRIPTIONS", inputs: banded.inputs,
                steps: banded.steps)
        }

        private func input(_ name: String, _ value: ExactDecimal, _ unit: Explanation.Unit)
            -> Explanation.Input
        {
            .init(
                name, value, unit,
                from: .init("dispensing data", version: data.version, note: data.kind.name), asOf: day)
        }

        private func fixed(
            _ paycode: Paycode, _ pence: Int64, _ input: Explanation.Input, _ basis: String
        ) -> PaymentLine {
            line(
                paycode, pence, quantity: ExactDecimal(1), rate: Money(pence: pence).pounds, basis: basis,
                inputs: [input], steps: [.init("amount", rounding: .input(0))])
        }

        private func line(
            _ paycode: Paycode, _ pence: Int64, quantity: ExactDecimal, rate: ExactDecimal, basis: String,
            inputs: [Explanation.Input], steps: [Explanation.Step]
        ) -> PaymentLine {
            PaymentLine(
                paycode: paycode, contractID: data.practice.value, contractVersion: 0, periodFrom: day,
                periodTo: data.month.lastDay, quantity: quantity, rate: rate, basis: basis, pence: pence,
                source: .recurring, month: month,
                explanation: Explanation(
                    rule: "9.4 dispensing", ruleVersion: 1, inputs: inputs, steps: steps, rounding: "RND-2",
                    amount: Money(pence: pence)),
                origin: "dispensing/\(data.month)/\(data.kind.name)")
        }
    }
}
