import PaymentsContract
import PluginAPI

extension VariationRow {
    /// Of a monthly row: whether it is for the month, as long as nobody stops it.
    func isFor(_ month: YearMonth) -> Bool { month >= first && (last.map { month <= $0 } ?? true) }

    /// The month that a one-off row counts for: the one named, or the nearest to its payment in the year named.
    var countsFor: YearMonth {
        if let nppMonth { return nppMonth }
        guard let year else { return first }
        return Swift.min(Swift.max(first, year.firstMonth), YearMonth(containing: year.lastDay))
    }
}

/// What rows would do to the next payment of each practice.
struct VariationEffects: Sendable {
    struct Effect: Hashable, Sendable {
        var practice: ODSCode
        /// Net of the last published run; `nil` = it paid the practice nothing, or there is none.
        var lastPence: Int64?
        var changePence: Int64

        var nextPence: Int64 { (lastPence ?? 0) + changePence }
    }

    /// By practice.
    let effects: [Effect]
    private let hasRun: Bool

    /// - Parameter due: each row, and whether the next run pays of it.
    init(_ due: [(row: VariationRow, isDue: Bool)], _ reader: any Reader) throws {
        let last = try RunStore.runs(reader).last { $0.state.isPublished }
        var nets: [ODSCode: Int64] = [:]
        if let last {
            for account in try refusing({ try StatementStore.ledger(of: last.id, reader) }) {
                nets[account.practice] = account.entries.reduce(0) { $0 + $1.pence }
            }
        }
        var changes: [ODSCode: Int64] = [:]
        for entry in due { changes[entry.row.practice, default: 0] += entry.isDue ? entry.row.pence : 0 }
        hasRun = last != nil
        effects = changes.sorted { $0.key < $1.key }.map {
            Effect(practice: $0.key, lastPence: nets[$0.key], changePence: $0.value)
        }
    }

    init(_ rows: [VariationRow], _ months: OpenMonths, _ reader: any Reader) throws {
        try self.init(
            rows.map { ($0, $0.isMonthly ? $0.isFor(months.next) : $0.first <= months.next) }, reader)
    }

    /// CV012, once there is a run to compare with: the first hundred practices.
    var warnings: [Violation] {
        guard hasRun else { return [] }
        return effects.lazy.filter { $0.changePence < 0 && $0.nextPence < 0 }.prefix(100).map { effect in
            Violation(
                field: "amount", rule: "CV012",
                message: "the next payment of \(effect.practice) would be \(Money(pence: effect.nextPence)), below zero: "
                    + "the shortfall is carried forward")
        }
    }
}
