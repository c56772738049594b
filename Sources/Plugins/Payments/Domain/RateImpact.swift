import PluginAPI

/// What a proposed set of reference data would change in months already paid (payments.md 13 C10).
struct RateImpact: Sendable {
    struct Line: Hashable, Sendable {
        var month: YearMonth
        var payee: ODSCode
        var paycode: Paycode
        var oldPence: Int64
        var newPence: Int64
        /// Of a decided claim; empty = a line that is calculated anew.
        var claimID = ""

        var deltaPence: Int64 { newPence - oldPence }
    }

    private(set) var lines: [Line] = []

    mutating func add(_ line: Line) {
        if line.deltaPence != 0 { lines.append(line) }
    }

    /// The differences between two calculations of a payee's month: what the next run would pay for it.
    mutating func compare(
        _ payee: ODSCode, _ month: YearMonth, before: [PaymentLine], after: [PaymentLine]
    ) throws(PaymentsError) {
        let (old, new) = (try RateImpact.sums(before, payee), try RateImpact.sums(after, payee))
        for paycode in Set(old.keys).union(new.keys).sorted(by: { $0.rawValue < $1.rawValue }) {
            add(
                Line(
                    month: month, payee: payee, paycode: paycode, oldPence: old[paycode] ?? 0,
                    newPence: new[paycode] ?? 0))
        }
    }

    /// By month, payee and paycode.
    var sorted: [Line] {
        lines.sorted {
            ($0.month, $0.payee, $0.paycode.rawValue, $0.claimID) < (
                $1.month, $1.payee, $1.paycode.rawValue, $1.claimID
            )
        }
    }

    private static func sums(_ lines: [PaymentLine], _ payee: ODSCode) throws(PaymentsError) -> [Paycode:
        Int64]
    {
        var sums: [Paycode: Int64] = [:]
        for line in lines {
            let (sum, overflow) = (sums[line.paycode] ?? 0).addingReportingOverflow(line.pence)
            if overflow { throw .amountOutOfRange(payee.value) }
            sums[line.paycode] = sum
        }
        return sums
    }
}
