import Testing

@testable import FrameProtocol

private let second: UInt64 = 1_000_000_000

private enum Did: Equatable {
    case ignored, ready, message(UInt32), reply(UInt32, code: UInt32), credit(UInt32), pong(UInt64)
    case goAway(refused: [UInt32]), close(GoAwayReason)

    init(_ action: ClientAction) {
        switch action {
        case .ignore: self = .ignored
        case .ready: self = .ready
        case .message(let stream, _): self = .message(stream)
        case .reply(let stream, let reply): self = .reply(stream, code: reply.code)
        case .credit(let stream): self = .credit(stream)
        case .acknowledgePing(let token): self = .pong(token)
        case .serverGoesAway(_, let refused): self = .goAway(refused: refused)
        case .close(let goAway): self = .close(goAway.reason)
        }
    }
}

private struct Client {
    var machine: ClientConnectionStateMachine

    init(_ change: (inout ConnectionLimits) -> Void = { _ in }) {
        var limits = ConnectionLimits()
        change(&limits)
        machine = ClientConnectionStateMachine(hello: OutgoingHello(software: "test", limits: limits), now: 0)
    }

    static func ready(
        _ change: (inout ConnectionLimits) -> Void = { _ in },
        server: (inout ConnectionLimits) -> Void = { _ in }
    ) -> Client {
        var client = Client(change)
        var limits = ConnectionLimits()
        server(&limits)
        #expect(client.get(OutgoingHello(software: "server", limits: limits)) == .ready)
        return client
    }

    mutating func get(_ frame: some OutgoingFrame) -> Did {
        let bytes = frame.bytes()
        return bytes.withUnsafeBytes { bytes in
            var position = 0
            guard
                let frame = try? FrameDecoder.next(
                    in: bytes, at: &position, maximumFrameBytes: machine.maximumFrameBytes)
            else { return .ignored }
            return Did(machine.receive(frame))
        }
    }
}

@Suite("client's side of a connection")
struct ClientConnectionTests {
    @Test("calls wait for the server's Hello, and take the smaller limits of both sides")
    func handshake() {
        var client = Client { $0.maximumStreams = 3 }
        #expect(client.machine.open(more: false) == .notReady)
        var theirs = ConnectionLimits()
        theirs.maximumStreams = 2
        theirs.maximumFrameBytes = 20_000
        #expect(client.get(OutgoingHello(software: "", limits: theirs)) == .ready)
        #expect(client.machine.maximumFrameBytes == 20_000)
        #expect(client.machine.open(more: false) == .opened(stream: 1))
        #expect(client.machine.open(more: false) == .opened(stream: 3))
        #expect(client.machine.open(more: false) == .full)
        #expect(client.get(OutgoingReply(stream: 1, body: [1])) == .reply(1, code: 0))
        #expect(client.machine.open(more: false) == .opened(stream: 5))
    }

    @Test("a server of another version, or one that speaks out of turn, is left")
    func wrongServer() {
        var other = Client()
        let hello = OutgoingHello(version: 2, software: "", limits: ConnectionLimits())
        #expect(other.get(hello) == .close(.unsupportedVersion))
        var early = Client()
        #expect(early.get(OutgoingReply(stream: 1, body: [])) == .close(.protocolError))
        var twice = Client.ready()
        #expect(twice.get(OutgoingHello(software: "", limits: ConnectionLimits())) == .close(.protocolError))
        var caller = Client.ready()
        #expect(caller.get(OutgoingCall(stream: 2, method: "a.B/C", body: [])) == .close(.protocolError))
    }

    @Test("a server that refuses the handshake says why")
    func refusedHandshake() {
        var client = Client()
        let goAway = OutgoingGoAway(lastStream: 0, reason: .unsupportedVersion, message: "no")
        #expect(client.get(goAway) == .goAway(refused: []))
        #expect(client.machine.isClosed)
        #expect(client.machine.open(more: false) == .useAnother)
    }

    @Test("no Hello within the handshake time ends it")
    func handshakeTime() {
        var client = Client()
        guard case .close(let goAway) = client.machine.timer(at: 10 * second) else {
            Issue.record("still waiting")
            return
        }
        #expect(goAway.reason == .timeout)
    }

    @Test("messages of the server use up credit, which is filled up by halves")
    func inward() {
        var client = Client.ready()
        #expect(client.machine.open(more: false, credit: 4) == .opened(stream: 1))
        for _ in 0..<4 { #expect(client.get(OutgoingMessage(stream: 1, body: [])) == .message(1)) }
        #expect(client.machine.messageHandled(stream: 1) == 0)
        #expect(client.machine.messageHandled(stream: 1) == 2)
        for _ in 0..<2 { #expect(client.get(OutgoingMessage(stream: 1, body: [])) == .message(1)) }
        #expect(client.get(OutgoingMessage(stream: 1, body: [])) == .close(.limitExceeded))
    }

    @Test("further messages go out on credit, the closing one without")
    func outward() {
        var client = Client.ready(server: { $0.initialCredit = 1 })
        #expect(client.machine.open(more: true) == .opened(stream: 1))
        #expect(client.machine.takeCredit(stream: 1) == .send)
        #expect(client.machine.takeCredit(stream: 1) == .wait)
        #expect(client.get(OutgoingCredit(stream: 1, messages: 1)) == .credit(1))
        #expect(client.machine.takeCredit(stream: 1) == .send)
        #expect(client.machine.finishSending(stream: 1) == true)
        #expect(client.machine.finishSending(stream: 1) == false)
        #expect(client.machine.takeCredit(stream: 1) == .gone)
        #expect(client.machine.open(more: false) == .opened(stream: 3))
        #expect(client.machine.takeCredit(stream: 3) == .gone)
    }

    @Test("a cancelled call keeps its stream until the reply, which nobody sees")
    func cancel() {
        var client = Client.ready { $0.maximumStreams = 1 }
        #expect(client.machine.open(more: false) == .opened(stream: 1))
        #expect(client.machine.cancel(stream: 1) == true)
        #expect(client.machine.cancel(stream: 1) == false)
        #expect(client.machine.open(more: false) == .full)
        #expect(client.get(OutgoingMessage(stream: 1, body: [1])) == .ignored)
        #expect(
            client.get(OutgoingReply(stream: 1, code: 1, message: "", progress: 2, status: nil)) == .ignored)
        #expect(client.machine.open(more: false) == .opened(stream: 3))
        #expect(client.get(OutgoingReply(stream: 1, body: [])) == .ignored)
        #expect(client.get(OutgoingReply(stream: 5, body: [])) == .close(.protocolError))
    }

    @Test("a draining server serves what it has taken; the rest was not started")
    func goAway() {
        var client = Client.ready()
        for stream in [1, 3, 5] as [UInt32] {
            #expect(client.machine.open(more: false) == .opened(stream: stream))
        }
        #expect(client.machine.cancel(stream: 5) == true)
        #expect(client.machine.takesCalls)
        let goAway = OutgoingGoAway(lastStream: 1, reason: .draining, message: "", graceMilliseconds: 100)
        #expect(client.get(goAway) == .goAway(refused: [3]))
        #expect(!client.machine.takesCalls)
        #expect(client.machine.open(more: false) == .useAnother)
        #expect(!client.machine.isDrained)
        #expect(client.get(OutgoingReply(stream: 3, body: [])) == .ignored)
        #expect(client.get(OutgoingReply(stream: 1, body: [])) == .reply(1, code: 0))
        #expect(client.machine.isDrained)
    }

    @Test("a server that ends the connection for a fault takes it down at once")
    func faultyGoAway() {
        var client = Client.ready()
        #expect(client.machine.open(more: false) == .opened(stream: 1))
        let goAway = OutgoingGoAway(lastStream: 1, reason: .limitExceeded, message: "")
        #expect(client.get(goAway) == .goAway(refused: []))
        #expect(client.machine.isClosed)
        #expect(client.machine.connectionClosed() == [1])
    }

    @Test("going away ourselves ends when the last call has")
    func ownGoAway() {
        var client = Client.ready()
        #expect(client.machine.open(more: false) == .opened(stream: 1))
        #expect(client.machine.open(more: false) == .opened(stream: 3))
        #expect(client.machine.cancel(stream: 3) == true)
        #expect(client.machine.goAway(message: "", graceMilliseconds: 500, now: 0) != nil)
        #expect(client.machine.goAway(message: "", graceMilliseconds: 500, now: 0) == nil)
        #expect(client.machine.timer(at: second / 2) == .graceOver)
        #expect(client.machine.connectionClosed() == [1])
    }

    @Test("silence is pinged, then ended")
    func keepalive() {
        var client = Client.ready { $0.keepaliveSeconds = 1 }
        #expect(client.machine.timer(at: second) == .sendPing(token: 1))
        #expect(client.get(OutgoingPing(token: 1, acknowledge: true)) == .ignored)
        client.machine.heard(at: second + 1)
        #expect(client.machine.timer(at: 2 * second) == .none)
        #expect(client.get(OutgoingPing(token: 5)) == .pong(5))
        guard case .close = client.machine.timer(at: 4 * second) else {
            Issue.record("still open")
            return
        }
    }

    @Test("both sides' machines get along for any run of calls, messages and credit")
    func bothSides() {
        var random = SeededGenerator(12)
        for _ in 0..<30 {
            var client = Client { $0.initialCredit = UInt32(1 + random.below(5)) }
            var limits = ConnectionLimits()
            limits.initialCredit = UInt32(1 + random.below(5))
            limits.maximumStreams = UInt32(1 + random.below(10))
            var server = ServerConnectionStateMachine(limits: limits, software: "", now: 0)
            let exchange = Exchange()
            #expect(exchange.toServer(client.machine.hello, &server) == true)
            #expect(exchange.toClient(server.hello, &client.machine) == true)
            for _ in 0..<500 { #expect(exchange.step(&client.machine, &server, &random) == true) }
        }
    }
}

/// Random legal behaviour on both sides; false as soon as one calls the other's behaviour illegal.
private final class Exchange {
    var streams: [UInt32] = []

    func toServer(_ frame: some OutgoingFrame, _ server: inout ServerConnectionStateMachine) -> Bool {
        frame.bytes().withUnsafeBytes { bytes in
            var position = 0
            guard let frame = try? FrameDecoder.next(in: bytes, at: &position, maximumFrameBytes: 1 << 20)
            else {
                return false
            }
            switch server.receive(frame) {
            case .close, .streamViolation: return false
            default: return true
            }
        }
    }

    func toClient(_ frame: some OutgoingFrame, _ client: inout ClientConnectionStateMachine) -> Bool {
        frame.bytes().withUnsafeBytes { bytes in
            var position = 0
            guard let frame = try? FrameDecoder.next(in: bytes, at: &position, maximumFrameBytes: 1 << 20)
            else {
                return false
            }
            if case .close = client.receive(frame) { return false }
            return true
        }
    }

    func step(
        _ client: inout ClientConnectionStateMachine, _ server: inout ServerConnectionStateMachine,
        _ random: inout SeededGenerator
    ) -> Bool {
        let stream = streams.randomElement(using: &random) ?? 1
        switch random.below(8) {
        case 0, 1:
            var options = OutgoingCall.Options()
            options.more = random.chance(50)
            options.credit = UInt32(random.below(3))
            guard case .opened(let stream) = client.open(more: options.more, credit: options.credit) else {
                return true
            }
            streams.append(stream)
            return toServer(
                OutgoingCall(stream: stream, method: "a.B/C", options: options, body: []), &server)
        case 2:
            guard client.takeCredit(stream: stream) == .send else { return true }
            return toServer(OutgoingMessage(stream: stream, body: [1]), &server)
        case 3:
            let credit = server.messageHandled(stream: stream)
            return credit == 0 || toClient(OutgoingCredit(stream: stream, messages: credit), &client)
        case 4:
            guard server.takeCredit(stream: stream) == .send else { return true }
            return toClient(OutgoingMessage(stream: stream, body: [2]), &client)
        case 5:
            let credit = client.messageHandled(stream: stream)
            return credit == 0 || toServer(OutgoingCredit(stream: stream, messages: credit), &server)
        case 6:
            if random.chance(30), client.cancel(stream: stream) {
                return toServer(OutgoingCancel(stream: stream), &server)
            }
            guard client.finishSending(stream: stream) else { return true }
            return toServer(OutgoingMessage(stream: stream, body: [], last: true), &server)
        default:
            guard server.endStream(stream) else { return true }
            streams.removeAll { $0 == stream }
            return toClient(OutgoingReply(stream: stream, body: [3]), &client)
        }
    }
}
