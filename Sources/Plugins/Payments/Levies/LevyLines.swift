import PluginAPI

/// Levies of a month: off what practices are paid, and the same amounts to their committees (payments.md 9.6). Both
/// come of the same deductions, so a list, rate or membership that changes for the past makes equal differences on both
/// sides.
///
/// A practice is levied by the list of the quarter day, under the contract in force on the first day of the month. One
/// without a list waits for it; one whose payments are stopped is not levied.
struct LevyLines: RecurringLines {
    private let book: LevyBook
    private let lists: ListTable
    private let timelines: [ODSCode: ContractTimeline]
    private let members: [YearMonth: [ODSCode: [ODSCode]]]

    /// - Parameter months: all for which lines will be asked.
    init(_ book: LevyBook, months: [YearMonth], lists: ListTable, timelines: [ContractTimeline]) {
        self.book = book
        self.lists = lists
        var byPractice: [ODSCode: ContractTimeline] = [:]
        if !book.memberships.isEmpty {
            for timeline in timelines { byPractice[timeline.practice] = timeline }
        }
        self.timelines = byPractice
        var members: [YearMonth: [ODSCode: [ODSCode]]] = [:]
        let practices = book.memberships.keys.sorted()
        for month in Set(months) {
            let quarter = Quarter(containing: month)
            for practice in practices {
                guard let committee = book.committee(of: practice, in: quarter) else { continue }
                members[month, default: [:]][committee, default: []].append(practice)
            }
        }
        self.members = members
    }

    /// Committees of every month looked at: one may have differences only.
    func payees(in month: YearMonth) -> Set<ODSCode> { Set(members.values.flatMap(\.keys)) }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        var lines: [PaymentLine] = []
        do throws(ArithmeticError) {
            for deduction in deductions(of: payee, in: month) {
                if let line = try deduction.line(paidOver: false) { lines.append(line) }
            }
            for practice in members[month]?[payee] ?? [] {
                for deduction in deductions(of: practice, in: month) {
                    if let line = try deduction.line(paidOver: true) { lines.append(line) }
                }
            }
        } catch {
            throw .amountOutOfRange(payee.value)
        }
        return lines
    }

    func deductions(of practice: ODSCode, in month: YearMonth) -> [LevyDeduction] {
        let quarter = Quarter(containing: month)
        let day = quarter.quarterDay
        guard let membership = book.membership(practice, at: day), let code = membership.committee,
            let committee = book.committee(code, at: day), !committee.isRunByCommissioner,
            let timeline = timelines[practice], let span = timeline.span(at: month.firstDay),
            timeline.segments(in: month).last?.span.terms.payment.isStopped == false,
            let list = lists.lists(in: quarter)[practice]
        else { return [] }
        return LevyKind.allCases.compactMap { kind in
            let isLevied: Bool =
                switch kind {
                case .statutory: span.terms.payment.kind == .gms || membership.hasMandate
                case .voluntary: membership.isVoluntary
                // On fees, not on lists: with the contractor's claims.
                case .optical: false
                }
            guard isLevied, let rate = book.rate(code, kind, at: day),
                let schedule = LevySchedule(month, committee.collection, rate.period)
            else { return nil }
            return LevyDeduction(
                practice: practice, committee: code, kind: kind, month: month, quarterDay: day,
                patients: list.registered, listVersion: list.version, rate: rate, schedule: schedule,
                contractID: span.terms.contractID(of: practice), contractVersion: span.version)
        }
    }
}
