/// Turns text into the terms that are compared: lower case words without marks, phrases with a synonym as that synonym,
/// words by their stem.
struct SearchWords: Sendable {
    /// Stems of a phrase and the term for which they stand, longest phrases first.
    private let phrases: [(words: [String], term: String)]

    /// Words that say nothing about what is sought.
    private static let silent: Set<String> = [
        "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "get", "has",
        "have", "how",
        "i", "if", "in", "is", "it", "me", "my", "not", "of", "on", "or", "our", "please", "so", "that",
        "the", "their",
        "there", "this", "to", "up", "us", "was", "we", "what", "when", "where", "which", "who", "will",
        "with", "you",
        "your",
    ]

    /// - Parameter synonyms: phrase and the term that it means, for example "fit note" and "med3".
    init(synonyms: [(phrase: String, term: String)]) {
        phrases =
            synonyms.map { (Self.split($0.phrase).map(Self.stem), Self.stem(Self.split($0.term).joined())) }
            .filter { !$0.0.isEmpty }
            .sorted { ($0.0.count, $0.0.joined(separator: " ")) > ($1.0.count, $1.0.joined(separator: " ")) }
            .map { (words: $0.0, term: $0.1) }
    }

    /// Every term of a text, in order. A phrase gives the term for which it stands and its own words too, so that an
    /// article is found by either.
    func terms(of text: String) -> [String] {
        let words = Self.split(text)
        let stems = words.map(Self.stem)
        var terms: [String] = []
        var index = 0
        while index < words.count {
            guard let match = phrases.first(where: { stems[index...].starts(with: $0.words) }) else {
                if !Self.silent.contains(words[index]) { terms.append(stems[index]) }
                index += 1
                continue
            }
            terms.append(match.term)
            for place in index..<(index + match.words.count)
            where !Self.silent.contains(words[place]) && stems[place] != match.term {
                terms.append(stems[place])
            }
            index += match.words.count
        }
        return terms
    }

    /// Words of letters and digits in lower case; apostrophes join.
    static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for character in text.lowercased() {
            if character.isLetter || character.isNumber {
                word.append(character)
            } else if character != "'" && character != "\u{2019}" {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// Takes off the commonest endings of English; only as much as makes "claims", "claimed" and "claiming" one term.
    static func stem(_ word: String) -> String {
        guard word.count > 3, word.allSatisfy(\.isLetter) else { return word }
        for (ending, instead, least) in [
            ("ies", "y", 3), ("sses", "ss", 3), ("ations", "ate", 3), ("ation", "ate", 3), ("ings", "", 4),
            ("ing", "", 4),
            ("ers", "er", 3), ("ed", "", 4), ("es", "e", 3), ("s", "", 3),
        ] where word.hasSuffix(ending) && word.count - ending.count >= least && !word.hasSuffix("ss") {
            return Self.trimmed(String(word.dropLast(ending.count)) + instead)
        }
        return Self.trimmed(word)
    }

    /// "merge" and "merging" meet in "merg", "submit" and "submitted" in "submit".
    private static func trimmed(_ stem: String) -> String {
        var result = stem
        if result.count > 4, result.hasSuffix("e") { result.removeLast() }
        let last = result.suffix(2)
        if result.count > 4, last.first == last.last, let letter = last.last, !"lsz".contains(letter) {
            result.removeLast()
        }
        return result
    }
}

/// How far two words are apart: letters put in, left out, exchanged, or two neighbours swapped.
enum TypoDistance {
    /// Distance up to `limit`, or `nil` when it is more.
    static func between(_ left: String, _ right: String, limit: Int) -> Int? {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        guard abs(a.count - b.count) <= limit else { return nil }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            if row.min() ?? 0 > limit { return nil }
            (beforeLast, last) = (last, row)
        }
        let distance = last[b.count]
        return distance <= limit ? distance : nil
    }

    /// A short word is another word when one letter differs; a long one forgives two.
    static func allowed(for word: String) -> Int { word.count >= 8 ? 2 : word.count >= 4 ? 1 : 0 }
}
