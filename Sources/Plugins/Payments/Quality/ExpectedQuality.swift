import PluginAPI

/// Every achievement that was approved in time is in the run (payments.md 13, C4): about a thousand practices once got
/// none in June. An achievement without its instruction, or with one that the run does not pay, stops the run with the
/// practice named.
struct ExpectedQuality: RunCheck {
    private struct Expected {
        var practice: ODSCode
        var itemID: String?
        var service: String
        var pence: Int64
        var isInstructed: Bool
    }

    private let expected: [Expected]
    /// Refused since the last run was frozen, by service.
    private let refused: [String: [InstructionRefusalStore.Refusal]]
    private let names: [ODSCode: String]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        // What is released after the inputs were frozen is for the next run.
        let frozen = read.run.frozenAt.map { LondonTime.day(at: $0) } ?? read.run.cutOffOn
        let day = min(frozen, read.run.month.lastDay)
        // What is older has stopped every run since, and was decided about each time.
        let first = read.run.month.adding(months: -12).firstDay
        let missing = try QualityFigureStore.notInstructed(
            from: first, to: day, receivedBy: read.run.frozenAt ?? Instant(microsecondsSince1970: .max), reader
        ).map {
            Expected(
                practice: $0.provider, itemID: nil, service: $0.service, pence: $0.pence, isInstructed: false)
        }
        let unpaid = try QualityFigureStore.notPaid(from: first, to: day, knownAt: read.snapshot, reader).map {
            Expected(
                practice: $0.instruction.provider, itemID: $0.itemID, service: $0.instruction.service,
                pence: $0.instruction.pence, isInstructed: true)
        }
        let last = try RunStore.runs(reader).filter { $0.state.isPublished && $0.month < read.run.month }
            .compactMap(\.frozenAt).max()
        refused = Dictionary(
            grouping: try InstructionRefusalStore.refusals(
                after: last ?? Instant(microsecondsSince1970: 0),
                until: read.run.frozenAt ?? Instant(microsecondsSince1970: .max), reader), by: \.service)
        let expected = missing + unpaid
        self.expected = expected
        let practices = Set(expected.map(\.practice))
        names = Dictionary(
            read.inputs.timelines.lazy.filter { practices.contains($0.practice) }
                .compactMap { timeline in
                    timeline.spans.last.map { (timeline.practice, $0.terms.practiceName) }
                },
            uniquingKeysWith: { first, _ in first })
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        let paid = Set(built.itemIDs)
        let absent: [RunException] = expected.compactMap { expected in
            if let item = expected.itemID, paid.contains(item) { return nil }
            let amount = Money(pence: expected.pence)
            return RunException(
                severity: .blocking, kind: .expectedMissing, practice: expected.practice,
                practiceName: names[expected.practice] ?? "",
                message: expected.isInstructed
                    ? "\(expected.service): \(amount) pounds are instructed and not in the run"
                    : "\(expected.service): \(amount) pounds are approved and no instruction to pay them came",
                nowPence: 0)
        }
        return refusals + absent
    }

    private var refusals: [RunException] {
        refused.sorted { $0.key < $1.key }.compactMap { service, all in
            guard let first = all.first else { return nil }
            let pence = all.reduce(into: Int64(0)) { $0 &+= $1.pence }
            return RunException(
                severity: .warning, kind: .expectedMissing, practice: all.count == 1 ? first.provider : nil,
                message: "\(service): \(all.count) instructions of \(Money(pence: pence)) pounds were refused: "
                    + first.reason)
        }
    }
}
