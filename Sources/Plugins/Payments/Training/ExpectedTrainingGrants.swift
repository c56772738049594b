import PluginAPI

/// Trainees for whose month in post the run should pay a grant and does not (payments.md 13 C2): the placement waits
/// for a decision, a figure is not set, payments to the practice are stopped.
struct ExpectedTrainingGrants: RunCheck {
    private struct Expected {
        var placement: TraineePlacement
        var month: YearMonth
    }

    private let run: YearMonth
    private let grants: TrainingGrants
    private let expected: [Expected]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        run = read.run.month
        grants = TrainingGrants(
            figures: TrainingRates(try TrainingRateStore.rows(knownAt: read.snapshot, reader)),
            rates: read.inputs.rates)
        let inForce = try TrainingStore.placements(knownAt: read.snapshot, reader)
        let known = Set(inForce.map(\.id))
        // Revisions that wait do not stop what the placement in force pays.
        let waiting = try TrainingStore.waitingPlacements(reader).filter { !known.contains($0.id) }
        var expected: [Expected] = []
        // Without a contract none is expected; that it ended so is an exception of its own.
        let contracts = ContractMonths(
            read.inputs.timelines, of: Set((inForce + waiting).lazy.map(\.practice)))
        for placement in inForce + waiting {
            for month in try grants.months(of: placement, paidIn: run)
            where contracts.has(placement.practice, in: month) {
                expected.append(Expected(placement: placement, month: month))
            }
        }
        self.expected = expected
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError)
        -> [RunException]
    {
        var found: [RunException] = []
        let byPractice = Dictionary(grouping: expected, by: \.placement.practice)
        guard !byPractice.isEmpty else { return [] }
        let statements = built.statements.filter { byPractice[$0.practice] != nil }
        var documents: [ODSCode: StatementDocument] = [:]
        for statement in statements {
            documents[statement.practice] = try StatementDocument.decode(statement.body)
        }
        for entry in expected {
            let placement = entry.placement
            guard let obstacle = try obstacle(entry, documents[placement.practice]) else { continue }
            found.append(
                RunException(
                    severity: .blocking, kind: .expectedMissing, practice: placement.practice,
                    practiceName: documents[placement.practice]?.practiceName ?? "",
                    paycode: Paycode.trainerGrant.code,
                    message:
                        "no trainer grant for trainee \(placement.traineeRef) at \(placement.practice) in "
                        + "\(entry.month): \(obstacle)"))
        }
        return found
    }

    private func obstacle(_ entry: Expected, _ document: StatementDocument?) throws(PaymentsError) -> String?
    {
        let placement = entry.placement
        let isPaid = document?.lines.contains {
            $0.origin == placement.origin && $0.paycode == .trainerGrant
                && $0.periodFrom == entry.month.firstDay
        }
        if isPaid == true { return nil }
        switch try grants.grant(placement, for: entry.month, paidIn: run) {
        case .nothing: return nil
        case .obstacle(let text): return text
        case .due(let line) where line.pence == 0: return nil
        case .due:
            return placement.version == 0
                ? "the placement waits for its second person" : "payments to the practice are stopped"
        }
    }
}
