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
        guard !expected.isEmpty else { return [] }
        for entry in expected {
            let placement = entry.placement
            let grant = PaidGrant(origin: placement.origin, month: entry.month.firstDay)
            guard !built.trainerGrants.contains(grant), let obstacle = try obstacle(entry) else { continue }
            found.append(
                RunException(
                    severity: .blocking, kind: .expectedMissing, practice: placement.practice,
                    practiceName: built.name(of: placement.practice) ?? "",
                    paycode: Paycode.trainerGrant.code,
                    message:
                        "no trainer grant for trainee \(placement.traineeRef) at \(placement.practice) in "
                        + "\(entry.month): \(obstacle)"))
        }
        return found
    }

    private func obstacle(_ entry: Expected) throws(PaymentsError) -> String? {
        let placement = entry.placement
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
