import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import PluginAPI
import Synchronization

/// All listeners of a host, their event loops and connections.
package final class ListenerGroup: Sendable {
    /// Where a listener has come to listen.
    package enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int, usesTLS: Bool)
        case unix(path: String)
    }

    private struct State {
        var channels: [any Channel] = []
        var files: [UnixSocketFile] = []
        var addresses: [Address] = []
    }

    private let group: any EventLoopGroup
    private let servers: [ServerLoop]
    private let dispatcher: Dispatcher
    private let identity: IdentityRegistry
    private let settings: HostSettings
    private let software: String
    private let logger: Logger
    private let state = Mutex(State())

    init(
        group: any EventLoopGroup, dispatcher: Dispatcher, identity: IdentityRegistry, settings: HostSettings,
        software: String, logger: Logger
    ) {
        self.group = group
        self.dispatcher = dispatcher
        self.identity = identity
        self.settings = settings
        self.software = software
        self.logger = logger
        servers = group.makeIterator().map { ServerLoop($0) }
    }

    package var addresses: [Address] { state.withLock { $0.addresses } }

    // MARK: Start

    /// Opens every listener of the settings; none stays open when one cannot be opened.
    /// - Throws: `SettingsProblem` naming the listener.
    package func open() async throws {
        do {
            for (index, listener) in settings.listeners.enumerated() {
                try await open(listener, named: "listeners[\(index)]")
            }
        } catch {
            await closeListeners()
            throw error
        }
    }

    private func open(_ listener: ListenerSettings, named name: String) async throws {
        switch listener {
        case .tcp(let host, let port, let tls):
            let context = try tls?.context(named: name + ".tls")
            let channel: any Channel
            do {
                channel = try await bootstrap(tls: context, isUnix: false).bind(host: host, port: port).get()
            } catch {
                throw SettingsProblem(
                    setting: name, message: "cannot listen on \(host) port \(port): \(error)")
            }
            let bound = Address.tcp(host: host, port: channel.localAddress?.port ?? port, usesTLS: tls != nil)
            keep(channel, bound, file: nil)
        case .unix(let path, let groupMayConnect):
            let file = UnixSocketFile(path: path, groupMayConnect: groupMayConnect)
            try file.makeWay(setting: name + ".path")
            let channel: any Channel
            do {
                // Nobody but this user may connect between binding and opening up. The mask is the whole
                // process's, but nothing else is made more open than this while the host starts.
                let before = umask(0o177)
                defer { umask(before) }
                channel = try await bootstrap(tls: nil, isUnix: true).bind(unixDomainSocketPath: path).get()
            } catch {
                throw SettingsProblem(setting: name, message: "cannot listen on '\(path)': \(error)")
            }
            file.open()
            keep(channel, .unix(path: path), file: file)
        }
    }

    private func keep(_ channel: any Channel, _ address: Address, file: UnixSocketFile?) {
        state.withLock { state in
            state.channels.append(channel)
            state.addresses.append(address)
            if let file { state.files.append(file) }
        }
        logger.info("listening", metadata: ["address": "\(address)"])
    }

    private func bootstrap(tls: NIOSSLContext?, isUnix: Bool) -> ServerBootstrap {
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 65_536)
            )
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
        if !isUnix {
            bootstrap =
                bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
        }
        return bootstrap.childChannelInitializer { channel in
            self.accept(channel, tls: tls, isUnix: isUnix)
        }
    }

    private func accept(_ channel: any Channel, tls: NIOSSLContext?, isUnix: Bool) -> EventLoopFuture<Void> {
        guard dispatcher.meters.connect(limit: settings.limits.connections),
            let server = servers.first(where: { $0.loop === channel.eventLoop })
        else { return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported) }
        guard isUnix else { return add(channel, server, tls: tls, proof: .none) }
        return PeerCredentials.of(channel).flatMap { credentials in
            self.add(channel, server, tls: nil, proof: self.proof(of: credentials))
        }
    }

    /// The user that runs the host, and those that the settings name, are operators; others need a token.
    private func proof(of credentials: PeerCredentials?) -> CarrierIdentity.Proof {
        guard let credentials,
            credentials.userID == geteuid() || settings.operatorUserIDs.contains(credentials.userID)
        else { return .none }
        return .principal(identity.localOperator(userID: credentials.userID, userName: credentials.userName))
    }

    private func add(
        _ channel: any Channel, _ server: ServerLoop, tls: NIOSSLContext?, proof: CarrierIdentity.Proof
    ) -> EventLoopFuture<Void> {
        let added = channel.eventLoop.makeCompletedFuture {
            if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
            let connection = Connection(
                identity: CarrierIdentity(proof, address: channel.remoteAddress?.ipAddress ?? "unix"),
                dispatcher: self.dispatcher, server: server,
                software: self.software,
                usesTLS: tls != nil, logger: self.logger)
            try channel.pipeline.syncOperations.addHandler(connection)
        }
        // Once it is in the pipeline the connection gives its place back itself.
        added.whenFailure { _ in self.dispatcher.meters.disconnect() }
        return added
    }

    // MARK: While running

    /// Rights were taken away: connections and calls that no longer hold any are ended at once.
    package func rightsChanged() {
        for server in servers { server.forEachConnection { $0.rightsChanged() } }
    }

    // MARK: Stop

    package func closeListeners() async {
        let (channels, files) = state.withLock { state in
            defer { state = State() }
            return (state.channels, state.files)
        }
        for channel in channels { try? await channel.close().get() }
        for file in files { file.remove() }
    }

    /// Takes no new connections and calls, lets those in flight end within the grace, and closes what
    /// remains.
    package func drain(graceMilliseconds: Int) async {
        await closeListeners()
        let grace = UInt32(clamping: graceMilliseconds)
        for server in servers { server.forEachConnection { $0.goAway(graceMilliseconds: grace) } }
        let end = MonotonicTime.now + UInt64(max(0, graceMilliseconds)) * 1_000_000
        while dispatcher.meters.openConnections > 0, MonotonicTime.now < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
        for server in servers { server.forEachConnection { $0.close() } }
        // Closing takes a moment, in which peers may still read what was sent to them.
        let last = MonotonicTime.now + 500_000_000
        while dispatcher.meters.openConnections > 0, MonotonicTime.now < last {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
