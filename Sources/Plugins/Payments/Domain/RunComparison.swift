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

    /// What sort of record a cause is.
    enum Kind: Hashable, Sendable {
        case rate, list, contract, item, correction, balance, line, other

        /// By the record from which an input was read.
        init(_ source: Explanation.Source) {
            switch source.record {
            case "rates": self = .rate
            case "capitation": self = .list
            case "contract": self = .contract
            default: self = .other
            }
        }
    }

    struct Cause: Hashable, Sendable {
        var kind: Kind
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
        var causes = items(old, new)
        let (old, new) = (old.filter { $0.source != .item }, new.filter { $0.source != .item })
        guard let oldLine = old.first, let newLine = new.first else {
            guard let line = new.first ?? old.first else { return causes }
            let words = "\(line.basis), \(line.periodFrom) to \(line.periodTo)"
            let isNew = !new.isEmpty
            let kind: Kind = line.source == .retro ? .correction : line.source == .balance ? .balance : .line
            causes.append(
                Cause(
                    kind: kind, input: "line", before: isNew ? "none" : words, after: isNew ? words : "none",
                    source: line.sourceReference))
            return causes
        }
        let isCorrection = newLine.source == .retro
        let oldInputs = Dictionary(
            oldLine.explanation.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let newInputs = Dictionary(
            newLine.explanation.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for input in newLine.explanation.inputs where newInputs[input.name] == input {
            let earlier = oldInputs[input.name]
            if earlier?.value.rational != input.value.rational {
                causes.append(
                    Cause(
                        kind: isCorrection ? .correction : Kind(input.source), input: input.name,
                        before: earlier?.value.description ?? "none",
                        after: input.value.description, source: input.source.description))
            }
        }
        for input in oldLine.explanation.inputs
        where newInputs[input.name] == nil && oldInputs[input.name] == input {
            causes.append(
                Cause(
                    kind: isCorrection ? .correction : Kind(input.source), input: input.name,
                    before: input.value.description, after: "none",
                    source: input.source.description))
        }
        if old.count != new.count {
            causes.append(
                Cause(kind: .line, input: "lines", before: String(old.count), after: String(new.count), source: ""))
        }
        return causes
    }

    /// Each item is paid once: it stands on one of the two, or on neither.
    private static func items(_ old: [PaymentLine], _ new: [PaymentLine]) -> [Cause] {
        func amounts(_ lines: [PaymentLine]) -> [String: Int64] {
            lines.filter { $0.source == .item }.reduce(into: [:]) { $0[$1.sourceReference, default: 0] += $1.pence }
        }
        let (before, after) = (amounts(old), amounts(new))
        return Set(before.keys).union(after.keys).sorted().compactMap { reference in
            guard before[reference] != after[reference] else { return nil }
            func text(_ pence: Int64?) -> String { pence.map { Money(pence: $0).description } ?? "none" }
            return Cause(
                kind: .item, input: "item", before: text(before[reference]), after: text(after[reference]),
                source: reference)
        }
    }
}
