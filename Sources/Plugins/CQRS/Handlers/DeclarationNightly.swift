import Digests
import CommonContract
import CqrsContract
import PluginAPI

/// What happens by the clock: offers lapse and begin, changed networks are calculated again, complete results become
/// declarations, changed ones supersede them, networks are summed, due instructions are sent. Safe to run again: what
/// is done is found done.
struct DeclarationNightly {
    let desk: DeclarationDesk
    /// Empty = all.
    let service: String

    private var transaction: any Transaction { desk.transaction }

    func run() throws -> Pcs_Cqrs_V1_NightlyReport {
        var report = Pcs_Cqrs_V1_NightlyReport()
        let participation = ParticipationDesk(desk)
        (report.lapsedOffers, report.endedParticipations) = try participation.night()
        var newest: [DeclarationDesk.Key: CalculationStore.Run] = [:]
        for run in try CalculationStore.runs(transaction) where service.isEmpty || run.service == service {
            let key = DeclarationDesk.Key(service: run.service, date: run.date)
            if newest[key] == nil { newest[key] = run }
        }
        for key in newest.keys.sorted(by: { ($0.service, $0.date) < ($1.service, $1.date) }) {
            // R1: a run that is held for sign-off declares nothing.
            guard newest[key]?.state == .released,
                let record = try ServiceStore.published(key.service, transaction), record.state.isCalculated,
                AchievementDates.isPaid(key.date, of: record.definition), record.definition.method != .none
            else { continue }
            try declare(key, record.definition, &report)
        }
        report.releasedInstructions = Int64(try DeclarationRelease.send(desk))
        return report
    }

    // MARK: One service and date

    private func declare(
        _ key: DeclarationDesk.Key, _ definition: ServiceDefinition, _ report: inout Pcs_Cqrs_V1_NightlyReport
    ) throws {
        let before = try DeclarationStore.live(key, transaction)
        try recalculate(key, before.filter { $0.state == .awaitingReaggregation }.map(\.provider))
        let units = try units(key, definition)
        let live = Dictionary(
            before.filter { $0.kind == .achievement }.map { ($0.provider, $0) },
            uniquingKeysWith: { first, _ in first })
        let results = try CalculationStore.present(key, transaction)
        for provider in live.keys.sorted() where units[provider] == nil {
            guard let record = live[provider], !record.state.isLocked else { continue }
            try desk.retire(record, .withdraw, reason: "no longer takes part on \(key.date)")
            report.superseded += 1
        }
        for provider in units.keys.sorted() {
            guard let unit = units[provider], let result = results[provider], result.isComplete else {
                continue
            }
            var draft = DeclarationStore.Record(service: key.service, date: key.date, provider: provider)
            draft.serviceVersion = definition.version
            draft.pcn = unit.pcn
            draft.commissioner = unit.commissioner
            draft.calculation = result.id
            draft.pence = result.totalPence
            draft.figures = Digest.hex(Digest.sha256(result.figures + result.body))
            var reason = "figures complete"
            if let record = live[provider] {
                // Transition 10. What is locked stays; a difference is an adjustment's business.
                guard !record.state.isLocked,
                    record.state == .awaitingReaggregation || record.figures != draft.figures
                else { continue }
                draft.penceBefore = record.pence
                reason = "recalculated: \(Money(pence: record.pence)) -> \(Money(pence: draft.pence)) pounds"
                try desk.retire(record, .supersede, reason: reason)
                report.superseded += 1
                if record.state != .awaitingProvider {
                    try DeclarationNotices.tell(
                        record, "\(record.service) was recalculated", reason, in: transaction)
                    try DeclarationNotices.tellCommissioner(
                        record, "\(record.service) of \(record.provider) was recalculated", reason,
                        in: transaction)
                }
            }
            _ = try desk.draft(draft, definition, reason: reason)
            report.drafts += 1
        }
        if definition.flags.contains(.pcnAggregated) { report.aggregated += Int64(try aggregate(key)) }
    }

    /// Networks whose sums are ready, of all networks at once.
    private func aggregate(_ key: DeclarationDesk.Key) throws -> Int {
        var expected: [String: [String]] = [:]
        for participant in try ParticipantList.participants(in: key.service, on: key.date, transaction) {
            expected[participant.pcn, default: []].append(participant.provider)
        }
        let records = Dictionary(grouping: try DeclarationStore.live(key, transaction), by: \.pcn)
        var made = 0
        for pcn in expected.keys.sorted() where !pcn.isEmpty {
            let standing = DeclarationDesk.standing(expected[pcn] ?? [], records[pcn] ?? [])
            if try desk.aggregate(pcn, key, standing) != nil { made += 1 }
        }
        return made
    }

    /// ORG-10: network figures whose members changed.
    private func recalculate(_ key: DeclarationDesk.Key, _ networks: [String]) throws {
        guard !networks.isEmpty else { return }
        let job = CalculationJob(context: desk.context, key: key, only: Set(networks))
        let outcome = try refusingCQRS { try job.run(transaction) }
        guard !outcome.changed.isEmpty else { return }
        var run = outcome.run
        run.by = desk.actor
        run.at = transaction.now
        run.id = transaction.newIdentifier()
        try CalculationStore.add(run, in: transaction)
        try CalculationStore.add(outcome.changed, key, in: transaction)
    }

    /// Who is declared for: practices with their network, or networks.
    private func units(_ key: DeclarationDesk.Key, _ definition: ServiceDefinition) throws -> [String:
        ParticipantList.Participant]
    {
        let participants = try ParticipantList.participants(in: key.service, on: key.date, transaction)
        let byNetwork = definition.offerUnit == .pcn && !definition.flags.contains(.pcnAggregated)
        var units: [String: ParticipantList.Participant] = [:]
        for participant in participants {
            var unit = participant
            if unit.commissioner.isEmpty, let code = ODSCode(participant.provider) {
                unit.commissioner =
                    desk.context.organisations.commissioner(of: code, at: key.date)?.value ?? ""
            }
            if byNetwork {
                let day =
                    definition.method == .population ? YearMonth(containing: key.date).firstDay : key.date
                let pcn = ODSCode(participant.provider).flatMap {
                    desk.context.organisations.pcn(of: $0, at: day)?.value
                }
                unit.provider = pcn ?? participant.pcn
                unit.pcn = unit.provider
            }
            if !unit.provider.isEmpty { units[unit.provider] = unit }
        }
        return units
    }
}

/// The daily hand-over of what is due (transition 15).
enum DeclarationRelease {
    /// Publishes each queued instruction once, in the transaction that marks it as sent.
    static func send(_ desk: DeclarationDesk) throws -> Int {
        let due = try InstructionStore.due(on: desk.today, desk.transaction)
        for instruction in due {
            var sent = instruction
            sent.state = .sent
            try InstructionStore.save(sent, in: desk.transaction)
            let event = try InstructedUnits.fill(event(sent), sent, desk.transaction)
            try desk.transaction.publish(event, key: sent.id)
            if let record = try DeclarationStore.record(sent.declaration, desk.transaction),
                record.state == .financiallyApproved
            {
                _ = try desk.move(record, .send, reason: "instruction \(sent.id)")
            }
        }
        return due.count
    }

    static func event(_ instruction: InstructionStore.Record) -> Pcs_Cqrs_V1_PaymentInstructed {
        .with {
            $0.instructionID = instruction.id
            $0.declarationID = instruction.declaration
            $0.payeeCode = instruction.payee
            $0.payeeKind = instruction.payeeKind
            $0.payCode = instruction.payCode
            $0.subjectiveCode = instruction.subjectiveCode
            $0.grossPence = instruction.pence
            $0.period = Pcs_Common_V1_Month(containing: instruction.period.firstDay)
            $0.serviceCode = instruction.service
            $0.narrative = instruction.narrative
            $0.releaseDate = Pcs_Common_V1_Date(instruction.releaseOn)
            $0.commissionerCode = instruction.commissioner
            $0.providerCode = instruction.provider
            $0.correctsInstructionID = instruction.corrects
        }
    }
}
