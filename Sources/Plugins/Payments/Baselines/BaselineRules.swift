import PluginAPI

/// Baselines of PMS and APMS contracts (payments.md 4).
enum BaselineRules {
    /// `new = last year's + uplift - agreed reductions`; the uplift is rounded once.
    struct Reckoning: Hashable, Sendable {
        var lastPence: Int64
        var upliftMicropounds: Int64
        var onRegistered = false
        var patientsHundredths: Int64
        var quarterDay: CalendarDate
        var reductionsPence: Int64
        var upliftPence: Int64
        var annualPence: Int64

        init(
            lastPence: Int64, upliftMicropounds: Int64, onRegistered: Bool, patientsHundredths: Int64,
            quarterDay: CalendarDate, reductionsPence: Int64
        ) throws(ArithmeticError) {
            self.lastPence = lastPence
            self.upliftMicropounds = upliftMicropounds
            self.onRegistered = onRegistered
            self.patientsHundredths = patientsHundredths
            self.quarterDay = quarterDay
            self.reductionsPence = reductionsPence
            let uplift = try Rounding.toPence(
                try Rational(Int128(upliftMicropounds) * Int128(patientsHundredths), over: 100_000_000))
            upliftPence = uplift.pence
            annualPence = try Money(pence: lastPence).adding(uplift).subtracting(
                Money(pence: reductionsPence)
            ).pence
        }
    }

    /// 1 April, or the day in the year on which a contract with a baseline begins; `nil` = there is none in the year.
    static func effectiveDay(_ timeline: ContractTimeline, in year: FinancialYear) -> CalendarDate? {
        func hasBaseline(_ day: CalendarDate) -> Bool {
            timeline.span(at: day).map { $0.terms.payment.kind != .gms } ?? false
        }
        if hasBaseline(year.firstDay) { return year.firstDay }
        return timeline.spans.first { year.contains($0.from) && $0.terms.payment.kind != .gms }?.from
    }

    /// The contract's records with a new baseline from a day on: all spans of its type that begin within the year. What
    /// begins in a later year has its own baseline.
    static func records(
        _ timeline: ContractTimeline, _ baseline: Baseline, from day: CalendarDate, in year: FinancialYear
    ) -> [ContractStore.NewRecord] {
        guard let kind = timeline.span(at: day)?.terms.payment.kind else { return [] }
        return timeline.spans.filter { span in
            span.terms.payment.kind == kind && span.from <= year.lastDay && (span.to.map { $0 > day } ?? true)
        }.map { span in
            var terms = span.terms
            terms.payment.baseline = baseline
            return ContractStore.NewRecord(
                practice: timeline.practice, from: max(span.from, day), to: span.to, terms: terms)
        }
    }

    /// Micropounds a year for each weighted patient; `nil` without a list.
    static func perWeightedPatient(_ baseline: Baseline, _ lists: PatientLists?) -> Int64? {
        guard let lists, lists.weightedHundredths > 0 else { return nil }
        let annual: Int128 =
            switch baseline {
            case .fixed(let pence): CapitationMath.annual(pence: pence)
            case .weighted(let price):
                CapitationMath.annual(weightedHundredths: lists.weightedHundredths, priceMicropounds: price)
            case .raw(let price): CapitationMath.annual(patients: lists.registered, priceMicropounds: price)
            }
        return Int64(clamping: annual / Int128(lists.weightedHundredths))
    }
}
