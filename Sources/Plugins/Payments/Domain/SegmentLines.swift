import PluginAPI

/// The lines of one practice for the days of a month that are paid on the same terms.
struct SegmentLines {
    enum Problem: Error {
        case rateMissing(RateName)
        case arithmetic(ArithmeticError)
    }

    let month: YearMonth
    let segment: ContractSegment
    let practice: ODSCode
    let lists: PatientLists?
    /// Quarter day of `lists`.
    let quarterDay: CalendarDate
    let rates: MonthRates

    var terms: PaymentTerms { segment.span.terms.payment }
    var isWholeMonth: Bool { segment.days == month.dayCount }

    func append(to lines: inout [PaymentLine]) throws(Problem) {
        do {
            switch terms.kind {
            case .gms: try appendGlobalSum(to: &lines)
            case .pms: try appendBaseline(.pmsBaseline, to: &lines)
            case .apms: try appendBaseline(.apmsBaseline, to: &lines)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .arithmetic((error as? ArithmeticError) ?? .overflow)
        }
    }

    func base(_ annual: Int128) -> CapitationMath.MonthlyBase {
        CapitationMath.MonthlyBase(annual: annual, days: segment.days, daysInMonth: month.dayCount)
    }

    func needed(_ rate: Rate?, _ name: RateName) throws(Problem) -> Rate {
        guard let rate else { throw .rateMissing(name) }
        return rate
    }

    /// A line for the run's own month; none for nothing.
    func add(
        _ paycode: Paycode, _ pence: Int64, quantity: ExactDecimal, rate: ExactDecimal, basis: String,
        _ explanation: Explanation, to lines: inout [PaymentLine]
    ) {
        guard pence != 0 else { return }
        lines.append(
            PaymentLine(
                paycode: paycode, contractID: segment.span.terms.contractID(of: practice),
                contractVersion: segment.span.version, periodFrom: segment.from,
                periodTo: segment.end.adding(days: -1), quantity: quantity, rate: rate, basis: basis,
                pence: pence,
                source: .contract, month: month, explanation: explanation))
    }

    /// `WEIGHTED_PATIENTS/12`, with the days when only part of the month is paid.
    func basis(_ name: String) -> String {
        isWholeMonth ? name : name + " x " + String(segment.days) + "/" + String(month.dayCount)
    }

    // MARK: - Parts of explanations

    func weightedInput(_ lists: PatientLists) -> Explanation.Input {
        .init(
            "weighted_patients", ExactDecimal(mantissa: lists.weightedHundredths, scale: 2), .patients,
            from: .init("capitation", version: lists.version), asOf: quarterDay)
    }

    func contractInput(_ name: String, _ value: ExactDecimal) -> Explanation.Input {
        .init(
            name, value, .pounds, from: .init("contract", version: segment.span.version),
            asOf: segment.span.from)
    }

    /// Inputs for a part of a month: none for a whole one.
    func dayInputs() -> [Explanation.Input] {
        guard !isWholeMonth else { return [] }
        let source = Explanation.Source("contract", version: segment.span.version)
        return [
            .init("days_paid", ExactDecimal(Int64(segment.days)), .days, from: source, asOf: segment.from),
            .init(
                "days_in_month", ExactDecimal(Int64(month.dayCount)), .days, from: .init("calendar"),
                asOf: segment.from),
        ]
    }

    /// Steps from the annual figure (the result of the last step so far, or `annual`) to the month's share.
    func monthSteps(
        _ steps: inout [Explanation.Step], annual: Explanation.Operand, firstDayInput: Int
    ) -> Explanation.Operand {
        steps.append(.init("month", annual, .divide, .whole(12)))
        appendDaySteps(&steps, firstDayInput: firstDayInput)
        return .step(steps.count - 1)
    }

    /// From the whole month (the result of the last step) to the days paid; nothing for a whole month.
    func appendDaySteps(_ steps: inout [Explanation.Step], firstDayInput: Int) {
        guard !isWholeMonth else { return }
        steps.append(.init("month_days", .step(steps.count - 1), .multiply, .input(firstDayInput)))
        steps.append(.init("part_of_month", .step(steps.count - 1), .divide, .input(firstDayInput + 1)))
    }
}
