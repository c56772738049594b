import PluginAPI

/// Names each recurring payment that stops because the contract has ended, in the first run that leaves it out. A run
/// that left it out already, by what it knew, has said so.
struct EndedWithContract: RunCheck {
    private let ended: [EndedPayment]
    private let names: [ODSCode: String]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let now = try EndedWithContract.ended(read.inputs.recurring, in: read.run.month)
        let practices = Set(now.map(\.practice))
        names = Dictionary(
            read.inputs.timelines.lazy.filter { practices.contains($0.practice) }
                .map { ($0.practice, $0.spans.last?.terms.practiceName ?? "") },
            uniquingKeysWith: { first, _ in first })
        let before = try RunStore.runs(reader).last { $0.state.isPublished && $0.month < read.run.month }
        guard !now.isEmpty, let before else {
            ended = now
            return
        }
        let timelines = try practices.map {
            try ContractStore.timeline(of: $0, knownAt: before.snapshot, reader)
        }
        let rates = try ReferenceStore.rates(knownAt: before.snapshot, reader)
        let sources: [any EndingWithContract] = [
            VariationLines(
                try VariationStore.schedules(knownAt: before.snapshot, reader).filter {
                    practices.contains($0.row.practice)
                }, timelines: timelines),
            TrainingLines(
                try TrainingStore.placements(knownAt: before.snapshot, reader).filter {
                    practices.contains($0.practice)
                },
                figures: TrainingRates(try TrainingRateStore.rows(knownAt: before.snapshot, reader)),
                rates: rates, timelines: timelines),
            RetentionLines(
                try TrainingStore.memberships(knownAt: before.snapshot, reader).filter {
                    practices.contains($0.practice)
                }, rates: rates, timelines: timelines),
        ]
        let said = Set(try EndedWithContract.ended(sources, in: before.month).map(\.origin))
        ended = now.filter { !said.contains($0.origin) }
    }

    private static func ended(_ sources: [any RecurringLines], in month: YearMonth) throws -> [EndedPayment] {
        try sources.compactMap { $0 as? any EndingWithContract }.flatMap { try $0.ended(in: month) }
            .sorted { ($0.practice, $0.origin) < ($1.practice, $1.origin) }
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        ended.map { payment in
            RunException(
                severity: .warning, kind: .endedWithContract, practice: payment.practice,
                practiceName: names[payment.practice] ?? "", paycode: payment.paycode.code,
                message:
                    "\(payment.origin) (\(payment.words)) is not paid: no contract is in force on "
                    + "\(payment.month.firstDay)")
        }
    }
}
