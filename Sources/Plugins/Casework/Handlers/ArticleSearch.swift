import PluginAPI
import Synchronization

/// The index over the articles in force, made anew when one was published or withdrawn.
final class ArticleSearch: Sendable {
    private struct Made: Sendable {
        /// Number of the change of the articles up to which it reckons.
        var change: Int64
        var index: ArticleIndex
        var articles: [String: ArticleRecord]
    }

    struct Answer: Sendable {
        var article: ArticleRecord
        var score: Int
        var isExpired: Bool
    }

    /// How many answers are shown.
    static let shown = 5

    private let store: any Store
    private let words: SearchWords
    private let made = Mutex<Made?>(nil)

    init(store: any Store, words: SearchWords) {
        self.store = store
        self.words = words
    }

    private func present() throws -> Made {
        let known = made.withLock { $0 }
        let fresh = try store.read { reader -> Made? in
            let change = try CounterStore.current(reader, of: "articles")
            if let known, known.change == change { return nil }
            let articles = try ArticleStore.latest(reader).filter { !$0.isWithdrawn }
            let sources = articles.map {
                ArticleIndex.Source(id: $0.id, title: $0.title, keywords: $0.keywords, body: $0.body)
            }
            return Made(
                change: change, index: ArticleIndex(sources, words),
                articles: Dictionary(articles.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }))
        }
        if let fresh {
            made.withLock { $0 = fresh }
            return fresh
        }
        return known ?? Made(change: 0, index: ArticleIndex([], words), articles: [:])
    }

    /// The best answers for somebody at such an organisation with these roles; `nil` = for all audiences. An article
    /// whose review date has passed stands behind the others.
    func search(
        _ text: String, audience: (kind: String?, roles: Set<String>)?, on today: CalendarDate
    ) throws -> (answers: [Answer], terms: [String]) {
        let made = try present()
        let result = made.index.search(text)
        let answers = result.hits.compactMap { hit -> Answer? in
            guard let article = made.articles[hit.id] else { return nil }
            if let audience, !article.isFor(audience.kind, audience.roles) { return nil }
            return Answer(article: article, score: hit.score, isExpired: article.isExpired(on: today))
        }
        let ordered = answers.filter { !$0.isExpired } + answers.filter(\.isExpired)
        return (Array(ordered.prefix(Self.shown)), result.terms)
    }
}
