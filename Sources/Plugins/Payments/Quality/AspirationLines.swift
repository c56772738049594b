import PluginAPI

/// Aspiration of the quality framework: one twelfth a month, April to March, to practices with a contract in force
/// (payments.md 7.2). A provisional figure that is replaced makes differences for the months paid by itself, until the
/// year's achievement has been paid less what was paid ahead: from then on the year rests.
struct AspirationLines: RecurringLines {
    private let known: [ODSCode: [FinancialYear: QualityFigureStore.Aspiration]]
    private let timelines: [ODSCode: ContractTimeline]

    static func read(
        knownAt snapshot: Int64, timelines: [ContractTimeline], _ reader: any Reader
    ) throws -> AspirationLines {
        let rows = try QualityFigureStore.aspirations(knownAt: snapshot, reader)
        return AspirationLines(
            rows: rows,
            settled: rows.isEmpty ? [:] : try QualityFigureStore.settledYears(knownAt: snapshot, reader),
            timelines: rows.isEmpty ? [] : timelines)
    }

    /// - Parameters:
    ///   - rows: in order of recording.
    ///   - settled: of each year at rest, the number of the last input that counts.
    init(
        rows: [QualityFigureStore.Aspiration], settled: [QualityFigureStore.YearOfPractice: Int64],
        timelines: [ContractTimeline]
    ) {
        var known: [ODSCode: [FinancialYear: QualityFigureStore.Aspiration]] = [:]
        for row in rows {
            if let last = settled[.init(practice: row.practice, year: row.year)], row.seq > last { continue }
            known[row.practice, default: [:]][row.year] = row
        }
        self.known = known
        self.timelines = Dictionary(
            timelines.lazy.filter { known[$0.practice] != nil }.map { ($0.practice, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    func payees(in month: YearMonth) -> Set<ODSCode> {
        let year = FinancialYear(containing: month)
        return Set(known.lazy.filter { $0.value[year] != nil }.map(\.key))
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        guard let row = known[payee]?[FinancialYear(containing: month)], row.monthlyPence != 0,
            let span = timelines[payee]?.span(at: month.firstDay)
        else { return [] }
        let amount = Money(pence: row.monthlyPence)
        return [
            PaymentLine(
                paycode: .qofAspiration, contractID: span.terms.contractID(of: payee),
                contractVersion: span.version,
                periodFrom: month.firstDay, periodTo: month.lastDay, quantity: ExactDecimal(1),
                rate: amount.pounds,
                basis: "MONTHLY", pence: row.monthlyPence, source: .recurring, month: month,
                explanation: Explanation(
                    rule: "7.2 aspiration", ruleVersion: 1,
                    inputs: [
                        .init(
                            "monthly_aspiration", amount.pounds, .pounds,
                            from: .init(
                                "aspiration", version: row.seq,
                                note: "achieved the year before: \(Money(pence: row.priorPence))"),
                            asOf: row.year.firstDay)
                    ],
                    steps: [.init("amount", rounding: .input(0))], rounding: "RND-2", amount: amount),
                origin: "aspiration/\(row.year)")
        ]
    }
}

/// What an achievement is paid less (payments.md 7.2: balance = achievement - aspiration paid).
enum AspirationBalance {
    /// Aspiration of the year by today's knowledge, month by month: what published runs have paid with the differences
    /// that the next run makes for a figure replaced since, and what is still to be paid for months without a run. So
    /// that a difference on its way is deducted too; beside it amounts paid once, which no run calculates anew.
    static func paid(
        to practice: ODSCode, for year: FinancialYear, _ reader: any Reader
    ) throws -> (pence: Int64, months: Int) {
        let published = try StatementStore.published(
            of: practice, from: year.firstMonth, before: "~", reader)
        var sum = Money.zero
        var months: Set<YearMonth> = []
        for line in published.lazy.flatMap(\.lines)
        where line.paycode == .qofAspiration && FinancialYear(containing: line.month) == year
            && !line.source.isRecalculated
        {
            sum = try sum.adding(Money(pence: line.pence))
            months.insert(line.month)
        }
        let finished = Set(try RunStore.runs(reader).filter(\.state.isPublished).map(\.month))
        let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
        let source = try AspirationLines.read(knownAt: .max, timelines: [timeline], reader)
        for month in year.months {
            // "Do not pay" holds for a month that is looked at again (12.3); one to come may still be paid.
            let isStopped = timeline.segments(in: month).last?.span.terms.payment.isStopped ?? false
            if isStopped, finished.contains(month) { continue }
            for line in try source.lines(for: practice, in: month) {
                sum = try sum.adding(Money(pence: line.pence))
                months.insert(month)
            }
        }
        return (sum.pence, months.count)
    }

    /// The line that pays an achievement less aspiration; negative is a recovery (QREC), by the normal rules of 5.3.
    static func explanation(
        gross: Money, aspiration: Money, months: Int, instruction: String, note: String, year: FinancialYear
    ) throws(ArithmeticError) -> Explanation {
        Explanation(
            rule: "7.2 achievement less aspiration", ruleVersion: 1,
            inputs: [
                .init(
                    "achievement", gross.pounds, .pounds,
                    from: .init("instruction " + instruction, note: note),
                    asOf: year.lastDay),
                .init(
                    "aspiration_paid", aspiration.pounds, .pounds,
                    from: .init("statements", note: "\(months) months of \(year)"), asOf: year.lastDay),
            ],
            steps: [.init("balance", .input(0), .subtract, .input(1)), .init("amount", rounding: .step(0))],
            rounding: "RND-2", amount: try gross.subtracting(aspiration))
    }
}
