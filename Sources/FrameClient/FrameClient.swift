import Logging
public import NIOCore
public import NIOPosix
public import PluginAPI
import Synchronization

/// Calls a host over a socket. Connects when first needed, shares one connection between all calls, connects
/// anew when that one ends or the host drains, and sends again what is safe to send again (`RetryPolicy`).
///
/// ```swift
/// let client = FrameClient(FrameClientConfiguration(address: .unixSocket(path: "/run/pcs/pcs.sock")))
/// let runs = Pcs_Payments_V1_RunServiceClient(client)
/// let run = try await runs.getRun(request)
/// await client.close()
/// ```
public final class FrameClient: CallTransport {
    private enum State {
        /// -> connecting, closed
        case idle
        /// -> connected, idle, closed
        case connecting(Task<FrameConnection, any Error>, number: UInt64)
        /// -> connecting, closed
        case connected(FrameConnection)
        case closed
    }

    private let configuration: FrameClientConfiguration
    private let group: any EventLoopGroup
    private let state = Mutex((State.idle, lastNumber: UInt64(0)))

    /// - Parameter group: runs the connections; not shut down by the client.
    public init(
        _ configuration: FrameClientConfiguration,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.group = group
    }

    // MARK: Calls

    public func unary(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> [UInt8] {
        let clock = ContinuousClock()
        let end = options.timeoutMilliseconds.flatMap {
            $0 == 0 ? nil : clock.now.advanced(by: .milliseconds($0))
        }
        var options = options
        var attempt = 1
        while true {
            do {
                return try await connection().unary(method, request, options)
            } catch let failure as Failure
                where configuration.retry.allows(
                    failure, attempt: attempt, idempotencyKey: options.idempotencyKey)
            {
                let pause = Duration.milliseconds(configuration.retry.pause(after: attempt))
                if let end, clock.now + pause >= end { throw failure }
                configuration.logger?.debug(
                    "sending again",
                    metadata: ["method": "\(method.path)", "reason": "\(failure.reason.name)"])
                do { try await clock.sleep(for: pause) } catch { throw failure }
                attempt += 1
                if let end { options.timeoutMilliseconds = Self.milliseconds(end - clock.now) }
            }
        }
    }

    private static func milliseconds(_ duration: Duration) -> UInt32 {
        let (seconds, attoseconds) = duration.components
        return UInt32(clamping: max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }

    public func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await connectionWithRetry().serverStreaming(method, request, options)
    }

    public func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ options: CallOptions
    ) async throws -> [UInt8] {
        try await connectionWithRetry().clientStreaming(method, requests, options)
    }

    // MARK: Connection

    /// Connects now rather than at the first call.
    ///
    /// - Throws: `Failure` with a reason of `ClientReasons`.
    public func connect() async throws {
        _ = try await connection()
    }

    /// Streams are not sent again once begun; only the way to the host is tried again.
    private func connectionWithRetry() async throws -> FrameConnection {
        var attempt = 1
        while true {
            do {
                return try await connection()
            } catch let failure as Failure
                where configuration.retry.allows(failure, attempt: attempt, idempotencyKey: nil)
            {
                try await Task.sleep(for: .milliseconds(configuration.retry.pause(after: attempt)))
                attempt += 1
            }
        }
    }

    private func connection() async throws -> FrameConnection {
        let (ready, task, number) = try state.withLock { state in
            switch state.0 {
            case .connected(let connection) where connection.takesCalls:
                return (connection as FrameConnection?, nil as Task<FrameConnection, any Error>?, UInt64(0))
            case .connecting(let task, let number):
                return (nil, task, number)
            case .idle, .connected:
                state.lastNumber += 1
                let number = state.lastNumber
                let task = Task { [configuration, group] in
                    try await FrameConnection.connect(configuration, on: group)
                }
                state.0 = .connecting(task, number: number)
                return (nil, task, number)
            case .closed:
                throw Failure(ClientReasons.clientClosed, progress: .notStarted)
            }
        }
        if let ready { return ready }
        guard let task else { throw Failure(ClientReasons.clientClosed, progress: .notStarted) }
        let result = await task.result
        state.withLock { state in
            // The first of those that waited records the outcome.
            guard case .connecting(_, number) = state.0 else { return }
            switch result {
            case .success(let connection): state.0 = .connected(connection)
            case .failure: state.0 = .idle
            }
        }
        return try result.get()
    }

    /// Lets calls in flight end within the configured grace and closes. Later calls fail. Safe to call twice.
    public func close() async {
        let last = state.withLock { state in
            defer { state.0 = .closed }
            return state.0
        }
        switch last {
        case .idle, .closed: break
        case .connected(let connection):
            await connection.close(graceMilliseconds: configuration.closeGraceMilliseconds)
        case .connecting(let task, _):
            task.cancel()
            if let connection = try? await task.value { await connection.close(graceMilliseconds: 0) }
        }
    }
}
