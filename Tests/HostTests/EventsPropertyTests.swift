import Foundation
import Host
import HostContract
import PluginAPI
import Synchronization
import Testing

/// A generator with a seed, so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Event delivery under random failures")
struct EventsPropertyTests {
    /// Fails at random, up to a number of times; afterwards everything succeeds.
    final class Weather: Sendable {
        private let state: Mutex<(generator: SeededGenerator, storms: Int)>
        init(seed: UInt64, storms: Int) { state = Mutex((SeededGenerator(seed: seed), storms)) }
        func strikes() -> Bool {
            state.withLock { state in
                guard state.storms > 0, Int.random(in: 0..<6, using: &state.generator) == 0 else {
                    return false
                }
                state.storms -= 1
                return true
            }
        }
    }

    @Test(
        "whatever fails, restarts or is delivered twice: each event takes effect once, in order of its key",
        arguments: [UInt64(1), 7, 42, 2_019])
    func exactlyOnceInOrder(seed: UInt64) async throws {
        let bench = try StorageWorkbench()
        var generator = SeededGenerator(seed: seed)
        let givers = [try await bench.store("giver-a"), try await bench.store("giver-b")]
        let taker = try await bench.store("taker")
        let weather = Weather(seed: seed, storms: 60)
        let subscriptions = givers.map { giver in
            Subscription(to: Pcs_Host_V1_EchoReply.self, from: giver.name) { event, envelope, transaction in
                let next = try transaction.first(Statement("SELECT coalesce(max(number), 0) + 1 FROM item")) {
                    $0.integer(0)
                }
                let label = "\(envelope.publisher)/\(envelope.key)/\(event.number)"
                try transaction.run(EventsPumpTests.append, [.integer(next ?? 1), .text(label)])
                if weather.strikes() { throw Refused() }
            }
        }
        let pauses: [Duration] = [.milliseconds(1), .milliseconds(1), .milliseconds(2), .milliseconds(2)]
        var pump = EventPump(logger: bench.logger, pauses: pauses)
        var expected: [String: [Int]] = [:]
        var total = 0
        for round in 0..<12 {
            for giver in givers { pump.register(publisher: giver) }
            pump.register(subscriber: taker, subscriptions: subscriptions)
            pump.start()
            for _ in 0..<Int.random(in: 5..<60, using: &generator) {
                total += 1
                let giver = givers[Int.random(in: 0..<2, using: &generator)]
                let key = "k\(Int.random(in: 0..<4, using: &generator))"
                expected["\(giver.name)/\(key)", default: []].append(total)
                try await EventsPumpTests.publish(total, key: key, from: giver)
            }
            if round % 3 == 0 {
                // A second delivery of what is there already, as after a lost acknowledgement.
                for event in try givers[0].outbox(after: 0, limit: 5) {
                    _ = try? await taker.deliver(event, from: givers[0].name, to: subscriptions[0].handle)
                }
            }
            // Another pump takes over in the middle, as after a restart.
            if round % 2 == 0 {
                await pump.stop()
                pump = EventPump(logger: bench.logger, pauses: pauses)
            }
        }
        for giver in givers { pump.register(publisher: giver) }
        await pump.unregister(subscriber: "taker")
        pump.register(subscriber: taker, subscriptions: subscriptions)
        pump.start()
        let all = total
        for _ in 0..<400 where try StorageWorkbench.items(taker) < all {
            for (_, event) in try pump.parked()
            where event.head == event.sequence && event.attempts >= EventPump.attempts {
                _ = try? await pump.retry(
                    subscriber: "taker", publisher: event.publisher, sequence: event.sequence)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        var seen: [String: [Int]] = [:]
        for label in try EventsPumpTests.received(taker) {
            let parts = label.split(separator: "/")
            seen["\(parts[0])/\(parts[1])", default: []].append(Int(parts[2]) ?? 0)
        }
        #expect(seen == expected)
        #expect(try taker.verifyAudit().isWhole)
        await pump.stop()
        for giver in givers { await giver.close() }
        await taker.close()
    }
}
