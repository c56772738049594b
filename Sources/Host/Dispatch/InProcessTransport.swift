import HostContract
package import NIOCore
package import PluginAPI
import Synchronization

/// Carries calls straight into the dispatcher: for plugins that call each other, and for tests. The same
/// gates, the same refusals, deadlines, credit and cancellation as over a socket, without the socket.
package final class InProcessTransport: CallTransport, Sendable {
    /// Messages that may wait on a stream; the same as the initial credit of a connection.
    private static let window = 16

    private let dispatcher: DispatcherReference
    private let carrier: CarrierIdentity
    /// Keeps the deadlines of calls that wait.
    private let timers: any EventLoop

    package init(dispatcher: DispatcherReference, proof: CarrierIdentity.Proof, timers: any EventLoop) {
        self.dispatcher = dispatcher
        carrier = CarrierIdentity(proof)
        self.timers = timers
    }

    package func unary(_ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions) async throws
        -> [UInt8]
    {
        try await InProcessCall(timers: timers).outcome { call in
            try self.start(method, options, .unary(request), call)
        }
    }

    package func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ options: CallOptions
    ) async throws -> [UInt8] {
        let line = MessageChannel(capacity: Self.window)
        let feeder = Task {
            do {
                for try await message in requests { try await line.send(message) }
                line.finish()
            } catch {
                line.finish(throwing: error, dropping: true)
            }
        }
        defer { feeder.cancel() }
        guard let first = try await line.next() else {
            throw Failure(
                HostReasons.streamProtocol, "A client stream needs at least one message.",
                progress: .notStarted)
        }
        defer { line.finish(throwing: CancellationError(), dropping: true) }
        return try await InProcessCall(timers: timers).outcome { call in
            try self.start(method, options, .clientStreaming(first, line), call)
        }
    }

    package func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let line = MessageChannel(capacity: Self.window)
        let call = InProcessCall(timers: timers) { outcome in
            switch outcome {
            case .reply: line.finish()
            case .refused(let refusal): line.finish(throwing: refusal.thrown)
            }
        }
        try start(method, options, .serverStreaming(request, LineSink(line: line)), call)
        let reader = StreamReader(line: line, call: call)
        return AsyncThrowingStream { try await reader.line.next() }
    }

    private func start(
        _ method: MethodDescriptor, _ options: CallOptions, _ work: CallSession.Work, _ call: InProcessCall
    ) throws {
        let dispatcher = try self.dispatcher.current()
        guard let entry = dispatcher.table.entry(for: method.path) else {
            var path = method.path
            throw path.withUTF8 { dispatcher.unknownMethod(UnsafeRawBufferPointer($0)) }.thrown
        }
        do {
            let now = MonotonicTime.now
            let session = try dispatcher.open(
                entry, CallArrival(options, carrier: carrier), tag: 0, arrivedAt: now,
                receivedAt: dispatcher.clock.now, responder: call)
            // Nothing to prefer: after its first wait the handler goes on in the global pool.
            session.start(work, on: nil, at: now)
            call.watch(session)
        } catch {
            throw error.thrown
        }
    }
}

extension Refusal {
    /// As a caller in this process sees it.
    var thrown: Failure {
        var failure = failure
        failure.progress = progress
        failure.correlationID = correlationID
        failure.cause = nil
        return failure
    }
}

/// Sends the replies of a stream into the line that the caller reads.
private struct LineSink: ReplySink {
    let line: MessageChannel
    func send(_ message: [UInt8]) async throws { try await line.send(message) }
}

/// Cancels its call when the caller drops the stream.
private final class StreamReader: Sendable {
    let line: MessageChannel
    private let call: InProcessCall

    init(line: MessageChannel, call: InProcessCall) {
        self.line = line
        self.call = call
    }

    deinit {
        call.cancel()
        line.finish(throwing: CancellationError(), dropping: true)
    }
}

/// One call in process: waits for its outcome, keeps its deadline.
private final class InProcessCall: CallResponder, Sendable {
    private struct State {
        var session: CallSession?
        var timer: Scheduled<Void>?
        var waiter: CheckedContinuation<[UInt8], any Error>?
        var outcome: CallOutcome?
        var isCancelled = false
    }

    private let timers: any EventLoop
    private let state = Mutex(State())
    private let onEnd: @Sendable (CallOutcome) -> Void

    init(timers: any EventLoop, onEnd: @escaping @Sendable (CallOutcome) -> Void = { _ in }) {
        self.timers = timers
        self.onEnd = onEnd
    }

    /// Starts the call and waits for its reply; cancelling the task cancels the call.
    func outcome(_ start: @escaping @Sendable (InProcessCall) throws -> Void) async throws -> [UInt8] {
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.waiter = continuation }
                do {
                    try start(self)
                } catch {
                    takeWaiter()?.resume(throwing: error)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Sees to the deadline of a call that did not end at once.
    func watch(_ session: CallSession) {
        guard !session.hasEnded else { return }
        let timer = timers.scheduleTask(deadline: .uptimeNanoseconds(session.deadlineAt)) {
            session.cancel(.deadline)
        }
        let (isOver, mustCancel) = state.withLock { state in
            state.session = session
            state.timer = timer
            return (state.outcome != nil, state.isCancelled)
        }
        if isOver { timer.cancel() }
        if mustCancel { session.cancel(.cancelled) }
    }

    func cancel() {
        let session = state.withLock { state in
            state.isCancelled = true
            return state.session
        }
        session?.cancel(.cancelled)
    }

    func callEnded(_ session: CallSession, _ outcome: CallOutcome) {
        let timer = state.withLock { state in
            state.outcome = outcome
            state.session = nil
            defer { state.timer = nil }
            return state.timer
        }
        timer?.cancel()
        onEnd(outcome)
        switch outcome {
        case .reply(let body, _): takeWaiter()?.resume(returning: body)
        case .refused(let refusal): takeWaiter()?.resume(throwing: refusal.thrown)
        }
    }

    private func takeWaiter() -> CheckedContinuation<[UInt8], any Error>? {
        state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
    }
}
