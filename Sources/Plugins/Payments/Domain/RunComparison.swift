import PluginAPI

/// What differs between two statements of a practice, and which inputs explain it. The causes come from the lines' own
/// explanations, so that "what changed and why" needs no second source of truth.
enum RunComparison {
    struct Difference: Hashable, Sendable {
        var paycode: Paycode
        /// Of difference lines: the month corrected.
        var originalMonth: YearMonth?
        var beforePence: Int64
        var afterPence: Int64
        var causes: [Cause]
    }

    struct Cause: Hashable, Sendable {
        var input: String
        var before: String
        var after: String
        var source: String
    }

    private struct Key: Hashable, Comparable {
        var paycode: UInt8
        /// 0 for lines of the run's own month.
        var month: Int32

        static func < (left: Key, right: Key) -> Bool {
            (left.month, left.paycode) < (right.month, right.paycode)
        }
    }

    static func differences(_ before: StatementDocument?, _ after: StatementDocument?) -> [Difference] {
        let old = grouped(before), new = grouped(after)
        return Set(old.keys).union(new.keys).sorted().compactMap { key in
            let (oldLines, newLines) = (old[key] ?? [], new[key] ?? [])
            let oldPence = oldLines.reduce(Int64(0)) { $0 &+ $1.pence }
            let newPence = newLines.reduce(Int64(0)) { $0 &+ $1.pence }
            guard oldPence != newPence, let paycode = Paycode(rawValue: key.paycode) else { return nil }
            return Difference(
                paycode: paycode,
                originalMonth: (newLines.first ?? oldLines.first).flatMap { retroMonth($0) },
                beforePence: oldPence, afterPence: newPence, causes: causes(oldLines, newLines))
        }
    }

    private static func grouped(_ document: StatementDocument?) -> [Key: [PaymentLine]] {
        Dictionary(grouping: document?.lines ?? []) {
            Key(paycode: $0.paycode.rawValue, month: retroMonth($0)?.index ?? 0)
        }
    }

    private static func retroMonth(_ line: PaymentLine) -> YearMonth? {
        line.source == .retro ? line.month : nil
    }

    private static func causes(_ old: [PaymentLine], _ new: [PaymentLine]) -> [Cause] {
        guard let oldLine = old.first, let newLine = new.first else {
            let (line, isNew) = (new.first ?? old.first, !new.isEmpty)
            let words = line.map { "\($0.basis), \($0.periodFrom) to \($0.periodTo)" } ?? ""
            return [
                Cause(
                    input: "line", before: isNew ? "none" : words, after: isNew ? words : "none",
                    source: line?.sourceReference ?? "")
            ]
        }
        var causes: [Cause] = []
        let oldInputs = Dictionary(
            oldLine.explanation.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let newInputs = Dictionary(
            newLine.explanation.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for input in newLine.explanation.inputs where newInputs[input.name] == input {
            let earlier = oldInputs[input.name]
            if earlier?.value.rational != input.value.rational {
                causes.append(
                    Cause(
                        input: input.name, before: earlier?.value.description ?? "none",
                        after: input.value.description, source: input.source.description))
            }
        }
        for input in oldLine.explanation.inputs
        where newInputs[input.name] == nil && oldInputs[input.name] == input {
            causes.append(
                Cause(
                    input: input.name, before: input.value.description, after: "none",
                    source: input.source.description))
        }
        if old.count != new.count {
            causes.append(
                Cause(input: "lines", before: String(old.count), after: String(new.count), source: ""))
        }
        return causes
    }
}
