import PluginAPI

/// Which run takes what: the first published one whose inputs were frozen after it was accepted, otherwise the next.
struct OphthalmicRuns {
    /// Published runs by month.
    let published: [RunRecord]

    init(before month: YearMonth? = nil, _ reader: any Reader) throws {
        published = try RunStore.runs(reader).filter { run in
            run.state.isPublished && month.map { run.month < $0 } ?? true
        }.sorted { $0.month < $1.month }
    }

    func run(of seq: Int64) -> RunRecord? { published.first { $0.snapshot >= seq } }

    /// Numbers of inputs that the run of a month takes: after the first, up to the second.
    func span(of month: YearMonth, snapshot: Int64) -> (after: Int64, upTo: Int64)? {
        if let index = published.firstIndex(where: { $0.month == month }) {
            return (index > 0 ? published[index - 1].snapshot : 0, published[index].snapshot)
        }
        let last = published.last
        guard last.map({ $0.month < month }) ?? true else { return nil }
        return (last?.snapshot ?? 0, snapshot)
    }

    /// The totals of the run's own month and of those looked at again.
    static func totals(
        months: [YearMonth], knownAt snapshot: Int64, _ reader: any Reader
    ) throws -> [YearMonth: [ODSCode: GOSTotals]] {
        guard let current = months.max() else { return [:] }
        let runs = try OphthalmicRuns(before: current, reader)
        var found: [YearMonth: [ODSCode: GOSTotals]] = [:]
        for month in Set(months) {
            guard let span = runs.span(of: month, snapshot: snapshot) else { continue }
            found[month] = try OphthalmicStore.totals(after: span.after, upTo: span.upTo, reader)
        }
        return found
    }
}
