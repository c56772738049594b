import PluginAPI

/// A trainee at a practice, as one version of the placement says.
struct TraineePlacement: Hashable, Sendable {
    /// Numbers are stored and follow `pcs.payments.v1.TrainingGrade`.
    enum Grade: Int64, CaseIterable, Sendable {
        case st1 = 1
        case st2 = 2
        case st3 = 3
        case st4 = 4
    }

    /// Numbers are stored and follow `pcs.payments.v1.TraineeEmployer`.
    enum Employer: Int64, CaseIterable, Sendable {
        case leadEmployer = 1
        case practice = 2
    }

    struct Absence: Hashable, Sendable {
        /// Numbers are stored and follow `pcs.payments.v1.AbsenceKind`.
        enum Kind: Int64, CaseIterable, Sendable {
            case parental = 1
            case sickness = 2
        }

        var kind: Kind
        var from: CalendarDate
        /// Last day, inclusive.
        var to: CalendarDate
    }

    var id: String
    var practice: ODSCode
    var traineeRef: String
    var trainerRef: String
    var from: CalendarDate
    /// Last day, inclusive.
    var to: CalendarDate
    var grade: Grade
    var area: String
    var employer: Employer
    var annualPayPence: Int64 = 0
    var annualCostsPence: Int64 = 0
    var absences: [Absence] = []
    /// Input number; 0 = waits for a decision.
    var version: Int64 = 0

    var origin: String { "placement/" + id }

    /// First and last day in post within a month.
    func days(in month: YearMonth) -> ClosedRange<CalendarDate>? {
        let (first, last) = (Swift.max(from, month.firstDay), Swift.min(to, month.lastDay))
        return first <= last ? first...last : nil
    }
}

/// A doctor in the retention scheme at a practice.
struct RetentionMembership: Hashable, Sendable {
    var id: String
    var practice: ODSCode
    /// GMC number.
    var doctorRef: String
    var from: CalendarDate
    /// Last day, inclusive.
    var to: CalendarDate
    /// A week.
    var sessions: Int64
    /// The doctor's expenses are paid to the practice too, which passes them on.
    var claimsExpenses = false
    /// Input number; 0 = waits for a decision.
    var version: Int64 = 0

    /// Days of all memberships of a doctor must fit into the longest time from the first day on (payments.md 9.5).
    static func days(_ memberships: [RetentionMembership]) -> Int {
        memberships.reduce(0) { $0 + Int($1.to.daysSince1970 - $1.from.daysSince1970) + 1 }
    }

    static func mostDays(_ memberships: [RetentionMembership], years: Int64) -> Int {
        guard let first = memberships.map(\.from).min() else { return 0 }
        let end = ClaimDeadline.adding(months: Int(years) * 12, to: first)
        return Int(end.daysSince1970 - first.daysSince1970)
    }
}

/// A payment due once for a placement.
struct TrainingPayment: Hashable, Sendable {
    /// Numbers are stored and follow `pcs.payments.v1.TrainingPaymentKind`.
    enum Kind: Int64, CaseIterable, Sendable {
        case supervisionReport = 1
        case professionalDevelopment = 2
    }

    var kind: Kind
    var placement: TraineePlacement
    var on: CalendarDate

    /// One report for each six months of a placement, one development payment for each trainer and year.
    var naturalKey: String {
        switch kind {
        case .supervisionReport:
            let months = YearMonth(containing: on).months(since: YearMonth(containing: placement.from))
            return "training/report/\(placement.id)/\(1 + Swift.min(months, lastMonth) / 6)"
        case .professionalDevelopment:
            return "training/cpd/\(placement.trainerRef)/\(FinancialYear(containing: on))"
        }
    }

    /// A report completed after the end is of the last six months.
    private var lastMonth: Int {
        YearMonth(containing: placement.to).months(since: YearMonth(containing: placement.from))
    }

    func item(_ rates: TrainingRates) throws(PaymentsError) -> PayableItem {
        let isReport = kind == .supervisionReport
        let figure = try rates.required(isReport ? .report : .developmentYear, in: placement.area, at: on)
        guard let pence = figure.value.scaled(to: 2) else {
            throw .amountOutOfRange(placement.practice.value)
        }
        let month = YearMonth(containing: on)
        let line = PaymentLine(
            paycode: isReport ? .supervisionReport : .professionalDevelopment,
            contractID: placement.practice.value,
            contractVersion: 0, periodFrom: month.firstDay, periodTo: month.lastDay,
            quantity: ExactDecimal(1),
            rate: figure.value, basis: isReport ? "REPORT" : "YEAR", pence: pence, source: .item,
            month: month,
            explanation: Explanation(
                rule: "9.5 training", ruleVersion: 1,
                inputs: [figure.input(isReport ? "report" : "year", .pounds)],
                steps: [.init("amount", rounding: .input(0))], rounding: "RND-2", amount: Money(pence: pence)),
            origin: naturalKey)
        return PayableItem(naturalKey: naturalKey, payee: placement.practice, firstRun: month, line: line)
    }
}
