/// Reads the weight and substitution tables as their publisher gives them: columns by white space, no header.
enum ModulusFile {
    struct Fault: Hashable, Sendable {
        var row: Int64
        var message: String
    }

    /// Lines of `from to method u v w x y z a b c d e f g h [exception]`.
    static func weights(_ text: String) -> (rows: [ModulusRow], faults: [Fault]) {
        var rows: [ModulusRow] = []
        var faults: [Fault] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
            guard !words.isEmpty else { continue }
            let row = Int64(number + 1)
            guard words.count == 17 || words.count == 18 else {
                faults.append(Fault(row: row, message: "a row has 17 or 18 columns, this one \(words.count)"))
                continue
            }
            guard isSortCode(words[0]), isSortCode(words[1]), words[0] <= words[1] else {
                faults.append(Fault(row: row, message: "the range of sort codes is not two rising codes of six digits"))
                continue
            }
            guard let method = ModulusMethod(rawValue: words[2]) else {
                faults.append(Fault(row: row, message: "the method is MOD10, MOD11 or DBLAL"))
                continue
            }
            let weights = words[3..<17].compactMap { Int($0) }.filter { (-999...999).contains($0) }
            let exception = words.count == 18 ? Int(words[17]) ?? -1 : 0
            guard weights.count == 14, (0...14).contains(exception) else {
                faults.append(Fault(row: row, message: "14 whole weights and an exception of 1 to 14 are needed"))
                continue
            }
            rows.append(
                ModulusRow(from: words[0], to: words[1], method: method, weights: weights, exception: exception))
        }
        return (rows, faults)
    }

    /// Lines of `sort code, sort code in its place`.
    static func substitutions(_ text: String) -> (table: [String: String], faults: [Fault]) {
        var table: [String: String] = [:]
        var faults: [Fault] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
            guard !words.isEmpty else { continue }
            guard words.count == 2, words.allSatisfy(isSortCode) else {
                faults.append(Fault(row: Int64(number + 1), message: "a row is two sort codes of six digits"))
                continue
            }
            table[words[0]] = words[1]
        }
        return (table, faults)
    }

    private static func isSortCode(_ text: String) -> Bool {
        text.utf8.count == 6 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
