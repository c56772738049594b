import Glibc
package import Logging
import NIOCore
import NIOPosix
package import PluginAPI
import Synchronization

/// One host: put together from settings, an engine and plugins; started, used and stopped. The command line
/// and the test kit are its only users.
package final class HostProcess: Sendable {
    private enum State {
        /// May become: running, stopped.
        case made
        /// May become: stopped.
        case running(HostCore, MultiThreadedEventLoopGroup, FolderLock)
        /// The end.
        case stopped
    }

    /// It is not running.
    package struct NotRunning: Error {}

    private let parts: HostParts
    private let state = Mutex(State.made)

    /// Has no effect outside; `start` does.
    ///
    /// - Parameters:
    ///   - plugins: in the order in which they start; they stop in the reverse order.
    ///   - descriptorSets: of every contract served, for reflection.
    /// - Throws: the first `SettingsProblem`.
    package init(
        settings: HostSettings, engine: any StorageEngine, plugins: [any Plugin.Type],
        descriptorSets: [[UInt8]],
        clock: any HostClock, logger: Logger
    ) throws {
        if let problem = settings.problems().first { throw problem }
        parts = HostParts(
            settings: settings, engine: engine, plugins: plugins, descriptorSets: descriptorSets,
            clock: clock,
            logger: logger)
    }

    /// Recovers what a crash left, migrates, loads, starts the plugins, and opens the listeners last. When it
    /// returns, calls are served.
    ///
    /// - Throws: `SettingsProblem` for a listener or the folder; `StorageError` when the host's own database
    ///   cannot be
    ///   used. A plugin that cannot start does not make it throw. Nothing stays open when it throws.
    package func start() async throws {
        let began = MonotonicTime.now
        let lock = try FolderLock(folder: parts.settings.dataFolder)
        let threads = parts.settings.eventLoops == 0 ? System.coreCount : parts.settings.eventLoops
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        do {
            try recover()
            let core = try await HostCore(parts, group: group)
            do {
                try await core.start()
            } catch {
                await core.stop(graceMilliseconds: 0)
                throw error
            }
            let milliseconds = Int64((MonotonicTime.now - began) / 1_000_000)
            let startedAt = parts.clock.now
            core.facts.change { facts in
                facts.isServing = true
                facts.startedAt = startedAt
                facts.startMilliseconds = milliseconds
            }
            state.withLock { $0 = .running(core, group, lock) }
            parts.logger.info("host started", metadata: ["milliseconds": "\(milliseconds)"])
        } catch {
            try? await group.shutdownGracefully()
            lock.release()
            throw error
        }
    }

    /// A restore that a crash interrupted is finished before any store is opened.
    private func recover() throws {
        let keeper = BackupKeeper(
            folder: parts.settings.dataFolder + "/backups", engine: parts.engine, clock: parts.clock,
            logger: parts.logger, stores: { [] })
        if let finished = try keeper.finishInterruptedRestore() {
            parts.logger.notice("finished an interrupted restore", metadata: ["backup": "\(finished)"])
        }
        keeper.removeLeftovers()
    }

    /// Refuses new calls, lets those in flight end within the grace, stops the plugins and closes the stores.
    /// Safe to call twice.
    package func stop(graceMilliseconds: Int = 5_000) async {
        let running = state.withLock { state in
            defer { state = .stopped }
            if case .running(let core, let group, let lock) = state { return Optional((core, group, lock)) }
            return nil
        }
        guard let (core, group, lock) = running else { return }
        await core.stop(graceMilliseconds: graceMilliseconds)
        try? await group.shutdownGracefully()
        lock.release()
        parts.logger.info("host stopped")
    }

    private func running() throws -> HostCore {
        try state.withLock { state in
            guard case .running(let core, _, _) = state else { throw NotRunning() }
            return core
        }
    }

    // MARK: While running

    package var addresses: [ListenerGroup.Address] { (try? running().listeners.addresses) ?? [] }
    package var startMilliseconds: Int64 { (try? running().facts.current.startMilliseconds) ?? 0 }

    /// Calls in this process as its operator, through the same gates as over a socket.
    package func operatorTransport() throws -> any CallTransport {
        let core = try running()
        return try transport(.principal(core.identity.localOperator(userID: geteuid(), userName: "host")))
    }

    /// Calls in this process as whoever the proof shows.
    package func transport(_ proof: CarrierIdentity.Proof) throws -> any CallTransport {
        let core = try running()
        return InProcessTransport(dispatcher: core.reference, proof: proof, timers: core.timers)
    }

    package func identity() throws -> IdentityRegistry { try running().identity }
    package func organisations() throws -> OrganisationRegister { try running().register }
    package func plugins() throws -> PluginRegistry { try running().registry }
    package func dispatcher() throws -> Dispatcher { try running().dispatcher }
    package func events() throws -> EventPump { try running().pump }
    /// The host's own store.
    package func store() throws -> HostStore { try running().store }

    /// Runs the jobs that are due by the host's clock and waits for them.
    package func runDueJobs() async throws { await (try running()).scheduler.runDue() }
}
