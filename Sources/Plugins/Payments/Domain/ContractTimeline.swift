import PluginAPI

/// One recorded statement about a practice's contract: from a day (to a day) it says `terms`, or that there is none.
struct ContractRecord: Hashable, Sendable {
    /// Unique, rising with time of recording.
    var version: Int64
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    /// `nil` = no contract in that time.
    var terms: ContractTerms?
    /// Without a contract: who is paid what still comes; `nil` = the payee of the contract before.
    var trailingPayee: ODSCode?
}

/// A stretch of days in which one recorded version holds.
struct ContractSpan: Hashable, Sendable {
    var version: Int64
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    var terms: ContractTerms

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }
}

/// A practice's contract through time as known at one moment: the records laid over each other in the order in which
/// they were recorded. Nothing is overwritten, so any earlier state of knowledge can be had from fewer records; spans
/// never overlap, so there is at most one contract a day (payments.md 2.2).
struct ContractTimeline: Hashable, Sendable {
    let practice: ODSCode
    /// By first day.
    private(set) var spans: [ContractSpan] = []
    /// Who is paid what still comes, by the first day without a contract.
    private var trailingPayees: [CalendarDate: ODSCode] = [:]

    /// - Parameter records: in order of recording.
    init(practice: ODSCode, records: some Sequence<ContractRecord>) {
        self.practice = practice
        for record in records { lay(record) }
    }

    private mutating func lay(_ record: ContractRecord) {
        var result: [ContractSpan] = []
        result.reserveCapacity(spans.count + 2)
        for span in spans {
            let isBefore = span.to.map { $0 <= record.from } ?? false
            let isAfter = record.to.map { $0 <= span.from } ?? false
            if isBefore || isAfter {
                result.append(span)
                continue
            }
            if span.from < record.from {
                var head = span
                head.to = record.from
                result.append(head)
            }
            if let end = record.to, span.to.map({ $0 > end }) ?? true {
                var tail = span
                tail.from = end
                result.append(tail)
            }
        }
        if let terms = record.terms, record.to.map({ $0 > record.from }) ?? true {
            let index = result.firstIndex { $0.from > record.from } ?? result.endIndex
            result.insert(
                ContractSpan(version: record.version, from: record.from, to: record.to, terms: terms),
                at: index)
        }
        spans = result
        if record.terms == nil { trailingPayees[record.from] = record.trailingPayee }
    }

    /// Who is paid what comes after a span that has ended (payments.md 12.3, `trailingPayee`).
    func trailingPayee(of span: ContractSpan) -> ODSCode {
        span.to.flatMap { trailingPayees[$0] } ?? span.terms.payee
    }

    /// Whether the practice has a contract in a month: one in force on its first day, as participation has it (C9).
    func isInForce(in month: YearMonth) -> Bool { span(at: month.firstDay) != nil }

    func span(at day: CalendarDate) -> ContractSpan? { spans.first { $0.contains(day) } }

    /// First day after `day` on which another span begins, or the last one ends.
    func nextChange(after day: CalendarDate) -> CalendarDate? {
        spans.lazy.flatMap { [$0.from, $0.to].compactMap { $0 } }.filter { $0 > day }.min()
    }

    /// The parts of a month under contract, neighbours with the same payment terms joined.
    func segments(in month: YearMonth) -> [ContractSegment] {
        let (first, end) = (month.firstDay, month.lastDay.adding(days: 1))
        var result: [ContractSegment] = []
        for span in spans where span.from < end && (span.to.map { $0 > first } ?? true) {
            let from = max(span.from, first)
            let to = min(span.to ?? end, end)
            if let last = result.last, last.end == from, last.span.terms.payment == span.terms.payment {
                result[result.count - 1].end = to
                result[result.count - 1].span = span
            } else {
                result.append(ContractSegment(span: span, from: from, end: to))
            }
        }
        return result
    }
}

/// Days of one month that are paid on the same terms.
struct ContractSegment: Hashable, Sendable {
    /// The (last) span that covers it.
    var span: ContractSpan
    var from: CalendarDate
    /// Exclusive.
    var end: CalendarDate

    var days: Int { Int(end.daysSince1970 - from.daysSince1970) }
}
