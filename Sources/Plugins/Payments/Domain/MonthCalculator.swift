import PluginAPI

/// What is due to a practice for one month, and what a person should know about it.
struct PracticeMonth: Sendable {
    var lines: [PaymentLine] = []
    var remarks: [Remark] = []
    /// The span that heads the statement: the last one in the month.
    var span: ContractSpan?
    /// Lists that the lines stand on.
    var lists: PatientLists?
    var quarter: Quarter?

    /// The contract says "do not pay" for the month (payments.md 12.3).
    var isStopped: Bool { span?.terms.payment.isStopped ?? false }

    enum Remark: Hashable, Sendable {
        case noCapitation(Quarter)
        case capitationCarried(Quarter)
        case noCorePayment
        /// Pence a year for each weighted patient.
        case baselineOutOfBounds(perHeadPence: Int64)
    }
}

/// Calculates one month for one practice after another (payments.md 3.1, 4). Pure: rates and lists of the month are
/// looked up once, when it is made.
struct MonthCalculator: Sendable {
    let month: YearMonth
    let quarter: Quarter
    let lists: [ODSCode: PatientLists]
    let previousLists: [ODSCode: PatientLists]
    let rates: MonthRates

    init(month: YearMonth, lists: ListTable, rates: RateTable) {
        self.month = month
        quarter = Quarter(containing: month)
        self.lists = lists.lists(in: quarter)
        previousLists = lists.lists(in: quarter.previous)
        self.rates = MonthRates(rates, day: month.firstDay)
    }

    func calculate(_ timeline: ContractTimeline) throws(PaymentsError) -> PracticeMonth {
        var result = PracticeMonth()
        let practice = timeline.practice
        for segment in timeline.segments(in: month) {
            result.span = segment.span
            guard !segment.span.terms.payment.isStopped else { continue }
            let found = try lists(for: practice, segment.span.terms.payment, &result)
            let before = result.lines.count
            let lines = SegmentLines(
                month: month, segment: segment, practice: practice, lists: found,
                quarterDay: (result.quarter ?? quarter).quarterDay, rates: rates)
            do throws(SegmentLines.Problem) {
                try lines.append(to: &result.lines)
            } catch {
                switch error {
                case .rateMissing(let name): throw .rateMissing(name, month.firstDay)
                case .arithmetic: throw .amountOutOfRange(practice.value)
                }
            }
            if result.lines.count == before, !result.remarks.contains(where: { $0.isMissingList }) {
                result.remarks.append(.noCorePayment)
            }
            if let remark = try boundsRemark(segment.span.terms.payment, found) {
                result.remarks.append(remark)
            }
        }
        return result
    }

    /// Lists of the quarter; for PMS and APMS the last quarter's when the new ones are late, which the next run puts
    /// right (payments.md 4, "Quarter").
    private func lists(
        for practice: ODSCode, _ terms: PaymentTerms, _ result: inout PracticeMonth
    ) throws(PaymentsError) -> PatientLists? {
        if let found = lists[practice] {
            (result.lists, result.quarter) = (found, quarter)
            return found
        }
        if case .fixed = terms.baseline { return nil }
        if terms.kind != .gms, let carried = previousLists[practice] {
            result.remarks.append(.capitationCarried(quarter))
            (result.lists, result.quarter) = (carried, quarter.previous)
            return carried
        }
        result.remarks.append(.noCapitation(quarter))
        return nil
    }

    /// PMS baselines outside the usual range for each weighted patient are pointed out (payments.md 4).
    private func boundsRemark(
        _ terms: PaymentTerms, _ lists: PatientLists?
    ) throws(PaymentsError) -> PracticeMonth.Remark? {
        guard terms.kind == .pms, let lists, lists.weightedHundredths > 0, let baseline = terms.baseline,
            let low = rates.baselineLow, let high = rates.baselineHigh
        else { return nil }
        let annual: Int128 =
            switch baseline {
            case .fixed(let pence): CapitationMath.annual(pence: pence)
            case .weighted(let price):
                CapitationMath.annual(weightedHundredths: lists.weightedHundredths, priceMicropounds: price)
            case .raw(let price): CapitationMath.annual(patients: lists.registered, priceMicropounds: price)
            }
        let perHeadMicropounds = annual / Int128(lists.weightedHundredths)
        guard perHeadMicropounds < Int128(low) || perHeadMicropounds > Int128(high) else { return nil }
        return .baselineOutOfBounds(perHeadPence: Int64(clamping: perHeadMicropounds / 10_000))
    }
}

extension PracticeMonth.Remark {
    var isMissingList: Bool {
        if case .noCapitation = self { true } else { false }
    }
}

/// The rates of a month. One that is missing is no fault until a line needs it.
struct MonthRates: Sendable {
    let price: Rate?
    let outOfHours: Rate?
    let minorSurgery: Rate?
    let london: Rate?
    let correctionFactorSevenths: Rate?
    /// Millionths of a pound.
    let baselineLow: Int64?
    let baselineHigh: Int64?

    init(_ rates: RateTable, day: CalendarDate) {
        price = try? rates.rate(.globalSumPrice, at: day)
        outOfHours = try? rates.rate(.outOfHoursPercent, at: day)
        minorSurgery = try? rates.rate(.minorSurgeryPercent, at: day)
        london = try? rates.rate(.londonAdjustment, at: day)
        correctionFactorSevenths = try? rates.rate(.correctionFactorSevenths, at: day)
        baselineLow = (try? rates.rate(.baselinePerHeadLow, at: day))?.millionths
        baselineHigh = (try? rates.rate(.baselinePerHeadHigh, at: day))?.millionths
    }
}
