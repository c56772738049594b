import Testing

@testable import FrameProtocol

private let second: UInt64 = 1_000_000_000

/// Short names for what a server machine answered.
private enum Did: Equatable {
    case ignored, handshake, open(UInt32), refuse(UInt32), message(UInt32, last: Bool), end(UInt32)
    case violation(UInt32), cancel(UInt32), credit(UInt32), pong(UInt64), leaving, close(GoAwayReason)

    init(_ action: ServerAction) {
        switch action {
        case .ignore: self = .ignored
        case .handshake: self = .handshake
        case .open(let stream, _): self = .open(stream)
        case .refuse(let stream): self = .refuse(stream)
        case .message(let stream, _, let last): self = .message(stream, last: last)
        case .endOfMessages(let stream): self = .end(stream)
        case .streamViolation(let stream, _): self = .violation(stream)
        case .cancel(let stream, _): self = .cancel(stream)
        case .credit(let stream): self = .credit(stream)
        case .acknowledgePing(let token): self = .pong(token)
        case .clientGoesAway: self = .leaving
        case .close(let goAway): self = .close(goAway.reason)
        }
    }
}

/// A server machine that is fed bytes, as a listener does.
private struct Server {
    var machine: ServerConnectionStateMachine

    init(_ change: (inout ConnectionLimits) -> Void = { _ in }) {
        var limits = ConnectionLimits()
        change(&limits)
        machine = ServerConnectionStateMachine(limits: limits, software: "test", now: 0)
    }

    static func open(_ change: (inout ConnectionLimits) -> Void = { _ in }) -> Server {
        var server = Server(change)
        #expect(server.get(OutgoingHello(software: "client", limits: ConnectionLimits())) == .handshake)
        return server
    }

    mutating func get(_ frame: some OutgoingFrame) -> Did { get(frame.bytes()) }

    mutating func get(_ bytes: [UInt8]) -> Did {
        bytes.withUnsafeBytes { bytes in
            var position = 0
            do throws(FrameViolation) {
                let frame = try FrameDecoder.next(
                    in: bytes, at: &position, maximumFrameBytes: machine.maximumFrameBytes)
                guard let frame else { return .ignored }
                return Did(machine.receive(frame))
            } catch {
                return Did(machine.fail(error))
            }
        }
    }

    mutating func call(_ stream: UInt32, more: Bool = false, credit: UInt32 = 0) -> Did {
        var options = OutgoingCall.Options()
        options.more = more
        options.credit = credit
        return get(OutgoingCall(stream: stream, method: "a.B/C", options: options, body: [1]))
    }
}

@Suite("server's side of a connection: handshake")
struct ServerHandshakeTests {
    @Test("Hello opens the connection with the smaller limits of both sides")
    func agreesOnLimits() {
        var server = Server()
        #expect(server.machine.maximumFrameBytes == ConnectionLimits.maximumHelloBytes)
        var theirs = ConnectionLimits()
        theirs.maximumFrameBytes = 100_000
        theirs.maximumStreams = 1
        #expect(server.get(OutgoingHello(software: "", limits: theirs)) == .handshake)
        #expect(server.machine.maximumFrameBytes == 100_000)
        #expect(server.call(1) == .open(1))
        #expect(server.call(3) == .close(.limitExceeded))
    }

    @Test("a Hello that states no limits has the defaults")
    func defaults() {
        var server = Server()
        // Version 1 and nothing else.
        #expect(server.get([0, 0, 0, 0, 4, 0x12, 2, 8, 1]) == .handshake)
        #expect(server.machine.maximumFrameBytes == 4 << 20)
        #expect(server.call(1) == .open(1))
        for _ in 0..<16 { #expect(server.machine.takeCredit(stream: 1) == .send) }
        #expect(server.machine.takeCredit(stream: 1) == .wait)
    }

    @Test("another version is answered with UNSUPPORTED_VERSION", arguments: [0, 2, 99] as [UInt32])
    func version(_ version: UInt32) {
        var server = Server()
        let hello = OutgoingHello(version: version, software: "", limits: ConnectionLimits())
        #expect(server.get(hello) == .close(.unsupportedVersion))
        #expect(server.machine.isClosed)
        #expect(server.call(1) == .ignored)
    }

    @Test("anything but Hello comes too early")
    func otherFirst() {
        var server = Server()
        #expect(server.call(1) == .close(.protocolError))
        var unknown = Server()
        #expect(unknown.get([0, 0, 0, 0, 0]) == .close(.protocolError))
        var onStream = Server()
        #expect(onStream.get([0, 0, 0, 0, 6, 8, 1, 0x12, 2, 8, 1]) == .close(.protocolError))
    }

    @Test("a frame limit too small for a refusal is refused itself")
    func tinyFrames() {
        var server = Server()
        var limits = ConnectionLimits()
        limits.maximumFrameBytes = 16_383
        #expect(server.get(OutgoingHello(software: "", limits: limits)) == .close(.protocolError))
    }

    @Test("a second Hello breaks the protocol")
    func twice() {
        var server = Server.open()
        let hello = OutgoingHello(software: "", limits: ConnectionLimits())
        #expect(server.get(hello) == .close(.protocolError))
    }

    @Test("no Hello within the handshake time ends it")
    func handshakeTime() {
        var server = Server()
        #expect(server.machine.nextTimer == 10 * second)
        #expect(server.machine.timer(at: 10 * second - 1) == .none)
        guard case .close(let goAway) = server.machine.timer(at: 10 * second) else {
            Issue.record("still open")
            return
        }
        #expect(goAway.reason == .timeout)
        #expect(server.machine.nextTimer == nil)
    }

    @Test("a Hello over 16 KiB passes a limit")
    func longHello() {
        var server = Server()
        let hello = OutgoingHello(
            software: String(repeating: "x", count: 20_000), limits: ConnectionLimits())
        #expect(server.get(hello) == .close(.limitExceeded))
    }
}

@Suite("server's side of a connection: streams")
struct ServerStreamTests {
    @Test("unary calls open and end; numbers need only rise")
    func unary() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(server.call(9) == .open(9))
        #expect(server.machine.openStreams == 2)
        #expect(server.machine.endStream(1) == true)
        #expect(server.machine.endStream(1) == false)
        #expect(server.machine.openStreamNumbers == [9])
        #expect(server.machine.lastStream == 9)
    }

    @Test("even, repeated and falling numbers break the protocol", arguments: [0, 2, 5, 3] as [UInt32])
    func numbers(_ stream: UInt32) {
        var server = Server.open()
        #expect(server.call(5) == .open(5))
        #expect(server.call(stream) == .close(.protocolError))
    }

    @Test("as many streams as agreed may be open, and a place is free again after a reply")
    func maximumStreams() {
        var server = Server.open()
        for number in 0..<128 {
            #expect(server.call(UInt32(number) * 2 + 1) == .open(UInt32(number) * 2 + 1))
        }
        #expect(server.machine.endStream(101) == true)
        #expect(server.call(257) == .open(257))
        #expect(server.call(259) == .close(.limitExceeded))
        #expect(server.machine.connectionClosed().count == 128)
    }

    @Test("messages follow a call that announced them, until the last")
    func clientStreaming() {
        var server = Server.open()
        #expect(server.call(1, more: true) == .open(1))
        #expect(server.get(OutgoingMessage(stream: 1, body: [])) == .message(1, last: false))
        #expect(server.get(OutgoingMessage(stream: 1, body: [7], last: true)) == .message(1, last: true))
        #expect(server.get(OutgoingMessage(stream: 1, body: [8])) == .violation(1))
        #expect(server.machine.endStream(1) == false)
        #expect(server.get(OutgoingMessage(stream: 1, body: [9])) == .ignored)
    }

    @Test("the sending side may be closed without a message")
    func emptyLast() {
        var server = Server.open { $0.initialCredit = 1 }
        #expect(server.call(1, more: true) == .open(1))
        #expect(server.get(OutgoingMessage(stream: 1, body: [1])) == .message(1, last: false))
        // It costs no credit.
        #expect(server.get(OutgoingMessage(stream: 1, body: [], last: true)) == .end(1))
        #expect(server.get(OutgoingMessage(stream: 1, body: [], last: true)) == .violation(1))
    }

    @Test("a message on a unary call ends that call alone")
    func messageOnUnary() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(server.call(3) == .open(3))
        #expect(server.get(OutgoingMessage(stream: 1, body: [1])) == .violation(1))
        #expect(server.machine.openStreamNumbers == [3])
    }

    @Test("frames that cross with the reply are ignored; frames of streams that never were are not")
    func late() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(server.machine.endStream(1) == true)
        #expect(server.get(OutgoingCancel(stream: 1)) == .ignored)
        #expect(server.get(OutgoingCredit(stream: 1, messages: 1)) == .ignored)
        #expect(server.get(OutgoingCancel(stream: 3)) == .close(.protocolError))
        for stream in [0, 2] as [UInt32] {
            var other = Server.open()
            #expect(other.call(5) == .open(5))
            #expect(other.get(OutgoingCancel(stream: stream)) == .close(.protocolError))
        }
    }

    @Test("a cancelled call still ends with a reply")
    func cancel() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(server.get(OutgoingCancel(stream: 1, reason: "no")) == .cancel(1))
        #expect(server.get(OutgoingCancel(stream: 1)) == .cancel(1))
        #expect(server.machine.endStream(1) == true)
    }

    @Test("the client cannot send what only servers send")
    func reply() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(server.get(OutgoingReply(stream: 1, body: [])) == .close(.protocolError))
    }

    @Test("a kind of a later version is passed over")
    func unknownKind() {
        var server = Server.open()
        // Field 12, a message.
        #expect(server.get([0, 0, 0, 0, 4, 8, 1, 0x62, 0]) == .ignored)
        #expect(server.call(1) == .open(1))
    }

    @Test(
        "what is no frame ends the connection",
        arguments: [[1], [0, 255, 255, 255, 255], [0, 0, 0, 0, 1, 7]])
    func malformed(_ bytes: [UInt8]) {
        var server = Server.open()
        let expected: GoAwayReason = bytes.count == 5 ? .limitExceeded : .protocolError
        #expect(server.get(bytes) == .close(expected))
        #expect(server.machine.takeCredit(stream: 1) == .gone)
    }
}

@Suite("server's side of a connection: credit, time and end")
struct ServerCreditAndTimeTests {
    @Test("the call's credit bounds what the server sends; more may be given")
    func outward() {
        var server = Server.open()
        #expect(server.call(1, credit: 2) == .open(1))
        #expect(server.machine.takeCredit(stream: 1) == .send)
        #expect(server.machine.takeCredit(stream: 1) == .send)
        #expect(server.machine.takeCredit(stream: 1) == .wait)
        #expect(server.get(OutgoingCredit(stream: 1, messages: 0)) == .ignored)
        #expect(server.get(OutgoingCredit(stream: 1, messages: 1)) == .credit(1))
        #expect(server.machine.takeCredit(stream: 1) == .send)
        #expect(server.machine.takeCredit(stream: 1) == .wait)
        #expect(server.machine.takeCredit(stream: 3) == .gone)
    }

    @Test("credit does not overflow")
    func saturation() {
        var server = Server.open()
        #expect(server.call(1, credit: .max) == .open(1))
        #expect(server.get(OutgoingCredit(stream: 1, messages: .max)) == .credit(1))
        #expect(server.machine.takeCredit(stream: 1) == .send)
    }

    @Test("the client's messages use up the server's credit, which is filled up by halves")
    func inward() {
        var server = Server.open { $0.initialCredit = 4 }
        #expect(server.call(1, more: true) == .open(1))
        for _ in 0..<4 {
            #expect(server.get(OutgoingMessage(stream: 1, body: [1])) == .message(1, last: false))
        }
        #expect(server.machine.messageHandled(stream: 1) == 0)
        #expect(server.machine.messageHandled(stream: 1) == 2)
        for _ in 0..<2 {
            #expect(server.get(OutgoingMessage(stream: 1, body: [1])) == .message(1, last: false))
        }
        #expect(server.get(OutgoingMessage(stream: 1, body: [1])) == .close(.limitExceeded))
    }

    @Test("a ping is answered, an answer is not")
    func ping() {
        var server = Server.open()
        #expect(server.get(OutgoingPing(token: 77)) == .pong(77))
        #expect(server.get(OutgoingPing(token: 77, acknowledge: true)) == .ignored)
    }

    @Test("silence is pinged once, and ended after twice the time")
    func keepalive() {
        var server = Server.open { $0.keepaliveSeconds = 5 }
        #expect(server.machine.nextTimer == 5 * second)
        #expect(server.machine.timer(at: 4 * second) == .none)
        #expect(server.machine.timer(at: 5 * second) == .sendPing(token: 1))
        #expect(server.machine.nextTimer == 10 * second)
        #expect(server.machine.timer(at: 9 * second) == .none)
        server.machine.heard(at: 9 * second)
        #expect(server.machine.timer(at: 10 * second) == .none)
        #expect(server.machine.timer(at: 14 * second) == .sendPing(token: 2))
        guard case .close(let goAway) = server.machine.timer(at: 19 * second) else {
            Issue.record("still open")
            return
        }
        #expect(goAway.reason == .timeout)
    }

    @Test("draining lets open streams end and refuses new ones as not started")
    func drain() throws {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(!server.machine.isDrained)
        let frame = server.machine.goAway(message: "stops", graceMilliseconds: 2_000, now: 0)
        let goAway = try #require(frame)
        #expect(
            goAway
                == OutgoingGoAway(
                    lastStream: 1, reason: .draining, message: "stops", graceMilliseconds: 2_000))
        #expect(server.call(3, more: true) == .refuse(3))
        #expect(server.get(OutgoingMessage(stream: 3, body: [1])) == .ignored)
        #expect(server.machine.timer(at: 1 * second) == .none)
        #expect(server.machine.nextTimer == 2 * second)
        #expect(!server.machine.isDrained)
        #expect(server.machine.endStream(1) == true)
        #expect(server.machine.isDrained)
    }

    @Test("when the grace is over, what is open is cut off")
    func graceOver() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        _ = server.machine.goAway(message: "", graceMilliseconds: 1_000, now: 0)
        #expect(server.machine.timer(at: 1 * second) == .graceOver)
        #expect(server.machine.isClosed)
        #expect(server.machine.connectionClosed() == [1])
        #expect(server.machine.connectionClosed() == [])
    }

    @Test("a client that goes away is served what it has begun")
    func clientGoesAway() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(server.get(OutgoingGoAway(lastStream: 0, reason: .draining, message: "")) == .leaving)
        #expect(!server.machine.isDrained)
        #expect(server.machine.endStream(1) == true)
        #expect(server.machine.isDrained)
    }

    @Test("revoked credentials end the connection at once")
    func revoked() {
        var server = Server.open()
        #expect(server.call(1) == .open(1))
        #expect(Did(server.machine.fail(.unauthenticated, "revoked")) == .close(.unauthenticated))
        #expect(Did(server.machine.fail(.unauthenticated, "revoked")) == .ignored)
        #expect(server.machine.goAway(message: "", graceMilliseconds: 1, now: 0) == nil)
    }
}

@Suite("open streams")
struct StreamTableTests {
    @Test("behaves as a dictionary, whatever comes and goes")
    func againstDictionary() {
        var random = SeededGenerator(11)
        for _ in 0..<50 {
            var table = StreamTable()
            var model: [UInt32: UInt32] = [:]
            var next: UInt32 = 1
            let step = random.below(3)
            for _ in 0..<400 {
                if random.chance(55), model.count < 128 {
                    next += 2 * UInt32(1 + random.below(1 << (step * 6)))
                    table.insert(
                        next,
                        StreamState(
                            outwardCredit: next, inwardCredit: 0, window: 0, inwardOpen: false,
                            outwardOpen: false))
                    model[next] = next
                } else if let victim = model.keys.sorted().randomElement(using: &random) {
                    if let place = table.place(of: victim) { table.remove(at: place) }
                    model[victim] = nil
                }
                #expect(table.count == model.count)
                for (stream, credit) in model {
                    #expect(table.place(of: stream).map { table[$0].outwardCredit } == credit)
                }
                #expect(table.place(of: next + 2) == nil)
            }
            #expect(table.streams == model.keys.sorted())
        }
    }
}
