import PluginAPI

/// Networks whose money a run pays to another organisation than the run before would have: a person looks (payments.md
/// 8.2).
struct NewNetworkPayee: RunCheck {
    private struct Change {
        var before: ODSCode
        var now: NetworkStore.Payee
    }

    private let changes: [ODSCode: Change]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let last = try RunStore.runs(reader).filter { $0.state.isPublished && $0.month < read.run.month }
            .max { $0.month < $1.month }
        let earlier = try last.map { try NetworkStore.payees(knownAt: $0.snapshot, reader) } ?? [:]
        var changes: [ODSCode: Change] = [:]
        for (network, payees) in read.payees {
            guard let now = payees.last(where: { $0.from <= read.run.paymentDate }) else { continue }
            let before = last.flatMap { last in earlier[network]?.last { $0.from <= last.paymentDate } }?.payee
            if (before ?? network) != now.payee {
                changes[network] = Change(before: before ?? network, now: now)
            }
        }
        self.changes = changes
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !changes.isEmpty else { return [] }
        return built.statements.compactMap { statement in
            guard statement.figures.netPence > 0, let change = changes[statement.practice],
                change.now.payee == statement.payee
            else { return nil }
            return RunException(
                severity: .warning, kind: .newBankDetails, practice: statement.practice,
                practiceName: statement.practiceName,
                message: "first payment to \(change.now.payee), before to \(change.before); proposed by "
                    + change.now.setBy, nowPence: statement.figures.netPence)
        }
    }
}
