import PluginAPI

/// Stops a run that would pay a practice whose contract was closed with its final statement (payments.md 2.2): what came
/// late is paid only when a person accepts it by name.
struct ClosedContracts: RunCheck {
    private let closed: [ODSCode: ContractClosingStore.Closing]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let closings = try ContractClosingStore.approved(knownAt: read.snapshot, reader)
        guard !closings.isEmpty else {
            closed = [:]
            return
        }
        // A contract that began after the closing, or an end that was taken back, is paid as any other.
        let ended = Set(
            read.inputs.timelines.lazy.filter {
                $0.lastDay != nil && $0.lastDay == closings[$0.practice]?.lastDay
            }.map(\.practice))
        closed = closings.filter { ended.contains($0.key) }
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !closed.isEmpty else { return [] }
        return built.statements.compactMap { statement in
            guard let closing = closed[statement.practice] else { return nil }
            let pence = statement.figures.netPence
            return RunException(
                severity: .blocking, kind: .contractClosed, practice: statement.practice,
                practiceName: statement.practiceName,
                message:
                    "the contract ended on \(closing.lastDay) and was closed with statement "
                    + "\(closing.finalStatementID): \(statement.figures.lines) lines of \(Money(pence: pence)) came late",
                nowPence: pence)
        }
    }
}
