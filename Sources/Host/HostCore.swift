import Glibc
import HostContract
import Logging
import NIOCore
import NIOPosix
import PluginAPI
import Synchronization

/// Everything that a running host consists of, put together in one place and in one order.
final class HostCore: Sendable {
    let settings: HostSettings
    let facts = HostFacts()
    let store: HostStore
    let register: OrganisationRegister
    let identity: IdentityRegistry
    let accounts: AccountKeeper
    let registration: RegistrationServiceHandler
    let registry: PluginRegistry
    let dispatcher: Dispatcher
    let reference: DispatcherReference
    let pump: EventPump
    let scheduler: JobScheduler
    let listeners: ListenerGroup
    let keeper: BackupKeeper
    let timers: any EventLoop
    private let clock: any HostClock
    private let logger: Logger
    private let watch: PluginWatch
    private let housekeeping = Mutex<Task<Void, Never>?>(nil)

    static let migrations: [Migration] =
        (OrganisationRegister.migrations + IdentityRegistry.migrations + AccountTables.migrations
            + RegistrationTables.migrations + ClientTables.migrations + LifecycleTables.migrations)
        .sorted { $0.version < $1.version }

    /// Opens the host's own store and makes every part; nothing runs and nobody can connect yet.
    init(_ parts: HostParts, group: any EventLoopGroup) async throws {
        settings = parts.settings
        clock = parts.clock
        logger = parts.logger
        timers = group.next()
        store = HostStore(database: try parts.engine.open("host"), clock: clock, logger: logger)
        _ = try await store.migrate(Self.migrations)
        register = OrganisationRegister(store: store, clock: clock, logger: logger)
        try register.load()
        identity = IdentityRegistry(
            store: store, directory: register, clock: clock, audience: settings.audience, logger: logger)
        try identity.load()
        try ClientUpkeep(identity: identity).load()
        let accounts = AccountKeeper(
            registry: identity, rules: settings.accountRules ?? .shipped,
            seal: try SecretSeal(dataFolder: settings.dataFolder), clock: clock, logger: logger)
        self.accounts = accounts

        let reference = DispatcherReference()
        self.reference = reference
        let (register, identity, timers, clock) = (register, identity, timers, clock)
        let members = parts.plugins.map { type in
            let principal = identity.pluginPrincipal(name: type.manifest.name, scopes: type.manifest.calls)
            return PluginMember(
                type, clock: clock, organisations: register,
                calls: InProcessTransport(
                    dispatcher: reference, proof: .principal(principal), timers: timers),
                logger: parts.logger)
        }
        registry = try PluginRegistry(
            members: members, engine: parts.engine, clock: clock, limits: settings.limits, logger: logger)
        pump = EventPump(logger: logger)
        let deferred = DeferredStore(store)
        scheduler = JobScheduler(store: deferred, clock: clock, logger: logger)
        watch = PluginWatch(registry: registry, pump: pump)
        keeper = BackupKeeper(
            folder: settings.dataFolder + "/backups", engine: parts.engine, clock: clock, logger: logger,
            stores: Self.openStores(store, registry))

        let slot = PluginSlot(manifest: Self.manifest, store: deferred, logger: logger, now: clock.now)
        try slot.change(at: clock.now) {
            try $0.migrate()
            try $0.start()
            try $0.becomeReady()
        }
        let registration = try RegistrationServiceHandler(
            register: register, identity: identity, invitations: accounts.invitations, logger: logger)
        self.registration = registration
        let later = RestoreSurroundings()
        let methods = Self.services(
            facts: facts, store: store, register: register, identity: identity, registry: registry,
            pump: pump,
            scheduler: scheduler, keeper: keeper, reference: reference, surroundings: later,
            registration: registration, descriptorSets: parts.descriptorSets)
            + Pcs_Host_V1_AccountServiceMethods.bind(AccountServiceHandler(keeper: accounts))
            + UserParts.methods(
                identity: identity, invitations: accounts.invitations, reference: reference)
        let table = try MethodTable([(slot, methods)] + members.map { ($0.slot, $0.methods) })
        dispatcher = Dispatcher(
            table: table, identity: identity, hostStore: deferred, meters: DispatchMeters(),
            limits: settings.limits,
            clock: clock, logger: logger)
        reference.set(dispatcher)
        listeners = ListenerGroup(
            group: group, dispatcher: dispatcher, identity: identity, settings: settings,
            software: "pcs/\(HostFacts.version)", logger: logger)
        later.set(self)
        identity.onRevocation { [dispatcher, listeners] _ in
            dispatcher.rightsChanged()
            listeners.rightsChanged()
        }
    }

    private static let manifest = PluginManifest(
        name: "host", version: HostFacts.version, summary: "The host itself.", owners: [])

    static func openStores(_ store: HostStore, _ registry: PluginRegistry) -> @Sendable () -> [HostStore] {
        { [store] + registry.members.compactMap(\.slot.store.opened) }
    }

    private static func services(
        facts: HostFacts, store: HostStore, register: OrganisationRegister, identity: IdentityRegistry,
        registry: PluginRegistry, pump: EventPump, scheduler: JobScheduler, keeper: BackupKeeper,
        reference: DispatcherReference, surroundings: RestoreSurroundings,
        registration: RegistrationServiceHandler, descriptorSets: [[UInt8]]
    ) -> [BoundMethod] {
        let plugins = PluginServiceHandler(registry: registry, pump: pump, dispatcher: reference)
        let health = HealthServiceHandler(
            facts: facts, registry: registry, plugins: plugins, dispatcher: reference, hostStore: store)
        let stores = openStores(store, registry)
        let audit = AuditServiceHandler { Dictionary(stores().map { ($0.name, $0) }) { first, _ in first } }
        let around = BackupKeeper.Surroundings(
            quiesce: { try await surroundings.quiesce() }, reopen: { try await surroundings.reopen() })
        return Pcs_Host_V1_PluginServiceMethods.bind(plugins)
            + Pcs_Host_V1_HealthServiceMethods.bind(health)
            + Pcs_Host_V1_ReflectionServiceMethods.bind(
                ReflectionServiceHandler(descriptorSets: descriptorSets))
            + Pcs_Host_V1_JobServiceMethods.bind(JobServiceHandler(scheduler: scheduler))
            + Pcs_Host_V1_DiagnosticsServiceMethods.bind(DiagnosticsServiceHandler(store: store))
            + Pcs_Host_V1_EventServiceMethods.bind(EventServiceHandler(pump: pump))
            + Pcs_Host_V1_AuditServiceMethods.bind(audit)
            + Pcs_Host_V1_BackupServiceMethods.bind(
                BackupServiceHandler(keeper: keeper, surroundings: around))
            + Pcs_Host_V1_OrganisationServiceMethods.bind(OrganisationServiceHandler(register: register))
            + Pcs_Host_V1_OrganisationRegistrationServiceMethods.bind(registration)
            + Pcs_Host_V1_ClientServiceMethods.bind(
                ClientServiceHandler(identity: identity, register: register))
            + Pcs_Host_V1_IdentityServiceMethods.bind(IdentityServiceHandler(registry: identity))
    }

    // MARK: Running

    /// Starts plugins, events and jobs; then opens the listeners.
    func start() async throws {
        registry.follow(EventFollower(registry: registry, pump: pump))
        registry.follow(scheduler)
        let watch = watch
        await scheduler.add(plugin: "host", jobs: hostJobs) { watch.jobsOutcome(plugin: $0, because: $1) }
        for member in registry.members { await scheduler.add(plugin: member.name, jobs: member.jobs) }
        pump.register(publisher: store)
        await registry.startAll(disabled: try disabledPlugins())
        await holdEventsOfDisabled()
        pump.start()
        await scheduler.resume(plugin: "host")
        await scheduler.start()
        lookAfter()
        try await listeners.open()
    }

    /// Every few seconds: plugins that a person should look at, refusals that were counted.
    private func lookAfter() {
        let (watch, refusals, identity) = (watch, dispatcher.refusals, identity)
        let task = Task {
            while !Task.isCancelled {
                watch.look()
                identity.endOverdueSessions()
                await refusals.flush(all: false)
                try? await Task.sleep(for: .seconds(5))
            }
        }
        housekeeping.withLock { $0 = task }
    }

    private func disabledPlugins() throws -> [String: String] {
        try store.read { reader in
            var disabled: [String: String] = [:]
            for member in registry.members {
                guard let turned = try PluginSwitch.find(member.name, in: reader), !turned.enabled else {
                    continue
                }
                disabled[member.name] = turned.because
            }
            return disabled
        }
    }

    /// Counted and listed, but not delivered; what they published before goes on to others.
    private func holdEventsOfDisabled() async {
        for member in registry.members where member.slot.current.lifecycle.phase == .disabled {
            guard let store = member.slot.store.opened else { continue }
            pump.register(publisher: store)
            pump.register(subscriber: store, subscriptions: member.subscriptions)
            await pump.pause(subscriber: member.name)
        }
    }

    private var hostJobs: [ScheduledJob] {
        let stores = Self.openStores(store, registry)
        let identity = identity
        let accounts = accounts
        return Self.careOfOrganisations(register, identity, folder: settings.registerFolder)
            + UserParts.jobs(identity: identity) + [
            ScheduledJob(name: "purge-idempotency-keys", schedule: .daily(hour: 3, minute: 10)) {
                var removed = 0
                for store in stores() { removed += try await store.purgeIdempotencyKeys() }
                return "\(removed) keys removed"
            },
            ScheduledJob(name: "account-aging", schedule: .daily(hour: 4, minute: 20)) {
                try await accounts.age()
            },
            ScheduledJob(name: "purge-tokens", schedule: .every(seconds: 3_600)) {
                "\(try await identity.purgeExpired()) tokens and assertions removed"
            },
        ]
    }

    /// - Parameter graceMilliseconds: for calls in flight; what remains is cancelled.
    func stop(graceMilliseconds: Int) async {
        facts.change { $0.isServing = false }
        housekeeping.withLock { $0 }?.cancel()
        await listeners.drain(graceMilliseconds: graceMilliseconds)
        await registry.stopAll(
            because: "the host is being stopped", drainMilliseconds: min(graceMilliseconds, 1_000))
        await scheduler.stop()
        await pump.stop()
        await dispatcher.refusals.flush(all: true)
        for store in Self.openStores(store, registry)() { await store.close() }
    }

    // MARK: Restore

    /// Brings everything that uses the stores to a stand.
    func quiesce() async throws {
        await registry.stopAll(because: "a backup is being restored", drainMilliseconds: 10_000)
        await scheduler.pause(plugin: "host")
        await pump.stop()
        await dispatcher.refusals.flush(all: true)
    }

    /// Goes on with the stores as they are now.
    func reopen() async throws {
        try register.load()
        try identity.load()
        try ClientUpkeep(identity: identity).load()
        try registration.reload()
        dispatcher.rightsChanged()
        listeners.rightsChanged()
        await registry.startStopped()
        pump.start()
        await scheduler.resume(plugin: "host")
    }
}
