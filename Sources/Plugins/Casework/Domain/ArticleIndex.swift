/// A ranked index of articles: Okapi BM25 in whole numbers, so that every machine ranks alike.
struct ArticleIndex: Sendable {
    /// What is indexed of an article, with how much a word counts there.
    struct Source: Sendable {
        var id: String
        var title: String
        var keywords: [String]
        var body: String
    }

    struct Hit: Hashable, Sendable {
        var id: String
        var score: Int
    }

    struct Result: Hashable, Sendable {
        /// Best first.
        var hits: [Hit] = []
        /// The terms looked for, typing errors mended.
        var terms: [String] = []
    }

    private static let titleWeight = 4
    private static let keywordWeight = 3
    /// Scores and logarithms are in thousandths.
    private static let unit = 1_000
    // BM25's k1 and b in thousandths: the values in common use.
    private static let saturation = 1_200
    private static let lengthShare = 750

    private let words: SearchWords
    private let ids: [String]
    private let lengths: [Int]
    private let averageLength: Int
    /// Article number and weighted count, by term.
    private let postings: [String: [(article: Int, count: Int)]]
    private let vocabulary: [String]

    init(_ articles: [Source], _ words: SearchWords) {
        self.words = words
        ids = articles.map(\.id)
        var postings: [String: [(article: Int, count: Int)]] = [:]
        var lengths: [Int] = []
        for (number, article) in articles.enumerated() {
            var counts: [String: Int] = [:]
            for term in words.terms(of: article.body) { counts[term, default: 0] += 1 }
            for term in words.terms(of: article.title) { counts[term, default: 0] += Self.titleWeight }
            for term in article.keywords.flatMap(words.terms) {
                counts[term, default: 0] += Self.keywordWeight
            }
            lengths.append(counts.values.reduce(0, +))
            for (term, count) in counts { postings[term, default: []].append((number, count)) }
        }
        self.lengths = lengths
        averageLength = max(1, lengths.reduce(0, +) / max(1, lengths.count))
        self.postings = postings
        vocabulary = postings.keys.sorted()
    }

    func search(_ text: String) -> Result {
        var result = Result()
        var scores: [Int: Int] = [:]
        for wanted in Set(words.terms(of: text)).sorted() {
            // A word that no article has counts as its nearest neighbours, for less.
            for (term, share) in meant(by: wanted) {
                result.terms.append(term)
                let found = postings[term] ?? []
                let rarity = Self.rarity(found.count, of: ids.count)
                for posting in found {
                    let length =
                        Self.unit - Self.lengthShare + Self.lengthShare * lengths[posting.article]
                        / averageLength
                    let count = posting.count * Self.unit
                    let weight =
                        count * (Self.saturation + Self.unit) / (count + Self.saturation * length / Self.unit)
                    scores[posting.article, default: 0] += rarity * weight / Self.unit * share / 100
                }
            }
        }
        result.hits = scores.filter { $0.value > 0 }.map { Hit(id: ids[$0.key], score: $0.value) }
            .sorted { ($1.score, $0.id) < ($0.score, $1.id) }
        return result
    }

    /// Terms of the index for a term of the search, with how much of a match each is, in percent.
    private func meant(by term: String) -> [(term: String, share: Int)] {
        if postings[term] != nil { return [(term, 100)] }
        let limit = TypoDistance.allowed(for: term)
        guard limit > 0 else { return [] }
        var nearest: [(term: String, distance: Int)] = []
        for candidate in vocabulary {
            if let distance = TypoDistance.between(term, candidate, limit: limit) {
                nearest.append((candidate, distance))
            }
        }
        let least = nearest.map(\.distance).min() ?? 0
        return nearest.filter { $0.distance == least }.prefix(3).map { ($0.term, least == 1 ? 70 : 50) }
    }

    /// ln(1 + (N - n + 0.5) / (n + 0.5)) in thousandths: rare words tell more.
    private static func rarity(_ having: Int, of all: Int) -> Int {
        naturalLogarithm((2 * all + 2) * unit / (2 * having + 1))
    }

    /// ln(value / 1000) in thousandths, for values of 1000 and more: halvings counted, the rest by squaring.
    static func naturalLogarithm(_ value: Int) -> Int {
        guard value > unit else { return 0 }
        let one = 1 << 30
        var mantissa = value * one / unit
        var twos = 0
        while mantissa >= 2 * one {
            mantissa /= 2
            twos += 1 << 12
        }
        var bit = 1 << 11
        while bit > 0 {
            mantissa = mantissa * mantissa / one
            if mantissa >= 2 * one {
                mantissa /= 2
                twos += bit
            }
            bit >>= 1
        }
        // ln 2 = 0.693147.
        return twos * 693_147 / 4_096 / 1_000
    }
}
