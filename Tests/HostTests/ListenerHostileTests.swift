import CommonContract
import Foundation
import FrameProtocol
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Hostile and broken peers")
struct ListenerHostileTests {
    /// Runs a raw peer against a new host, and then sees that the host still serves others.
    private func against(
        configure: (inout HostSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (RawPeer) throws -> Void
    ) async throws {
        try await TestHost.with([TrialPlugin.self], configure: configure) { host in
            let address = host.address(.unixSocket)
            try await onThread { try body(try RawPeer(address)) }
            let health = Pcs_Host_V1_HealthServiceClient(try await host.anonymous(.tcp))
            #expect(try await health.check(.init()).serving)
            let meters = try host.process.dispatcher().meters
            #expect(meters.callsInFlight == 0)
        }
    }

    private static let echo = "pcs.host.v1.DiagnosticsService/Echo"

    @Test("a wrong version is told so and closed")
    func version() async throws {
        try await against { peer in
            peer.send(OutgoingHello(version: 9, software: "raw", limits: ConnectionLimits()))
            #expect(try peer.goAway() == GoAwayReason.unsupportedVersion.rawValue)
            try peer.end()
        }
    }

    @Test("a call before Hello is a protocol error")
    func noHello() async throws {
        try await against { peer in
            peer.send(OutgoingCall(stream: 1, method: Self.echo, body: []))
            #expect(try peer.goAway() == GoAwayReason.protocolError.rawValue)
            try peer.end()
        }
    }

    @Test("an announced length above the limit closes before a byte of it is kept")
    func oversize() async throws {
        try await against { peer in
            try peer.shakeHands()
            peer.send([0, 0x7F, 0xFF, 0xFF, 0xFF])
            #expect(try peer.goAway() == GoAwayReason.limitExceeded.rawValue)
            try peer.end()
        }
    }

    @Test(
        "bytes that are no frame are a protocol error",
        arguments: [
            [UInt8](repeating: 0xFF, count: 64), [0, 0, 0, 0, 3, 0x1A, 0x7F, 0x01], [1, 0, 0, 0, 1, 0],
            Array("GET / HTTP/1.1\r\n\r\n".utf8),
        ])
    func garbage(_ bytes: [UInt8]) async throws {
        try await against { peer in
            try peer.shakeHands()
            peer.send(bytes)
            #expect(try peer.goAway() != nil)
            try peer.end()
        }
    }

    @Test("streams that are even, or fall, are protocol errors", arguments: [[UInt32(2)], [3, 1], [5, 5]])
    func streamNumbers(_ numbers: [UInt32]) async throws {
        try await against { peer in
            try peer.shakeHands()
            for number in numbers { peer.send(OutgoingCall(stream: number, method: Self.echo, body: [])) }
            #expect(try peer.goAway() == GoAwayReason.protocolError.rawValue)
            try peer.end()
        }
    }

    @Test("more streams than agreed close the connection, and the calls it had are given up")
    func tooManyStreams() async throws {
        try await against(configure: { $0.limits.streamsPerConnection = 4 }) { peer in
            try peer.shakeHands()
            let body: [UInt8] = try Pcs_Host_V1_WaitRequest.with { $0.milliseconds = 5_000 }.serializedBytes()
            for number in 0..<5 {
                peer.send(
                    OutgoingCall(
                        stream: UInt32(number * 2 + 1), method: "pcs.host.v1.DiagnosticsService/Wait",
                        body: body))
            }
            #expect(try peer.goAway() == GoAwayReason.limitExceeded.rawValue)
            try peer.end()
        }
    }

    @Test("a second message for a method that takes one ends that stream alone")
    func secondMessage() async throws {
        try await against { peer in
            try peer.shakeHands()
            let body: [UInt8] = try Pcs_Host_V1_WaitRequest.with { $0.milliseconds = 3_000 }.serializedBytes()
            peer.send(OutgoingCall(stream: 1, method: "pcs.host.v1.DiagnosticsService/Wait", body: body))
            peer.send(OutgoingMessage(stream: 1, body: [1, 2], last: true))
            let broken = try peer.reply()
            #expect(broken?.stream == 1)
            #expect(broken?.reason == "STREAM_PROTOCOL")
            peer.send(OutgoingCall(stream: 3, method: Self.echo, body: []))
            #expect(try peer.reply()?.code == 0)
        }
    }

    @Test("messages beyond the credit close the connection")
    func beyondCredit() async throws {
        try await against { peer in
            try peer.shakeHands()
            var options = OutgoingCall.Options()
            options.more = true
            peer.send(
                OutgoingCall(
                    stream: 1, method: "pcs.host.v1.DiagnosticsService/Collect", options: options, body: []))
            // As one write, so that the host has no time to give more.
            peer.send((0..<400).flatMap { _ in OutgoingMessage(stream: 1, body: [0x08, 0x01]).bytes() })
            #expect(try peer.goAway() == GoAwayReason.limitExceeded.rawValue)
            try peer.end()
        }
    }

    @Test("frames cut into single bytes are read like whole ones")
    func cut() async throws {
        try await against { peer in
            try peer.shakeHands()
            let body: [UInt8] = try Pcs_Host_V1_EchoRequest.with {
                $0.text = String(repeating: "x", count: 300)
            }.serializedBytes()
            for byte in OutgoingCall(stream: 1, method: Self.echo, body: body).bytes() { peer.send([byte]) }
            #expect(try peer.reply()?.code == 0)
        }
    }

    @Test("a thousand calls in one write are answered in order")
    func burst() async throws {
        try await against { peer in
            try peer.shakeHands()
            let body: [UInt8] = try Pcs_Host_V1_EchoRequest.with { $0.number = 7 }.serializedBytes()
            peer.send(
                (0..<1_000).flatMap {
                    OutgoingCall(stream: UInt32($0 * 2 + 1), method: Self.echo, body: body).bytes()
                })
            for number in 0..<1_000 {
                let reply = try peer.reply()
                #expect(reply?.stream == UInt32(number * 2 + 1))
                #expect(reply?.code == 0)
            }
        }
    }

    @Test("a peer that sends no Hello in time is closed", .timeLimit(.minutes(1)))
    func silentPeer() async throws {
        try await against(configure: { $0.limits.handshakeSeconds = 1 }) { peer in
            #expect(try peer.goAway() == GoAwayReason.timeout.rawValue)
            try peer.end()
        }
    }

    @Test("a frame that takes too long to arrive closes the connection", .timeLimit(.minutes(1)))
    func slowFrame() async throws {
        try await against(configure: { $0.limits.frameMilliseconds = 300 }) { peer in
            try peer.shakeHands()
            peer.send([0, 0, 0, 1, 0, 0x08])
            #expect(try peer.goAway() == GoAwayReason.timeout.rawValue)
            try peer.end()
        }
    }

    @Test("a silent peer is pinged, and closed when it does not answer", .timeLimit(.minutes(1)))
    func keepalive() async throws {
        try await against(configure: { $0.limits.keepaliveSeconds = 1 }) { peer in
            try peer.shakeHands()
            guard case .ping(let ping)? = try peer.next()?.frame.kind else {
                Issue.record("no ping came")
                return
            }
            peer.send(OutgoingPing(token: ping.token, acknowledge: true))
            guard case .ping? = try peer.next()?.frame.kind else {
                Issue.record("no second ping came")
                return
            }
            #expect(try peer.goAway() == GoAwayReason.timeout.rawValue)
        }
    }

    @Test("a ping is answered with its token")
    func ping() async throws {
        try await against { peer in
            try peer.shakeHands()
            peer.send(OutgoingPing(token: 0xABCD))
            guard case .ping(let answer)? = try peer.next()?.frame.kind else {
                Issue.record("no answer came")
                return
            }
            #expect(answer.token == 0xABCD)
            #expect(answer.acknowledge)
        }
    }

    @Test("random bytes after a handshake never hurt the host")
    func noise() async throws {
        try await TestHost.with { host in
            let address = host.address(.unixSocket)
            try await onThread {
                var random = SystemRandomNumberGenerator()
                for _ in 0..<60 {
                    let peer = try RawPeer(address)
                    try peer.shakeHands()
                    var bytes = OutgoingCall(stream: 1, method: Self.echo, body: [0x10, 0x01]).bytes()
                    for _ in 0..<Int.random(in: 1...6, using: &random) {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                            in: 0...255, using: &random)
                    }
                    peer.send(bytes)
                }
            }
            let health = Pcs_Host_V1_HealthServiceClient(try await host.transport(.unixSocket))
            #expect(try await health.check(.init()).serving)
        }
    }
}
