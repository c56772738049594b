import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CaseworkPlugin

@Suite("Help articles")
struct SearchTests {
    @Test(
        "what people type finds the article they need, with synonyms, endings and typing errors",
        arguments: [
            ("fit note", "order-fit-notes"), ("med3", "order-fit-notes"),
            ("fitnotes order", "order-fit-notes"),
            ("pads", "order-prescription-pads"), ("order FP10", "order-prescription-pads"),
            ("prescripton pads", "order-prescription-pads"),
            ("forgot my pasword", "log-in-and-second-factor"),
            ("authenticater lost", "log-in-and-second-factor"),
            ("merging two practices", "merge-or-close-a-practice"),
            ("amalgamation", "merge-or-close-a-practice"),
            ("mergre", "merge-or-close-a-practice"), ("bank acount number", "change-bank-details"),
            ("QOF achievment", "cqrs-declare-achievement"),
            ("registraton code expired", "get-your-registration-code"),
            ("lloyd george notes missing", "medical-record-not-arrived"),
            ("locum form B", "locum-pension-forms"), ("global sum", "global-sum-changed"),
            ("remittance", "read-your-payment-statement"),
        ])
    func ranking(_ text: String, _ expected: String) throws {
        let articles = try ArticleFile.read(
            PackageResources.articles_txt, publishedAt: Instant(microsecondsSince1970: 0), by: "shipped")
        let index = ArticleIndex(
            articles.map { .init(id: $0.id, title: $0.title, keywords: $0.keywords, body: $0.body) },
            try CaseworkReference().words)
        #expect(index.search(text).hits.first?.id == expected)
    }

    @Test("about twenty articles ship, complete, and nonsense finds none")
    func shipped() throws {
        let articles = try ArticleFile.read(
            PackageResources.articles_txt, publishedAt: Instant(microsecondsSince1970: 0), by: "shipped")
        #expect((15...25).contains(articles.count))
        #expect(Set(articles.map(\.id)).count == articles.count)
        #expect(articles.allSatisfy { Set($0.kinds).isSubset(of: OrganisationKind.audienceNames) })
        let index = ArticleIndex(
            articles.map { .init(id: $0.id, title: $0.title, keywords: $0.keywords, body: $0.body) },
            try CaseworkReference().words)
        #expect(index.search("xylophone quartz").hits.isEmpty)
        #expect(index.search("how do I").hits.isEmpty)
    }

    @Test("letters put in, left out, exchanged or swapped are one step each; a long word forgives two")
    func distance() {
        #expect(TypoDistance.between("merge", "merge", limit: 1) == 0)
        #expect(TypoDistance.between("merge", "mereg", limit: 1) == 1)
        #expect(TypoDistance.between("claim", "claims", limit: 1) == 1)
        #expect(TypoDistance.between("clam", "claims", limit: 1) == nil)
        #expect(TypoDistance.between("registration", "regstraton", limit: 2) == 2)
        #expect(
            [3, 4, 7, 8].map { TypoDistance.allowed(for: String(repeating: "a", count: $0)) } == [0, 1, 1, 2])
    }

    @Test("logarithms in whole numbers are right to the thousandth")
    func logarithm() {
        #expect(ArticleIndex.naturalLogarithm(1_000) == 0)
        #expect(abs(ArticleIndex.naturalLogarithm(2_718) - 1_000) <= 2)
        #expect(abs(ArticleIndex.naturalLogarithm(10_000) - 2_303) <= 2)
        #expect(abs(ArticleIndex.naturalLogarithm(42_000) - 3_738) <= 2)
    }

    @Test("numbers that could be somebody's are not kept")
    func masking() {
        #expect(SearchText.masked("Patient 943 476 5919 not found") == "patient # not found")
        #expect(SearchText.masked("claim of 2026 quarter 4") == "claim of 2026 quarter 4")
    }

    @Test(
        "an editor's new version is found at once, an expired one stands last, unanswered searches are reported on Monday"
    )
    func editing() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let editor = try await host.articles(try await host.member("editor", [Roles.articleEditor]))
            let reader = try await host.member("reader", [Roles.mainContact])
            let search = try await host.articles(reader)
            func find(_ text: String) async throws -> Pcs_Casework_V1_SearchArticlesResponse {
                try await search.searchArticles(
                    .with {
                        $0.text = text
                        $0.allAudiences = true
                    })
            }
            #expect(try await find("zebra crossing").answers.isEmpty)
            var article = Pcs_Casework_V1_PublishArticleRequest.with {
                $0.articleID = "zebras"
                $0.title = "About zebras"
                $0.body = "Zebras cross where they please, and payments go on."
                $0.owner = "payments"
                $0.reviewOn = Pcs_Common_V1_Date(day("2026-03-20"))
            }
            let first = article
            #expect(try await editor.publishArticle(first).version == 1)
            #expect(
                await refusal { try await editor.publishArticle(first) } == CaseworkReasons.articleChanged)
            #expect(await refusal { try await search.publishArticle(first) } != nil)
            #expect(try await find("zebra").answers.map(\.articleID) == ["zebras"])
            article.basedOnVersion = 1
            article.title = "Zebra statements"
            #expect(try await editor.publishArticle(article).version == 2)
            #expect(try await find("zebra statement").answers.first?.articleID == "zebras")
            #expect(
                try await editor.getArticle(
                    .with {
                        $0.articleID = "zebras"; $0.version = 1
                    }
                ).title == "About zebras")

            host.clock.set(day("2026-03-23"), hour: 5)
            let later = try await find("zebra statement")
            #expect(later.answers.count > 1)
            #expect(later.answers.last?.articleID == "zebras" || later.answers.first?.articleID != "zebras")
            #expect(later.answers.count <= 5)
            _ = try await search.recordHelped(.with { $0.searchID = later.searchID })
            try await host.advance(milliseconds: 2 * 3_600_000)
            let told = try await host.messages(try await host.member("second-editor", [Roles.articleEditor]))
                .listMessages(.init()).messages
            #expect(
                told.contains {
                    $0.body.contains("1 x zebra crossing") && $0.body.contains("To be reviewed: zebras")
                })
        }
    }
}
