import Foundation
public import FrameClient
package import Host
import HostContract
import Logging
public import PluginAPI
import StorageSQLite
import Synchronization

/// A host with one plugin, or a few, alone in a temporary folder, with real storage and a clock that the test
/// sets.
///
/// The same test runs at several fidelities:
///
/// ```swift
/// @Test("a run opens once", arguments: TestHost.Fidelity.allCases)
/// func opensOnce(_ fidelity: TestHost.Fidelity) async throws {
///     try await TestHost.with([PaymentsPlugin.self]) { host in
///         let officer = try await host.person("officer", roles: [Roles.paymentsOperator], at: "PCS")
///         let runs = Pcs_Payments_V1_RunServiceClient(try await host.transport(fidelity, as: officer))
///         let run = try await runs.openRun(request)
///         #expect(run.state == .open)
///     }
/// }
/// ```
///
/// - `direct`: the handler itself, on the real store; no gate is passed, the subject's grants are taken as
///   they are.
/// - `inProcess`: through the dispatcher with all its gates.
/// - `unixSocket`, `tcp`: over a live socket, with the Swift client.
public final class TestHost: Sendable {
    public enum Fidelity: String, CaseIterable, Sendable, CustomStringConvertible {
        case direct, inProcess, unixSocket, tcp
        public var description: String { rawValue }
    }

    public let clock: ManualClock
    /// Data folder of the host; gone after `stop`.
    public let folder: String
    package let settings: HostSettings
    private let plugins: [any Plugin.Type]
    private let descriptorSets: [[UInt8]]
    private let logger: Logger

    private struct State {
        var process: HostProcess
        var clients: [String: FrameClient] = [:]
    }
    private let state: Mutex<State>

    // MARK: Life

    /// Runs `body` with a started host and stops it afterwards, whatever happens.
    ///
    /// - Parameters:
    ///   - plugins: in the order in which they start.
    ///   - clock: where the host's clock stands; by default nine in the morning of 16 March 2026.
    public static func with<Value: Sendable>(
        _ plugins: [any Plugin.Type] = [], clock: ManualClock = .atStart, descriptorSets: [[UInt8]] = [],
        _ body: (TestHost) async throws -> Value
    ) async throws -> Value {
        try await with(plugins, clock: clock, descriptorSets: descriptorSets, configure: { _ in }, body)
    }

    package static func with<Value: Sendable>(
        _ plugins: [any Plugin.Type] = [], clock: ManualClock = .atStart, descriptorSets: [[UInt8]] = [],
        configure: (inout HostSettings) -> Void, _ body: (TestHost) async throws -> Value
    ) async throws -> Value {
        let host = try await start(
            plugins, clock: clock, descriptorSets: descriptorSets, configure: configure)
        do {
            let value = try await body(host)
            await host.stop()
            return value
        } catch {
            await host.stop()
            throw error
        }
    }

    /// Starts a host that the test stops itself with `stop`.
    public static func start(
        _ plugins: [any Plugin.Type] = [], clock: ManualClock = .atStart, descriptorSets: [[UInt8]] = []
    ) async throws -> TestHost {
        try await start(plugins, clock: clock, descriptorSets: descriptorSets, configure: { _ in })
    }

    package static func start(
        _ plugins: [any Plugin.Type] = [], clock: ManualClock = .atStart, descriptorSets: [[UInt8]] = [],
        configure: (inout HostSettings) -> Void
    ) async throws -> TestHost {
        // Short, because the path of a Unix socket holds 107 bytes.
        let folder = NSTemporaryDirectory() + "pcs-" + UUID().uuidString.prefix(13)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var settings = HostSettings(
            dataFolder: folder,
            listeners: [
                .unix(path: folder + "/pcs.sock", groupMayConnect: false),
                .tcp(host: "127.0.0.1", port: 0, tls: nil),
            ],
            eventLoops: 2)
        // Passwords are hashed at little cost, so that tests are quick; a test that measures sets the real one.
        var rules = AccountRules.shipped
        rules[.scryptRounds] = 1_024
        rules[.scryptParallelism] = 1
        settings.accountRules = rules
        configure(&settings)
        var logger = Logger(label: "pcs.test")
        logger.logLevel =
            ProcessInfo.processInfo.environment["PCS_TEST_LOG"].flatMap(Logger.Level.init(rawValue:))
            ?? .critical
        let process = try HostProcess(
            settings: settings, engine: SQLiteEngine(folder: folder + "/databases"), plugins: plugins,
            descriptorSets: [HostContractDescriptors.fileDescriptorSet] + descriptorSets, clock: clock,
            logger: logger)
        do {
            try await process.start()
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
        return TestHost(
            clock: clock, folder: folder, settings: settings, plugins: plugins,
            descriptorSets: descriptorSets,
            logger: logger, process: process)
    }

    private init(
        clock: ManualClock, folder: String, settings: HostSettings, plugins: [any Plugin.Type],
        descriptorSets: [[UInt8]], logger: Logger, process: HostProcess
    ) {
        self.clock = clock
        self.folder = folder
        self.settings = settings
        self.plugins = plugins
        self.descriptorSets = descriptorSets
        self.logger = logger
        state = Mutex(State(process: process))
    }

    /// Stops the host and removes its folder. Safe to call twice.
    public func stop() async {
        await closeClients()
        await process.stop(graceMilliseconds: 200)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Stops the host and starts another one on the same data, as a new process would. Clients made before
    /// are closed.
    public func restart() async throws {
        await closeClients()
        await process.stop(graceMilliseconds: 500)
        let next = try HostProcess(
            settings: settings, engine: SQLiteEngine(folder: folder + "/databases"), plugins: plugins,
            descriptorSets: [HostContractDescriptors.fileDescriptorSet] + descriptorSets, clock: clock,
            logger: logger)
        try await next.start()
        state.withLock { $0.process = next }
    }

    private func closeClients() async {
        let clients = state.withLock { state in
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        for client in clients { await client.close() }
    }

    package var process: HostProcess { state.withLock { $0.process } }

    // MARK: Calling

    /// A way to call the host.
    /// - Parameters:
    ///   - subject: who calls; `nil` = the host's operator, which works at every fidelity but `tcp`.
    ///   - person: on whose behalf the system `subject` calls.
    public func transport(
        _ fidelity: Fidelity = .inProcess, as subject: TestSubject? = nil,
        onBehalfOf person: TestSubject? = nil
    ) async throws -> any CallTransport {
        if fidelity == .direct { return try direct(subject, person) }
        guard let subject else {
            switch fidelity {
            case .unixSocket: return client(fidelity)
            case .inProcess: return try process.operatorTransport()
            case .tcp, .direct: throw NoOperator()
            }
        }
        let carrier: any CallTransport =
            fidelity == .inProcess ? try process.transport(.none) : client(fidelity)
        let keeper = try keeper(of: subject)
        let other = try person.map { try self.keeper(of: $0) }
        return SubjectTransport(
            carrier, tokens: keeper, actingFor: person?.actingFor ?? subject.actingFor, person: other)
    }

    /// Over TCP without TLS nobody is an operator by themselves: give a subject with `HOST_OPERATOR`.
    public struct NoOperator: Error {}

    /// A token of the subject, for tests that send it themselves.
    public func accessToken(of subject: TestSubject) async throws -> String {
        try await keeper(of: subject).current()
    }

    private func keeper(of subject: TestSubject) throws -> TokenKeeper {
        TokenKeeper(
            subject: subject, clock: clock, audience: settings.audience, issue: try process.transport(.none))
    }

    /// The Swift client over a socket of this host, shared by all that use the same fidelity.
    private func client(_ fidelity: Fidelity) -> FrameClient {
        if let client = state.withLock({ $0.clients[fidelity.rawValue] }) { return client }
        let client = FrameClient(FrameClientConfiguration(address: address(fidelity)))
        return state.withLock { state in
            if let earlier = state.clients[fidelity.rawValue] { return earlier }
            state.clients[fidelity.rawValue] = client
            return client
        }
    }

    /// Where the host listens.
    public func address(_ fidelity: Fidelity) -> FrameAddress {
        for address in process.addresses {
            switch (fidelity, address) {
            case (.unixSocket, .unix(let path)): return .unixSocket(path: path)
            case (.tcp, .tcp(let host, let port, _)): return .tcp(host: host, port: port)
            default: break
            }
        }
        return .unixSocket(path: folder + "/pcs.sock")
    }

    private func direct(_ subject: TestSubject?, _ person: TestSubject?) throws -> any CallTransport {
        let process = process
        let members = try process.plugins().members
        let answering = person ?? subject
        let organisation = answering?.actingFor ?? "PCS"
        let caller = Caller(
            personID: answering?.kind == .person ? answering?.id : nil,
            clientID: subject?.kind == .client ? subject?.id : subject == nil ? "operator" : nil,
            actingFor: organisation, roles: answering?.grants[organisation] ?? [Role("HOST_OPERATOR")],
            authentication: "in-process")
        let hostStore = try process.store()
        let table = try process.dispatcher().table
        return DirectTransport(
            methods: table.entries.map { BoundMethod(descriptor: $0.descriptor, handler: $0.handler) },
            caller: caller,
            store: { method in
                let name = table.entry(for: method.path)?.slot.name
                return try members.first { $0.name == name }?.slot.store.current() ?? hostStore
            },
            clock: clock, logger: logger)
    }

    // MARK: Time and events

    /// Moves the clock on and runs every job that has come due, one after the other.
    public func advance(days: Int = 0, milliseconds: Int64 = 0) async throws {
        clock.advance(milliseconds: Int64(days) * 86_400_000 + milliseconds)
        try await process.runDueJobs()
    }

    /// Waits until every event published so far has been delivered or parked, at most so long.
    public func eventsDelivered(withinMilliseconds limit: Int = 5_000) async throws {
        let pump = try process.events()
        pump.wake()
        let end = ContinuousClock.now.advanced(by: .milliseconds(limit))
        while try pump.subscriptions().contains(where: { $0.waiting > 0 }) {
            guard ContinuousClock.now < end else { throw EventsWaiting() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    public struct EventsWaiting: Error {}

    /// The plugin's store, for looking at what a call left behind.
    public func store(of plugin: String) throws -> any Store {
        plugin == "host" ? try process.store() : try process.plugins().member(plugin).slot.store.current()
    }
}

extension ManualClock {
    /// A Monday after the register's snapshots in `opendata/ods` were made.
    public static var atStart: ManualClock {
        ManualClock(CalendarDate(daysSince1970: 20_528))
    }
}
