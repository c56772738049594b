import CommonContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PluginAPI
import Synchronization
import Testing

/// The host is ended with SIGKILL in the middle of bursts of keyed writes. What was acknowledged is there, nothing is
/// there twice, and the audit chains are whole.
@Suite("Kills in a burst of keyed writes", .serialized)
struct NotesSurviveKills {
    static let rounds = 20
    static let callersAtOnce = 32
    static let writesEachRound = 600

    /// What the callers know of their keys.
    final class Knowledge: Sendable {
        struct Keys {
            var acknowledged: [String: Int64] = [:]
            var sent: Set<String> = []
        }
        private let keys = Mutex(Keys())
        var now: Keys { keys.withLock { $0 } }
        func note(_ key: String, _ number: Int64?) {
            keys.withLock {
                $0.sent.insert(key)
                if let number { $0.acknowledged[key] = number }
            }
        }
    }

    @Test("after twenty kills nothing acknowledged is missing, nothing is doubled, the chains are whole")
    func twentyKills() async throws {
        let host = try LiveHost()
        let knowledge = Knowledge()
        var interrupted = 0
        for round in 1...Self.rounds {
            try host.start()
            let client = Self.client(host)
            try await Self.checkAcknowledged(
                client, knowledge.now.acknowledged, sample: round == Self.rounds ? nil : 40)
            let burst = Task { await Self.burst(round: round, client: client, knowledge: knowledge) }
            // Somewhere in the burst, another place each round.
            try await Task.sleep(for: .milliseconds(15 + 17 * ((round * 7) % 20)))
            host.killNow()
            await burst.value
            await client.close()
            if knowledge.now.sent.count > knowledge.now.acknowledged.count { interrupted += 1 }
        }

        try host.start()
        let client = Self.client(host)
        let known = knowledge.now
        try await Self.checkAcknowledged(client, known.acknowledged, sample: nil)
        // Sent without an answer: sending again with the key makes the effect once, whether or not it had been made.
        var numbers = Set(known.acknowledged.values)
        for key in known.sent.subtracting(known.acknowledged.keys) {
            let number = try await Self.write(key, client)
            #expect(numbers.insert(number).inserted, "note \(number) was given to two keys")
        }
        #expect(numbers.count == known.sent.count)
        // No note beside those: numbers are given without gaps by committed writes only.
        #expect(
            try await Self.highestNote(client, expected: Int64(known.sent.count)) == Int64(known.sent.count))
        let audit = try await Pcs_Host_V1_AuditServiceClient(client).verifyAudit(
            Pcs_Host_V1_VerifyAuditRequest())
        #expect(audit.whole)
        await client.close()
        #expect(host.stop() == 0)
        print(
            "crash: \(Self.rounds) kills, \(known.sent.count) keyed writes sent, \(known.acknowledged.count) acknowledged, "
                + "\(interrupted) rounds interrupted, \(audit.chains.map(\.entries).reduce(0, +)) audit rows whole"
        )
        #expect(interrupted > Self.rounds / 2, "the kills came too late to prove anything")
    }

    private static func client(_ host: LiveHost) -> FrameClient {
        var configuration = FrameClientConfiguration(address: .unixSocket(path: host.socketPath))
        configuration.retry = .never
        return FrameClient(configuration)
    }

    private static func write(_ key: String, _ client: FrameClient) async throws -> Int64 {
        var request = Pcs_Host_V1_WriteNoteRequest()
        request.text = "note of \(key)"
        return try await Pcs_Host_V1_DiagnosticsServiceClient(client)
            .writeNote(request, options: CallOptions(idempotencyKey: key)).noteNumber
    }

    private static func burst(round: Int, client: FrameClient, knowledge: Knowledge) async {
        await withTaskGroup(of: [(String, Int64?)].self) { group in
            for caller in 0..<callersAtOnce {
                group.addTask {
                    var outcomes: [(String, Int64?)] = []
                    for index in 0..<(writesEachRound / callersAtOnce) {
                        let key = "r\(round)-c\(caller)-\(index)"
                        do {
                            outcomes.append((key, try await write(key, client)))
                        } catch {
                            outcomes.append((key, nil))
                            break
                        }
                    }
                    return outcomes
                }
            }
            for await outcomes in group {
                for (key, number) in outcomes { knowledge.note(key, number) }
            }
        }
    }

    /// Sends acknowledged keys again: each must give the number it gave the first time.
    private static func checkAcknowledged(
        _ client: FrameClient, _ acknowledged: [String: Int64], sample: Int?
    ) async throws {
        let wanted = sample.map { Array(acknowledged.shuffled().prefix($0)) } ?? Array(acknowledged)
        for (key, number) in wanted {
            #expect(try await write(key, client) == number, "\(key) was acknowledged as note \(number)")
        }
    }

    private static func highestNote(_ client: FrameClient, expected: Int64) async throws -> Int64 {
        let notes = Pcs_Host_V1_DiagnosticsServiceClient(client)
        var request = Pcs_Host_V1_ReadNoteRequest()
        request.noteNumber = expected
        let last = try await notes.readNote(request).noteNumber
        request.noteNumber = expected + 1
        do {
            return try await notes.readNote(request).noteNumber
        } catch let failure as Failure where failure.reason.name == "NOT_FOUND" {
            return last
        }
    }
}
