import CommonContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PaymentsContract
import PluginAPI
import Synchronization
import Testing

/// Payments is disabled, with a dry run first, while keyed calls keep coming, and enabled again.
@Suite("A plugin disabled under load", .serialized)
struct PluginUnderLoad {
    static let practices = 120
    static let callers = 12

    /// How the calls of the load ended.
    final class Tally: Sendable {
        struct Outcomes {
            var acknowledged: [String: String] = [:]
            var refused: Set<String> = []
            var otherFailures: [String] = []
        }
        private let outcomes = Mutex(Outcomes())
        private let stopped = Mutex(false)
        var now: Outcomes { outcomes.withLock { $0 } }
        var isStopped: Bool { stopped.withLock { $0 } }
        func stop() { stopped.withLock { $0 = true } }
        func change(_ body: (inout Outcomes) -> Void) { outcomes.withLock { body(&$0) } }
    }

    @Test("calls are refused in words, what runs ends within the bound, and nothing is lost")
    func disabledUnderLoad() async throws {
        let host = try LiveHost()
        try host.start()
        let people = PaymentsPeople()
        try await people.register(host)
        try await people.loadPublished(host, practices: Self.practices)
        let codes = try await people.practiceCodes(host)
        #expect(codes.count > Self.practices / 2)

        let tally = Tally()
        let load = Task {
            try await people.asPayer(host) { client, options in
                await Self.load(codes, client, options, tally)
            }
        }
        try await Task.sleep(for: .milliseconds(150))

        let dry = try host.pcs(
            "plugin", "disable", "payments", "--dry-run", "--reason", "end of quarter work", "-o", "json")
        #expect(dry.status == 0, "\(dry.errors)")
        let listed = try host.pcs("plugin", "list", "-o", "json")
        #expect(listed.output.lowercased().contains("ready"), "a dry run changes nothing: \(listed.output)")

        let began = ContinuousClock.now
        let disabled = try host.pcs(
            "plugin", "disable", "payments", "--reason", "end of quarter work", "-o", "json")
        let took = ContinuousClock.now - began
        #expect(disabled.status == 0, "\(disabled.errors)")
        #expect(took < .seconds(12), "drain is bounded")
        try await Task.sleep(for: .milliseconds(200))
        let enabled = try host.pcs("plugin", "enable", "payments", "--reason", "work done", "-o", "json")
        #expect(enabled.status == 0, "\(enabled.errors)")
        try await Task.sleep(for: .milliseconds(150))
        tally.stop()
        try await load.value

        let seen = tally.now
        #expect(seen.otherFailures.isEmpty, "\(seen.otherFailures.prefix(3))")
        #expect(!seen.refused.isEmpty, "the plugin was disabled while calls came")
        #expect(!seen.acknowledged.isEmpty)
        // Each acknowledged call is there, once; each refused one can be sent again with its key.
        let resent = try await people.asPayer(host) { client, options in
            try await Self.resend(seen, codes, client, options)
        }
        #expect(Set(resent.values).count == resent.count, "no effect was shared or doubled")
        for (key, revision) in seen.acknowledged { #expect(resent[key] == revision) }
        print(
            "disable under load: \(seen.acknowledged.count) acknowledged, \(seen.refused.count) refused and sent again, "
                + "disable took \(took)")
        #expect(host.stop() == 0)
    }

    private static func revise(
        _ key: String, _ code: String, _ client: FrameClient, _ options: CallOptions
    ) async throws -> String {
        var options = options
        options.idempotencyKey = key
        var request = Pcs_Payments_V1_ReviseContractRequest()
        request.practiceCode = code
        request.effectiveFrom.year = 2019
        request.effectiveFrom.month = 7
        request.effectiveFrom.day = 1
        request.endContract = true
        request.reason = "Proposal \(key)"
        return try await Pcs_Payments_V1_ContractServiceClient(client, options: options).reviseContract(
            request
        ).revisionID
    }

    private static func load(
        _ codes: [String], _ client: FrameClient, _ options: CallOptions, _ tally: Tally
    ) async {
        await withTaskGroup(of: [(String, Result<String, any Error>)].self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var outcomes: [(String, Result<String, any Error>)] = []
                    var index = 0
                    while !tally.isStopped {
                        let key = "load-\(caller)-\(index)"
                        let code = codes[(caller + index * callers) % codes.count]
                        do {
                            outcomes.append((key, .success(try await revise(key, code, client, options))))
                        } catch {
                            outcomes.append((key, .failure(error)))
                            try? await Task.sleep(for: .milliseconds(5))
                        }
                        index += 1
                    }
                    return outcomes
                }
            }
            for await outcomes in group {
                for (key, outcome) in outcomes { tally.change { note(key, outcome, in: &$0) } }
            }
        }
    }

    private static func note(
        _ key: String, _ outcome: Result<String, any Error>, in tally: inout Tally.Outcomes
    ) {
        switch outcome {
        case .success(let revision): tally.acknowledged[key] = revision
        case .failure(let failure as Failure)
        where ["PLUGIN_DISABLED", "PLUGIN_NOT_READY"].contains(failure.reason.name)
            && failure.progress == .notStarted:
            tally.refused.insert(key)
        case .failure(let error): tally.otherFailures.append("\(key): \(error)")
        }
    }

    private static func resend(
        _ seen: Tally.Outcomes, _ codes: [String], _ client: FrameClient, _ options: CallOptions
    ) async throws -> [String: String] {
        var revisions: [String: String] = [:]
        for key in seen.refused.union(seen.acknowledged.keys) {
            let parts = key.split(separator: "-").compactMap { Int($0) }
            revisions[key] = try await revise(
                key, codes[(parts[0] + parts[1] * callers) % codes.count], client, options)
        }
        return revisions
    }
}
