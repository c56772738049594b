import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// "How can we help?"
struct ArticleHandlers: Pcs_Casework_V1_ArticleService {
    let context: PluginContext
    let search: ArticleSearch

    // MARK: Searching

    func searchArticles(
        _ request: Pcs_Casework_V1_SearchArticlesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_SearchArticlesResponse {
        var fields = RequestFields()
        fields.text(request.text, "text", 1...200, "14.3")
        try fields.finish()
        let acting = call.caller.actingFor
        let kind = ODSCode(acting).flatMap {
            context.organisations.organisation($0, at: call.today)?.kind.audienceName
        }
        let audience = request.allAudiences ? nil : (kind: kind, roles: call.caller.roleNames)
        let found = try search.search(request.text, audience: audience, on: call.today)
        return try await call.commit { transaction in
            let id = transaction.newIdentifier()
            try ArticleStore.addSearch(
                id, SearchText.masked(request.text).trimmingSpaces, by: call.caller.responsible, at: acting,
                answers: found.answers.count, in: transaction)
            return .with { response in
                response.searchID = id
                response.understoodAs = found.terms.joined(separator: " ")
                response.answers = found.answers.map { answer in
                    .with {
                        $0.articleID = answer.article.id
                        $0.title = answer.article.title
                        $0.extract = answer.article.extract
                        $0.expired = answer.isExpired
                        $0.score = Int64(answer.score)
                    }
                }
            }
        }
    }

    func getArticle(
        _ request: Pcs_Casework_V1_GetArticleRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Article {
        let article = try context.store.read {
            try ArticleStore.article(request.articleID, version: Int64(request.version), $0)
        }
        guard let article else { throw Failure(CaseworkReasons.articleNotFound) }
        return Pcs_Casework_V1_Article(article, on: call.today)
    }

    func recordHelped(
        _ request: Pcs_Casework_V1_RecordHelpedRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_RecordHelpedResponse {
        try await call.commit { transaction in
            guard try ArticleStore.searcher(of: request.searchID, transaction) == call.caller.responsible
            else {
                throw Failure(CaseworkReasons.searchNotFound)
            }
            if !request.articleID.isEmpty, try ArticleStore.article(request.articleID, transaction) == nil {
                throw Failure(CaseworkReasons.articleNotFound)
            }
            try ArticleStore.setHelped(
                request.searchID, request.helped, article: request.articleID, in: transaction)
            return Pcs_Casework_V1_RecordHelpedResponse()
        }
    }

    // MARK: Editing

    func listArticles(
        _ request: Pcs_Casework_V1_ListArticlesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListArticlesResponse {
        let articles = try context.store.read { try ArticleStore.latest($0) }
        return .with { response in
            response.articles = articles.map { Pcs_Casework_V1_Article($0, on: call.today) }
                .filter { !request.expiredOnly || ($0.expired && !$0.withdrawn) }
        }
    }

    func publishArticle(
        _ request: Pcs_Casework_V1_PublishArticleRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Article {
        let reviewOn = try check(request, call)
        return try await call.commit { transaction in
            let latest = try ArticleStore.article(request.articleID, transaction)
            guard (latest?.version ?? 0) == Int64(request.basedOnVersion) else {
                throw Failure(CaseworkReasons.articleChanged)
            }
            let article = ArticleRecord(
                id: request.articleID, version: (latest?.version ?? 0) + 1, title: request.title,
                body: request.body,
                keywords: request.keywords, kinds: request.organisationKinds,
                roles: request.roles.compactMap(RoleNames.name), owner: request.owner, reviewOn: reviewOn,
                publishedAt: transaction.now, publishedBy: call.caller.responsible)
            try ArticleStore.add(article, in: transaction)
            transaction.audit(
                AuditNote(object: "article/\(article.id)", detail: "published version \(article.version)"))
            return Pcs_Casework_V1_Article(article, on: call.today)
        }
    }

    private func check(_ request: Pcs_Casework_V1_PublishArticleRequest, _ call: CallContext) throws
        -> CalendarDate
    {
        var fields = RequestFields()
        if !ArticleRecord.isIdentifier(request.articleID) {
            fields.refuse("article_id", "14.3", "An article is named in lower case words with hyphens.")
        }
        fields.text(request.title, "title", 5...120, "14.3")
        fields.text(request.body, "body", 20...8_000, "14.3")
        fields.text(request.owner, "owner", 1...120, "14.3")
        if request.keywords.count > 30
            || request.keywords.contains(where: { !(1...60).contains($0.count) || $0.contains("\n") })
        {
            fields.refuse("keywords", "14.3", "At most 30 keywords of 1 to 60 characters.")
        }
        let kinds = OrganisationKind.audienceNames
        for kind in request.organisationKinds where !kinds.contains(kind) {
            fields.refuse(
                "organisation_kinds", "14.3", "The kinds are \(kinds.sorted().joined(separator: ", ")).")
        }
        if request.roles.contains(where: { RoleNames.name($0) == nil }) {
            fields.refuse("roles", "14.3", "One of the roles is not known.")
        }
        let reviewOn = fields.day(request.reviewOn, isSet: request.hasReviewOn, "review_on")
        if let reviewOn, reviewOn <= call.today {
            fields.refuse("review_on", "14.3", "The review is on a day to come.")
        }
        try fields.finish()
        guard let reviewOn else { throw Failure(HostReasons.fieldInvalid) }
        return reviewOn
    }

    func withdrawArticle(
        _ request: Pcs_Casework_V1_WithdrawArticleRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Article {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            guard var article = try ArticleStore.article(request.articleID, transaction) else {
                throw Failure(CaseworkReasons.articleNotFound)
            }
            // Withdrawing is a version too: what was shown when stays answerable.
            article.version += 1
            article.isWithdrawn = true
            article.publishedAt = transaction.now
            article.publishedBy = call.caller.responsible
            try ArticleStore.add(article, in: transaction)
            transaction.audit(
                AuditNote(object: "article/\(article.id)", detail: "withdrawn: \(request.reason)"))
            return Pcs_Casework_V1_Article(article, on: call.today)
        }
    }

    func listUnansweredSearches(
        _ request: Pcs_Casework_V1_ListUnansweredSearchesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListUnansweredSearchesResponse {
        var fields = RequestFields()
        let from = fields.day(request.from, isSet: request.hasFrom, "from")
        let to = fields.day(request.to, isSet: request.hasTo, "to")
        try fields.finish()
        guard let from, let to else { throw Failure(HostReasons.fieldInvalid) }
        let rows = try context.store.read {
            try ArticleStore.unanswered(
                from: LondonTime.instant(on: from, minute: 0),
                to: LondonTime.instant(on: to.adding(days: 1), minute: 0),
                limit: 500, $0)
        }
        return .with { response in
            response.searches = rows.map { row in
                .with {
                    $0.text = row.text
                    $0.times = row.times
                    $0.hadAnswers = row.hadAnswers
                }
            }
        }
    }
}
