import Foundation
import PluginAPI

/// What a password must be (identity-and-organisations.md 10, after the advice of the National Cyber Security Centre):
/// long, and not what everybody guesses first. Which characters it has, and how old it is, is never asked.
struct PasswordRule: Sendable {
    let minimum: Int
    let maximum: Int
    let words: PasswordWords
    /// Name and address of the account: what somebody who knows the person tries first.
    let personal: [String]

    /// The password as it is hashed and compared. The same characters can be typed in several ways; NFKC makes them one.
    static func normalised(_ text: String) -> String { text.precomposedStringWithCompatibilityMapping }

    /// Why the password is not taken, or `nil`.
    func objection(to password: String) -> Objection? {
        let text = PasswordRule.normalised(password)
        let length = text.unicodeScalars.count
        guard length >= minimum else {
            return Objection(
                rule: "password.length",
                message: "At least \(minimum) characters. Three random words do well.")
        }
        guard length <= maximum else {
            return Objection(rule: "password.length", message: "At most \(maximum) characters.")
        }
        if Set(text.unicodeScalars).count < 5 {
            return Objection(rule: "password.repeated", message: "It repeats a few characters.")
        }
        if words.isGuessed(text, personal: personal) {
            return Objection(
                rule: "password.guessed",
                message:
                    "It is made of what is tried first: common words, rows of keys, the own name or address.")
        }
        return nil
    }

    struct Objection: Sendable, Hashable {
        let rule: String
        let message: String
    }
}

/// Words and rows of keys that are tried first, from `ReferenceData/password_words.csv`: breached stems, the words of
/// this service, runs of the keyboard.
struct PasswordWords: Sendable {
    private let words: Set<String>
    private let runs: [String]

    static let shipped = PasswordWords(csv: PackageResources.password_words_csv)

    init(csv: [UInt8]) {
        var words: Set<String> = []
        var runs: [String] = []
        for line in String(decoding: csv, as: UTF8.self).split(separator: "\n").dropFirst() {
            let cells = line.split(separator: ",")
            guard cells.count == 2 else { continue }
            if cells[0] == "run" {
                runs.append(String(cells[1]))
                runs.append(String(cells[1].reversed()))
            } else {
                words.insert(String(cells[1]))
            }
        }
        self.words = words
        self.runs = runs
    }

    var count: Int { words.count }

    /// Whether what is left after dropping digits and signs at the ends, and undoing the usual exchanges of letters, is
    /// made of one or two guessed words, of a word repeated, or of runs of keys. Three random words pass, even common
    /// ones, because there are many of them.
    func isGuessed(_ text: String, personal: [String]) -> Bool {
        let lower = text.lowercased()
        if isRuns(lower) { return true }
        let own = Set(
            personal.flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }.map(String.init)
                .filter { $0.count >= 3 })
        let known = words.union(own)
        // Digits are letters in disguise, or decoration: both are looked at.
        for form in [lower.filter(\.isLetter), PasswordWords.undisguised(lower)] where !form.isEmpty {
            if let parts = fewestWords(form, known), parts.count <= 2 || parts.distinct <= 1 { return true }
        }
        return false
    }

    private func isRuns(_ text: String) -> Bool {
        var rest = Substring(text.filter { $0.isLetter || $0.isNumber })
        // Pictures and signs alone are no run of keys.
        guard !rest.isEmpty else { return false }
        while !rest.isEmpty {
            let longest = runs.map { longestPrefix(of: rest, in: $0) }.max() ?? 0
            guard longest >= 4 else { return false }
            rest = rest.dropFirst(longest)
        }
        return true
    }

    private func longestPrefix(of text: Substring, in run: String) -> Int {
        guard let first = text.first else { return 0 }
        var best = 0
        for start in run.indices where run[start] == first {
            best = max(best, zip(run[start...], text).prefix { $0 == $1 }.count)
        }
        return best
    }

    private static let disguises: [Character: Character] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i",
        "£": "e",
    ]

    private static func undisguised(_ text: String) -> String {
        // Digits and signs at the end are decoration; within, they stand for letters.
        var body = Substring(text)
        while let last = body.last, !last.isLetter { body = body.dropLast() }
        while let first = body.first, !first.isLetter, disguises[first] == nil { body = body.dropFirst() }
        return String(body.compactMap { $0.isLetter ? $0 : disguises[$0] })
    }

    /// The fewest known words that make up the text, `nil` when it has anything else.
    private func fewestWords(_ text: String, _ known: Set<String>) -> (count: Int, distinct: Int)? {
        let letters = Array(text)
        var best: [[String]?] = Array(repeating: nil, count: letters.count + 1)
        best[0] = []
        for end in 1...letters.count {
            for start in max(0, end - 24)..<end {
                guard let before = best[start], before.count < (best[end]?.count ?? .max) - 1 else {
                    continue
                }
                let word = String(letters[start..<end])
                if known.contains(word) { best[end] = before + [word] }
            }
        }
        return best[letters.count].map { ($0.count, Set($0).count) }
    }
}
