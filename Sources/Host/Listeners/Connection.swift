import FrameProtocol
import Logging
import NIOCore
import NIOSSL
import PluginAPI
import Synchronization

/// One connection: takes frames off the bytes that come, hands calls to the dispatcher, and gathers replies
/// into one buffer that is flushed once per read or tick. Which frame means what is decided by
/// `ServerConnectionStateMachine`.
///
/// `@unchecked Sendable`: a channel handler lives on its event loop. Everything here but the atomics and
/// constants is touched on that loop only; what comes from elsewhere goes through `ServerLoop`.
final class Connection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A call that did not end at once.
    struct OpenCall {
        let session: CallSession
        var source: MessageChannel?
        var sink: ConnectionReplySink?
    }

    let identity: CarrierIdentity
    let dispatcher: Dispatcher
    let server: ServerLoop
    let logger: Logger
    private let usesTLS: Bool
    let limits: HostLimits

    var machine: ServerConnectionStateMachine
    var calls: [UInt32: OpenCall] = [:]
    private var context: ChannelHandlerContext?
    /// Bytes of a frame that has not wholly come, or frames held back while the peer takes no replies.
    private var unread = ByteBuffer()
    /// When the frame at the front of `unread` began to arrive; 0 = none.
    private var frameBeganAt: UInt64 = 0
    private var pending = ByteBuffer()
    /// What `pending` held when it was last flushed: the next one begins as large, and need not grow.
    private var pendingHint = 256
    /// When the bytes came whose frames are being taken, by the host's clock.
    var receivedAt = Instant(microsecondsSince1970: 0)
    /// Monotonic nanoseconds at which the loop turned to the call being begun.
    var turnedAt: UInt64 = 0
    private var isReading = false
    private var isTaking = false
    private var isFlushDue = false
    private var wantsRead = false
    private var isEnding = false
    private var isGone = false
    private var isLookedAt = false
    /// Of `unread`, as counted for the whole host.
    private var heldBytes = 0
    /// When the peer last stopped taking bytes; 0 = it takes them.
    private var stalledSince: UInt64 = 0
    private var deadlineTimer: Scheduled<Void>?
    private var deadlineTimerAt = UInt64.max

    /// Bytes of stream messages on their way to the loop or in `pending`, and whether the socket takes more.
    private let outbound = Atomic<Int>(0)
    private let isSocketFull = Atomic<Bool>(false)

    init(
        identity: CarrierIdentity, dispatcher: Dispatcher, server: ServerLoop, software: String,
        usesTLS: Bool,
        logger: Logger
    ) {
        self.identity = identity
        self.dispatcher = dispatcher
        self.server = server
        self.usesTLS = usesTLS
        self.logger = logger
        limits = dispatcher.limits
        machine = ServerConnectionStateMachine(
            limits: ConnectionLimits(dispatcher.limits), software: software, now: MonotonicTime.now)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        server.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        tearDown()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        tearDown()
        context.fireChannelInactive()
    }

    /// The socket is gone: calls lose their caller. Only the first time counts.
    private func tearDown() {
        guard !isGone else { return }
        isGone = true
        isEnding = true
        server.remove(self)
        dispatcher.meters.disconnect()
        deadlineTimer?.cancel()
        _ = machine.connectionClosed()
        unread = ByteBuffer()
        countHeldBytes()
        pending = ByteBuffer()
        let lost = calls
        calls = [:]
        for call in lost.values {
            call.session.cancel(.carrierLost)
            release(call)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("connection failed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    /// Reading stops while the peer does not take its replies.
    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { wantsRead = true }
    }

    private var mayRead: Bool {
        !isSocketFull.load(ordering: .relaxed) && (unread.readableBytes == 0 || frameBeganAt != 0)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        if usesTLS, !isLookedAt { lookAtCertificate(context) }
        var received = unwrapInboundIn(data)
        let now = MonotonicTime.now
        machine.heard(at: now)
        isReading = true
        if unread.readableBytes > 0 {
            unread.writeBuffer(&received)
        } else {
            unread = received
        }
        takeFrames(at: now)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flushNow()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        isSocketFull.store(!isWritable, ordering: .sequentiallyConsistent)
        stalledSince = isWritable ? 0 : MonotonicTime.now
        // While frames are being taken this comes from a flush in their midst; they look at the flag
        // themselves.
        guard isWritable, !isEnding, !isTaking else { return }
        if unread.readableBytes > 0 {
            takeFrames(at: MonotonicTime.now)
            flushNow()
        }
        wakeSinks()
        if wantsRead, mayRead {
            wantsRead = false
            context.read()
        }
    }

    // MARK: Frames

    private func takeFrames(at now: UInt64) {
        receivedAt = dispatcher.clock.now
        turnedAt = now
        // Taken out, because handlers run in here and a flush may call back.
        var bytes = unread
        unread = ByteBuffer()
        isTaking = true
        var missing = 0
        var isHeldBack = false
        repeat {
            (isHeldBack, missing) = takeFrames(from: &bytes, at: now)
        } while isHeldBack && !isEnding && !isSocketFull.load(ordering: .relaxed)
        isTaking = false
        keepRest(of: &bytes, missing: missing, now: now)
        countHeldBytes()
    }

    /// Takes whole frames off the front, and says whether it stopped because the peer does not take its
    /// replies, or how many bytes the next frame misses.
    private func takeFrames(from buffer: inout ByteBuffer, at now: UInt64) -> (isHeldBack: Bool, missing: Int)
    {
        var position = 0
        let result = buffer.withUnsafeReadableBytes { bytes -> (Bool, Int) in
            do {
                while !isEnding {
                    if pending.readableBytes > limits.outboundBytes {
                        flushNow()
                        if isSocketFull.load(ordering: .relaxed) { return (true, 0) }
                    }
                    let limit = machine.maximumFrameBytes
                    guard
                        let frame = try FrameDecoder.next(in: bytes, at: &position, maximumFrameBytes: limit)
                    else {
                        guard position < bytes.count else { return (false, 0) }
                        return (
                            false,
                            try FrameDecoder.missingBytes(in: bytes, at: position, maximumFrameBytes: limit)
                        )
                    }
                    frameBeganAt = 0
                    act(machine.receive(frame), bytes, now: now)
                }
            } catch let violation as FrameViolation {
                act(machine.fail(violation), bytes, now: now)
            } catch {
                assertionFailure("the decoder throws nothing else")
            }
            return (false, 0)
        }
        buffer.moveReaderIndex(forwardBy: position)
        return result
    }

    /// Keeps what is left in a buffer of its own size, so that a few bytes do not hold a whole read's memory.
    private func keepRest(of bytes: inout ByteBuffer, missing: Int, now: UInt64) {
        guard bytes.readableBytes > 0, !isEnding else {
            frameBeganAt = 0
            return
        }
        guard missing > 0 else {
            frameBeganAt = 0
            unread = bytes
            return
        }
        if frameBeganAt == 0 { frameBeganAt = now }
        // Memory grows with what has really come, at most double, never by what a prefix announces.
        if bytes.readerIndex > 0 || bytes.writableBytes == 0 {
            unread.reserveCapacity(bytes.readableBytes + min(missing, max(1024, bytes.readableBytes)))
            unread.writeBuffer(&bytes)
        } else {
            unread = bytes
        }
    }

    /// Strangers may hold a frame each that never ends; all of them together are bounded too.
    private func countHeldBytes() {
        let held = unread.readableBytes
        guard held != heldBytes else { return }
        let isWithinBound = dispatcher.meters.holds(held - heldBytes)
        heldBytes = held
        guard !isWithinBound, held > 65_536, !isEnding else { return }
        let message = "The host holds too many unfinished frames."
        act(
            machine.fail(.limitExceeded, message), UnsafeRawBufferPointer(start: nil, count: 0),
            now: MonotonicTime.now)
    }

    private func lookAtCertificate(_ context: ChannelHandlerContext) {
        isLookedAt = true
        guard let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
            let uri = tls.peerCertificate?.onlyURIName
        else { return }
        identity.prove(.certificate(uri))
    }

    // MARK: Writing

    func write(_ frame: some OutgoingFrame) {
        guard !isEnding else { return }
        if pending.capacity == 0 { pending.reserveCapacity(pendingHint) }
        pending.writeWithUnsafeMutableBytes(minimumWritableBytes: frame.byteCount) { frame.write(into: $0) }
        guard !isReading, !isFlushDue else { return }
        isFlushDue = true
        server.flushLater(self)
    }

    func flushNow() {
        isFlushDue = false
        let wasBlocked = isBlocked
        outbound.store(0, ordering: .sequentiallyConsistent)
        if pending.readableBytes > 0, let context {
            let bytes = pending
            pending = ByteBuffer()
            pendingHint = min(max(256, bytes.readableBytes), 65_536)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        }
        if wasBlocked { wakeSinks() }
        if machine.isDrained { close() }
    }

    /// Whether streams must wait before they send more.
    var isBlocked: Bool {
        isSocketFull.load(ordering: .sequentiallyConsistent)
            || outbound.load(ordering: .sequentiallyConsistent) > limits.outboundBytes
    }

    /// A message of a server stream, from the handler's thread.
    func deliver(_ message: [UInt8], on stream: UInt32) {
        outbound.add(message.count, ordering: .sequentiallyConsistent)
        if server.loop.inEventLoop {
            send(message, on: stream)
        } else {
            server.deliver(.message(self, stream: stream, body: message))
        }
    }

    func send(_ message: [UInt8], on stream: UInt32) {
        guard machine.isOpen(stream) else { return }
        write(OutgoingMessage(stream: stream, body: message))
        // One more for the one spent, where the caller gave more at once than the sink was given.
        if case .send = machine.takeCredit(stream: stream) { calls[stream]?.sink?.grant(1) }
        if pending.readableBytes > limits.outboundBytes { flushNow() }
    }

    func wakeSinks() {
        for call in calls.values { call.sink?.wake() }
    }

    // MARK: Ending

    /// Says why and closes. What the peer still sends is dropped; the socket stays until it has had time to
    /// read.
    func close(with goAway: OutgoingGoAway) {
        write(goAway)
        flushNow()
        logger.debug(
            "connection closed", metadata: ["reason": "\(goAway.reason)", "message": "\(goAway.message)"])
        close()
    }

    func close() {
        guard !isEnding, let context else { return }
        isEnding = true
        let lost = calls
        calls = [:]
        for call in lost.values {
            call.session.cancel(.carrierLost)
            release(call)
        }
        if usesTLS {
            context.close(promise: nil)
            return
        }
        // Closing with unread bytes would make the kernel drop what the peer has not yet read.
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .milliseconds(250)) { channel.close(promise: nil) }
        context.read()
    }

    func release(_ call: OpenCall) {
        call.source?.finish(throwing: CancellationError(), dropping: true)
        call.sink?.end()
    }

    // MARK: Time

    /// Looks after keepalive, handshake, grace, slow frames and stalled peers.
    func sweep(at now: UInt64) {
        guard !isEnding else { return }
        if frameBeganAt != 0, now > frameBeganAt + UInt64(limits.frameMilliseconds) * 1_000_000 {
            act(
                machine.fail(.timeout, "A frame took too long to arrive."),
                UnsafeRawBufferPointer(start: nil, count: 0), now: now)
            return
        }
        if stalledSince != 0, now > stalledSince + UInt64(limits.stalledPeerMilliseconds) * 1_000_000 {
            logger.debug("connection closed", metadata: ["reason": "the peer takes no replies"])
            context?.close(promise: nil)
            return
        }
        guard let due = machine.nextTimer, now >= due else { return }
        switch machine.timer(at: now) {
        case .none: break
        case .sendPing(let token): write(OutgoingPing(token: token))
        case .close(let goAway): close(with: goAway)
        case .graceOver: close()
        }
    }

    /// Makes sure that the call is ended at its deadline.
    func watchDeadline(of session: CallSession) {
        guard session.deadlineAt < deadlineTimerAt else { return }
        deadlineTimer?.cancel()
        deadlineTimerAt = session.deadlineAt
        deadlineTimer = server.loop.scheduleTask(deadline: .uptimeNanoseconds(session.deadlineAt)) {
            self.deadlinesPassed()
        }
    }

    private func deadlinesPassed() {
        deadlineTimerAt = .max
        deadlineTimer = nil
        let now = MonotonicTime.now
        for call in calls.values where call.session.deadlineAt <= now { call.session.cancel(.deadline) }
        if let next = calls.values.min(by: { $0.session.deadlineAt < $1.session.deadlineAt }) {
            watchDeadline(of: next.session)
        }
    }
}
