import PluginAPI

enum ArticleStore {
    private static let columns = """
        article_id, version, title, body, keywords, kinds, roles, owner, review_on, published_at, published_by, withdrawn
        """
    private static let latest = Statement(
        "SELECT \(columns) FROM article WHERE latest = 1 ORDER BY article_id")
    private static let latestOf = Statement(
        "SELECT \(columns) FROM article WHERE article_id = ?1 AND latest = 1")
    private static let version = Statement(
        "SELECT \(columns) FROM article WHERE article_id = ?1 AND version = ?2")
    private static let supersede = Statement(
        "UPDATE article SET latest = 0 WHERE article_id = ?1 AND latest = 1")
    private static let insert = Statement(
        """
        INSERT INTO article (\(columns), latest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1)
        """)
    private static let insertSearch = Statement(
        """
        INSERT INTO article_search (search_id, asked_by, body, organisation, asked_at, answers, helped, article_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, '')
        """)
    private static let search = Statement("SELECT asked_by FROM article_search WHERE search_id = ?1")
    private static let setHelped = Statement(
        "UPDATE article_search SET helped = ?2, article_id = ?3 WHERE search_id = ?1")
    private static let unanswered = Statement(
        """
        SELECT body, COUNT(*), MAX(answers) FROM article_search
        WHERE asked_at >= ?1 AND asked_at < ?2 AND (answers = 0 OR helped = 0)
        GROUP BY body ORDER BY COUNT(*) DESC, body LIMIT ?3
        """)

    static func latest(_ reader: any Reader) throws -> [ArticleRecord] { try reader.all(latest, [], read) }

    /// - Parameter version: 0 = the latest.
    static func article(_ id: String, version number: Int64 = 0, _ reader: any Reader) throws
        -> ArticleRecord?
    {
        if number == 0 { return try reader.first(latestOf, [.text(id)], read) }
        return try reader.first(version, [.text(id), .integer(number)], read)
    }

    /// A new version beside the earlier ones.
    static func add(_ article: ArticleRecord, in transaction: any Transaction) throws {
        try transaction.run(supersede, [.text(article.id)])
        try transaction.run(
            insert,
            [
                .text(article.id), .integer(article.version), .text(article.title), .text(article.body),
                StoredList.text(article.keywords), StoredList.text(article.kinds),
                StoredList.text(article.roles),
                .text(article.owner), .date(article.reviewOn), .instant(article.publishedAt),
                .text(article.publishedBy), .flag(article.isWithdrawn),
            ])
        _ = try CounterStore.next("articles", in: transaction)
    }

    private static func read(_ row: any Row) throws -> ArticleRecord {
        ArticleRecord(
            id: row.text(0), version: row.integer(1), title: row.text(2), body: row.text(3),
            keywords: StoredList.list(row.text(4)), kinds: StoredList.list(row.text(5)),
            roles: StoredList.list(row.text(6)), owner: row.text(7), reviewOn: try row.date(8),
            publishedAt: row.instant(9), publishedBy: row.text(10), isWithdrawn: row.bool(11))
    }

    // MARK: Searches

    static func addSearch(
        _ id: String, _ text: String, by person: String, at organisation: String, answers: Int,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertSearch,
            [
                .text(id), .text(person), .text(text), .text(organisation), .instant(transaction.now),
                .integer(answers),
            ])
    }

    /// Who asked; `nil` when there is no such search.
    static func searcher(of id: String, _ reader: any Reader) throws -> String? {
        try reader.first(search, [.text(id)]) { $0.text(0) }
    }

    static func setHelped(_ id: String, _ helped: Bool, article: String, in transaction: any Transaction)
        throws
    {
        try transaction.run(setHelped, [.text(id), .flag(helped), .text(article)])
    }

    struct Unanswered: Hashable, Sendable {
        var text: String
        var times: Int64
        var hadAnswers: Bool
    }

    static func unanswered(
        from: Instant, to: Instant, limit: Int, _ reader: any Reader
    ) throws -> [Unanswered] {
        try reader.all(unanswered, [.instant(from), .instant(to), .integer(limit)]) {
            Unanswered(text: $0.text(0), times: $0.integer(1), hadAnswers: $0.integer(2) > 0)
        }
    }
}
