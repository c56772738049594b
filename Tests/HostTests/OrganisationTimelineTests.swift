import PluginAPI
import Testing

@testable import Host

@Suite("Organisations and relations over time")
struct OrganisationTimelineTests {
    private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text)) }

    private func stated(
        _ status: OrganisationStatus = .active, name: String = "A", opened: String = "2000-01-01",
        closed: String? = nil
    ) throws -> StatedOrganisation {
        StatedOrganisation(
            code: try #require(ODSCode("A81001")), kind: .practice, name: name, status: status,
            openedOn: try day(opened), closedOn: try closed.map { try day($0) })
    }

    private func status(_ timeline: OrganisationTimeline, _ text: String) throws -> OrganisationStatus? {
        timeline.slice(at: try day(text))?.status
    }

    @Test("a closed practice was open until its last day")
    func closedInTheFile() throws {
        let timeline = OrganisationTimeline(
            try stated(.inactive, closed: "2017-10-31"), publishedOn: try day("2026-03-02"))
        #expect(try status(timeline, "1999-12-31") == nil)
        #expect(try status(timeline, "2000-01-01") == .active)
        #expect(try status(timeline, "2017-10-31") == .active)
        #expect(try status(timeline, "2017-11-01") == .inactive)
    }

    @Test("status decides, not a closing day that has passed; one that lies ahead takes effect by date")
    func statusDecides() throws {
        let published = try day("2026-03-02")
        let overdue = OrganisationTimeline(try stated(closed: "2025-03-04"), publishedOn: published)
        #expect(try status(overdue, "2026-03-16") == .active)
        let ahead = OrganisationTimeline(try stated(closed: "2026-03-31"), publishedOn: published)
        #expect(try status(ahead, "2026-03-31") == .active)
        #expect(try status(ahead, "2026-04-01") == .inactive)
        let coming = OrganisationTimeline(try stated(opened: "2026-04-01"), publishedOn: published)
        #expect(try status(coming, "2026-03-16") == .proposed)
        #expect(try status(coming, "2026-04-01") == .active)
    }

    @Test("a new name holds from the day of publication and leaves the past as it was")
    func renamed() throws {
        let old = try stated()
        let new = try stated(name: "B")
        let timeline = OrganisationTimeline(old, publishedOn: try day("2026-01-02"))
            .stating(new, after: old, publishedOn: try day("2026-03-02"))
        #expect(timeline.slice(at: try day("2026-03-01"))?.name == "A")
        #expect(timeline.slice(at: try day("2026-03-02"))?.name == "B")
        #expect(timeline.slices.count == 2)
    }

    @Test("a closing learnt late changes the past, and its closing day shows on the days before")
    func closedLate() throws {
        let old = try stated()
        let new = try stated(.inactive, closed: "2026-01-31")
        let timeline = OrganisationTimeline(old, publishedOn: try day("2026-01-02"))
            .stating(new, after: old, publishedOn: try day("2026-03-02"))
        #expect(try status(timeline, "2026-01-31") == .active)
        #expect(try status(timeline, "2026-02-01") == .inactive)
        #expect(timeline.slice(at: try day("2020-01-01"))?.closedOn == (try day("2026-01-31")))
    }

    @Test("section 16, example 21: closed yesterday and active today leaves the time between closed")
    func reopened() throws {
        let old = try stated(.inactive, closed: "2025-12-31")
        let new = try stated()
        let timeline = OrganisationTimeline(old, publishedOn: try day("2026-01-02"))
            .stating(new, after: old, publishedOn: try day("2026-03-02"))
        #expect(try status(timeline, "2025-12-31") == .active)
        #expect(try status(timeline, "2026-01-01") == .inactive)
        #expect(try status(timeline, "2026-03-01") == .inactive)
        #expect(try status(timeline, "2026-03-02") == .active)
    }

    @Test("a corrected opening day moves the beginning, a corrected closing day the end")
    func corrected() throws {
        let published = try day("2026-01-02")
        let old = try stated(.inactive, closed: "2017-10-31")
        let earlier = OrganisationTimeline(old, publishedOn: published)
            .stating(
                try stated(.inactive, opened: "1990-01-01", closed: "2017-10-31"), after: old,
                publishedOn: published)
        #expect(try status(earlier, "1995-01-01") == .active)
        let longer = OrganisationTimeline(old, publishedOn: published)
            .stating(try stated(.inactive, closed: "2018-03-31"), after: old, publishedOn: published)
        #expect(try status(longer, "2018-03-31") == .active && status(longer, "2018-04-01") == .inactive)
        let shorter = OrganisationTimeline(old, publishedOn: published)
            .stating(try stated(.inactive, closed: "2016-03-31"), after: old, publishedOn: published)
        #expect(try status(shorter, "2016-03-31") == .active && status(shorter, "2016-04-01") == .inactive)
    }

    @Test(
        "whatever follows whatever, slices stand in order without overlap, and the last statement holds today"
    )
    func anySequence() throws {
        var generator = RegisterRandom(seed: 7)
        let days = (0..<40).map { CalendarDate(daysSince1970: 20_000 + Int32($0) * 10) }
        for _ in 0..<2_000 {
            var published = CalendarDate(daysSince1970: 20_100)
            func any() throws -> StatedOrganisation {
                var facts = try stated(
                    [.active, .inactive, .dormant, .proposed].randomElement(using: &generator) ?? .active,
                    name: ["A", "B"].randomElement(using: &generator) ?? "A")
                facts.openedOn = days[0..<10].randomElement(using: &generator)
                facts.closedOn =
                    facts.status == .inactive ? days[10..<20].randomElement(using: &generator) : nil
                return facts
            }
            var last = try any()
            var timeline = OrganisationTimeline(last, publishedOn: published)
            for _ in 0..<4 {
                published = published.adding(days: Int.random(in: 0...60, using: &generator))
                let next = try any()
                timeline = timeline.stating(next, after: last, publishedOn: published)
                last = next
            }
            for (left, right) in zip(timeline.slices, timeline.slices.dropFirst()) {
                #expect(left.to < right.from)
            }
            #expect(timeline.slices.allSatisfy { $0.from <= $0.to })
            let future = published.adding(days: 400)
            #expect(timeline.slice(at: future)?.status == last.status)
            #expect(timeline.slice(at: future)?.name == last.name)
        }
    }

    @Test("a commissioner follows another from the day stated, or from publication, or always")
    func commissioners() throws {
        let practice = try #require(ODSCode("A81001"))
        func link(_ parent: String, from: String? = nil, to: String? = nil) throws -> StatedLink {
            StatedLink(
                child: practice, parent: try #require(ODSCode(parent)), from: try from.map { try day($0) },
                to: try to.map { try day($0) }, line: 1)
        }
        let published = try day("2026-03-02")
        let first = LinkTimeline().stating(try link("00K", from: "2013-04-01"), publishedOn: published)
        let second = first.stating(try link("16C", from: "2020-04-01"), publishedOn: published)
        #expect(second.slices.map(\.parent.value) == ["00K", "16C"])
        #expect(second.slices.first?.to == (try day("2020-03-31")))
        #expect(second.stating(try link("16C", from: "2020-04-01"), publishedOn: published) == second)
        let corrected = second.stating(try link("16C", from: "2020-07-01"), publishedOn: published)
        #expect(corrected.slices.map(\.from) == [try day("2013-04-01"), try day("2020-07-01")])

        let undated = LinkTimeline().stating(try link("QHM"), publishedOn: published)
        #expect(undated.slices.first?.from == .unboundedStart)
        #expect(undated.stating(try link("QHM"), publishedOn: published) == undated)
        let moved = undated.stating(try link("QT1"), publishedOn: published)
        #expect(moved.slices.map(\.from) == [.unboundedStart, published])
        let ended = moved.stating(nil, publishedOn: try day("2026-04-01"))
        #expect(ended.slices.last?.to == (try day("2026-03-31")))
        let closed = first.stating(
            try link("00K", from: "2013-04-01", to: "2017-10-31"), publishedOn: published)
        #expect(closed.slices.map(\.to) == [try day("2017-10-31")])
    }
}
