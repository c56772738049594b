import PaymentsContract
import PluginAPI

/// Everything that a calculation reads, from one snapshot of the store.
struct RunInputs: Sendable {
    var run: RunRecord
    /// Number of the last input that counts.
    var snapshot: Int64
    var inputs: CalculationInputs
    var history: PaidHistory
    var affectedMonths: [YearMonth]
    var notices: [ODSCode: CalendarDate]

    /// Heads of the statements that this calculation replaces, of payees without a contract: from the same snapshot come
    /// the same bytes, whatever the register calls a payee by now.
    var heads: [ODSCode: PayeeProfile]

    /// Corrections reach back six years (payments.md 12.2).
    static let retroMonths = 72

    /// Nominated payees of networks.
    var payees: [ODSCode: [NetworkStore.Payee]]
    /// Ophthalmic contractors, which the register does not know.
    var contractors: [ODSCode: OphthalmicContractor]
    /// Local Medical Committees, which the register need not know.
    var committees: [ODSCode: LevyCommittee]

    init(
        _ run: RunRecord, snapshot: Int64, _ organisations: any OrganisationDirectory, _ reader: any Reader
    ) throws {
        self.run = run
        self.snapshot = snapshot
        let approved = try RunStore.runs(reader).filter { $0.state.isPublished && $0.month < run.month }
        affectedMonths = try RunInputs.affected(run, approved, upTo: snapshot, reader)
        var quarters: Set<Quarter> = []
        for month in affectedMonths + [run.month] {
            let quarter = Quarter(containing: month)
            quarters.formUnion([quarter, quarter.previous])
        }
        let timelines = try ContractStore.timelines(knownAt: snapshot, reader)
        let lists = try CapitationStore.lists(of: quarters, knownAt: snapshot, reader)
        let rates = try ReferenceStore.rates(knownAt: snapshot, reader)
        contractors = try OphthalmicContractorStore.contractors(on: run.month.lastDay, reader)
        payees = try NetworkStore.payees(knownAt: snapshot, reader)
        committees = try LevyStore.book(knownAt: snapshot, reader).committees(on: run.month.lastDay)
        heads = try StatementStore.heads(of: run.id, except: Set(timelines.map(\.practice)), reader)
        let members = try NetworkMembershipStore.membership(knownAt: snapshot, reader)
        inputs = CalculationInputs(
            timelines: timelines, lists: lists, rates: rates,
            paycodes: try ReferenceStore.paycodes(knownAt: snapshot, reader),
            recurring: try RecurringSources(
                months: affectedMonths + [run.month], snapshot: snapshot, rates: rates, lists: lists,
                timelines: timelines,
                network: { practice, month in
                    guard let members else { return organisations.pcn(of: practice, at: month.firstDay) }
                    return members.network(of: practice, in: month)
                }
            ).read(reader),
            items: try PayableItemStore.due(in: run, knownAt: snapshot, reader),
            withholdings: Withholdings(
                try WithholdingStore.holds(before: run.month, knownAt: snapshot, reader)))
        history = try RunInputs.history(run, approved, affected: affectedMonths.first, reader)
        notices = try NoticeStore.notices(reader)
    }

    /// Paid months that something recorded since the last approved run may have changed. What was recorded before, that
    /// run has already put right.
    private static func affected(
        _ run: RunRecord, _ approved: [RunRecord], upTo snapshot: Int64, _ reader: any Reader
    ) throws -> [YearMonth] {
        guard let last = approved.last else { return [] }
        let spans = try InputLog.spans(after: last.snapshot, upTo: snapshot, reader)
        guard !spans.isEmpty else { return [] }
        let earliest = run.month.adding(months: -retroMonths)
        return approved.map(\.month).filter { month in
            month >= earliest && spans.contains { $0.touches(month) }
        }
    }

    /// Ledgers of the runs that matter: those paid in the same financial year, those since the first month affected,
    /// and the last one.
    private static func history(
        _ run: RunRecord, _ approved: [RunRecord], affected: YearMonth?, _ reader: any Reader
    ) throws -> PaidHistory {
        let year = FinancialYear(containing: run.paymentDate)
        let needed = approved.filter { earlier in
            FinancialYear(containing: earlier.paymentDate) == year
                || affected.map { earlier.month >= $0 } ?? false
                || earlier.id == approved.last?.id
        }
        let runs = try needed.map { earlier in
            PaidHistory.Run(
                runID: earlier.id, month: earlier.month, paymentDate: earlier.paymentDate,
                accounts: try StatementStore.ledger(of: earlier.id, reader))
        }
        return try PaidHistory(runs: runs, paymentDate: run.paymentDate, affected: affected)
    }
}
