/// What a received frame asks of the server. Ranges are those of the frame.
package enum ServerAction: Sendable {
    /// Nothing: a late frame of a stream that has ended, an unknown kind, an acknowledged ping.
    case ignore
    /// The client's Hello is accepted. Send `ServerConnectionStateMachine.hello`.
    case handshake(HelloFrame)
    /// A new stream: run the call and finish it with `endStream`.
    case open(stream: UInt32, CallFrame)
    /// The connection takes no new calls: answer UNAVAILABLE, progress NOT_STARTED. No stream was opened, so
    /// write the reply without asking `endStream`.
    case refuse(stream: UInt32)
    /// A further message of a client-streaming call. `messageHandled` once the handler has taken it.
    case message(stream: UInt32, body: ByteRange, last: Bool)
    /// No message, and none follows.
    case endOfMessages(stream: UInt32)
    /// The stream's frames came in a wrong order. The stream has ended: cancel the call and answer
    /// INVALID_ARGUMENT (STREAM_PROTOCOL) with the given sentence, without asking `endStream`.
    case streamViolation(stream: UInt32, explanation: StaticString)
    /// The caller no longer wants the call: cancel it, and still end it with a Reply.
    case cancel(stream: UInt32, CancelFrame)
    /// Messages may go out on the stream again; wake its sender.
    case credit(stream: UInt32)
    /// Answer with the same token.
    case acknowledgePing(token: UInt64)
    /// The client will open no more streams. Close when `isDrained`.
    case clientGoesAway
    /// Send it, close at once, cancel what is open.
    case close(OutgoingGoAway)
}

/// Whether a frame may go out on a stream now.
package enum SendPermission: Hashable, Sendable {
    case send
    /// No credit: wait for `credit` on this stream.
    case wait
    /// The stream has ended; drop it.
    case gone
}

/// The server's side of one connection: handshake, streams, credit, keepalive, drain. Touches no socket and
/// no clock; what to do is returned, what has happened is told to it.
///
/// A listener's part:
/// - once per read: `heard(at:)`, then take frames off the bytes with `FrameDecoder.next` under `maximumFrameBytes` and
///   hand each to `receive`; a `FrameViolation` goes to `fail(_:)`;
/// - before each Message frame: `takeCredit`; before each Reply: `endStream`;
/// - at `nextTimer`: `timer(at:)`;
/// - after `endStream`, `clientGoesAway` and `goAway`: close when `isDrained`.
package struct ServerConnectionStateMachine: Sendable {
    private enum State: Sendable {
        /// -> open, closed
        case awaitingHello(until: MonotonicNanoseconds)
        /// -> draining, closed
        case open
        /// No new streams. -> closed
        case draining(until: MonotonicNanoseconds)
        /// The end. Everything is ignored.
        case closed
    }

    /// Send it when `receive` returns `handshake`.
    package let hello: OutgoingHello
    private var state: State
    private var streams = StreamTable()
    private var keepalive: Keepalive
    private var clientCredit: UInt32 = 0
    private var maximumStreams: Int
    /// Highest stream opened by the client, 0 = none.
    package private(set) var lastStream: UInt32 = 0
    /// Largest frame in either direction, as agreed; before the Hello, what a Hello may have.
    package private(set) var maximumFrameBytes = ConnectionLimits.maximumHelloBytes

    /// - Parameters:
    ///   - software: name and version of the server, for the client's logs.
    ///   - now: when the connection was accepted.
    package init(
        limits: ConnectionLimits, software: String, features: [String] = [], now: MonotonicNanoseconds
    ) {
        hello = OutgoingHello(software: software, limits: limits, features: features)
        maximumStreams = Int(limits.maximumStreams)
        keepalive = Keepalive(seconds: limits.keepaliveSeconds, now: now)
        state = .awaitingHello(until: now + UInt64(limits.handshakeSeconds) * 1_000_000_000)
    }

    // MARK: Receiving

    /// Bytes have come. Once per read, before the frames in it.
    @inline(__always)
    package mutating func heard(at now: MonotonicNanoseconds) { keepalive.heard(at: now) }

    /// A frame has come.
    package mutating func receive(_ frame: Frame) -> ServerAction {
        switch state {
        case .open, .draining: break
        case .awaitingHello: return receiveFirst(frame)
        case .closed: return .ignore
        }
        if case .call(let call) = frame.kind { return receiveCall(frame.stream, call) }
        return receiveOther(frame)
    }

    private mutating func receiveFirst(_ frame: Frame) -> ServerAction {
        guard case .hello(let hello) = frame.kind, frame.stream == 0 else {
            return fail(.protocolError, "The first frame must be Hello, on stream 0.")
        }
        guard hello.version == ConnectionLimits.protocolVersion else {
            return fail(.unsupportedVersion, "This host speaks version 1, not \(hello.version).")
        }
        guard let theirs = ConnectionLimits(stated: hello) else {
            return fail(
                .protocolError, "max_frame_bytes must be at least \(ConnectionLimits.leastFrameBytes).")
        }
        maximumFrameBytes = Int(min(theirs.maximumFrameBytes, self.hello.limits.maximumFrameBytes))
        maximumStreams = Int(min(theirs.maximumStreams, self.hello.limits.maximumStreams))
        clientCredit = theirs.initialCredit
        state = .open
        return .handshake(hello)
    }

    private mutating func receiveCall(_ stream: UInt32, _ call: CallFrame) -> ServerAction {
        guard stream & 1 == 1 else {
            return fail(.protocolError, "A call's stream must be odd, not \(stream).")
        }
        guard stream > lastStream else {
            return fail(.protocolError, "Stream \(stream) does not rise above \(lastStream).")
        }
        if case .draining = state { return .refuse(stream: stream) }
        guard streams.count < maximumStreams else {
            return fail(.limitExceeded, "More than \(maximumStreams) streams are open.")
        }
        lastStream = stream
        let ours = hello.limits.initialCredit
        streams.insert(
            stream,
            StreamState(
                outwardCredit: call.credit == 0 ? clientCredit : call.credit, inwardCredit: ours,
                window: ours,
                inwardOpen: call.more, outwardOpen: true))
        return .open(stream: stream, call)
    }

    private mutating func receiveOther(_ frame: Frame) -> ServerAction {
        let stream = frame.stream
        switch frame.kind {
        case .message(let message):
            guard let place = streams.place(of: stream) else { return late(stream) }
            return receiveMessage(message, stream: stream, place: place)
        case .cancel(let cancel):
            guard streams.place(of: stream) != nil else { return late(stream) }
            return .cancel(stream: stream, cancel)
        case .credit(let credit):
            guard let place = streams.place(of: stream) else { return late(stream) }
            streams[place].outwardCredit = streams[place].outwardCredit.addingSaturated(credit.messages)
            return credit.messages == 0 ? .ignore : .credit(stream: stream)
        case .ping(let ping):
            guard stream == 0 else { return fail(.protocolError, "Ping belongs to stream 0.") }
            return ping.acknowledge ? .ignore : .acknowledgePing(token: ping.token)
        case .goAway:
            guard stream == 0 else { return fail(.protocolError, "GoAway belongs to stream 0.") }
            if case .open = state { state = .draining(until: .max) }
            return .clientGoesAway
        case .hello:
            return fail(.protocolError, "Hello came a second time.")
        case .reply:
            return fail(.protocolError, "Only the server sends Reply.")
        case .unknown, .call:
            return .ignore
        }
    }

    private mutating func receiveMessage(_ message: MessageFrame, stream: UInt32, place: Int) -> ServerAction
    {
        guard streams[place].inwardOpen else {
            streams.remove(at: place)
            return .streamViolation(
                stream: stream,
                explanation: "A message came after the last one, or for a call that takes only one.")
        }
        if message.last { streams[place].inwardOpen = false }
        guard message.carriesMessage else { return .endOfMessages(stream: stream) }
        guard streams[place].inwardCredit > 0 else {
            return fail(.limitExceeded, "Stream \(stream) sent more messages than it had credit for.")
        }
        streams[place].inwardCredit -= 1
        return .message(stream: stream, body: message.body, last: message.last)
    }

    /// Frames may cross with the Reply that ended their stream; frames of a stream that never was may not
    /// come.
    private mutating func late(_ stream: UInt32) -> ServerAction {
        if stream != 0, stream & 1 == 1, stream <= lastStream { return .ignore }
        // Refused streams of a draining connection were never opened.
        if case .draining = state, stream & 1 == 1 { return .ignore }
        return fail(.protocolError, "Stream \(stream) has not been opened.")
    }

    /// The received bytes are no frame.
    package mutating func fail(_ violation: FrameViolation) -> ServerAction {
        fail(violation.goAwayReason, violation.explanation)
    }

    /// Ends the connection for a reason of the listener's own, for example revoked credentials.
    package mutating func fail(_ reason: GoAwayReason, _ message: String) -> ServerAction {
        if case .closed = state { return .ignore }
        state = .closed
        return .close(OutgoingGoAway(lastStream: lastStream, reason: reason, message: message))
    }

    // MARK: Sending

    /// Uses up one credit for a Message frame of the stream.
    package mutating func takeCredit(stream: UInt32) -> SendPermission {
        guard isLive, let place = streams.place(of: stream) else { return .gone }
        guard streams[place].outwardCredit > 0 else { return .wait }
        streams[place].outwardCredit -= 1
        return .send
    }

    /// The handler has taken a message of the stream. Returns the credit to give the client now, 0 = none.
    package mutating func messageHandled(stream: UInt32) -> UInt32 {
        guard isLive, let place = streams.place(of: stream) else { return 0 }
        return streams[place].messageHandled()
    }

    /// The stream ends with a Reply. False when it is gone: then write nothing.
    package mutating func endStream(_ stream: UInt32) -> Bool {
        guard isLive, let place = streams.place(of: stream) else { return false }
        streams.remove(at: place)
        return true
    }

    /// Takes no new streams from now on. Returns the frame to send, or `nil` when it is too late for one.
    /// Before the handshake the connection is closed instead: `isClosed`.
    package mutating func goAway(
        message: String, graceMilliseconds: UInt32, now: MonotonicNanoseconds
    ) -> OutgoingGoAway? {
        let frame = OutgoingGoAway(
            lastStream: lastStream, reason: .draining, message: message, graceMilliseconds: graceMilliseconds)
        switch state {
        case .awaitingHello:
            state = .closed
            return frame
        case .open, .draining:
            state = .draining(until: now + UInt64(graceMilliseconds) * 1_000_000)
            return frame
        case .closed:
            return nil
        }
    }

    // MARK: Time and end

    /// Call it at `nextTimer`, or any time.
    package mutating func timer(at now: MonotonicNanoseconds) -> TimerAction {
        switch state {
        case .closed: return .none
        case .awaitingHello(let until):
            guard now >= until else { return .none }
            return timedOut("No Hello came in time.")
        case .draining(let until) where now >= until:
            state = .closed
            return .graceOver
        case .open, .draining: break
        }
        switch keepalive.step(at: now) {
        case .nothing: return .none
        case .ping(let token): return .sendPing(token: token)
        case .dead: return timedOut("Nothing came within the keepalive time.")
        }
    }

    private mutating func timedOut(_ message: String) -> TimerAction {
        state = .closed
        return .close(OutgoingGoAway(lastStream: lastStream, reason: .timeout, message: message))
    }

    /// When `timer` next has something to do; `nil` when closed.
    package var nextTimer: MonotonicNanoseconds? {
        switch state {
        case .awaitingHello(let until): until
        case .open: keepalive.next
        case .draining(let until): min(until, keepalive.next)
        case .closed: nil
        }
    }

    /// The socket is gone. Returns the streams whose calls must be cancelled.
    package mutating func connectionClosed() -> [UInt32] {
        state = .closed
        defer { streams.removeAll() }
        return streams.streams
    }

    private var isLive: Bool {
        switch state {
        case .open, .draining: true
        case .awaitingHello, .closed: false
        }
    }

    /// Going away, and every stream has ended: close the socket after what is still to be written.
    package var isDrained: Bool {
        if case .draining = state { return streams.count == 0 }
        return false
    }

    package var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    package var isDraining: Bool {
        if case .draining = state { return true }
        return false
    }

    package var openStreams: Int { streams.count }
    package var openStreamNumbers: [UInt32] { streams.streams }
    package func isOpen(_ stream: UInt32) -> Bool { streams.place(of: stream) != nil }
}
