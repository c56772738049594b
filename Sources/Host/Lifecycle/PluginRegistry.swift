import HostContract
package import Logging
package import PluginAPI
import Synchronization

/// What the registry switches together with a plugin.
package protocol PluginFollower: Sendable {
    /// The plugin serves: take up its events or jobs.
    func resume(plugin: String) async
    /// It does not: let them wait.
    func pause(plugin: String) async
}

/// What a change of a plugin did, or would do.
package struct PluginImpact: Sendable {
    package var callsInFlight = 0
    package var callsCancelled = 0
    package var dependants: [String] = []
    package var jobs: [String] = []
    package var drainedInMilliseconds: Int64 = 0
}

/// All plugins of this host and their lives: starts them, drains and stops them, one change of a plugin at a
/// time, every wait bounded. One that fails to migrate or start is `failed` and leaves the others alone.
package final class PluginRegistry: Sendable {
    package let members: [PluginMember]
    private let byName: [String: PluginMember]
    private let engine: any StorageEngine
    private let clock: any HostClock
    private let limits: HostLimits
    private let logger: Logger
    private let changing = Mutex<Set<String>>([])
    private let followers = Mutex<[any PluginFollower]>([])

    /// - Throws: `SettingsProblem` when two plugins share a name, or one takes the host's.
    package init(
        members: [PluginMember], engine: any StorageEngine, clock: any HostClock, limits: HostLimits,
        logger: Logger
    ) throws {
        var byName: [String: PluginMember] = [:]
        for member in members {
            guard member.name != "host", byName.updateValue(member, forKey: member.name) == nil else {
                throw SettingsProblem(setting: "plugins", message: "two of them are named '\(member.name)'")
            }
        }
        self.members = members
        self.byName = byName
        self.engine = engine
        self.clock = clock
        self.limits = limits
        self.logger = logger
    }

    /// Whatever is to be switched with the plugins; set before `startAll`.
    package func follow(_ follower: any PluginFollower) { followers.withLock { $0.append(follower) } }

    /// - Throws: `NOT_FOUND`.
    package func member(_ name: String) throws -> PluginMember {
        guard let member = byName[name] else {
            throw Failure(HostReasons.notFound, "There is no plugin named '\(name.prefix(64))'.")
        }
        return member
    }

    package func dependants(of name: String) -> [String] {
        members.filter { $0.needs.contains(name) }.map(\.name).sorted()
    }

    // MARK: Starting

    /// Brings every plugin up that is not disabled. Never throws: a plugin that cannot start is `failed`.
    package func startAll(disabled: [String: String]) async {
        for member in members where member.plugin != nil {
            if let because = disabled[member.name] {
                openExisting(member)
                try? member.slot.change(at: clock.now) { try $0.disable(because: because) }
            } else {
                try? await bringUp(member)
            }
        }
    }

    /// Enables a plugin. One that serves already is left as it is.
    /// - Throws: `STATE_WRONG` while another change of it is under way, or with the reason why it could not
    ///   start.
    package func enable(_ name: String) async throws {
        let member = try member(name)
        try await alone(member) {
            guard !member.slot.current.lifecycle.serves else { return }
            try await self.bringUp(member)
        }
    }

    private func bringUp(_ member: PluginMember) async throws {
        let slot = member.slot
        guard let plugin = member.plugin else {
            throw Failure(HostReasons.stateWrong, "The plugin could not be made; it needs another program.")
        }
        try change(slot) { try $0.migrate() }
        do {
            let store =
                try slot.store.opened
                ?? HostStore(database: engine.open(member.name), clock: clock, logger: slot.logger)
            slot.store.open(store)
            let migrations = member.migrations
            let version = try await bounded("its migration", milliseconds: limits.migrateMilliseconds) {
                try await store.migrate(migrations)
            }
            slot.set(schemaVersion: version)
            try change(slot) { try $0.start() }
            try await bounded("its start", milliseconds: limits.lifecycleMilliseconds) {
                try await plugin.start()
            }
            try change(slot) { try $0.becomeReady() }
            for follower in followers.withLock({ $0 }) { await follower.resume(plugin: member.name) }
        } catch {
            slot.logger.error("plugin failed", metadata: ["error": "\(error)"])
            let because = Self.explanation(of: error)
            try? change(slot) { try $0.fail(because: because) }
            throw Failure(
                HostReasons.stateWrong, "The plugin could not be started: \(because).", cause: error)
        }
    }

    /// A disabled plugin's file is open all the same: its chain is verified, its events are delivered, it is
    /// backed up.
    private func openExisting(_ member: PluginMember) {
        do {
            guard try engine.existing().contains(member.name) else { return }
            let store = HostStore(
                database: try engine.open(member.name), clock: clock, logger: member.slot.logger)
            member.slot.store.open(store)
            member.slot.set(schemaVersion: (try? store.appliedVersions().count) ?? 0)
        } catch {
            member.slot.logger.error(
                "the file of a disabled plugin cannot be opened", metadata: ["error": "\(error)"])
        }
    }

    /// What operators may read of an error; the log has the rest.
    private static func explanation(of error: any Error) -> String {
        switch error {
        case let failure as Failure: failure.message
        case let passed as BoundPassed: passed.description
        case StorageError.unusable(let message): message
        default: "the log says why"
        }
    }

    // MARK: Stopping

    /// What disabling would affect.
    package func impact(of name: String) throws -> PluginImpact {
        let member = try member(name)
        return PluginImpact(
            callsInFlight: member.slot.callsInFlight, dependants: dependants(of: name),
            jobs: member.jobs.map(\.name))
    }

    /// Refuses new calls, lets those in flight end within the bound, cancels what remains, stops the plugin.
    /// - Throws: `STATE_WRONG` while another change of it is under way.
    package func disable(_ name: String, because: String, drainMilliseconds: Int) async throws -> PluginImpact
    {
        let member = try member(name)
        return try await alone(member) {
            var impact = try self.impact(of: name)
            if member.slot.current.lifecycle.serves {
                try await self.takeDown(
                    member, because: because, drainMilliseconds: drainMilliseconds, &impact)
            }
            try self.change(member.slot) { try $0.disable(because: because) }
            return impact
        }
    }

    /// Stops every plugin that serves, in the reverse order of starting: for the end of the host, and before
    /// a restore.
    package func stopAll(because: String, drainMilliseconds: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for member in members.reversed() where member.slot.current.lifecycle.serves {
                group.addTask {
                    var impact = PluginImpact()
                    try? await self.takeDown(
                        member, because: because, drainMilliseconds: drainMilliseconds, &impact)
                }
            }
        }
    }

    /// Starts again what `stopAll` has stopped.
    package func startStopped() async {
        for member in members where member.slot.current.lifecycle.phase == .stopped {
            try? await bringUp(member)
        }
    }

    private func takeDown(
        _ member: PluginMember, because: String, drainMilliseconds: Int, _ impact: inout PluginImpact
    ) async throws {
        let slot = member.slot
        let began = MonotonicTime.now
        try change(slot) { try $0.drain(because: because) }
        for follower in followers.withLock({ $0 }) { await follower.pause(plugin: member.name) }
        impact.callsInFlight = slot.callsInFlight
        await callsEnd(in: slot, milliseconds: drainMilliseconds)
        if slot.callsInFlight > 0 {
            impact.callsCancelled = slot.cancelCalls()
            // Handlers that heed cancellation return now; for the others nobody waits.
            await callsEnd(in: slot, milliseconds: 1_000)
        }
        if let plugin = member.plugin {
            await boundedStep("its drain", slot) { await plugin.drain() }
            await boundedStep("its stop", slot) { await plugin.stop() }
        }
        impact.drainedInMilliseconds = Int64((MonotonicTime.now - began) / 1_000_000)
        try change(slot) { try $0.stop() }
    }

    private func callsEnd(in slot: PluginSlot, milliseconds: Int) async {
        let end = MonotonicTime.now + UInt64(milliseconds) * 1_000_000
        while slot.callsInFlight > 0, MonotonicTime.now < end { try? await Task.sleep(for: .milliseconds(2)) }
    }

    private func boundedStep(_ what: String, _ slot: PluginSlot, _ step: @escaping @Sendable () async -> Void)
        async
    {
        do {
            try await bounded(what, milliseconds: limits.lifecycleMilliseconds) { await step() }
        } catch {
            slot.logger.warning("plugin not stopped in order", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Health

    /// Says whether a person should look at a plugin that serves; `nil` = all is well.
    package func assess(_ name: String, because: String?) {
        guard let slot = byName[name]?.slot else { return }
        let lifecycle = slot.current.lifecycle
        guard lifecycle.serves, lifecycle.because != because ?? "" else { return }
        if let because {
            try? change(slot) { try $0.degrade(because: because) }
        } else {
            try? change(slot) { try $0.becomeReady() }
        }
    }

    // MARK: Changes

    private func change(_ slot: PluginSlot, _ transition: (inout PluginLifecycle) throws -> Void) throws {
        do {
            try slot.change(at: clock.now, transition)
        } catch let refusal as PluginLifecycle.Refusal {
            throw Failure(HostReasons.stateWrong, "\(refusal)")
        }
        let lifecycle = slot.current.lifecycle
        slot.logger.info("plugin \(lifecycle.phase.rawValue)", metadata: ["because": "\(lifecycle.because)"])
    }

    private func alone<Value>(_ member: PluginMember, _ body: () async throws -> Value) async throws -> Value
    {
        guard changing.withLock({ $0.insert(member.name).inserted }) else {
            throw Failure(HostReasons.stateWrong, "Another change of the plugin is under way.")
        }
        defer { changing.withLock { _ = $0.remove(member.name) } }
        return try await body()
    }
}
