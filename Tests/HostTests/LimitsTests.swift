import CommonContract
import Foundation
import FrameProtocol
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Limits")
struct LimitsTests {
    @Test("more calls than may be in flight are refused as overload, not started")
    func inFlight() async throws {
        try await TestHost.with([TrialPlugin.self], configure: { $0.limits.callsInFlight = 8 }) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let token = try await host.accessToken(of: anyone)
            let transport = try await host.anonymous(.tcp)
            let options = CallOptions(accessToken: token)
            let running = (0..<8).map { _ in
                Task { try await transport.trial(TrialPlugin.gate, text: "limit", options: options) }
            }
            let meters = try host.process.dispatcher().meters
            try await until { meters.callsInFlight == 8 }
            let refused = await failure {
                _ = try await transport.trial(TrialPlugin.waitInline, number: 1, options: options)
            }
            #expect(refused?.reason == HostReasons.overloaded)
            #expect(refused?.progress == .notStarted)
            TrialPlugin.open(gate: "limit")
            for call in running { #expect(try await call.value.text == "limit") }
            #expect(
                try await transport.trial(TrialPlugin.waitInline, number: 1, options: options).number == 1)
        }
    }

    @Test("more connections than allowed are closed at once")
    func connections() async throws {
        try await TestHost.with(configure: { $0.limits.connections = 3 }) { host in
            let address = host.address(.unixSocket)
            try await onThread {
                let kept = try (0..<3).map { _ in try RawPeer(address) }
                for peer in kept { try peer.shakeHands() }
                let refused = try RawPeer(address)
                #expect(try refused.next() == nil)
                withExtendedLifetime(kept) {}
            }
            let meters = try host.process.dispatcher().meters
            try await until { meters.openConnections == 0 }
            try await onThread { try RawPeer(address).shakeHands() }
        }
    }

    @Test(
        "a peer that takes no replies is read no further, and closed when it stays so",
        .timeLimit(.minutes(1)))
    func stalledPeer() async throws {
        try await TestHost.with(configure: {
            $0.limits.stalledPeerMilliseconds = 500; $0.limits.outboundBytes = 65_536
        }) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let token = try await host.accessToken(of: anyone)
            let address = host.address(.tcp)
            let meters = try host.process.dispatcher().meters
            let sent = try await onThread {
                let peer = try RawPeer(address, receiveBuffer: 4_096)
                try peer.shakeHands(accessToken: token)
                // Each small request asks for the whole contract back; nothing is read.
                var sent = 0
                for number in 0..<20_000 where meters.openConnections > 0 {
                    let before = sent
                    let call = OutgoingCall(
                        stream: UInt32(number * 2 + 1),
                        method: "pcs.host.v1.ReflectionService/GetDescriptorSet", body: [])
                    peer.send(call)
                    sent = before + 1
                }
                return sent
            }
            #expect(sent > 10)
            try await until { meters.openConnections == 0 }
            // Far less than 20,000 times the contract has been made.
            #expect(meters.callsTotal < 15_000)
        }
    }

    @Test("settings out of range are named")
    func settings() {
        var settings = HostSettings(
            dataFolder: "/nowhere/at/all", listeners: [.tcp(host: "0.0.0.0", port: 70_000, tls: nil)])
        settings.limits.frameBytes = 10
        settings.limits.connections = 0
        let named = Set(settings.problems().map(\.setting))
        #expect(
            named == [
                "data-folder", "listeners[0].port", "listeners[0].tls", "limits.frame-bytes",
                "limits.connections",
            ])
        #expect(HostSettings(dataFolder: "/tmp").problems().isEmpty)
    }

    @Test("a second host on the same folder is refused")
    func secondHost() async throws {
        try await TestHost.with { host in
            _ = await #expect(throws: SettingsProblem.self) {
                _ = try await TestHost.start(
                    [],
                    configure: {
                        $0.dataFolder = host.folder; $0.listeners = []
                    })
            }
        }
    }
}
