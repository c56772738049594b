import PluginAPI

/// The help articles that ship with the plugin, one after the other in one text file:
///
/// ```
/// # order-prescription-pads
/// title: Order prescription pads
/// keywords: FP10, pads
/// kinds: practice
/// roles:
/// owner: supplies
/// review_on: 2027-03-31
///
/// The text, in paragraphs.
/// ```
enum ArticleFile {
    /// Throws `ReferenceFileFault`.
    static func read(_ bytes: [UInt8], publishedAt: Instant, by: String) throws -> [ArticleRecord] {
        var articles: [ArticleRecord] = []
        let text = String(decoding: bytes, as: UTF8.self)
        for part in ("\n" + text).split(separator: "\n# ", omittingEmptySubsequences: true) {
            let lines = part.split(separator: "\n", omittingEmptySubsequences: false)
            let id = String(lines.first ?? "").trimmingSpaces
            guard !id.isEmpty else { continue }
            guard let article = article(id, lines.dropFirst(), publishedAt, by) else {
                throw ReferenceFileFault(
                    file: "articles.txt",
                    violations: [Violation(field: id, rule: "CR04", message: "the article is not complete")])
            }
            articles.append(article)
        }
        return articles
    }

    private static func article(
        _ id: String, _ lines: ArraySlice<Substring>, _ publishedAt: Instant, _ by: String
    ) -> ArticleRecord? {
        var fields: [String: String] = [:]
        var rest = lines
        while let line = rest.first, let colon = line.firstIndex(of: ":") {
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...]).trimmingSpaces
            rest = rest.dropFirst()
        }
        let body = rest.joined(separator: "\n").trimmingSpaces
        func list(_ name: String) -> [String] {
            (fields[name] ?? "").split(separator: ",").map { String($0).trimmingSpaces }.filter {
                !$0.isEmpty
            }
        }
        guard ArticleRecord.isIdentifier(id), let title = fields["title"], !title.isEmpty, body.count >= 20,
            let owner = fields["owner"], !owner.isEmpty,
            let review = fields["review_on"].flatMap({ CalendarDate(iso8601: $0) }),
            list("roles").allSatisfy(RoleNames.isKnown)
        else { return nil }
        return ArticleRecord(
            id: id, title: title, body: body, keywords: list("keywords"), kinds: list("kinds"),
            roles: list("roles"),
            owner: owner, reviewOn: review, publishedAt: publishedAt, publishedBy: by)
    }
}

extension String {
    /// Without white space at either end.
    var trimmingSpaces: String {
        var slice = self[...]
        while slice.first?.isWhitespace == true { slice.removeFirst() }
        while slice.last?.isWhitespace == true { slice.removeLast() }
        return String(slice)
    }
}
