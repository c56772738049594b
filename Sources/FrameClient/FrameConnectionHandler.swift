import FrameProtocol
import NIOCore
import NIOSSL
import PluginAPI
import Synchronization

/// The one channel handler of a client connection: bytes in, frames out, gathered and flushed once per read
/// or per batch of commands.
///
/// Everything but `submit` and `takesCalls` happens on the channel's event loop; that is what the unchecked
/// conformance stands on.
final class FrameConnectionHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Command {
        /// With whoever waits for the reply; `nil` for a stream, whose inbox is told.
        case start(ClientCall, CheckedContinuation<[UInt8], any Error>?)
        case message(ClientCall, ClientCall.Outward)
        case finish(ClientCall)
        case cancel(ClientCall, Failure)
        case handled(ClientCall)
        case close(graceMilliseconds: UInt32)
    }

    private struct Outbox {
        var commands: [Command] = []
        var isDrainScheduled = false
    }

    private let eventLoop: any EventLoop
    private let outbox = Mutex(Outbox())
    private let usable = Atomic<Bool>(true)
    private let ready: EventLoopPromise<Void>
    private let maximumWaitingCalls: Int

    // On the event loop only.
    private var machine: ClientConnectionStateMachine
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var outgoing = ByteBuffer()
    private var calls: [UInt32: ClientCall] = [:]
    private var waiting = CircularBuffer<ClientCall>()
    private var closeCause: Failure?
    private var isReady = false
    private var timer: Scheduled<Void>?
    private var timerAt: NIODeadline?
    private var sweep: Scheduled<Void>?

    /// How often the deadlines of open calls are looked at. The host enforces them; this catches a host that
    /// does not answer.
    private static let sweepInterval = TimeAmount.milliseconds(50)

    init(
        eventLoop: any EventLoop, hello: OutgoingHello, maximumWaitingCalls: Int,
        ready: EventLoopPromise<Void>
    ) {
        self.eventLoop = eventLoop
        self.maximumWaitingCalls = maximumWaitingCalls
        self.ready = ready
        machine = ClientConnectionStateMachine(hello: hello, now: NIODeadline.now().uptimeNanoseconds)
    }

    /// False once the connection is closed or going away.
    var takesCalls: Bool { usable.load(ordering: .relaxed) }

    /// From any thread. Commands are carried out in order; many at once cost one hop and one flush.
    func submit(_ command: Command) {
        let mustSchedule = outbox.withLock { outbox in
            outbox.commands.append(command)
            defer { outbox.isDrainScheduled = true }
            return !outbox.isDrainScheduled
        }
        if mustSchedule { eventLoop.execute { self.drain() } }
    }

    private func drain() {
        let commands = outbox.withLock { outbox in
            outbox.isDrainScheduled = false
            let commands = outbox.commands
            outbox.commands = []
            return commands
        }
        for command in commands { run(command) }
        flush()
        closeIfDrained()
    }

    // MARK: Commands

    private func run(_ command: Command) {
        switch command {
        case .start(let call, let waiter):
            // The cancellation of a task that was cancelled before comes first.
            guard !call.hasEnded else {
                waiter?.resume(throwing: Failure(ClientReasons.callCancelled, progress: .notStarted))
                return
            }
            if let waiter { call.await(waiter) }
            start(call, isWaiting: false)
            scheduleSweep()
        case .message(let call, let message):
            guard !call.hasEnded else { return message.taken.resume(returning: false) }
            call.outward.append(message)
            sendOutward(call)
        case .finish(let call):
            call.closing = true
            sendOutward(call)
        case .cancel(let call, let failure):
            cancel(call, failure)
        case .handled(let call):
            guard case .open(let stream) = call.phase else { return }
            let credit = machine.messageHandled(stream: stream)
            if credit > 0 { write(OutgoingCredit(stream: stream, messages: credit)) }
        case .close(let grace):
            close(graceMilliseconds: grace)
        }
    }

    /// Returns false when the call must (go on to) wait for a stream.
    @discardableResult
    private func start(_ call: ClientCall, isWaiting: Bool) -> Bool {
        guard let closeCause else { return open(call, isWaiting: isWaiting) }
        call.end(.failure(closeCause.notStarted()))
        return true
    }

    private func open(_ call: ClientCall, isWaiting: Bool) -> Bool {
        // Stream 0 costs no byte; five make up for the largest number.
        let size = OutgoingCall(stream: 0, method: call.method, options: call.options, body: call.body)
            .byteCount
        guard size - FrameDecoder.prefixBytes + 6 <= machine.maximumFrameBytes else {
            call.end(.failure(Failure(ClientReasons.requestTooLarge, progress: .notStarted)))
            return true
        }
        switch machine.open(more: call.options.more, credit: call.options.credit) {
        case .opened(let stream):
            var options = call.options
            if call.deadline != .distantFuture, options.timeoutMilliseconds > 0 {
                // Time spent waiting for a stream counts.
                let left = (call.deadline - .now()).nanoseconds / 1_000_000
                options.timeoutMilliseconds = UInt32(
                    clamping: min(max(left, 1), Int64(options.timeoutMilliseconds)))
            }
            call.phase = .open(stream: stream)
            calls[stream] = call
            write(OutgoingCall(stream: stream, method: call.method, options: options, body: call.body))
            sendOutward(call)
            return true
        case .full, .notReady:
            if isWaiting { return false }
            guard waiting.count < maximumWaitingCalls else {
                call.end(.failure(Failure(ClientReasons.overloaded, progress: .notStarted)))
                return true
            }
            waiting.append(call)
            return false
        case .useAnother:
            call.end(.failure(Failure(ClientReasons.hostDraining, progress: .notStarted)))
            return true
        }
    }

    private func startWaiting() {
        while let call = waiting.first {
            if !call.hasEnded, !start(call, isWaiting: true) { return }
            waiting.removeFirst()
        }
    }

    private func sendOutward(_ call: ClientCall) {
        guard case .open(let stream) = call.phase else { return }
        while let message = call.outward.first {
            let frame = OutgoingMessage(stream: stream, body: message.body)
            guard frame.byteCount - FrameDecoder.prefixBytes <= machine.maximumFrameBytes else {
                return cancel(call, Failure(ClientReasons.requestTooLarge, progress: .started))
            }
            switch machine.takeCredit(stream: stream) {
            case .wait: return
            case .gone:
                call.outward.removeFirst().taken.resume(returning: false)
            case .send:
                write(frame)
                call.outward.removeFirst().taken.resume(returning: true)
            }
        }
        if call.closing, machine.finishSending(stream: stream) {
            write(OutgoingMessage(stream: stream, body: [], last: true))
        }
    }

    private func cancel(_ call: ClientCall, _ failure: Failure) {
        switch call.phase {
        case .ended: return
        case .waiting: call.end(.failure(failure.notStarted()))
        case .open(let stream):
            if machine.cancel(stream: stream) {
                write(OutgoingCancel(stream: stream, reason: failure.reason.name))
            }
            calls[stream] = nil
            call.end(.failure(failure))
        }
    }

    private func close(graceMilliseconds: UInt32) {
        usable.store(false, ordering: .relaxed)
        let now = NIODeadline.now().uptimeNanoseconds
        if let goAway = machine.goAway(
            message: "The client closes.", graceMilliseconds: graceMilliseconds, now: now)
        {
            write(goAway)
        }
        let failure = Failure(ClientReasons.clientClosed, progress: .notStarted)
        for call in waiting { call.end(.failure(failure)) }
        waiting.removeAll()
        scheduleTimer()
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        write(machine.hello)
        flush()
        scheduleTimer()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        machine.heard(at: NIODeadline.now().uptimeNanoseconds)
        if received.readableBytes > 0 {
            received.writeBuffer(&incoming)
        } else {
            received = incoming
        }
        decode()
        if received.readableBytes == 0 {
            received = ByteBuffer()
        } else {
            received.discardReadBytes()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        closeIfDrained()
        context.fireChannelReadComplete()
    }

    private func decode() {
        var consumed = 0
        received.withUnsafeReadableBytes { bytes in
            do throws(FrameViolation) {
                while !machine.isClosed,
                    let frame = try FrameDecoder.next(
                        in: bytes, at: &consumed, maximumFrameBytes: machine.maximumFrameBytes)
                {
                    carryOut(machine.receive(frame), frame, bytes)
                }
            } catch {
                carryOut(machine.fail(error), Frame(), bytes)
            }
        }
        received.moveReaderIndex(forwardBy: consumed)
    }

    private func carryOut(_ action: ClientAction, _ frame: Frame, _ bytes: UnsafeRawBufferPointer) {
        switch action {
        case .ignore: break
        case .reply(let stream, let reply):
            guard let call = calls.removeValue(forKey: stream) else { return }
            if reply.code == 0 {
                call.end(.success(bytes.array(reply.body)))
            } else {
                call.end(.failure(Failure(reply, status: frame.status(in: bytes), bytes: bytes)))
            }
            if !waiting.isEmpty { startWaiting() }
        case .message(let stream, let body):
            calls[stream]?.inbox?.put(bytes.array(body))
        case .credit(let stream):
            if let call = calls[stream] { sendOutward(call) }
        case .acknowledgePing(let token):
            write(OutgoingPing(token: token, acknowledge: true))
        case .ready:
            isReady = true
            ready.succeed(())
            startWaiting()
        case .serverGoesAway(let goAway, let refused):
            serverGoesAway(goAway, refused: refused, bytes)
        case .close(let goAway):
            write(goAway)
            flush()
            end(Failure(ClientReasons.protocolBroken, goAway.message))
        }
        // A reply may have freed an abandoned stream too.
        if case .ignore = action, !waiting.isEmpty { startWaiting() }
    }

    private func serverGoesAway(_ goAway: GoAwayFrame, refused: [UInt32], _ bytes: UnsafeRawBufferPointer) {
        usable.store(false, ordering: .relaxed)
        let failure = Failure(ClientReasons.hostDraining, progress: .notStarted)
        for stream in refused { calls.removeValue(forKey: stream)?.end(.failure(failure)) }
        for call in waiting { call.end(.failure(failure)) }
        waiting.removeAll()
        if machine.isClosed {
            let reason = GoAwayReason(rawValue: goAway.reason)
            let isTransient = reason == .draining || reason == .timeout || reason == .unspecified
            end(
                Failure(
                    isTransient ? ClientReasons.connectionLost : ClientReasons.connectionRefused,
                    bytes.string(goAway.message)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if closeCause == nil {
            closeCause = Failure(
                isReady ? ClientReasons.connectionLost : ClientReasons.connectionFailed,
                FrameConnectionHandler.isOfTLS(error)
                    ? "TLS with the host failed: the certificate of one side was not accepted by the other."
                    : nil,
                cause: error)
        }
        context.close(promise: nil)
    }

    private static func isOfTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    /// Closes the channel for a cause that its calls are told.
    private func end(_ cause: Failure) {
        if closeCause == nil { closeCause = cause }
        usable.store(false, ordering: .relaxed)
        context?.close(promise: nil)
    }

    /// The channel is closed: fails what is open, once.
    private func finish() {
        usable.store(false, ordering: .relaxed)
        let cause =
            closeCause ?? Failure(isReady ? ClientReasons.connectionLost : ClientReasons.connectionFailed)
        closeCause = cause
        _ = machine.connectionClosed()
        timer?.cancel()
        sweep?.cancel()
        sweep = nil
        ready.fail(cause.notStarted())
        let open = calls
        calls = [:]
        var started = cause
        // Whether a handler has seen the call is not known; `started` gives the advice that fits.
        started.progress = .started
        for call in open.values { call.end(.failure(started)) }
        for call in waiting { call.end(.failure(cause.notStarted())) }
        waiting.removeAll()
    }

    private func closeIfDrained() {
        if machine.isDrained { context?.close(promise: nil) }
    }

    // MARK: Writing

    private func write(_ frame: some OutgoingFrame) {
        outgoing.writeWithUnsafeMutableBytes(minimumWritableBytes: frame.byteCount) { frame.write(into: $0) }
    }

    private func flush() {
        guard outgoing.readableBytes > 0, let context else { return }
        let buffer = outgoing
        outgoing = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    // MARK: Time

    private func scheduleTimer() {
        guard let next = machine.nextTimer else { return }
        let at = NIODeadline.uptimeNanoseconds(min(next, UInt64(Int64.max)))
        if let timerAt, timerAt <= at, timer != nil { return }
        timer?.cancel()
        timerAt = at
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: at) { self.timerFired() }
    }

    private func timerFired() {
        timer = nil
        timerAt = nil
        switch machine.timer(at: NIODeadline.now().uptimeNanoseconds) {
        case .none: break
        case .sendPing(let token):
            write(OutgoingPing(token: token))
            flush()
        case .close(let goAway):
            write(goAway)
            flush()
            end(
                Failure(
                    isReady ? ClientReasons.connectionLost : ClientReasons.connectionFailed, goAway.message))
        case .graceOver:
            end(Failure(ClientReasons.clientClosed))
        }
        scheduleTimer()
    }

    private func scheduleSweep() {
        guard sweep == nil, closeCause == nil else { return }
        sweep = eventLoop.assumeIsolated().scheduleTask(in: Self.sweepInterval) {
            self.sweep = nil
            self.sweepDeadlines()
        }
    }

    private func sweepDeadlines() {
        let now = NIODeadline.now()
        let late = Failure(ClientReasons.deadlinePassed, progress: .started)
        for call in calls.values where call.deadline <= now { cancel(call, late) }
        for call in waiting where call.deadline <= now { cancel(call, late) }
        while let first = waiting.first, first.hasEnded { waiting.removeFirst() }
        flush()
        if !calls.isEmpty || !waiting.isEmpty { scheduleSweep() }
    }
}

extension Failure {
    func notStarted() -> Failure {
        var failure = self
        failure.progress = .notStarted
        return failure
    }
}
