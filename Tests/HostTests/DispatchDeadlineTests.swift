import CommonContract
import Foundation
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Deadlines, cancellation and how far a call got")
struct DispatchDeadlineTests {
    static let gated = DispatchGateTests.gated

    @Test("a call that waits past its deadline is ended at it", arguments: gated)
    func deadline(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(fidelity, as: anyone)
            for method in [TrialPlugin.waitInline, TrialPlugin.stubborn] {
                let began = ContinuousClock.now
                let late = await failure {
                    _ = try await transport.trial(
                        method, number: 12_000, options: CallOptions(timeoutMilliseconds: 400))
                }
                #expect(late?.reason.name == "DEADLINE_PASSED")
                // A pooled handler on a busy machine may not have had a thread yet.
                #expect(
                    late?.progress == .started
                        || (late?.progress == .notStarted && method == TrialPlugin.stubborn))
                #expect(ContinuousClock.now - began < .seconds(8))
            }
        }
    }

    @Test("a reply that comes too late says that the effect was committed", arguments: gated)
    func committedLate(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            let options = CallOptions(timeoutMilliseconds: 4_000, idempotencyKey: "late")
            let late = await failure {
                _ = try await transport.trial(
                    TrialPlugin.noteSlowly, text: "late", number: 20_000, options: options)
            }
            #expect(late?.reason.name == "DEADLINE_PASSED")
            #expect(late?.progress == .committed)
            // Sent again with the key, the stored reply comes at once, without the handler's wait.
            let again = try await transport.trial(
                TrialPlugin.noteSlowly, text: "late", number: 20_000, options: options)
            #expect(again.text == "late")
        }
    }

    @Test(
        "an inline handler that holds its loop past the deadline gets no reply through, and is counted as a stall"
    )
    func held() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(.unixSocket, as: anyone)
            let late = await failure {
                _ = try await transport.trial(
                    TrialPlugin.hold, number: 80, options: CallOptions(timeoutMilliseconds: 30))
            }
            #expect(late?.reason.code == .deadlineExceeded)
            let status = try await Pcs_Host_V1_HealthServiceClient(try await host.transport()).getStatus(
                .init())
            #expect(status.loopStalls >= 1)
            #expect(status.loopStallLongestMicroseconds >= 75_000)
            #expect(!status.warnings.isEmpty)
        }
    }

    @Test("dropping a call cancels its handler", arguments: gated)
    func cancelled(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(fidelity, as: anyone)
            let task = Task { try await transport.trial(TrialPlugin.waitInline, number: 15_000) }
            let slot = try host.process.plugins().member("trial").slot
            try await until { slot.callsInFlight == 1 }
            task.cancel()
            try await until { slot.callsInFlight == 0 }
            await #expect(throws: (any Error).self) { try await task.value }
        }
    }

    @Test("a call of a task that was cancelled before it began ends too", arguments: gated)
    func cancelledBefore(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let options = CallOptions(accessToken: try await host.accessToken(of: anyone))
            let transport = try await host.anonymous(fidelity)
            for _ in 0..<100 {
                let task = Task {
                    while !Task.isCancelled { await Task.yield() }
                    return try await transport.trial(TrialPlugin.waitInline, number: 5_000, options: options)
                }
                task.cancel()
                await #expect(throws: (any Error).self) { try await task.value }
            }
            let slot = try host.process.plugins().member("trial").slot
            try await until { slot.callsInFlight == 0 }
        }
    }

    @Test("a person's own limit is at most the method's", arguments: gated)
    func methodLimit(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let diagnostics = Pcs_Host_V1_DiagnosticsServiceClient(
                try await host.transport(fidelity, as: anyone))
            let reply = try await diagnostics.wait(.with { $0.milliseconds = 20 })
            #expect(reply.waitedMilliseconds >= 20)
        }
    }
}

/// Waits until a condition holds, at most half a minute.
func until(_ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now.advanced(by: .seconds(30))
    while try !condition() {
        guard ContinuousClock.now < end else { throw NeverHeld() }
        try await Task.sleep(for: .milliseconds(2))
    }
}

struct NeverHeld: Error {}
