import CommonContract
import Foundation
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Listeners on Unix-domain sockets")
struct ListenerUnixTests {
    @Test("the user that runs the host is its operator, by the word of the kernel")
    func peerCredentials() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.anonymous(.unixSocket))
            let me = try await identity.whoAmI(.init())
            #expect(me.authentication == "unix-socket")
            #expect(me.clientID.hasPrefix("local:") || me.personID.hasPrefix("local:"))
        }
    }

    @Test("over TCP without TLS the same user is nobody")
    func nobodyOverTcp() async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.anonymous(.tcp))
            let refused = await failure { _ = try await identity.whoAmI(.init()) }
            #expect(refused?.reason == HostReasons.unauthenticated)
        }
    }

    @Test("the socket's file is closed to others, and gone after the stop")
    func fileMode() async throws {
        let host = try await TestHost.start()
        let path = host.folder + "/pcs.sock"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        await host.process.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        await host.stop()
    }

    @Test("a group may connect when the settings say so")
    func groupMode() async throws {
        try await TestHost.with(configure: { settings in
            settings.listeners = [.unix(path: settings.dataFolder + "/pcs.sock", groupMayConnect: true)]
        }) { host in
            let attributes = try FileManager.default.attributesOfItem(atPath: host.folder + "/pcs.sock")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o660)
        }
    }

    @Test("the socket of a host that died is taken over")
    func stale() async throws {
        try await TestHost.with { host in
            let path = host.folder + "/other.sock"
            // A socket that nobody listens on is what a killed host leaves.
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let bound = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            close(descriptor)
            try await TestHost.with(configure: { $0.listeners = [.unix(path: path, groupMayConnect: false)] })
            { other in
                #expect(other.process.addresses == [.unix(path: path)])
            }
        }
    }

    @Test("the socket of a host that lives, and a file that is no socket, are left alone")
    func taken() async throws {
        try await TestHost.with { host in
            let live = host.folder + "/pcs.sock"
            await #expect(throws: SettingsProblem.self) {
                try await TestHost.with(configure: {
                    $0.listeners = [.unix(path: live, groupMayConnect: false)]
                }) { _ in }
            }
            let file = host.folder + "/precious"
            try Data("keep".utf8).write(to: URL(fileURLWithPath: file))
            await #expect(throws: SettingsProblem.self) {
                try await TestHost.with(configure: {
                    $0.listeners = [.unix(path: file, groupMayConnect: false)]
                }) { _ in }
            }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "keep")
            #expect(
                try await Pcs_Host_V1_HealthServiceClient(try await host.transport(.unixSocket)).check(
                    .init()
                ).serving)
        }
    }

    @Test("a revoked subject's connection ends at once, with its streams")
    func revoked() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(.tcp, as: anyone)
            let running = Task {
                await failure { _ = try await transport.trial(TrialPlugin.waitInline, number: 10_000) }
            }
            let slot = try host.process.plugins().member("trial").slot
            try await until { slot.callsInFlight == 1 }
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            _ = try await identity.setSubjectState(
                .with {
                    $0.subjectID = "anyone"; $0.state = .disabled; $0.reason = "left us"
                })
            let ended = await running.value
            #expect(ended?.reason == HostReasons.tokenExpired)
            let refused = await failure { _ = try await transport.trial(TrialPlugin.waitInline, number: 1) }
            #expect(refused?.reason.code == .unauthenticated)
        }
    }
}
