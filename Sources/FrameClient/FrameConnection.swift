import FrameProtocol
public import NIOCore
public import NIOPosix
import NIOSSL
public import PluginAPI

/// One connection to a host. Calls run side by side on it; when it ends, it stays ended. `FrameClient` makes
/// new ones.
///
/// Each call has a bound: its own timeout or the method's time limit, and a little more for the host's own
/// verdict to arrive. Cancelling the task that waits for a call sends Cancel to the host.
public final class FrameConnection: CallTransport {
    /// Milliseconds that the host's DEADLINE_EXCEEDED, which knows the progress, may take to come after the
    /// deadline.
    private static let deadlineSlackMilliseconds: Int64 = 1_000

    private let channel: any Channel
    private let handler: FrameConnectionHandler
    private let initialCredit: UInt32

    private init(channel: any Channel, handler: FrameConnectionHandler, initialCredit: UInt32) {
        self.channel = channel
        self.handler = handler
        self.initialCredit = initialCredit
    }

    /// Connects and waits for the host's Hello.
    ///
    /// - Throws: `Failure` with a reason of `ClientReasons`; nothing was started.
    public static func connect(
        _ configuration: FrameClientConfiguration,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> FrameConnection {
        let eventLoop = group.any()
        let ready = eventLoop.makePromise(of: Void.self)
        var limits = ConnectionLimits()
        limits.initialCredit = configuration.initialCredit
        limits.keepaliveSeconds = configuration.keepaliveSeconds
        limits.handshakeSeconds = UInt32(clamping: max(1, configuration.connectTimeoutMilliseconds / 1_000))
        let handler = FrameConnectionHandler(
            eventLoop: eventLoop,
            hello: OutgoingHello(
                software: configuration.software, limits: limits, accessToken: configuration.accessToken ?? ""
            ),
            maximumWaitingCalls: configuration.maximumWaitingCalls, ready: ready)
        do {
            let channel = try await open(configuration, handler, on: eventLoop)
            try await ready.futureResult.get()
            return FrameConnection(
                channel: channel, handler: handler, initialCredit: configuration.initialCredit)
        } catch let failure as Failure {
            throw failure
        } catch {
            // The promise has no other owner when connecting fails before there is a channel.
            let failure = Failure(
                ClientReasons.connectionFailed, "\(configuration.address) could not be reached.",
                progress: .notStarted, cause: error)
            ready.fail(failure)
            throw failure
        }
    }

    private static func open(
        _ configuration: FrameClientConfiguration, _ handler: FrameConnectionHandler,
        on eventLoop: any EventLoop
    ) async throws -> any Channel {
        var tlsContext: NIOSSLContext?
        if var tls = configuration.tls {
            tls.applicationProtocols = ["pcs/1"]
            tlsContext = try NIOSSLContext(configuration: tls)
        }
        let context = tlsContext
        let serverName = configuration.tlsServerName
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.milliseconds(configuration.connectTimeoutMilliseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        let tls = try NIOSSLClientHandler(context: context, serverHostname: serverName)
                        try channel.pipeline.syncOperations.addHandler(tls)
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        switch configuration.address {
        case .tcp(let host, let port):
            return try await bootstrap.channelOption(.socketOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port).get()
        case .unixSocket(let path):
            return try await bootstrap.connect(unixDomainSocketPath: path).get()
        }
    }

    /// False once the host is draining or the connection has ended.
    public var takesCalls: Bool { handler.takesCalls }

    // MARK: Calls

    public func unary(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> [UInt8] {
        let call = ClientCall(
            method: method.path, body: request, options: outgoing(options),
            deadline: deadline(method, options))
        return try await outcome(of: call)
    }

    public func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let inbox = MessageInbox()
        let call = ClientCall(
            method: method.path, body: request, options: outgoing(options),
            deadline: deadline(method, options),
            inbox: inbox)
        handler.submit(.start(call, nil))
        let reader = StreamReader(call: call, inbox: inbox, handler: handler)
        return AsyncThrowingStream { try await reader.next() }
    }

    public func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ options: CallOptions
    ) async throws -> [UInt8] {
        var iterator = requests.makeAsyncIterator()
        guard let first = try await iterator.next() else {
            throw Failure(ClientReasons.noRequest, progress: .notStarted)
        }
        var outgoing = outgoing(options)
        outgoing.more = true
        let call = ClientCall(
            method: method.path, body: first, options: outgoing, deadline: deadline(method, options))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.sendRest(of: requests, on: call) }
            defer { group.cancelAll() }
            do {
                return try await outcome(of: call)
            } catch {
                // A source that throws cancels the call; its own error says more than CANCELLED.
                if (error as? Failure)?.reason == ClientReasons.callCancelled { try await group.waitForAll() }
                throw error
            }
        }
    }

    private func sendRest(of requests: AsyncThrowingStream<[UInt8], any Error>, on call: ClientCall)
        async throws
    {
        do {
            for try await message in requests {
                let sent = await withCheckedContinuation { taken in
                    handler.submit(.message(call, ClientCall.Outward(body: message, taken: taken)))
                }
                if !sent { return }
            }
        } catch {
            handler.submit(.cancel(call, Failure(ClientReasons.callCancelled, progress: .started)))
            throw error
        }
        // A cancelled task sees the end of the stream too; then the messages are not complete.
        if !Task.isCancelled { handler.submit(.finish(call)) }
    }

    private func outcome(of call: ClientCall) async throws -> [UInt8] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                handler.submit(.start(call, continuation))
            }
        } onCancel: {
            handler.submit(.cancel(call, Failure(ClientReasons.callCancelled, progress: .started)))
        }
    }

    private func outgoing(_ options: CallOptions) -> OutgoingCall.Options {
        var outgoing = OutgoingCall.Options()
        outgoing.timeoutMilliseconds = options.timeoutMilliseconds ?? 0
        outgoing.idempotencyKey = options.idempotencyKey ?? ""
        outgoing.actingFor = options.actingFor ?? ""
        outgoing.accessToken = options.accessToken ?? ""
        outgoing.personToken = options.personToken ?? ""
        outgoing.traceParent = options.traceParent ?? ""
        return outgoing
    }

    private func deadline(_ method: MethodDescriptor, _ options: CallOptions) -> NIODeadline {
        let limit = Int64(method.access.timeLimitMilliseconds)
        let wanted = options.timeoutMilliseconds.map { $0 == 0 ? limit : min(Int64($0), limit) } ?? limit
        return .now() + .milliseconds(wanted + Self.deadlineSlackMilliseconds)
    }

    // MARK: End

    /// Takes no new calls, lets those in flight end within the grace, then closes. Safe to call twice.
    public func close(graceMilliseconds: UInt32 = 2_000) async {
        handler.submit(.close(graceMilliseconds: graceMilliseconds))
        try? await channel.closeFuture.get()
    }
}

/// Takes messages out of the inbox for the caller's `AsyncThrowingStream`, giving the host credit for each.
/// When the stream is dropped, so is this, and the call is cancelled.
private final class StreamReader: Sendable {
    private let call: ClientCall
    private let inbox: MessageInbox
    private let handler: FrameConnectionHandler

    init(call: ClientCall, inbox: MessageInbox, handler: FrameConnectionHandler) {
        self.call = call
        self.inbox = inbox
        self.handler = handler
    }

    private func cancel() {
        handler.submit(.cancel(call, Failure(ClientReasons.callCancelled, progress: .started)))
    }

    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            let message = try await inbox.take()
            if message != nil { handler.submit(.handled(call)) }
            return message
        } onCancel: {
            cancel()
        }
    }

    deinit { cancel() }
}

extension FrameClientConfiguration {
    /// Name for TLS; an IP address cannot be sent as one.
    fileprivate var tlsServerName: String? {
        if let serverName { return serverName }
        guard case .tcp(let host, _) = address, (try? SocketAddress(ipAddress: host, port: 0)) == nil else {
            return nil
        }
        return host
    }
}
