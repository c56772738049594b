import CommonContract
import Foundation
import FrameProtocol
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Streams")
struct StreamingTests {
    static let gated = DispatchGateTests.gated

    private func diagnostics(_ host: TestHost, _ fidelity: TestHost.Fidelity) async throws
        -> Pcs_Host_V1_DiagnosticsServiceClient
    {
        let anyone = try await host.client("anyone", roles: [Roles.auditor])
        return Pcs_Host_V1_DiagnosticsServiceClient(try await host.transport(fidelity, as: anyone))
    }

    @Test("a server stream arrives whole and in order, far beyond its credit", arguments: gated)
    func serverStream(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let stream = try await diagnostics(host, fidelity).count(
                .with {
                    $0.count = 5_000; $0.paddingBytes = 100
                })
            var next: Int64 = 1
            for try await message in stream {
                #expect(message.number == next)
                next += 1
            }
            #expect(next == 5_001)
        }
    }

    @Test("a client stream arrives whole", arguments: gated)
    func clientStream(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let requests = (1...3_000).map { number in
                Pcs_Host_V1_CollectRequest.with {
                    $0.number = Int64(number); $0.padding = Data(count: 50)
                }
            }
            let reply = try await diagnostics(host, fidelity).collect(requests)
            #expect(reply.messages == 3_000)
            #expect(reply.sum == 3_000 * 3_001 / 2)
            #expect(reply.bytes == 150_000)
        }
    }

    @Test("a stream that its reader drops ends its handler", arguments: gated)
    func dropped(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let client = try await diagnostics(host, fidelity)
            let meters = try host.process.dispatcher().meters
            do {
                let stream = try await client.count(.with { $0.count = 1_000_000 })
                for try await message in stream where message.number >= 40 { break }
            }
            try await until { meters.callsInFlight == 0 }
        }
    }

    @Test("a reader that does not read holds its handler, not the host's memory", arguments: gated)
    func slowReader(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let client = try await diagnostics(host, fidelity)
            var iterator = try await client.count(
                .with {
                    $0.count = 10_000; $0.paddingBytes = 65_536
                }
            ).makeAsyncIterator()
            #expect(try await iterator.next()?.number == 1)
            try await Task.sleep(for: .milliseconds(150))
            let entry = try host.process.dispatcher().table.entry(
                for: Pcs_Host_V1_DiagnosticsServiceMethods.count.path)
            #expect(entry?.slot.callsInFlight == 1)
            for expected in Int64(2)...60 { #expect(try await iterator.next()?.number == expected) }
        }
    }

    @Test("a hundred streams and calls share one connection")
    func manyStreams() async throws {
        try await TestHost.with { host in
            let client = try await diagnostics(host, .unixSocket)
            let succeeded = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        if number % 2 == 0 {
                            return try await client.wait(.with { $0.milliseconds = 20 }).waitedMilliseconds
                                >= 20 ? 1 : 0
                        }
                        var count: Int64 = 0
                        for try await _ in try await client.count(.with { $0.count = 200 }) { count += 1 }
                        return count == 200 ? 1 : 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(succeeded == 100)
            #expect(try host.process.dispatcher().meters.openConnections >= 1)
        }
    }

    @Test("a message of a client stream above the method's size is refused", arguments: gated)
    func largeMessage(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let client = try await diagnostics(host, fidelity)
            let requests = [
                Pcs_Host_V1_CollectRequest.with { $0.number = 1 },
                Pcs_Host_V1_CollectRequest.with { $0.padding = Data(count: 70_000) },
            ]
            let refused = await failure { _ = try await client.collect(requests) }
            #expect(refused?.reason == HostReasons.requestTooLarge)
        }
    }

    @Test("a deadline ends a stream", arguments: gated)
    func deadline(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let client = try await diagnostics(host, fidelity)
            let options = CallOptions(timeoutMilliseconds: 100)
            let late = await failure {
                for try await _ in try await client.count(
                    .with {
                        $0.count = 100; $0.intervalMilliseconds = 50
                    }, options: options)
                {}
            }
            #expect(late?.reason.name == "DEADLINE_PASSED")
        }
    }

    @Test("credit beyond all need, given once, lets a whole stream through")
    func hugeCredit() async throws {
        try await TestHost.with { host in
            let address = host.address(.unixSocket)
            let count = try await onThread {
                let peer = try RawPeer(address)
                try peer.shakeHands()
                var options = OutgoingCall.Options()
                options.credit = .max
                let body: [UInt8] = try Pcs_Host_V1_CountRequest.with { $0.count = 6_000 }.serializedBytes()
                peer.send(
                    OutgoingCall(
                        stream: 1, method: "pcs.host.v1.DiagnosticsService/Count", options: options,
                        body: body))
                var count = 0
                while let (frame, _) = try peer.next() {
                    if case .message = frame.kind { count += 1 }
                    if case .reply = frame.kind { break }
                }
                return count
            }
            #expect(count == 6_000)
        }
    }
}
