/// Names that a mistyped one may have meant.
package enum Suggestions {
    /// The candidates within about a third of the name's length in typing errors, nearest first, at most three.
    package static func nearest(to name: String, among candidates: some Sequence<String>) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        let bound = max(1, min(4, wanted.count / 3))
        return candidates.map { (distance(wanted, Array($0.lowercased().utf8)), $0) }
            .filter { $0.0 <= bound }
            .sorted { $0 < $1 }
            .prefix(3).map(\.1)
    }

    /// `; did you mean "a" or "b"?`, empty when nothing is near.
    package static func question(for name: String, among candidates: some Sequence<String>) -> String {
        let near = nearest(to: name, among: candidates)
        guard !near.isEmpty else { return "" }
        return "; did you mean " + near.map { "\"\($0)\"" }.joined(separator: " or ") + "?"
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row] + Array(repeating: 0, count: right.count)
            for column in 1...right.count {
                let same = left[row - 1] == right[column - 1]
                var best = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1]
                {
                    best = min(best, beforeLast[column - 2] + 1)
                }
                current[column] = best
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
