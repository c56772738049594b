import HostContract
package import Logging
package import PluginAPI

/// Runs the jobs of the plugins and of the Host by the Host's clock: one run of a job at a time, none while
/// its plugin does not serve, and a run that was missed is made up once.
package actor JobScheduler: PluginFollower {
    /// A job as operators see it.
    package struct Report: Sendable {
        package let plugin: String
        package let name: String
        package let schedule: String
        package let lastRun: Instant?
        package let lastOutcome: String
        package let nextRun: Instant?
    }

    private struct Entry {
        let job: ScheduledJob
        var last: JobOutcome?
        var due: Instant?
        var run: Task<String, any Error>?
    }

    /// A run is cancelled after this; a job that needs longer works in steps.
    private static let boundMilliseconds = 3_600_000

    private let store: DeferredStore
    private let clock: any HostClock
    private let logger: Logger
    private var entries: [JobKey: Entry] = [:]
    private var active: Set<String> = []
    private var ticker: Task<Void, Never>?
    private var onOutcome: (@Sendable (_ plugin: String, _ because: String?) -> Void)?

    package init(store: DeferredStore, clock: any HostClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// - Parameter told: is told after each run whether the plugin has a job that fails.
    package func add(
        plugin: String, jobs: [ScheduledJob], told: (@Sendable (String, String?) -> Void)? = nil
    ) {
        if let told { onOutcome = told }
        for job in jobs { entries[JobKey(plugin: plugin, name: job.name)] = Entry(job: job) }
    }

    // MARK: Following the plugins

    package func resume(plugin: String) {
        active.insert(plugin)
        let now = clock.now
        for (key, entry) in entries where key.plugin == plugin {
            let last = entry.last ?? (try? store.read { try JobOutcome.find(key, in: $0) })
            entries[key]?.last = last
            entries[key]?.due = entry.job.schedule.due(after: last, now: now)
        }
    }

    /// No run begins any more; one that is under way goes on and is counted to the plugin's drain by itself.
    package func pause(plugin: String) async {
        active.remove(plugin)
        for (key, entry) in entries where key.plugin == plugin {
            entries[key]?.due = nil
            guard let run = entry.run else { continue }
            run.cancel()
            _ = try? await bounded("a job", milliseconds: 5_000) { try await run.value }
        }
    }

    // MARK: Running

    /// Looks at the clock every second from now on.
    package func start() {
        guard ticker == nil else { return }
        ticker = Task { [weak self] in
            while !Task.isCancelled {
                await self?.begin()
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    package func stop() async {
        ticker?.cancel()
        ticker = nil
        for plugin in active { await pause(plugin: plugin) }
    }

    /// Runs everything that is due and waits for all that runs: for tests that move the clock.
    package func runDue() async {
        begin()
        for run in entries.values.compactMap(\.run) { _ = try? await run.value }
    }

    private func begin() {
        let now = clock.now
        for (key, entry) in entries.sorted(by: { $0.key.name < $1.key.name }) {
            guard active.contains(key.plugin), entry.run == nil, let due = entry.due, due <= now else {
                continue
            }
            _ = launch(key, entry.job)
        }
    }

    /// Runs a job now, beside its schedule, and waits for it.
    /// - Throws: `NOT_FOUND`, `STATE_WRONG` while it runs or its plugin does not serve, or what the job
    ///   throws.
    package func run(plugin: String, name: String) async throws -> String {
        let key = JobKey(plugin: plugin, name: name)
        guard let entry = entries[key] else {
            throw Failure(HostReasons.notFound, "The plugin has no job of that name.")
        }
        guard active.contains(plugin) else {
            throw Failure(HostReasons.stateWrong, "The plugin does not serve, so its jobs wait.")
        }
        guard entry.run == nil else { throw Failure(HostReasons.stateWrong, "The job is running.") }
        return try await launch(key, entry.job).value
    }

    private func launch(_ key: JobKey, _ job: ScheduledJob) -> Task<String, any Error> {
        let startedAt = clock.now
        let run = Task {
            let result: Result<String, any Error>
            do {
                result = .success(try await bounded("the job", milliseconds: Self.boundMilliseconds, job.run))
            } catch {
                result = .failure(error)
            }
            await self.ended(key, startedAt: startedAt, result)
            return try result.get()
        }
        entries[key]?.run = run
        return run
    }

    private func ended(_ key: JobKey, startedAt: Instant, _ result: Result<String, any Error>) async {
        let text: String
        switch result {
        case .success(let line): text = line
        case .failure(let error):
            text = (error as? Failure)?.message ?? "failed; the log says why"
            logger.error(
                "job failed",
                metadata: ["plugin": "\(key.plugin)", "job": "\(key.name)", "error": "\(error)"])
        }
        let succeeded = (try? result.get()) != nil
        let outcome = JobOutcome(
            startedAt: startedAt, endedAt: clock.now, succeeded: succeeded,
            outcome: String(text.prefix(1_000)))
        do {
            // Not through the audit chain: that a job ran says nothing; what it changed has its own row.
            try await store.current().database.write { try outcome.keep(key, in: $0) }
        } catch {
            logger.error("outcome of a job not kept", metadata: ["job": "\(key.name)", "error": "\(error)"])
        }
        guard var entry = entries[key] else { return }
        entry.run = nil
        entry.last = outcome
        entry.due = active.contains(key.plugin) ? entry.job.schedule.due(after: outcome, now: clock.now) : nil
        entries[key] = entry
        let failing = entries.filter { $0.key.plugin == key.plugin && $0.value.last?.succeeded == false }.map(
            \.key.name)
        onOutcome?(
            key.plugin, failing.isEmpty ? nil : "job \(failing.sorted().joined(separator: ", ")) failed")
    }

    // MARK: For operators

    package func reports() -> [Report] {
        entries.sorted { ($0.key.plugin, $0.key.name) < ($1.key.plugin, $1.key.name) }.map { key, entry in
            let last = entry.last ?? (try? store.read { try JobOutcome.find(key, in: $0) })
            return Report(
                plugin: key.plugin, name: key.name, schedule: entry.job.schedule.text,
                lastRun: last?.startedAt,
                lastOutcome: last?.outcome ?? "", nextRun: entry.due)
        }
    }
}
