import CqrsContract
import PluginAPI

// What a commissioner looks at every morning.
extension ReportBuilder {
    func exceptions(into table: inout ReportTable) throws {
        func add(
            _ exception: String, _ organisation: String, _ service: String, _ date: CalendarDate?,
            _ since: String,
            _ detail: String
        ) {
            table.append([
                exception, organisation, name(organisation, on: today), service, Cell.day(date), since,
                detail, asOf,
            ])
        }
        let reminders = ReminderDays(figures, on: today)
        for record in try scope.participations(reader)
        where query.service.isEmpty || record.service == query.service {
            switch record.state {
            case .offered:
                guard let by = record.answerBy,
                    reminders.offer(daysLeft: Int(by.daysSince1970 - today.daysSince1970)) != nil
                else { continue }
                add(
                    "late offer", record.provider, record.service, nil, by.description,
                    "not answered; lapses after \(by)")
            case .lapsed where record.end.map({ $0 >= today }) ?? true:
                add(
                    "lapsed offer", record.provider, record.service, nil, Cell.day(record.answerBy),
                    record.reason)
            default: continue
            }
        }
        let windows = try ReferenceStore.windows(reader)
        let records = try declarations()
        for record in records {
            let key = IndicatorValuesFile.Key(service: record.service, date: record.date)
            switch record.state {
            case .awaitingProvider:
                guard let last = windows[key]?.declareBy, today > last else { continue }
                let next = PayDays(windows: windows).prediction(key, on: today, declaredOn: nil).day
                add(
                    "missed declaration", record.provider, record.service, record.date, last.description,
                    next.map { "if declared now, paid on \($0)" } ?? "no later pay day in the calendar")
            case .refused:
                let instruction = try InstructionStore.of(declaration: record.id, reader).first {
                    $0.state == .refused
                }
                add(
                    "refused payment", record.provider, record.service, record.date,
                    try history(record).last(into: .refused).at,
                    "\(instruction?.id ?? ""): \(instruction?.refusalReason ?? "")")
            case .awaitingCommissioner where !record.adjusts.isEmpty && record.declaredBy == "system":
                add(
                    "restated", record.provider, record.service, record.date,
                    try history(record).last(into: .awaitingCommissioner).at,
                    "an adjustment waits for approval")
            default: continue
            }
        }
        try stuckNetworks(records, add)
        for proposal in try ProposalStore.allOpen(reader)
        where covers(proposal.key)
            && scope.contains(
                proposal.provider, commissioner: "", service: proposal.key.service, on: proposal.key.date)
        {
            add(
                "list size restated", proposal.provider, proposal.key.service, proposal.key.date, "",
                "calculated again overnight")
        }
    }

    private func stuckNetworks(
        _ records: [DeclarationStore.Record],
        _ add: (String, String, String, CalendarDate?, String, String) -> Void
    ) throws {
        let waiting = records.filter { $0.state == .awaitingNetwork }
        for (group, members) in Dictionary(grouping: waiting, by: { "\($0.pcn) \($0.service) \($0.date)" })
            .sorted(by: { $0.key < $1.key })
        {
            guard let first = members.first, !group.isEmpty else { continue }
            let key = IndicatorValuesFile.Key(service: first.service, date: first.date)
            let standing = try DeclarationDesk.standing(of: first.pcn, key, reader)
            let missing = standing.expected.filter { standing.live[$0]?.state != .awaitingNetwork }
            guard !missing.isEmpty else { continue }
            add(
                "stuck network", first.pcn, key.service, key.date, try history(first).approved.at,
                "\(standing.approved) of \(standing.expected.count) approved; missing \(missing.joined(separator: ", "))"
            )
        }
    }

    /// By service and date, how far everybody has come.
    func progress(into table: inout ReportTable) throws {
        let records = try scope.declarations(from: query.from, to: query.to, reader).filter {
            $0.state.isLive && $0.kind == .achievement
                && (query.service.isEmpty || $0.service == query.service)
        }
        let declared = Dictionary(grouping: records) {
            IndicatorValuesFile.Key(service: $0.service, date: $0.date)
        }
        let participations = Dictionary(grouping: try scope.participations(reader), by: \.service)
        let keys = Set(declared.keys).union(try keys().filter(covers))
        for key in keys.sorted(by: { ($0.service, $0.date) < ($1.service, $1.date) }) {
            let offers = (participations[key.service] ?? []).filter { $0.covers(key.date) }
            let participants = Set(try scope.participants(key, reader).map(\.provider))
            let complete = try participants.count {
                try CalculationStore.results(of: $0, key, reader).first?.isComplete ?? false
            }
            let own = declared[key] ?? []
            let sums = try Stage.allCases.map { stage in
                let there = try own.filter { try stage.isReached($0.state, settled(by: $0)) }
                return (count: there.count, pence: there.reduce(0) { $0 + $1.pence })
            }
            table.append(
                [key.service, key.date.description, "\(participants.count)", "\(offers.count)"]
                    + ["\(offers.count { $0.state == .accepted || $0.state == .active })", "\(complete)"]
                    + sums.map { "\($0.count)" } + sums.map { Cell.pounds($0.pence) } + [asOf])
        }
    }

    /// State of the sum that a part went into.
    private func settled(by record: DeclarationStore.Record) throws -> DeclarationState? {
        try record.aggregatedInto.isEmpty
            ? nil : DeclarationStore.record(record.aggregatedInto, reader)?.state
    }

    private enum Stage: CaseIterable {
        case declared, approved, financeApproved, paid

        func isReached(_ own: DeclarationState, _ sum: DeclarationState?) -> Bool {
            let state = own == .aggregated ? sum ?? own : own
            switch self {
            case .declared:
                return own != .provisional && own != .awaitingProvider && own != .awaitingReaggregation
                    && own != .queried
            case .approved:
                return own == .awaitingNetwork || own == .aggregated || own == .awaitingFinance
                    || state.isLocked
            case .financeApproved: return state.isLocked
            case .paid: return state == .paid
            }
        }
    }
}
