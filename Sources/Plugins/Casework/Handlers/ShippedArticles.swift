import PluginAPI

/// The articles that come with the plugin: published at the first start; a later release's changed text follows only
/// where no editor has changed the article since.
enum ShippedArticles {
    static let actor = "shipped"

    /// Safe to call at every start.
    static func load(_ context: PluginContext) async throws {
        let now = context.clock.now
        let shipped = try ArticleFile.read(PackageResources.articles_txt, publishedAt: now, by: actor)
        try await context.store.write(actor: actor) { transaction in
            for var article in shipped {
                if let latest = try ArticleStore.article(article.id, transaction) {
                    guard latest.publishedBy == actor, isOther(article, latest) else { continue }
                    article.version = latest.version + 1
                }
                try ArticleStore.add(article, in: transaction)
                transaction.audit(
                    AuditNote(object: "article/\(article.id)", detail: "shipped version \(article.version)"))
            }
        }
    }

    private static func isOther(_ left: ArticleRecord, _ right: ArticleRecord) -> Bool {
        var same = left
        same.version = right.version
        same.publishedAt = right.publishedAt
        return same != right
    }
}
