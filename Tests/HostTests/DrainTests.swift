import CommonContract
import Foundation
import FrameClient
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Enabling, disabling and draining")
struct DrainTests {
    @Test("a dry run changes nothing and lists what would be affected")
    func dryRun() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport(.unixSocket))
            let change = try await plugins.disablePlugin(
                .with {
                    $0.name = "trial"; $0.dryRun = true
                })
            #expect(change.dryRun)
            #expect(change.plugin.state == .ready)
            #expect(Set(change.jobsPaused) == ["count", "nightly", "failing"])
            let still = try await plugins.describePlugin(.with { $0.name = "trial" })
            #expect(still.plugin.state == .ready)
            #expect(still.schemaVersion == 1)
            #expect(
                still.methods.contains {
                    $0.path == TrialPlugin.note.path && $0.access == "PAYMENTS_OPERATOR nationally"
                })
        }
    }

    @Test("disabling under load lets calls end, refuses new ones by type, and survives a restart")
    func underLoad() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(.tcp, as: anyone)
            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport(.unixSocket))
            let running = (0..<20).map { _ in
                Task { try await transport.trial(TrialPlugin.gate, text: "load").text }
            }
            let slot = try host.process.plugins().member("trial").slot
            try await until { slot.callsInFlight == 20 }
            let disabling = Task {
                try await plugins.disablePlugin(
                    .with {
                        $0.name = "trial"
                        $0.reason = "maintenance"
                        $0.drainMilliseconds = 60_000
                    })
            }
            try await until { slot.current.lifecycle.phase == .draining }
            try await Task.sleep(for: .milliseconds(50))
            TrialPlugin.open(gate: "load")
            for call in running { #expect(try await call.value == "load") }
            let change = try await disabling.value
            #expect(change.callsInFlight == 20)
            #expect(change.callsCancelled == 0)
            #expect(change.drainedInMilliseconds >= 40)
            #expect(change.plugin.state == .disabled)

            let refused = await failure {
                var options = CallOptions()
                options.timeoutMilliseconds = 1
                _ = try await transport.trial(TrialPlugin.waitInline, options: options)
            }
            #expect(refused?.reason.name == "PLUGIN_DISABLED")
            #expect(refused?.progress == .notStarted)

            try await host.restart()
            let after = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            let listed = try await after.listPlugins(.init()).plugins
            #expect(listed.first?.state == .disabled)
            #expect(listed.first?.because == "maintenance")
            let enabled = try await after.enablePlugin(
                .with {
                    $0.name = "trial"; $0.reason = "done"
                })
            #expect(enabled.plugin.state == .ready)
            #expect(
                try await host.transport(.tcp, as: anyone).trial(TrialPlugin.waitInline, number: 1).number
                    == 1)

            let rows = try host.process.store().auditRows(from: 0, limit: 1_000).filter {
                $0.note.object == "plugin/trial"
            }
            #expect(rows.count == 2)
            #expect(rows.first?.note.detail.contains("maintenance") == true)
            #expect(rows.first?.act.clientID?.isEmpty == false || rows.first?.act.personID?.isEmpty == false)
        }
    }

    @Test("calls that do not end within the bound are cancelled")
    func bounded() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(.unixSocket, as: anyone)
            let running = (0..<5).map { _ in
                Task { await failure { _ = try await transport.trial(TrialPlugin.stubborn, number: 18_000) } }
            }
            let slot = try host.process.plugins().member("trial").slot
            try await until { slot.callsInFlight == 5 }
            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            let change = try await plugins.disablePlugin(
                .with {
                    $0.name = "trial"; $0.drainMilliseconds = 100
                })
            #expect(change.callsCancelled == 5)
            for call in running {
                let ended = await call.value
                #expect(ended?.reason.name == "PLUGIN_NOT_READY")
                #expect(ended?.progress == .started)
            }
        }
    }

    @Test("a plugin that cannot start is failed, and the others serve")
    func failed() async throws {
        try await TestHost.with([BrokenPlugin.self, TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(.inProcess, as: anyone)
            #expect(try await transport.trial(TrialPlugin.waitInline, number: 1).number == 1)
            let refused = await failure {
                _ = try await transport.unary(BrokenPlugin.method, [], CallOptions())
            }
            #expect(refused?.reason.name == "PLUGIN_NOT_READY")
            let status = try await Pcs_Host_V1_HealthServiceClient(try await host.transport()).getStatus(
                .init())
            #expect(status.plugins.first { $0.name == "broken" }?.state == .failed)
            #expect(status.warnings.contains { $0.contains("broken") })
        }
    }

    @Test("two changes of one plugin at once: one is refused")
    func alone() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(.inProcess, as: anyone)
            let call = Task { try await transport.trial(TrialPlugin.gate, text: "alone") }
            let slot = try host.process.plugins().member("trial").slot
            try await until { slot.callsInFlight == 1 }
            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            let first = Task { try await plugins.disablePlugin(.with { $0.name = "trial" }) }
            try await until { slot.current.lifecycle.phase == .draining }
            let second = await failure { _ = try await plugins.disablePlugin(.with { $0.name = "trial" }) }
            #expect(second?.reason == HostReasons.stateWrong)
            TrialPlugin.open(gate: "alone")
            _ = try await first.value
            _ = try await call.value
        }
    }

    @Test("stopping the host lets calls in flight end and sends the client away in order")
    func stopping() async throws {
        let host = try await TestHost.start([TrialPlugin.self])
        let anyone = try await host.client("anyone", roles: [Roles.auditor])
        let transport = try await host.transport(.tcp, as: anyone)
        _ = try await transport.trial(TrialPlugin.waitInline, number: 1)
        let call = Task { try await transport.trial(TrialPlugin.gate, text: "stopping").text }
        let slot = try host.process.plugins().member("trial").slot
        try await until { slot.callsInFlight == 1 }
        let stopping = Task { await host.process.stop(graceMilliseconds: 60_000) }
        try await Task.sleep(for: .milliseconds(100))
        TrialPlugin.open(gate: "stopping")
        #expect(try await call.value == "stopping")
        await stopping.value
        await host.stop()
    }
}
