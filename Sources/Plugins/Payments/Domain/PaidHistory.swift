import PluginAPI

/// What earlier approved runs have paid, as far as a new run needs it.
struct PaidHistory: Sendable {
    /// An approved run before this one.
    struct Run: Sendable {
        var runID: String
        var month: YearMonth
        var paymentDate: CalendarDate
        var accounts: [RunLedger.Account]
    }

    /// Paid for past months that may come out differently now.
    private var paidByPractice: [ODSCode: [RunLedger.Entry]] = [:]
    private var yearToDateByPractice: [ODSCode: [Int64]] = [:]
    private var carriedByPractice: [ODSCode: Int64] = [:]
    private var netByPractice: [ODSCode: Int64] = [:]
    /// The last approved run, with which the new one is compared.
    private(set) var lastRunID: String?

    init() {}

    /// - Parameters:
    ///   - runs: all approved runs that paid in the financial year of `paymentDate` or for months from `affected` on,
    ///     and the last one; by month.
    ///   - affected: first past month to be recalculated; `nil` = none.
    init(runs: [Run], paymentDate: CalendarDate, affected: YearMonth?) throws(ArithmeticError) {
        let year = FinancialYear(containing: paymentDate)
        for run in runs {
            let isInYear = FinancialYear(containing: run.paymentDate) == year
            for account in run.accounts {
                if isInYear { try addToYear(account) }
                if let affected {
                    let entries = account.entries.filter { $0.month >= affected && $0.source.isRecalculated }
                    if !entries.isEmpty { paidByPractice[account.practice, default: []] += entries }
                }
            }
        }
        guard let last = runs.last else { return }
        lastRunID = last.runID
        for account in last.accounts {
            netByPractice[account.practice] = try Money.sum(
                account.entries.lazy.map { Money(pence: $0.pence) }
            ).pence
            let carried = account.entries.filter { $0.paycode == .balanceForward && $0.pence > 0 }
            if !carried.isEmpty {
                carriedByPractice[account.practice] = try Money.sum(carried.map { Money(pence: $0.pence) })
                    .pence
            }
        }
    }

    private mutating func addToYear(_ account: RunLedger.Account) throws(ArithmeticError) {
        var sums = yearToDateByPractice[account.practice] ?? [Int64](repeating: 0, count: Paycode.slots)
        for entry in account.entries {
            let slot = Int(entry.paycode.rawValue)
            sums[slot] = try Money(pence: sums[slot]).adding(Money(pence: entry.pence)).pence
        }
        yearToDateByPractice[account.practice] = sums
    }

    /// Paid on each paycode in the financial year so far, by the paycode's number.
    func yearToDate(_ practice: ODSCode) -> [Int64] {
        yearToDateByPractice[practice] ?? [Int64](repeating: 0, count: Paycode.slots)
    }

    /// Everything paid for one past month, by paycode, in whichever run.
    func paid(_ practice: ODSCode, for month: YearMonth) throws(ArithmeticError) -> [Paycode: Int64] {
        var sums: [Paycode: Int64] = [:]
        for entry in paidByPractice[practice] ?? [] where entry.month == month {
            sums[entry.paycode] = try Money(pence: sums[entry.paycode] ?? 0).adding(Money(pence: entry.pence))
                .pence
        }
        return sums
    }

    /// Debt that the last run carried forward; positive.
    func carried(_ practice: ODSCode) -> Int64 { carriedByPractice[practice] ?? 0 }

    /// Net of the last run; `nil` when the practice was not in it.
    func lastNet(_ practice: ODSCode) -> Int64? { netByPractice[practice] }

    /// Everyone to whom something was paid that a new run must look at.
    var practices: Set<ODSCode> {
        Set(paidByPractice.keys).union(netByPractice.keys)
    }
}

extension Paycode {
    /// Room for an array indexed by paycode number.
    static let slots = 1 + Int(Paycode.allCases.map(\.rawValue).max() ?? 0)
}
