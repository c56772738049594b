import FrameProtocol
import HostContract
import NIOCore
import PluginAPI

// What a received frame means for the calls of a connection.
extension Connection {
    func act(_ action: ServerAction, _ bytes: UnsafeRawBufferPointer, now: UInt64) {
        switch action {
        case .open(let stream, let call):
            begin(call, stream, bytes, now: now)
        case .message(let stream, let body, let last):
            guard let source = calls[stream]?.source else { return }
            _ = source.offer(bytes.array(body))
            if last { source.finish() }
        case .endOfMessages(let stream):
            calls[stream]?.source?.finish()
        case .credit(let stream):
            calls[stream]?.sink?.grant(takeCredit(of: stream))
        case .cancel(let stream, _):
            calls[stream]?.session.cancel(.cancelled)
        case .acknowledgePing(let token):
            write(OutgoingPing(token: token, acknowledge: true))
        case .handshake(let hello):
            let token = bytes.string(hello.accessToken)
            if !token.isEmpty { identity.offer(token: token) }
            write(machine.hello)
        case .refuse(let stream):
            write(dispatcher.draining(), to: stream)
        case .streamViolation(let stream, let explanation):
            endBrokenStream(stream, explanation)
        case .clientGoesAway:
            if machine.isDrained { close() }
        case .close(let goAway):
            close(with: goAway)
        case .ignore:
            break
        }
    }

    // MARK: Calls

    private func begin(_ call: CallFrame, _ stream: UInt32, _ bytes: UnsafeRawBufferPointer, now: UInt64) {
        guard let entry = dispatcher.table.entry(for: bytes[call.method]) else {
            refuse(stream, dispatcher.unknownMethod(bytes[call.method]))
            return
        }
        guard !call.more || entry.descriptor.kind == .clientStreaming else {
            refuse(
                stream, dispatcher.wrongShape("The method takes one message, and the call announces more."))
            return
        }
        var arrival = CallArrival(carrier: identity)
        arrival.timeoutMilliseconds = call.timeoutMilliseconds
        if !call.idempotencyKey.isEmpty { arrival.idempotencyKey = bytes.string(call.idempotencyKey) }
        if !call.actingFor.isEmpty { arrival.actingFor = bytes.string(call.actingFor) }
        if !call.accessToken.isEmpty { arrival.accessToken = bytes.string(call.accessToken) }
        if !call.personToken.isEmpty { arrival.personToken = bytes.string(call.personToken) }
        if !call.traceParent.isEmpty { arrival.traceParent = bytes.string(call.traceParent) }
        do {
            let session = try dispatcher.open(
                entry, arrival, tag: stream, arrivedAt: now, receivedAt: receivedAt, responder: self)
            start(session, bytes.array(call.body), more: call.more)
        } catch {
            refuse(stream, error)
        }
    }

    private func start(_ session: CallSession, _ body: [UInt8], more: Bool) {
        let stream = session.tag
        switch session.entry.descriptor.kind {
        case .unary:
            run(session, .unary(body))
            if !session.hasEnded { keep(OpenCall(session: session)) }
        case .serverStreaming:
            let sink = ConnectionReplySink(
                connection: self, stream: stream, credit: takeCredit(of: stream),
                maximumFrameBytes: machine.maximumFrameBytes)
            // Kept before it runs: the handler may send at once.
            keep(OpenCall(session: session, sink: sink))
            run(session, .serverStreaming(body, sink))
        case .clientStreaming:
            let source = MessageChannel(capacity: limits.initialCredit) { [weak self] in
                self?.taken(on: stream)
            }
            if !more { source.finish() }
            keep(OpenCall(session: session, source: source))
            run(session, .clientStreaming(body, source))
        }
    }

    /// Starts the handler; for inline ones, measures how long it holds the loop.
    private func run(_ session: CallSession, _ work: CallSession.Work) {
        // The last reading of the clock: when the bytes came, or when the call before this one had ended.
        let before = turnedAt
        session.start(work, on: server, at: before)
        guard session.entry.isInline else { return }
        let handledAt = session.handledAt
        turnedAt = handledAt == 0 ? MonotonicTime.now : handledAt
        dispatcher.meters.held(nanoseconds: turnedAt - before)
    }

    private func keep(_ call: OpenCall) {
        calls[call.session.tag] = call
        watchDeadline(of: call.session)
    }

    /// The credit that the caller has given since; the stream's sink spends it on its own.
    private func takeCredit(of stream: UInt32) -> Int {
        var credit = 0
        // A caller may give four thousand million at once: what is left is handed on message by message.
        while credit < 1_024, case .send = machine.takeCredit(stream: stream) { credit += 1 }
        return credit
    }

    /// The handler has taken a message of a client stream, on whichever thread.
    private func taken(on stream: UInt32) {
        if server.loop.inEventLoop {
            messageTaken(on: stream)
        } else {
            server.deliver(.taken(self, stream: stream))
        }
    }

    func messageTaken(on stream: UInt32) {
        let credit = machine.messageHandled(stream: stream)
        if credit > 0 { write(OutgoingCredit(stream: stream, messages: credit)) }
    }

    // MARK: Outcomes

    func finish(_ session: CallSession, _ outcome: CallOutcome) {
        let stream = session.tag
        if !calls.isEmpty, let call = calls.removeValue(forKey: stream) { release(call) }
        guard machine.endStream(stream) else { return }
        switch outcome {
        case .reply(let body, let replayed):
            let reply = OutgoingReply(stream: stream, body: body, replayed: replayed)
            if reply.byteCount - FrameDecoder.prefixBytes <= machine.maximumFrameBytes {
                write(reply)
            } else {
                write(tooLargeReply(session, bytes: body.count), to: stream)
            }
        case .refused(let refusal):
            write(refusal, to: stream)
        }
    }

    private func tooLargeReply(_ session: CallSession, bytes: Int) -> Refusal {
        logger.error(
            "reply larger than the caller's frames",
            metadata: ["method": "\(session.entry.descriptor.path)", "bytes": "\(bytes)"])
        let failure = Failure(
            HostReasons.internal,
            "The reply has \(bytes) bytes, more than a frame of this connection may hold.")
        return Refusal(failure: failure, progress: session.progress, correlationID: session.correlationID)
    }

    private func refuse(_ stream: UInt32, _ refusal: Refusal) {
        if machine.endStream(stream) { write(refusal, to: stream) }
    }

    /// The stream's frames came in a wrong order; the state machine has ended it already.
    private func endBrokenStream(_ stream: UInt32, _ explanation: StaticString) {
        var refusal = dispatcher.wrongShape("\(explanation)")
        if let call = calls.removeValue(forKey: stream) {
            refusal.progress = call.session.progress
            refusal.correlationID = call.session.correlationID
            call.session.cancel(.cancelled)
            release(call)
        }
        write(refusal, to: stream)
    }

    private func write(_ refusal: Refusal, to stream: UInt32) {
        // As many of the broken rules as fit the caller's frames.
        for violations in [Int.max, 1_000, 100, 10, 0] {
            let reply = OutgoingReply(
                stream: stream, code: refusal.failure.reason.code.rawValue, message: refusal.failure.message,
                progress: refusal.progress.rawValue, status: refusal.status(violations: violations))
            if reply.byteCount - FrameDecoder.prefixBytes <= machine.maximumFrameBytes || violations == 0 {
                write(reply)
                return
            }
        }
    }

    // MARK: From the host

    /// No new calls from here on; closes when the last has ended, or when the grace is over.
    func goAway(graceMilliseconds: UInt32) {
        let frame = machine.goAway(
            message: "The host is being stopped.", graceMilliseconds: graceMilliseconds,
            now: MonotonicTime.now)
        if let frame { write(frame) }
        if machine.isDrained || machine.isClosed {
            flushNow()
            close()
        }
    }

    /// Rights were taken away somewhere: asks again whether those behind this connection and its calls still
    /// hold any.
    func rightsChanged() {
        do {
            _ = try identity.principal(
                dispatcher.identity, generation: dispatcher.rightsGeneration, now: dispatcher.clock.now,
                isUse: false)
        } catch {
            let message = "The credentials of the connection were revoked."
            act(
                machine.fail(.unauthenticated, message), UnsafeRawBufferPointer(start: nil, count: 0),
                now: MonotonicTime.now)
            return
        }
        for call in calls.values where !dispatcher.stillHolds(call.session.arrival) {
            call.session.cancel(.revoked)
        }
    }
}

extension Connection: CallResponder {
    func callEnded(_ session: CallSession, _ outcome: CallOutcome) {
        if server.loop.inEventLoop {
            finish(session, outcome)
        } else {
            server.deliver(.outcome(self, session, outcome))
        }
    }
}

extension Dispatcher {
    /// Whether the tokens that came with a call are still good.
    func stillHolds(_ arrival: CallArrival) -> Bool {
        for token in [arrival.accessToken, arrival.personToken] where !token.isEmpty {
            if (try? identity.authenticate(accessToken: token, isUse: false)) == nil { return false }
        }
        return true
    }
}

extension ConnectionLimits {
    init(_ limits: HostLimits) {
        self.init()
        maximumFrameBytes = UInt32(clamping: limits.frameBytes)
        maximumStreams = UInt32(clamping: limits.streamsPerConnection)
        initialCredit = UInt32(clamping: limits.initialCredit)
        keepaliveSeconds = UInt32(clamping: limits.keepaliveSeconds)
        handshakeSeconds = UInt32(clamping: limits.handshakeSeconds)
    }
}
