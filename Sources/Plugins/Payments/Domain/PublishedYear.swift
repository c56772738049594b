import PluginAPI

/// How the yearly official file becomes contracts and lists of that year: the assumptions, in one place.
///
/// GMS is taken as opted out of out-of-hours (most practices are; the file has no flag), London practices as paid the
/// London adjustment for all registered patients (the count is not in the file), PMS and APMS as paid a fixed baseline
/// of the core money that the file shows under either heading. The lists are yearly averages, so all four quarters get
/// the same.
struct PublishedYear: Sendable {
    let year: FinancialYear
    let rows: [PublishedRow]

    /// First day after the year.
    var end: CalendarDate { year.lastDay.adding(days: 1) }

    enum Fate: Hashable, Sendable {
        case contract(ContractKind)
        /// Type unknown, or closed before the year: adjustments only.
        case unknownContract
        case noList
        case noCoreMoney
    }

    func fate(of row: PublishedRow) -> Fate {
        guard let kind = row.kind, row.closedOn.map({ $0 >= year.firstDay }) ?? true,
            row.openedOn.map({ $0 < end }) ?? true
        else { return .unknownContract }
        if row.weightedHundredths == 0 { return .noList }
        if kind != .gms, row.coreMoneyPence <= 0 { return .noCoreMoney }
        return .contract(kind)
    }

    /// One contract row for each practice that has a contract in the year.
    func contracts() -> [ContractFile.Row] {
        rows.compactMap { row in
            guard case .contract(let kind) = fate(of: row) else { return nil }
            var payment = PaymentTerms(kind: kind)
            if kind == .gms {
                payment.outOfHoursOptOut = true
                payment.london = row.isLondon ? .allRegistered : .none
            } else {
                payment.baseline = .fixed(annualPence: row.coreMoneyPence)
            }
            let from = max(row.openedOn ?? year.firstDay, year.firstDay)
            let to = row.closedOn.map { min($0.adding(days: 1), end) } ?? end
            return ContractFile.Row(
                practice: row.practice, from: from, to: max(to, from.adding(days: 1)),
                terms: ContractTerms(
                    payment: payment, practiceName: row.name, commissioner: row.commissioner,
                    region: row.region,
                    payee: row.practice),
                number: 0)
        }
    }

    func lists() -> [CapitationFile.Row] {
        rows.compactMap { row in
            guard case .contract = fate(of: row) else { return nil }
            return CapitationFile.Row(
                practice: row.practice, registered: row.registered,
                weightedHundredths: row.weightedHundredths,
                london: 0)
        }
    }

    func load(id: String, evidence: String) -> PublishedStore.Load {
        var load = PublishedStore.Load(id: id, year: year, evidenceID: evidence)
        for row in rows {
            load.rows += 1
            load.globalSumPence &+= row.globalSumPence
            switch fate(of: row) {
            case .contract(let kind):
                load.registered += row.registered
                load.weightedHundredths += row.weightedHundredths
                switch kind {
                case .gms: load.gms += 1
                case .pms: load.pms += 1
                case .apms: load.apms += 1
                }
            case .unknownContract: load.skippedUnknown += 1
            case .noList: load.skippedNoList += 1
            case .noCoreMoney: load.skippedNoMoney += 1
            }
        }
        return load
    }
}
