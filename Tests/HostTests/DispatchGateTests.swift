import CommonContract
import Foundation
import FrameClient
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("The gates of a call")
struct DispatchGateTests {
    /// Every fidelity at which the gates stand.
    static let gated: [TestHost.Fidelity] = [.inProcess, .unixSocket, .tcp]

    @Test("an unknown method is refused before anything else", arguments: gated)
    func unknownMethod(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone")
            let transport = try await host.transport(fidelity, as: anyone)
            let unknown = TrialPlugin.descriptor("Nothing", AccessRule(allow: [], anyCaller: true))
            let refused = await failure { _ = try await transport.trial(unknown) }
            #expect(refused?.reason == HostReasons.unknownMethod)
            #expect(refused?.progress == .notStarted)
            #expect(refused?.message.contains("TrialService/Nothing") == true)
        }
    }

    @Test(
        "a caller without identity is refused, and the refusal names no secret",
        arguments: [TestHost.Fidelity.inProcess, .tcp])
    func noIdentity(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let nobody = try await host.anonymous(fidelity)
            let refused = await failure { _ = try await nobody.trial(TrialPlugin.note, text: "x") }
            #expect(refused?.reason == HostReasons.unauthenticated)
            #expect(refused?.progress == .notStarted)
            let health = Pcs_Host_V1_HealthServiceClient(nobody)
            #expect(try await health.check(Pcs_Host_V1_CheckRequest()).serving)
        }
    }

    @Test(
        "a role that is not held is refused before the size, the size before the key, the key before the handler",
        arguments: gated)
    func order(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let auditor = try await host.client("auditor", roles: [Roles.auditor])
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let large = Data(count: 100)
            let badKey = CallOptions(idempotencyKey: String(repeating: "k", count: 129))
            let weak = try await host.transport(fidelity, as: auditor)
            let strong = try await host.transport(fidelity, as: officer)

            let denied = await failure { _ = try await weak.trial(TrialPlugin.small, payload: large) }
            #expect(denied?.reason == HostReasons.accessDenied)
            let tooLarge = await failure { _ = try await strong.trial(TrialPlugin.small, payload: large) }
            #expect(tooLarge?.reason == HostReasons.requestTooLarge)
            let badlyKeyed = await failure {
                _ = try await strong.trial(TrialPlugin.note, text: "n", options: badKey)
            }
            #expect(badlyKeyed?.reason == HostReasons.idempotencyKeyInvalid)
            for refused in [denied, tooLarge, badlyKeyed] { #expect(refused?.progress == .notStarted) }
            #expect(try await strong.trial(TrialPlugin.small, payload: Data(count: 10)).payload.count == 10)
        }
    }

    @Test(
        "a request that is no message of its type is refused as malformed, to those who may call only",
        arguments: gated)
    func malformed(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let auditor = try await host.client("auditor", roles: [Roles.auditor])
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let broken: [UInt8] = [0x0A, 0xFF, 0x01]
            let weak = try await host.transport(fidelity, as: auditor)
            let strong = try await host.transport(fidelity, as: officer)
            let denied = await failure { _ = try await weak.unary(TrialPlugin.note, broken, CallOptions()) }
            #expect(denied?.reason == HostReasons.accessDenied)
            let malformed = await failure {
                _ = try await strong.unary(TrialPlugin.note, broken, CallOptions())
            }
            #expect(malformed?.reason == HostReasons.requestMalformed)
            #expect(malformed?.progress == .notStarted)
        }
    }

    @Test("an unforeseen error reaches the caller as INTERNAL without its text", arguments: gated)
    func unforeseen(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(fidelity, as: anyone)
            let failed = await failure { _ = try await transport.trial(TrialPlugin.fault, text: "x") }
            #expect(failed?.reason.name == "INTERNAL")
            #expect(failed?.progress == .started)
            #expect(failed?.message.contains("SELECT") == false)
            #expect(failed?.correlationID?.isEmpty == false)
        }
    }

    @Test(
        "the same key gives the same effect once, and another request under it is refused", arguments: gated)
    func idempotency(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            let text = "once \(fidelity)"
            let keyed = CallOptions(idempotencyKey: "key-1")
            for _ in 0..<3 {
                #expect(try await transport.trial(TrialPlugin.note, text: text, options: keyed).text == text)
            }
            #expect(TrialPlugin.runs(text) == 1)
            let reused = await failure {
                _ = try await transport.trial(TrialPlugin.note, text: "other", options: keyed)
            }
            #expect(reused?.reason == HostReasons.idempotencyKeyReused)
            let count = try host.store(of: "trial").read {
                try $0.first(Statement("SELECT COUNT(*) FROM note")) { $0.integer(0) }
            }
            #expect(count == 1)
        }
    }

    @Test("many calls with one key at once have one effect and one answer", arguments: gated)
    func idempotencyRace(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            let replies = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await transport.trial(
                            TrialPlugin.note, text: "raced", options: CallOptions(idempotencyKey: "k")
                        ).text
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(replies == Array(repeating: "raced", count: 40))
            let count = try host.store(of: "trial").read {
                try $0.first(Statement("SELECT COUNT(*) FROM note")) { $0.integer(0) }
            }
            #expect(count == 1)
        }
    }

    @Test("a stream of requests under a key is the same request when all its messages are", arguments: gated)
    func idempotentStream(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            func upload(_ texts: [String]) async throws -> String {
                let messages = try texts.map { text in
                    try Pcs_Host_V1_EchoRequest.with { $0.text = text }.serializedBytes() as [UInt8]
                }
                let stream = AsyncThrowingStream<[UInt8], any Error> { continuation in
                    for message in messages { continuation.yield(message) }
                    continuation.finish()
                }
                let reply = try await transport.clientStreaming(
                    TrialPlugin.collect, stream, CallOptions(idempotencyKey: "up"))
                return try Pcs_Host_V1_EchoReply(serializedBytes: reply).text
            }
            #expect(try await upload(["a", "b", "c"]) == "abc")
            #expect(try await upload(["a", "b", "c"]) == "abc")
            let reused = await failure { _ = try await upload(["a", "bc"]) }
            #expect(reused?.reason == HostReasons.idempotencyKeyReused)
        }
    }

    @Test("a unique row written twice without a key is refused as existing", arguments: gated)
    func constraint(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            _ = try await transport.trial(TrialPlugin.note, text: "twice")
            let refused = await failure { _ = try await transport.trial(TrialPlugin.note, text: "twice") }
            #expect(refused?.reason == HostReasons.alreadyExists)
        }
    }

    @Test("a method that its contract calls read-only cannot commit", arguments: gated)
    func readOnly(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let transport = try await host.transport(fidelity, as: anyone)
            let failed = await failure {
                _ = try await transport.trial(TrialPlugin.commitsWrongly, text: "no")
            }
            #expect(failed?.reason.name == "INTERNAL")
            let count = try host.store(of: "trial").read {
                try $0.first(Statement("SELECT COUNT(*) FROM note")) { $0.integer(0) }
            }
            #expect(count == 0)
        }
    }

    @Test("refusals are written to the host's chain, and a flood of one kind as two rows")
    func refusalsAudited() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let auditor = try await host.client("auditor", roles: [Roles.auditor])
            let transport = try await host.transport(.unixSocket, as: auditor)
            for _ in 0..<50 {
                _ = await failure { _ = try await transport.trial(TrialPlugin.note, text: "no") }
            }
            host.clock.advance(milliseconds: 61_000)
            await (try host.process.dispatcher()).refusals.flush(all: true)
            let rows = try host.process.store().auditRows(from: 0, limit: 1_000)
                .filter { $0.act.method == TrialPlugin.note.path && $0.outcome == "refused" }
            #expect(rows.count == 2)
            #expect(rows.first?.act.clientID == "auditor")
            #expect(rows.first?.note.detail.hasPrefix("ACCESS_DENIED") == true)
            #expect(rows.last?.note.detail.hasPrefix("49 more times") == true)
            #expect(try host.process.store().verifyAudit().isWhole)
        }
    }

    @Test("a sensitive read is in the chain before its reply", arguments: gated)
    func sensitiveRead(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            #expect(try await transport.trial(TrialPlugin.secret).text == "secret")
            let rows = try host.process.store().auditRows(from: 0, limit: 1_000).filter {
                $0.act.method == TrialPlugin.secret.path
            }
            #expect(rows.count == 1)
            #expect(rows.first?.outcome == "done")
            #expect(rows.first?.act.clientID == "officer")
        }
    }

    @Test("the change is audited in the plugin's own file with its effect")
    func changeAudited() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            _ = try await host.transport(.unixSocket, as: officer).trial(TrialPlugin.note, text: "audited")
            let store = try host.process.plugins().member("trial").slot.store.current()
            let rows = try store.auditRows(from: 0, limit: 10)
            #expect(rows.map(\.act.method) == [TrialPlugin.note.path])
            #expect(rows.first?.note.object == "note")
        }
    }
}

extension TestHost {
    /// A way to call without showing anything.
    func anonymous(_ fidelity: Fidelity) async throws -> any CallTransport {
        if fidelity == .inProcess { return try process.transport(.none) }
        return FrameClient(FrameClientConfiguration(address: address(fidelity)))
    }
}
