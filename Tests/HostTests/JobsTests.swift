import CommonContract
import Foundation
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Jobs and the London clock")
struct JobsTests {
    private func jobs(_ host: TestHost) async throws -> [String: Pcs_Host_V1_Job] {
        let listed = try await Pcs_Host_V1_JobServiceClient(try await host.transport()).listJobs(.init()).jobs
        return Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0) })
    }

    @Test("a job runs when it is due by the host's clock, and its outcome is kept over a restart")
    func every() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            try await host.advance(milliseconds: 0)
            #expect(try await jobs(host)["count"]?.lastOutcome == "run 1")
            try await host.advance(milliseconds: 30_000)
            #expect(try await jobs(host)["count"]?.lastOutcome == "run 1")
            try await host.advance(milliseconds: 31_000)
            #expect(try await jobs(host)["count"]?.lastOutcome == "run 2")
            try await host.restart()
            #expect(try await jobs(host)["count"]?.lastOutcome.hasPrefix("run") == true)
            #expect(try await jobs(host)["count"]?.schedule == "every 60 s")
        }
    }

    @Test("a daily job that was missed is made up once")
    func misfire() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            #expect(try await jobs(host)["nightly"]?.hasLastRun == false)
            try await host.advance(days: 1)
            let first = try #require(try await jobs(host)["nightly"]?.lastRun)
            host.clock.advance(days: 5)
            try await host.restart()
            try await host.advance(milliseconds: 0)
            let made = try #require(try await jobs(host)["nightly"]?.lastRun)
            #expect(made.seconds > first.seconds)
            try await host.advance(milliseconds: 60_000)
            #expect(try await jobs(host)["nightly"]?.lastRun == made)
        }
    }

    @Test("a job that fails marks its plugin, without telling why to callers")
    func failing() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let service = Pcs_Host_V1_JobServiceClient(try await host.transport())
            let refused = await failure {
                _ = try await service.runJob(
                    .with {
                        $0.plugin = "trial"; $0.name = "failing"
                    })
            }
            #expect(refused?.reason.name == "INTERNAL")
            let listed = try await Pcs_Host_V1_PluginServiceClient(try await host.transport()).listPlugins(
                .init()
            ).plugins
            #expect(listed.first?.state == .degraded)
            #expect(listed.first?.because == "job failing failed")
        }
    }

    @Test("jobs wait while their plugin is disabled")
    func paused() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            try await host.advance(milliseconds: 0)
            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            _ = try await plugins.disablePlugin(
                .with {
                    $0.name = "trial"; $0.reason = "test"
                })
            let before = try await jobs(host)["count"]?.lastRun
            try await host.advance(days: 2)
            #expect(try await jobs(host)["count"]?.lastRun == before)
            #expect(try await jobs(host)["count"]?.hasNextRun == false)
            let refused = await failure {
                _ = try await Pcs_Host_V1_JobServiceClient(try await host.transport()).runJob(
                    .with {
                        $0.plugin = "trial"; $0.name = "count"
                    })
            }
            #expect(refused?.reason == HostReasons.stateWrong)
            _ = try await plugins.enablePlugin(.with { $0.name = "trial" })
            try await host.advance(milliseconds: 0)
            #expect(try await jobs(host)["count"]?.lastRun != before)
        }
    }

    @Test("running a job by hand is audited")
    func byHand() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let service = Pcs_Host_V1_JobServiceClient(try await host.transport(.unixSocket))
            #expect(
                try await service.runJob(
                    .with {
                        $0.plugin = "trial"; $0.name = "nightly"
                    }
                ).outcome == "slept")
            let rows = try host.process.store().auditRows(from: 0, limit: 100)
            #expect(rows.contains { $0.note.object == "job/trial/nightly" })
            let unknown = await failure {
                _ = try await service.runJob(
                    .with {
                        $0.plugin = "trial"; $0.name = "none"
                    })
            }
            #expect(unknown?.reason == HostReasons.notFound)
        }
    }

    private func utc(_ text: String) throws -> Instant {
        let date = try #require(ISO8601DateFormatter().date(from: text))
        return Instant(microsecondsSince1970: Int64(date.timeIntervalSince1970) * 1_000_000)
    }

    @Test("the day changes at midnight in London, in summer an hour before UTC's")
    func londonDay() throws {
        let london = LondonTime.self
        #expect(london.day(at: try utc("2026-01-15T23:59:59Z")).description == "2026-01-15")
        #expect(london.day(at: try utc("2026-07-15T22:59:59Z")).description == "2026-07-15")
        #expect(london.day(at: try utc("2026-07-15T23:00:00Z")).description == "2026-07-16")
        #expect(london.day(at: try utc("1969-12-31T12:00:00Z")).description == "1969-12-31")
    }

    @Test("a time that spring skips comes an hour later, and one that autumn repeats comes first")
    func changes() throws {
        let london = LondonTime.self
        let spring = try #require(CalendarDate(iso8601: "2026-03-29"))
        let autumn = try #require(CalendarDate(iso8601: "2026-10-25"))
        #expect(london.instant(on: spring, hour: 1, minute: 30) == (try utc("2026-03-29T01:30:00Z")))
        #expect(london.instant(on: spring, hour: 2, minute: 30) == (try utc("2026-03-29T01:30:00Z")))
        #expect(london.instant(on: autumn, hour: 1, minute: 30) == (try utc("2026-10-25T00:30:00Z")))
        #expect(london.instant(on: autumn, hour: 2, minute: 30) == (try utc("2026-10-25T02:30:00Z")))
        #expect(
            london.next(after: try utc("2026-06-01T04:00:00Z"), hour: 5, minute: 0)
                == (try utc("2026-06-02T04:00:00Z")))
    }
}
