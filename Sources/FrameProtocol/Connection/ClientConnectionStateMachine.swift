/// What a received frame asks of the client. Ranges are those of the frame.
package enum ClientAction: Sendable {
    case ignore
    /// The server's Hello is accepted: calls may be opened.
    case ready(HelloFrame)
    /// A message of a server-streaming call. `messageHandled` once it has been taken.
    case message(stream: UInt32, body: ByteRange)
    /// The outcome; the stream has ended.
    case reply(stream: UInt32, ReplyFrame)
    /// Messages may go out on the stream again; wake its sender.
    case credit(stream: UInt32)
    /// Answer with the same token.
    case acknowledgePing(token: UInt64)
    /// The server takes no new calls. `refused` are streams that it will not serve: nothing of them was
    /// started. Open new calls on another connection; close this one when `isDrained`.
    case serverGoesAway(GoAwayFrame, refused: [UInt32])
    /// The server broke the protocol: send it and close. What is open has failed, its progress unknown.
    case close(OutgoingGoAway)
}

/// Whether a call can be opened now.
package enum OpenPermission: Hashable, Sendable {
    case opened(stream: UInt32)
    /// As many streams are open as the limits allow: wait for one to end.
    case full
    /// No Hello of the server yet.
    case notReady
    /// Going away, closed or out of stream numbers: use another connection.
    case useAnother
}

/// The client's side of one connection; the mirror of `ServerConnectionStateMachine`. Touches no socket and
/// no clock.
///
/// Send `hello` first. Then, once per read: `heard(at:)` and `receive` for each frame; `open` before a Call,
/// `takeCredit` before a further Message, `finishSending` with the last one, `cancel` before Cancel; `timer(at:)` at
/// `nextTimer`.
package struct ClientConnectionStateMachine: Sendable {
    private enum State: Sendable {
        /// -> open, goingAway, closed
        case awaitingHello(until: MonotonicNanoseconds)
        /// -> goingAway, closed
        case open
        /// No new streams, by either side's wish. -> closed
        case goingAway(until: MonotonicNanoseconds)
        case closed
    }

    /// The first frame to send.
    package let hello: OutgoingHello
    private var state: State
    private var streams = StreamTable()
    private var keepalive: Keepalive
    private var serverCredit: UInt32 = 0
    private var nextStream: UInt32 = 1
    /// Agreed number of streams; our own limit until the server's Hello has come.
    package private(set) var maximumStreams: Int
    /// Largest frame in either direction, as agreed.
    package private(set) var maximumFrameBytes: Int

    package init(hello: OutgoingHello, now: MonotonicNanoseconds) {
        self.hello = hello
        maximumStreams = Int(hello.limits.maximumStreams)
        maximumFrameBytes = Int(hello.limits.maximumFrameBytes)
        keepalive = Keepalive(seconds: hello.limits.keepaliveSeconds, now: now)
        state = .awaitingHello(until: now + UInt64(hello.limits.handshakeSeconds) * 1_000_000_000)
    }

    // MARK: Receiving

    @inline(__always)
    package mutating func heard(at now: MonotonicNanoseconds) { keepalive.heard(at: now) }

    package mutating func receive(_ frame: Frame) -> ClientAction {
        switch state {
        case .open, .goingAway: break
        case .awaitingHello: return receiveFirst(frame)
        case .closed: return .ignore
        }
        if case .reply(let reply) = frame.kind {
            guard let place = streams.place(of: frame.stream) else { return late(frame.stream) }
            let abandoned = streams[place].abandoned
            streams.remove(at: place)
            return abandoned ? .ignore : .reply(stream: frame.stream, reply)
        }
        return receiveOther(frame)
    }

    private mutating func receiveFirst(_ frame: Frame) -> ClientAction {
        switch frame.kind {
        case .hello(let hello) where frame.stream == 0:
            guard hello.version == ConnectionLimits.protocolVersion else {
                return fail(.unsupportedVersion, "This client speaks version 1, not \(hello.version).")
            }
            guard let theirs = ConnectionLimits(stated: hello) else {
                return fail(
                    .protocolError, "max_frame_bytes must be at least \(ConnectionLimits.leastFrameBytes).")
            }
            maximumFrameBytes = min(maximumFrameBytes, Int(theirs.maximumFrameBytes))
            maximumStreams = min(maximumStreams, Int(theirs.maximumStreams))
            serverCredit = theirs.initialCredit
            state = .open
            return .ready(hello)
        case .goAway(let goAway):
            // The server refuses the handshake.
            state = .closed
            return .serverGoesAway(goAway, refused: [])
        default:
            return fail(.protocolError, "The first frame must be Hello, on stream 0.")
        }
    }

    private mutating func receiveOther(_ frame: Frame) -> ClientAction {
        let stream = frame.stream
        switch frame.kind {
        case .message(let message):
            guard let place = streams.place(of: stream) else { return late(stream) }
            guard streams[place].inwardCredit > 0 else {
                return fail(.limitExceeded, "Stream \(stream) sent more messages than it had credit for.")
            }
            streams[place].inwardCredit -= 1
            return streams[place].abandoned ? .ignore : .message(stream: stream, body: message.body)
        case .credit(let credit):
            guard let place = streams.place(of: stream) else { return late(stream) }
            streams[place].outwardCredit = streams[place].outwardCredit.addingSaturated(credit.messages)
            return credit.messages == 0 ? .ignore : .credit(stream: stream)
        case .ping(let ping):
            guard stream == 0 else { return fail(.protocolError, "Ping belongs to stream 0.") }
            return ping.acknowledge ? .ignore : .acknowledgePing(token: ping.token)
        case .goAway(let goAway):
            guard stream == 0 else { return fail(.protocolError, "GoAway belongs to stream 0.") }
            return receiveGoAway(goAway)
        case .hello, .call, .cancel:
            return fail(.protocolError, "The server sent a frame that only clients send, or a second Hello.")
        case .unknown, .reply:
            return .ignore
        }
    }

    private mutating func receiveGoAway(_ goAway: GoAwayFrame) -> ClientAction {
        let refused = streams.streams.filter { $0 > goAway.lastStream }
        var told: [UInt32] = []
        for stream in refused {
            guard let place = streams.place(of: stream) else { continue }
            if !streams[place].abandoned { told.append(stream) }
            streams.remove(at: place)
        }
        if GoAwayReason(rawValue: goAway.reason) != .draining {
            // Every other reason closes at once.
            state = .closed
        } else if case .open = state {
            // The server keeps the time of its grace; the keepalive notices a server that does not close.
            state = .goingAway(until: .max)
        }
        return .serverGoesAway(goAway, refused: told)
    }

    private mutating func late(_ stream: UInt32) -> ClientAction {
        if stream & 1 == 1, stream < nextStream { return .ignore }
        return fail(.protocolError, "Stream \(stream) has not been opened.")
    }

    /// The received bytes are no frame.
    package mutating func fail(_ violation: FrameViolation) -> ClientAction {
        fail(violation.goAwayReason, violation.explanation)
    }

    private mutating func fail(_ reason: GoAwayReason, _ message: String) -> ClientAction {
        state = .closed
        return .close(OutgoingGoAway(lastStream: 0, reason: reason, message: message))
    }

    // MARK: Sending

    /// Opens a stream for a Call.
    ///
    /// - Parameters:
    ///   - more: Message frames follow.
    ///   - credit: what the Call states; 0 = the initial credit of our Hello.
    package mutating func open(more: Bool, credit: UInt32 = 0) -> OpenPermission {
        switch state {
        case .awaitingHello: return .notReady
        case .goingAway, .closed: return .useAnother
        case .open: break
        }
        guard streams.count < maximumStreams else { return .full }
        let stream = nextStream
        guard stream < UInt32.max else { return .useAnother }
        nextStream = stream + 2
        let window = credit == 0 ? hello.limits.initialCredit : credit
        streams.insert(
            stream,
            StreamState(
                outwardCredit: serverCredit, inwardCredit: window, window: window, inwardOpen: true,
                outwardOpen: more))
        return .opened(stream: stream)
    }

    /// Uses up one credit for a further Message frame that carries a message.
    package mutating func takeCredit(stream: UInt32) -> SendPermission {
        guard isLive, let place = streams.place(of: stream), streams[place].outwardOpen,
            !streams[place].abandoned
        else { return .gone }
        guard streams[place].outwardCredit > 0 else { return .wait }
        streams[place].outwardCredit -= 1
        return .send
    }

    /// The closing Message frame may go out: true once, while the stream is open.
    package mutating func finishSending(stream: UInt32) -> Bool {
        guard isLive, let place = streams.place(of: stream), streams[place].outwardOpen,
            !streams[place].abandoned
        else { return false }
        streams[place].outwardOpen = false
        return true
    }

    /// A message of the stream has been taken. Returns the credit to give the server now, 0 = none.
    package mutating func messageHandled(stream: UInt32) -> UInt32 {
        guard isLive, let place = streams.place(of: stream), !streams[place].abandoned else { return 0 }
        return streams[place].messageHandled()
    }

    /// Nobody waits for the stream any more. True when a Cancel must be sent. The stream counts as open until
    /// the server's Reply, which is then swallowed.
    package mutating func cancel(stream: UInt32) -> Bool {
        guard isLive, let place = streams.place(of: stream), !streams[place].abandoned else { return false }
        streams[place].abandoned = true
        return true
    }

    /// We open no more streams. Returns the frame to send.
    package mutating func goAway(
        message: String, graceMilliseconds: UInt32, now: MonotonicNanoseconds
    ) -> OutgoingGoAway? {
        switch state {
        case .awaitingHello, .open:
            state = .goingAway(until: now + UInt64(graceMilliseconds) * 1_000_000)
            return OutgoingGoAway(
                lastStream: 0, reason: .draining, message: message, graceMilliseconds: graceMilliseconds)
        case .goingAway, .closed:
            return nil
        }
    }

    // MARK: Time and end

    package mutating func timer(at now: MonotonicNanoseconds) -> TimerAction {
        switch state {
        case .closed: return .none
        case .awaitingHello(let until):
            guard now >= until else { return .none }
            return timedOut("No Hello came in time.")
        case .goingAway(let until) where now >= until:
            state = .closed
            return .graceOver
        case .open, .goingAway: break
        }
        switch keepalive.step(at: now) {
        case .nothing: return .none
        case .ping(let token): return .sendPing(token: token)
        case .dead: return timedOut("Nothing came within the keepalive time.")
        }
    }

    private mutating func timedOut(_ message: String) -> TimerAction {
        state = .closed
        return .close(OutgoingGoAway(lastStream: 0, reason: .timeout, message: message))
    }

    package var nextTimer: MonotonicNanoseconds? {
        switch state {
        case .awaitingHello(let until): until
        case .open: keepalive.next
        case .goingAway(let until): min(until, keepalive.next)
        case .closed: nil
        }
    }

    /// The socket is gone. Returns the streams whose calls have failed, their progress unknown.
    package mutating func connectionClosed() -> [UInt32] {
        state = .closed
        defer { streams.removeAll() }
        return streams.streams.filter { stream in
            streams.place(of: stream).map { !streams[$0].abandoned } ?? false
        }
    }

    private var isLive: Bool {
        switch state {
        case .open, .goingAway: true
        case .awaitingHello, .closed: false
        }
    }

    /// Going away, and every stream has ended.
    package var isDrained: Bool {
        if case .goingAway = state { return streams.count == 0 }
        return false
    }

    package var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    package var takesCalls: Bool {
        if case .open = state { return nextStream < UInt32.max }
        return false
    }

    package var openStreams: Int { streams.count }
}
