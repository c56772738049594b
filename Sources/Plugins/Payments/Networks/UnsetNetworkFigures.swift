import PluginAPI

/// What networks and their practices should be paid and are not, because a figure is missing (payments.md 8.1): a rate
/// whose row has no value, a list that a practice which takes part does not have. Each figure stops the run once, whoever
/// it concerns. And core funding that was revised as a sum is paid at the earlier rates until its split is loaded: a
/// warning.
struct UnsetNetworkFigures: RunCheck {
    private let networks: [NetworkLines]
    private let participation: [ParticipationLines]
    private let timelines: [ODSCode: ContractTimeline]
    private let months: [YearMonth]

    init(_ read: RunInputs) {
        networks = read.inputs.recurring.compactMap { $0 as? NetworkLines }
        participation = read.inputs.recurring.compactMap { $0 as? ParticipationLines }
        months = (read.affectedMonths + [read.run.month]).sorted()
        timelines =
            participation.isEmpty
            ? [:]
            : Dictionary(read.inputs.timelines.map { ($0.practice, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        rates + lists + unsplit
    }

    // MARK: Rates

    private struct Gap {
        var paycode: Paycode
        var months: [YearMonth] = []
        var payees: Set<ODSCode> = []
    }

    private var rates: [RunException] {
        var gaps: [RateName: Gap] = [:]
        func add(_ rate: RateName, _ paycode: Paycode, _ month: YearMonth, _ payees: some Sequence<ODSCode>) {
            var gap = gaps[rate] ?? Gap(paycode: paycode)
            gap.months.append(month)
            gap.payees.formUnion(payees)
            gaps[rate] = gap
        }
        for month in months {
            for source in networks {
                for unset in source.unset(in: month) { add(unset.rate, unset.paycode, month, unset.networks) }
            }
            for source in participation where source.isRateMissing(in: month) {
                add(.networkParticipation, .networkParticipation, month, source.payees(in: month))
            }
        }
        return gaps.sorted { $0.key.rawValue < $1.key.rawValue }.map { rate, gap in
            let payees = gap.payees.sorted()
            return RunException(
                severity: .blocking, kind: .expectedMissing, practice: payees.count == 1 ? payees.first : nil,
                paycode: gap.paycode.code,
                message: "rate \(rate.rawValue) is not set for \(words(gap.months)): \(words(payees)) not paid "
                    + gap.paycode.code)
        }
    }

    // MARK: Lists

    private var lists: [RunException] {
        var quarters: [Quarter: Set<ODSCode>] = [:]
        for month in months {
            for source in participation {
                let missing = source.withoutList(in: month).filter { practice in
                    timelines[practice]?.segments(in: month).last?.span.terms.payment.isStopped == false
                }
                if !missing.isEmpty { quarters[Quarter(containing: month), default: []].formUnion(missing) }
            }
        }
        return quarters.sorted { $0.key.quarterDay < $1.key.quarterDay }.map { quarter, missing in
            let practices = missing.sorted()
            return RunException(
                severity: .blocking, kind: .expectedMissing,
                practice: practices.count == 1 ? practices.first : nil,
                paycode: Paycode.networkParticipation.code,
                message: "no list of \(quarter.quarterDay): \(words(practices)) not paid "
                    + Paycode.networkParticipation.code)
        }
    }

    // MARK: Core funding

    private var unsplit: [RunException] {
        var years: [FinancialYear: String] = [:]
        for month in months {
            for source in networks where !source.payees(in: month).isEmpty {
                guard let text = source.unsplitCore(in: month) else { continue }
                years[FinancialYear(containing: month)] = text
            }
        }
        return years.sorted { $0.key.startYear < $1.key.startYear }.map { year, text in
            RunException(
                severity: .warning, kind: .expectedMissing, paycode: Paycode.networkCore.code,
                message: "core funding of \(year) \(text)")
        }
    }

    // MARK: Words

    private func words(_ months: [YearMonth]) -> String {
        guard months.count > 3, let first = months.first, let last = months.last else {
            return months.map(\.description).joined(separator: ", ")
        }
        return "\(first) to \(last)"
    }

    private func words(_ payees: [ODSCode]) -> String {
        let shown = payees.prefix(5).map(\.value).joined(separator: ", ")
        return payees.count > 5 ? "\(shown) and \(payees.count - 5) more are" : shown + (payees.count == 1 ? " is" : " are")
    }
}

extension NetworkLines {
    /// Says that the month is paid by rates whose sum is not the one revised; `nil` = it is, or nothing was revised.
    fileprivate func unsplitCore(in month: YearMonth) -> String? {
        guard let revised = try? rates.rate(.networkCoreRevised, at: month.firstDay) else { return nil }
        let parts = [RateName.networkCoreRegistered, .networkCoreAdjusted].compactMap {
            try? rates.rate($0, at: month.firstDay)
        }
        let paid = parts.reduce(Int64(0)) { $0 + $1.millionths }
        guard paid != revised.millionths else { return nil }
        let sum = ExactDecimal(mantissa: paid, scale: 6).trimmed()
        return "is paid at \(sum) pounds a patient; the revised \(revised.value) has no split: load "
            + "network_core_registered and network_core_adjusted"
    }
}
