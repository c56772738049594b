import PluginAPI
import Tabular

/// What loading a contract file would record, decided before anything is written.
struct ContractLoadPlan: Sendable {
    private(set) var records: [ContractStore.NewRecord] = []
    private(set) var practices: Int64 = 0
    private(set) var added: Int64 = 0
    private(set) var changed: Int64 = 0
    private(set) var unchanged: Int64 = 0
    private(set) var pendingReferences: Int64 = 0
    private(set) var violations = ViolationList()
    /// First day on which anything changes.
    private(set) var from: CalendarDate?

    /// - Parameters:
    ///   - rows: sound and sorted by practice and first day.
    ///   - until: the file says nothing about days from here on; `nil` = it speaks about all that follows.
    ///   - since: the file also says that there is no contract between this day and its first row; `nil` = the file
    ///     begins with each practice's first row.
    ///   - frozen: years whose baseline a run has paid of, by practice (payments.md 4).
    init(
        _ rows: [ContractFile.Row], existing: [ODSCode: ContractTimeline], isKnown: (ODSCode) -> Bool,
        since: CalendarDate? = nil, until: CalendarDate? = nil, frozen: [ODSCode: [FinancialYear]] = [:]
    ) {
        var start = rows.startIndex
        while start < rows.endIndex {
            let practice = rows[start].practice
            let end = rows[start...].firstIndex { $0.practice != practice } ?? rows.endIndex
            let timeline = existing[practice] ?? ContractTimeline(practice: practice, records: [])
            for year in frozen[practice] ?? [] { checkFrozen(rows[start..<end], year, timeline) }
            add(Array(rows[start..<end]), to: timeline, since: since, until: until)
            if !isKnown(practice) { pendingReferences += 1 }
            start = end
        }
    }

    private mutating func add(
        _ rows: [ContractFile.Row], to timeline: ContractTimeline, since: CalendarDate?, until: CalendarDate?
    ) {
        practices += 1
        guard let first = rows.first else { return }
        checkJoin(first, timeline)
        var laid: [ContractStore.NewRecord] = []
        func lay(_ from: CalendarDate, _ to: CalendarDate?, _ terms: ContractTerms?) {
            if let to, to <= from { return }
            laid.append(ContractStore.NewRecord(practice: first.practice, from: from, to: to, terms: terms))
        }
        if let since { lay(since, first.from, nil) }
        for (index, row) in rows.enumerated() {
            let next = index + 1 < rows.count ? rows[index + 1].from : until
            lay(row.from, row.to ?? next, row.terms)
            // After its last day there is no contract until the next row, or for good.
            if let to = row.to { lay(to, next, nil) }
        }
        // A gap at the ends that is none already need not be said.
        let before = ContractLoadPlan.normalised(timeline)
        let after = ContractLoadPlan.normalised(
            ContractTimeline(
                practice: timeline.practice,
                records: timeline.spans.map(ContractRecord.init) + laid.map(ContractRecord.init)))
        if before == after {
            unchanged += 1
            return
        }
        if timeline.spans.isEmpty { added += 1 } else { changed += 1 }
        records += laid.filter { $0.terms != nil || !timeline.spans.isEmpty }
        if let start = laid.first?.from { from = min(from ?? start, start) }
    }

    /// The rules of a change also hold where the file joins what is known.
    private mutating func checkJoin(_ row: ContractFile.Row, _ timeline: ContractTimeline) {
        guard let before = timeline.span(at: row.from.adding(days: -1)) else { return }
        var cut = before
        cut.to = row.from
        for breach in ContractRules.breaches(changing: cut, to: row.terms, on: row.from) {
            let column = (ContractFile.columns.firstIndex(of: breach.field) ?? 0) + 1
            violations.add(breach.rule, row: row.number, column: column, field: breach.field, breach.message)
        }
    }

    /// A file does not change the baseline of a year that is frozen; a change of type may, like a revision.
    private mutating func checkFrozen(
        _ rows: ArraySlice<ContractFile.Row>, _ year: FinancialYear, _ timeline: ContractTimeline
    ) {
        for (index, row) in zip(rows.indices, rows) {
            let next = index + 1 < rows.endIndex ? rows[index + 1].from : nil
            let first = max(row.from, year.firstDay)
            let end = min(row.to ?? next ?? year.lastDay.adding(days: 1), year.lastDay.adding(days: 1))
            let broken = timeline.spans.contains { span in
                max(span.from, first) < min(span.to ?? end, end)
                    && span.terms.payment.kind == row.terms.payment.kind
                    && span.terms.payment.baseline != row.terms.payment.baseline
            }
            guard broken else { continue }
            let column = (ContractFile.columns.firstIndex(of: "baseline_basis") ?? 0) + 1
            violations.add(
                "BAS09", row: row.number, column: column, field: "baseline_basis",
                "the baseline of \(row.practice) for \(year) is frozen, a run has paid of it: change the payment by a "
                    + "contract variation")
        }
    }

    /// Spans without their versions, neighbours that say the same joined: two timelines that mean the same are equal.
    private static func normalised(_ timeline: ContractTimeline) -> [ContractSpan] {
        var result: [ContractSpan] = []
        for var span in timeline.spans {
            span.version = 0
            if let last = result.last, last.to == span.from, last.terms == span.terms {
                result[result.count - 1].to = span.to
            } else {
                result.append(span)
            }
        }
        return result
    }
}

extension ContractRecord {
    fileprivate init(_ span: ContractSpan) {
        self.init(version: span.version, from: span.from, to: span.to, terms: span.terms)
    }

    fileprivate init(_ record: ContractStore.NewRecord) {
        self.init(version: .max, from: record.from, to: record.to, terms: record.terms)
    }
}
