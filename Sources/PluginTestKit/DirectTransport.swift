import Host
import HostContract
import Logging
import PluginAPI
import SwiftProtobuf

/// Runs handlers without the host's gates: the request is decoded, the handler runs as the given caller, and
/// its commits go to the plugin's real store. For tests of what a handler does; who may call it is not asked.
struct DirectTransport: CallTransport {
    private let methods: [String: BoundMethod]
    private let caller: Caller
    private let store: @Sendable (MethodDescriptor) throws -> HostStore
    private let clock: any HostClock
    private let logger: Logger

    init(
        methods: [BoundMethod], caller: Caller,
        store: @escaping @Sendable (MethodDescriptor) throws -> HostStore, clock: any HostClock,
        logger: Logger
    ) {
        self.methods = Dictionary(methods.map { ($0.descriptor.path, $0) }) { first, _ in first }
        self.caller = caller
        self.logger = logger
        self.store = store
        self.clock = clock
    }

    private func bound(_ method: MethodDescriptor) throws -> BoundMethod {
        guard let bound = methods[method.path] else {
            throw Failure(HostReasons.unknownMethod, progress: .notStarted)
        }
        return bound
    }

    private func context(_ method: MethodDescriptor, _ options: CallOptions) -> CallContext {
        let milliseconds = Int64(options.timeoutMilliseconds ?? method.access.timeLimitMilliseconds)
        return CallContext(
            caller: caller,
            host: DirectCallHost(
                method: method, deadline: clock.now.adding(milliseconds: milliseconds),
                traceParent: options.traceParent ?? "", logger: logger, clock: clock, store: store))
    }

    func unary(_ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions) async throws -> [UInt8]
    {
        guard case .unary(let prepare) = try bound(method).handler else {
            throw Failure(HostReasons.streamProtocol)
        }
        return try await prepare(request).run(context(method, options))
    }

    func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        guard case .serverStreaming(let prepare) = try bound(method).handler else {
            throw Failure(HostReasons.streamProtocol)
        }
        let run = try prepare(request).run
        let context = context(method, options)
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await run(context, StreamSink(continuation: continuation))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ options: CallOptions
    ) async throws -> [UInt8] {
        guard case .clientStreaming(let prepare) = try bound(method).handler else {
            throw Failure(HostReasons.streamProtocol)
        }
        let line = MessageChannel(capacity: 16)
        let feeder = Task {
            do {
                for try await message in requests { try await line.send(message) }
                line.finish()
            } catch {
                line.finish(throwing: error)
            }
        }
        defer { feeder.cancel() }
        guard let first = try await line.next() else { throw Failure(HostReasons.streamProtocol) }
        return try await prepare(first).run(context(method, options), line)
    }
}

private struct StreamSink: ReplySink {
    let continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation
    func send(_ message: [UInt8]) async throws { continuation.yield(message) }
}

private struct DirectCallHost: CallHost {
    let method: MethodDescriptor
    let deadline: Instant
    let correlationID = "direct"
    let traceParent: String
    let logger: Logger
    let clock: any HostClock
    let store: @Sendable (MethodDescriptor) throws -> HostStore

    func commit<Reply: Message & Sendable>(
        _ call: CallContext, _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Reply {
        let act = AuditedAct(
            personID: call.caller.personID, clientID: call.caller.clientID, actingFor: call.caller.actingFor,
            method: call.method.path, correlationID: call.correlationID)
        return try await store(call.method).commit(act, key: nil, body).reply
    }

    func requireOtherPerson(_ call: CallContext, than other: String, step: String) throws {
        guard call.caller.responsible != other else {
            throw Failure(HostReasons.secondPersonRequired, "\(step) needs another person.")
        }
    }
}
