public import Logging

/// A service area: its methods, its tables, the events it takes and gives.
///
/// Obligations: `init` has no side effects and returns fast. `start` may be called again after `stop` (enable after
/// disable). `drain` is called once calls are refused and returns when the plugin's own background work is at a safe
/// place; the Host bounds its time. `stop` is called last and must be safe to call twice.
public protocol Plugin: Sendable {
    static var manifest: PluginManifest { get }

    init(_ context: PluginContext) throws

    /// In order of version; forward only, never changed once released.
    static var migrations: [Migration] { get }
    var methods: [BoundMethod] { get }
    var subscriptions: [Subscription] { get }
    var jobs: [ScheduledJob] { get }

    func start() async throws
    func drain() async
    func stop() async
}

extension Plugin {
    public var subscriptions: [Subscription] { [] }
    public var jobs: [ScheduledJob] { [] }
    public func start() async throws {}
    public func drain() async {}
    public func stop() async {}
}

/// What a plugin says of itself before it exists.
public struct PluginManifest: Sendable {
    /// Lower case, for example `payments`: names its store, its audit chain and its entry in `pcs plugin list`.
    public let name: String
    public let version: String
    public let summary: String
    /// People or teams who answer for it, from its OWNERS file.
    public let owners: [String]
    /// Full names of the event messages it publishes.
    public let publishes: [String]
    /// Names of plugins whose contracts it calls.
    public let dependsOn: [String]
    /// Methods of other areas that it calls, as scopes: `pcs.performers.v1.*`.
    public let calls: [String]

    public init(
        name: String, version: String, summary: String, owners: [String], publishes: [String] = [],
        dependsOn: [String] = [], calls: [String] = []
    ) {
        self.name = name
        self.version = version
        self.summary = summary
        self.owners = owners
        self.publishes = publishes
        self.dependsOn = dependsOn
        self.calls = calls
    }
}

/// What the Host gives a plugin.
public struct PluginContext: Sendable {
    public let store: any Store
    public let clock: any HostClock
    public let organisations: any OrganisationDirectory
    /// Calls other areas through the Host's gates, as this plugin.
    public let calls: any CallTransport
    public let logger: Logger

    public init(
        store: any Store, clock: any HostClock, organisations: any OrganisationDirectory, calls: any CallTransport,
        logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.organisations = organisations
        self.calls = calls
        self.logger = logger
    }
}

/// Work that the Host starts by the clock, while the plugin is ready. One run at a time.
public struct ScheduledJob: Sendable {
    public enum Schedule: Sendable, Hashable {
        /// Every so many seconds after the last run ended.
        case every(seconds: Int)
        /// Once a day at this time in Europe/London.
        case daily(hour: Int, minute: Int)
    }
    public let name: String
    public let schedule: Schedule
    /// Must be safe to run again; returns one line for the operator.
    public let run: @Sendable () async throws -> String

    public init(name: String, schedule: Schedule, run: @escaping @Sendable () async throws -> String) {
        self.name = name
        self.schedule = schedule
        self.run = run
    }
}
