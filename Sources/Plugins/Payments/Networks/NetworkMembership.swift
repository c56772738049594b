import PluginAPI

/// To which network practices belonged on the first of a month, as runs have used it (payments.md 8.1, 12.2). The
/// register of organisations may say otherwise tomorrow; a run whose inputs are frozen reads what was recorded then.
struct NetworkMembership: Sendable {
    /// From a month on a practice belongs to this network, until its next entry.
    struct Entry: Hashable, Sendable {
        var practice: ODSCode
        var month: YearMonth
        /// `nil` = to none.
        var network: ODSCode?
    }

    /// In order of month.
    private var entries: [ODSCode: [Entry]] = [:]

    /// Of one practice and month the entry added last holds.
    mutating func add(_ entry: Entry) {
        entries[entry.practice, default: []].lay(entry)
    }

    func network(of practice: ODSCode, in month: YearMonth) -> ODSCode? {
        entries[practice]?.holding(in: month)?.network
    }

    /// What has to be recorded so that it says in these months what the register says.
    ///
    /// - Parameters:
    ///   - months: in order. Only those count in which a practice has a contract: without one nobody is paid (C9).
    ///   - register: the network of a practice on a day.
    func differences(
        _ timelines: [ContractTimeline], months: [YearMonth], register: (ODSCode, CalendarDate) -> ODSCode?
    ) -> [Entry] {
        var found: [Entry] = []
        for timeline in timelines {
            var own = entries[timeline.practice] ?? []
            for month in months where timeline.span(at: month.firstDay) != nil {
                let network = register(timeline.practice, month.firstDay)
                guard own.holding(in: month)?.network != network else { continue }
                let entry = Entry(practice: timeline.practice, month: month, network: network)
                own.lay(entry)
                found.append(entry)
            }
        }
        return found
    }
}

extension [NetworkMembership.Entry] {
    fileprivate func holding(in month: YearMonth) -> Element? { last { $0.month <= month } }

    fileprivate mutating func lay(_ entry: Element) {
        let index = lastIndex { $0.month <= entry.month }
        if let index, self[index].month == entry.month {
            self[index] = entry
        } else {
            insert(entry, at: index.map { $0 + 1 } ?? startIndex)
        }
    }
}

extension NetworkMembership {
    /// Records what the register says now for a run and the months before it, before the run's inputs are frozen. What
    /// has not changed is not recorded again. A change of a month already paid makes difference lines.
    ///
    /// - Returns: number of the last input, with which the run can be frozen.
    static func record(
        for run: RunRecord, _ organisations: any OrganisationDirectory, by actor: String,
        in transaction: any Transaction
    ) throws -> Int64 {
        let known = try NetworkMembershipStore.membership(knownAt: .max, transaction)
        let changes = try (known ?? NetworkMembership()).differences(
            ContractStore.timelines(knownAt: .max, transaction), months: months(for: run, transaction),
            register: { organisations.pcn(of: $0, at: $1) })
        guard known == nil || !changes.isEmpty else { return try InputLog.latest(transaction) }
        // The first record is no news about months that were paid without one.
        let earliest = known == nil ? run.month : changes.lazy.map(\.month).min()
        let detail = "members of networks: \(Set(changes.map(\.practice)).count) practices"
        let seq = try InputLog.record(
            .register, from: changes.isEmpty ? nil : earliest?.firstDay, to: nil, by: actor, detail: detail,
            in: transaction)
        try NetworkMembershipStore.add(changes, seq: seq, in: transaction)
        transaction.audit(AuditNote(object: "run/\(run.id)", detail: "\(detail), input \(seq)"))
        return seq
    }

    /// Months in which networks are paid here, from the first run that can be corrected to this one.
    private static func months(for run: RunRecord, _ reader: any Reader) throws -> [YearMonth] {
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let earliest = run.month.adding(months: -RunInputs.retroMonths)
        let first = try RunStore.runs(reader).lazy.filter { $0.state != .aborted && $0.month >= earliest }
            .map(\.month).min()
        var (months, month): ([YearMonth], YearMonth) = ([], Swift.min(first ?? run.month, run.month))
        while month <= run.month {
            if rates.paysNetworks(in: month) { months.append(month) }
            month = month.adding(months: 1)
        }
        return months
    }
}

extension RateTable {
    /// Before networks were paid here, their amounts came as instructions: paying both would pay twice.
    func paysNetworks(in month: YearMonth) -> Bool { (try? whole(.networkCalculatedHere, at: month.firstDay)) == 1 }
}
