import PaymentsContract
import PluginAPI

/// A line of a published statement that recoveries name.
struct RecoveredLine: Hashable, Sendable {
    var run: String
    var practice: ODSCode
    /// From 1.
    var number: Int

    var text: String { "\(run)/\(practice)/\(number)" }
}

/// What a line paid, and how much of it is on its way back already.
struct LineBalance: Hashable, Sendable {
    var paid: Int64
    var taken: Int64

    var left: Int64 { Swift.max(0, paid - taken) }
}

extension VariationRow {
    /// Months in which it is paid; `nil` = until stopped.
    var monthCount: Int? { isMonthly ? last.map { $0.months(since: first) + 1 } : 1 }
}

/// Recoveries of lines add up (payments.md 5.3): those by variations that are submitted or approved, and set-offs that are
/// proposed or approved and name the line as the debt.
enum LineRecoveries {
    /// `nil` = no published statement has the line.
    ///
    /// - Parameter upload: left out, because it is the one that is looked at.
    static func balance(
        of line: RecoveredLine, besides upload: String = "", _ reader: any Reader
    ) throws -> LineBalance? {
        guard try RunStore.run(line.run, reader)?.state.isPublished == true,
            let lines = try StatementStore.statement(of: line.practice, in: line.run, reader)?.document.lines,
            lines.indices.contains(line.number - 1)
        else { return nil }
        var sum = Money.zero
        for stored in try VariationStore.recoveries(of: line.practice, reader)
        where stored.uploadID != upload && stored.row.grounds == .line(line) {
            sum = try sum.adding(taken(by: stored))
        }
        for setOff in try SetOffStore.setOffs(of: line.practice, reader) where setOff.state != .returned {
            let contents = try Pcs_Payments_V1_ProposeSetOffRequest(serializedBytes: setOff.contents)
            guard RecoveryGrounds(narrative: contents.debtReference) == .line(line) else { continue }
            sum = try sum.adding(Money(pence: contents.amountPence))
        }
        return LineBalance(paid: lines[line.number - 1].pence, taken: sum.pence)
    }

    /// Of an upload that waits to be submitted: every line of which it would take back more than is left.
    static func excess(
        _ rows: [VariationStore.Stored], of upload: String, _ reader: any Reader
    ) throws -> [(line: RecoveredLine, balance: LineBalance)] {
        var wanted: [RecoveredLine: Money] = [:]
        for stored in rows {
            guard case .line(let line) = stored.row.grounds else { continue }
            wanted[line] = try (wanted[line] ?? .zero).adding(taken(by: stored))
        }
        return try wanted.sorted { $0.key.text < $1.key.text }.compactMap { line, sum in
            let balance = try balance(of: line, besides: upload, reader) ?? LineBalance(paid: 0, taken: 0)
            return sum.pence > balance.left ? (line, balance) : nil
        }
    }

    /// Of all its months, but for those from which it was stopped.
    private static func taken(by stored: VariationStore.Stored) -> Money {
        let planned = stored.row.monthCount ?? 0
        let due = stored.stoppedFrom.map { Swift.max(0, $0.months(since: stored.row.first)) } ?? planned
        // At most 100 million pounds a month, for at most twelve months.
        return Money(pence: -stored.row.pence * Int64(Swift.min(planned, due)))
    }
}
