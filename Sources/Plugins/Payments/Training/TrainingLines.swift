import PluginAPI

/// Trainer grants and reimbursed pay of all placements in force, for months in post in which the practice has a contract:
/// what is in arrears comes after its end. A revised placement makes difference lines by itself.
struct TrainingLines: RecurringLines, EndingWithContract {
    private let grants: TrainingGrants
    private let byPractice: [ODSCode: [TraineePlacement]]
    private let contracts: ContractMonths

    init(
        _ placements: [TraineePlacement], figures: TrainingRates, rates: RateTable, timelines: [ContractTimeline]
    ) {
        grants = TrainingGrants(figures: figures, rates: rates)
        byPractice = Dictionary(grouping: placements, by: \.practice)
        contracts = ContractMonths(timelines, of: Set(byPractice.keys))
    }

    /// The grants of a placement may come together after its end, so all that have begun are looked at.
    func payees(in month: YearMonth) -> Set<ODSCode> {
        Set(byPractice.lazy.filter { $0.value.contains { $0.from <= month.lastDay } }.map(\.key))
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        var lines: [PaymentLine] = []
        for placement in byPractice[payee] ?? [] {
            for earlier in try grants.months(of: placement, paidIn: month)
            where contracts.has(placement.practice, in: earlier) {
                if case .due(let line) = try grants.grant(placement, for: earlier, paidIn: month),
                    line.pence != 0
                {
                    lines.append(line)
                }
                if let line = try grants.salary(placement, for: earlier, paidIn: month), line.pence != 0 {
                    lines.append(line)
                }
            }
        }
        return lines
    }

    func ended(in month: YearMonth) throws(PaymentsError) -> [EndedPayment] {
        var found: [EndedPayment] = []
        for placement in byPractice.values.joined() {
            let unpaid = try grants.months(of: placement, paidIn: month).first { earlier in
                placement.days(in: earlier) != nil && !contracts.has(placement.practice, in: earlier)
            }
            guard let unpaid else { continue }
            found.append(
                EndedPayment(
                    practice: placement.practice, origin: placement.origin, paycode: .trainerGrant,
                    words: "trainee \(placement.traineeRef)", month: unpaid))
        }
        return found
    }
}

/// The retention scheme (payments.md 9.5): a rate for each session of a year's weeks, up to the most sessions paid, in
/// twelfths, in months in which the practice has a contract; and where they are claimed the doctor's expenses of a year, by
/// the sessions paid, in twelfths too.
struct RetentionLines: RecurringLines, EndingWithContract {
    private let rates: RateTable
    private let byPractice: [ODSCode: [RetentionMembership]]
    private let contracts: ContractMonths

    init(_ memberships: [RetentionMembership], rates: RateTable, timelines: [ContractTimeline]) {
        self.rates = rates
        byPractice = Dictionary(grouping: memberships, by: \.practice)
        contracts = ContractMonths(timelines, of: Set(byPractice.keys))
    }

    func payees(in month: YearMonth) -> Set<ODSCode> {
        Set(
            byPractice.lazy.filter { entry in
                contracts.has(entry.key, in: month) && entry.value.contains { $0.touches(month) }
            }.map(\.key))
    }

    func ended(in month: YearMonth) -> [EndedPayment] {
        byPractice.values.joined().filter { $0.touches(month) && !contracts.has($0.practice, in: month) }.map {
            EndedPayment(
                practice: $0.practice, origin: $0.origin, paycode: .retention,
                words: "doctor \($0.doctorRef)", month: month)
        }
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        guard contracts.has(payee, in: month) else { return [] }
        var lines: [PaymentLine] = []
        for membership in byPractice[payee] ?? [] where membership.touches(month) {
            let line = try line(membership, month)
            if line.pence != 0 { lines.append(line) }
            if let line = try expenses(membership, month), line.pence != 0 { lines.append(line) }
        }
        return lines
    }

    /// The rate by which a membership's expenses are paid in a month; `nil` = the scale ends below its sessions.
    static func expensesRate(
        _ membership: RetentionMembership, _ month: YearMonth, _ rates: RateTable
    ) throws(PaymentsError) -> RateName? {
        let paid = Swift.min(membership.sessions, try rates.whole(.retentionMostSessions, at: month.firstDay))
        return RateName.retentionExpenses(sessions: paid)
    }

    private func share(_ membership: RetentionMembership, _ month: YearMonth) -> Share {
        let (first, last) = (
            Swift.max(membership.from, month.firstDay), Swift.min(membership.to, month.lastDay)
        )
        return Share(days: Int(last.daysSince1970 - first.daysSince1970) + 1, of: month)
    }

    /// While the step of the scale is not set, nothing is paid, and `ExpectedRetentionExpenses` says so.
    private func expenses(_ membership: RetentionMembership, _ month: YearMonth) throws(PaymentsError) -> PaymentLine? {
        guard membership.claimsExpenses,
            let name = try RetentionLines.expensesRate(membership, month, rates),
            let rate = try? rates.rate(name, at: month.firstDay)
        else { return nil }
        let share = share(membership, month)
        var steps: [Explanation.Step] = []
        share.appendMonth(to: &steps, annual: .input(0))
        do throws(ArithmeticError) {
            let pence = try Rounding.toPence(try share.month(of: rate.value.rational)).pence
            return PaymentLine(
                paycode: .retention, contractID: membership.practice.value, contractVersion: membership.version,
                periodFrom: month.firstDay, periodTo: month.lastDay, quantity: ExactDecimal(1), rate: rate.value,
                basis: share.basis("EXPENSES/12"), pence: pence, source: .recurring, month: month,
                explanation: Explanation(
                    rule: "9.5 retention scheme, expenses", ruleVersion: 1, inputs: [rate.input(name.rawValue, .pounds)],
                    steps: steps, rounding: "RND-3", amount: Money(pence: pence)),
                origin: "retention/" + membership.id + "/expenses")
        } catch {
            throw .amountOutOfRange(membership.practice.value)
        }
    }

    private func line(_ membership: RetentionMembership, _ month: YearMonth) throws(PaymentsError)
        -> PaymentLine
    {
        let session = try rates.rate(.retentionSession, at: month.firstDay)
        let weeks = try rates.rate(.retentionWeeks, at: month.firstDay)
        let paid = Swift.min(membership.sessions, try rates.whole(.retentionMostSessions, at: month.firstDay))
        let share = share(membership, month)
        var steps: [Explanation.Step] = [
            .init("week", .input(0), .multiply, .input(1)), .init("annual", .step(0), .multiply, .input(2)),
        ]
        share.appendMonth(to: &steps, annual: .step(1))
        do throws(ArithmeticError) {
            let annual = try Rational(paid).multiplied(by: session.value.rational).multiplied(
                by: weeks.value.rational)
            let pence = try Rounding.toPence(try share.month(of: annual)).pence
            return PaymentLine(
                paycode: .retention, contractID: membership.practice.value,
                contractVersion: membership.version,
                periodFrom: month.firstDay, periodTo: month.lastDay, quantity: ExactDecimal(paid),
                rate: session.value,
                basis: share.basis("SESSIONS x \(weeks.value.trimmed())/12"), pence: pence,
                source: .recurring,
                month: month,
                explanation: Explanation(
                    rule: "9.5 retention scheme", ruleVersion: 1,
                    inputs: [
                        .init(
                            "sessions_paid", ExactDecimal(paid), .count,
                            from: .init(
                                "retention", version: membership.version,
                                note: "\(membership.sessions) sessions a week"),
                            asOf: membership.from),
                        session.input("session", .pounds), weeks.input("weeks", .count),
                    ], steps: steps, rounding: "RND-3", amount: Money(pence: pence)),
                origin: membership.origin)
        } catch {
            throw .amountOutOfRange(membership.practice.value)
        }
    }
}

extension RetentionMembership {
    fileprivate var origin: String { "retention/" + id }

    fileprivate func touches(_ month: YearMonth) -> Bool { from <= month.lastDay && to >= month.firstDay }
}
