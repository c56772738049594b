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
        let night = try participation.night()
        report.lapsedOffers = night.lapsed
        report.reminders = night.reminders
        var newest = try newestRuns()
        let causes = try recalculateChanged(&newest)
        for key in newest.keys.sorted(by: { ($0.service, $0.date) < ($1.service, $1.date) }) {
            // R1: a run that is held for sign-off declares nothing. A period is declared once it is over (7.6).
            guard newest[key]?.state == .released, key.date < desk.today,
                let record = try ServiceStore.published(key.service, transaction), record.state.isCalculated,
                AchievementDates.isPaid(key.date, of: record.definition), record.definition.method != .none
            else { continue }
            try declare(key, record.definition, causes[key] ?? [:], &report)
        }
        try LeaveNotices.night(desk)
        report.releasedInstructions = Int64(try DeclarationRelease.send(desk))
        return report
    }

    private func newestRuns() throws -> [DeclarationDesk.Key: CalculationStore.Run] {
        var newest: [DeclarationDesk.Key: CalculationStore.Run] = [:]
        for run in try CalculationStore.runs(transaction) where service.isEmpty || run.service == service {
            let key = DeclarationDesk.Key(service: run.service, date: run.date)
            if newest[key] == nil { newest[key] = run }
        }
        return newest
    }

    /// Transition 10: whatever changed since the last run is calculated again. Returns by provider why a restated figure
    /// is the cause.
    private func recalculateChanged(_ newest: inout [DeclarationDesk.Key: CalculationStore.Run]) throws
        -> [DeclarationDesk.Key: [String: String]]
    {
        var causes: [DeclarationDesk.Key: [String: String]] = [:]
        for proposal in try ProposalStore.allOpen(transaction) {
            causes[proposal.key, default: [:]][proposal.provider] = proposal.cause
        }
        for (key, run) in newest.sorted(by: { ($0.key.service, $0.key.date) < ($1.key.service, $1.key.date) })
        {
            guard let record = try ServiceStore.published(key.service, transaction), record.state.isCalculated
            else {
                continue
            }
            // A file or a new definition concerns everybody, and is held when payments move too much (R1).
            let changed = try CountStore.changed(key, since: run.at, transaction)
            let isWhole = run.version != record.definition.version || changed.byFile
            let restated = Set((causes[key] ?? [:]).keys)
            let networks = changed.providers.compactMap { provider in
                ODSCode(provider).flatMap { desk.context.organisations.pcn(of: $0, at: key.date)?.value }
            }
            let providers = restated.union(changed.providers).union(networks)
            // A few results do not release a run that is held.
            guard isWhole || (run.state == .released && !providers.isEmpty) else { continue }
            let after = try desk.calculate(key, isWhole ? [] : providers)
            if !after.id.isEmpty { newest[key] = after }
            if !restated.isEmpty { try ProposalStore.close(key, by: after.seq, in: transaction) }
        }
        return causes
    }

    // MARK: One service and date

    private func declare(
        _ key: DeclarationDesk.Key, _ definition: ServiceDefinition, _ causes: [String: String],
        _ report: inout Pcs_Cqrs_V1_NightlyReport
    ) throws {
        let before = try DeclarationStore.live(key, transaction)
        // ORG-10: network figures whose members changed.
        let changed = Set(before.filter { $0.state == .awaitingReaggregation }.map(\.provider))
        if !changed.isEmpty { try desk.calculate(key, changed) }
        let units = try units(key, definition)
        let notes = try PeriodNotes(key, definition, desk)
        let zeroLines = try approvesZeroLines()
        var queues = Set(before.map { QueueNotices.Queue($0) })
        let live = Dictionary(
            before.filter { $0.kind == .achievement }.map { ($0.provider, $0) },
            uniquingKeysWith: { first, _ in first })
        let results = try CalculationStore.present(key, transaction)
        for provider in live.keys.sorted() where units[provider] == nil {
            guard let record = live[provider], try !desk.isSettled(record) else { continue }
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
            draft.take(result)
            var reason = "figures complete"
            if let record = live[provider] {
                guard record.state == .awaitingReaggregation || record.figures != draft.figures else {
                    if try notes.remind(record, in: transaction) { report.reminders += 1 }
                    continue
                }
                // Transition 10. What is settled stays; a difference is an adjustment's business (7.5).
                guard try !desk.isSettled(record) else {
                    if let adjustment = try AdjustmentDraft(desk).make(
                        record, draft, cause: causes[provider] ?? "")
                    {
                        report.adjustments += 1
                        queues.insert(.init(adjustment))
                    }
                    continue
                }
                draft.penceBefore = record.pence
                reason = "recalculated: \(Money(pence: record.pence)) -> \(Money(pence: draft.pence)) pounds"
                try desk.retire(record, .supersede, reason: reason)
                report.superseded += 1
                if record.state != .awaitingProvider {
                    try DeclarationNotices.tell(
                        record, "\(record.service) was recalculated", reason, act: "recalculated",
                        in: transaction)
                    try DeclarationNotices.tellCommissioner(
                        record, "\(record.service) of \(record.provider) was recalculated", reason,
                        act: "recalculated", in: transaction)
                }
            }
            draft = try desk.draft(draft, definition, reason: reason, notes: notes)
            if zeroLines, draft.pence == 0, draft.state == .awaitingCommissioner {
                draft = try desk.approve(draft, definition, reason: "nothing to pay", by: "system")
            }
            queues.insert(.init(draft))
            report.drafts += 1
        }
        if definition.flags.contains(.pcnAggregated) { report.aggregated += Int64(try aggregate(key)) }
        try QueueNotices.refresh(queues, by: desk.actor, in: transaction)
    }

    /// AGG-5: lines of £0 are approved by the system where the setting says so.
    private func approvesZeroLines() throws -> Bool {
        NationalFigures(try ReferenceStore.constants(transaction))
            .optionalFigure("zero_lines_approved_by_system", "", on: desk.today)?.value.scaled(to: 0) == 1
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
            let after = DeclarationDesk.standing(
                expected[pcn] ?? [], try DeclarationStore.of(network: pcn, key, transaction))
            try NetworkNotices.refresh(pcn, key, after, by: desk.actor, in: transaction)
        }
        return made
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
                unit.provider = pcn ?? ""
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
            guard let record = try DeclarationStore.record(sent.declaration, desk.transaction) else {
                continue
            }
            if record.state == .financiallyApproved {
                _ = try desk.move(record, .send, reason: "instruction \(sent.id)")
            }
            try DeclarationNotices.payment(record, "sent", sent.id, on: desk.today, in: desk.transaction)
        }
        return due.count
    }

    static func event(_ instruction: InstructionStore.Record) -> Pcs_Cqrs_V1_PaymentInstructed {
        .with {
            $0.instructionID = instruction.id
            $0.declarationID = instruction.declaration
            $0.claimID = instruction.claim
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
