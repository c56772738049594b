import Foundation
import Host
import HostContract
import PluginAPI
import Synchronization
import Testing

@Suite("Event delivery")
struct EventsPumpTests {
    static let type = Pcs_Host_V1_EchoReply.protoMessageName
    static let append = Statement("INSERT INTO item (number, label) VALUES (?1, ?2)")

    static func publish(_ number: Int, key: String, from store: HostStore) async throws {
        try await store.write(actor: "test") { transaction in
            try transaction.publish(Pcs_Host_V1_EchoReply.with { $0.number = Int64(number) }, key: key)
        }
    }

    /// Waits for at most ten seconds.
    static func eventually(_ what: String, _ holds: () throws -> Bool) async throws {
        for _ in 0..<1_000 {
            if try holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("never: \(what)")
    }

    static func received(_ store: HostStore) throws -> [String] {
        try store.read { try $0.all(Statement("SELECT label FROM item ORDER BY number")) { $0.text(0) } }
    }

    /// Appends `key:number` in the order of arrival; refuses the numbers in `refused`.
    static func subscription(_ refused: Refusals = Refusals(), from publisher: String = "giver")
        -> Subscription
    {
        Subscription(to: Pcs_Host_V1_EchoReply.self, from: publisher) { event, envelope, transaction in
            let next =
                try transaction.first(Statement("SELECT coalesce(max(number), 0) + 1 FROM item")) {
                    $0.integer(0)
                } ?? 1
            try transaction.run(append, [.integer(next), .text("\(envelope.key):\(event.number)")])
            if refused.refuses(event.number) { throw Refused() }
        }
    }

    final class Refusals: Sendable {
        private let numbers: Mutex<Set<Int64>>
        init(_ numbers: Set<Int64> = []) { self.numbers = Mutex(numbers) }
        func refuses(_ number: Int64) -> Bool { numbers.withLock { $0.contains(number) } }
        func clear() { numbers.withLock { $0 = [] } }
    }

    static let quick: [Duration] = [
        .milliseconds(5), .milliseconds(10), .milliseconds(10), .milliseconds(20),
    ]

    @Test("events arrive in order, also those published before the pump and the subscriber were there")
    func order() async throws {
        let bench = try StorageWorkbench()
        let giver = try await bench.store("giver")
        let taker = try await bench.store("taker")
        for number in 1...600 { try await Self.publish(number, key: "k", from: giver) }
        let pump = EventPump(logger: bench.logger, pauses: Self.quick)
        pump.register(publisher: giver)
        pump.register(subscriber: taker, subscriptions: [Self.subscription()])
        pump.start()
        for number in 601...700 { try await Self.publish(number, key: "k", from: giver) }
        try await Self.eventually("700 events") { try StorageWorkbench.items(taker) == 700 }
        #expect(try Self.received(taker) == (1...700).map { "k:\($0)" })
        #expect(try taker.position(of: "giver", type: Self.type) == 700)
        #expect(try taker.verifyAudit().isWhole)
        await pump.stop()
        await giver.close()
        await taker.close()
    }

    @Test("a failing event is parked after five attempts, those of its key wait behind it, other keys go on")
    func parking() async throws {
        let bench = try StorageWorkbench()
        let giver = try await bench.store("giver")
        let taker = try await bench.store("taker")
        let refusals = Refusals([3])
        let pump = EventPump(logger: bench.logger, pauses: Self.quick)
        pump.register(publisher: giver)
        pump.register(subscriber: taker, subscriptions: [Self.subscription(refusals)])
        for number in 1...8 {
            try await Self.publish(number, key: number % 2 == 1 ? "odd" : "even", from: giver)
        }
        pump.start()
        try await Self.eventually("parked") { try pump.parked().first?.event.attempts == EventPump.attempts }
        try await Self.publish(9, key: "odd", from: giver)
        try await Self.publish(10, key: "even", from: giver)
        try await Self.eventually("event 10") { try Self.received(taker).contains("even:10") }
        #expect(try Self.received(taker) == ["odd:1", "even:2", "even:4", "even:6", "even:8", "even:10"])
        #expect(try pump.parked().map(\.event.sequence) == [3, 5, 7, 9])
        #expect(try pump.subscriptions().first?.parked == 4)
        let behind = await #expect(throws: Failure.self) {
            _ = try await pump.retry(subscriber: "taker", publisher: "giver", sequence: 5)
        }
        #expect(behind?.reason == HostReasons.stateWrong)
        #expect(try await pump.retry(subscriber: "taker", publisher: "giver", sequence: 3) != nil)
        refusals.clear()
        #expect(try await pump.retry(subscriber: "taker", publisher: "giver", sequence: 3) == nil)
        #expect(
            try Self.received(taker).filter { $0.hasPrefix("odd") } == [1, 3, 5, 7, 9].map { "odd:\($0)" })
        #expect(try pump.parked().isEmpty)
        let gone = await #expect(throws: Failure.self) {
            _ = try await pump.retry(subscriber: "taker", publisher: "giver", sequence: 3)
        }
        #expect(gone?.reason == HostReasons.notFound)
        await pump.stop()
        await giver.close()
        await taker.close()
    }

    @Test("events wait while their subscriber is paused, and while their publisher is not there")
    func waiting() async throws {
        let bench = try StorageWorkbench()
        let giver = try await bench.store("giver")
        let taker = try await bench.store("taker")
        let pump = EventPump(logger: bench.logger, pauses: Self.quick)
        pump.register(subscriber: taker, subscriptions: [Self.subscription()])
        pump.start()
        try await Self.publish(1, key: "k", from: giver)
        await pump.pause(subscriber: "taker")
        pump.register(publisher: giver)
        try await Self.publish(2, key: "k", from: giver)
        try await Task.sleep(for: .milliseconds(100))
        #expect(try Self.received(taker).isEmpty)
        #expect(try pump.waiting(for: "taker") == (2, 0))
        pump.resume(subscriber: "taker")
        try await Self.eventually("both events") { try Self.received(taker) == ["k:1", "k:2"] }
        await pump.unregister(subscriber: "taker")
        try await Self.publish(3, key: "k", from: giver)
        pump.register(subscriber: taker, subscriptions: [Self.subscription()])
        try await Self.eventually("the third") { try Self.received(taker) == ["k:1", "k:2", "k:3"] }
        await pump.stop()
        await giver.close()
        await taker.close()
    }

    @Test("a delivery that is repeated does nothing")
    func duplicates() async throws {
        let bench = try StorageWorkbench()
        let giver = try await bench.store("giver")
        let taker = try await bench.store("taker")
        for number in 1...3 { try await Self.publish(number, key: "k", from: giver) }
        let handle = Self.subscription().handle
        for event in try giver.outbox(after: 0, limit: 10) {
            #expect(try await taker.deliver(event, from: "giver", to: handle) == .delivered)
            #expect(try await taker.deliver(event, from: "giver", to: handle) == .alreadyDelivered)
        }
        #expect(try Self.received(taker) == ["k:1", "k:2", "k:3"])
        await giver.close()
        await taker.close()
    }

    @Test("a type that is subscribed to later gets its whole past, and does not disturb the others")
    func laterType() async throws {
        let bench = try StorageWorkbench()
        let giver = try await bench.store("giver")
        let taker = try await bench.store("taker")
        for number in 1...4 {
            try await Self.publish(number, key: "k", from: giver)
            try await giver.write(actor: "test") { transaction in
                try transaction.publish(Pcs_Host_V1_CountReply.with { $0.number = Int64(number) }, key: "c")
            }
        }
        let pump = EventPump(logger: bench.logger, pauses: Self.quick)
        pump.register(publisher: giver)
        pump.register(subscriber: taker, subscriptions: [Self.subscription()])
        pump.start()
        try await Self.eventually("four") { try StorageWorkbench.items(taker) == 4 }
        await pump.unregister(subscriber: "taker")
        let second = Subscription(to: Pcs_Host_V1_CountReply.self, from: "giver") { event, _, transaction in
            try transaction.run(
                Self.append, [.integer(Int(100 + event.number)), .text("count:\(event.number)")])
        }
        pump.register(subscriber: taker, subscriptions: [Self.subscription(), second])
        try await Self.eventually("eight") { try StorageWorkbench.items(taker) == 8 }
        #expect(try Self.received(taker) == (1...4).map { "k:\($0)" } + (1...4).map { "count:\($0)" })
        await pump.stop()
        await giver.close()
        await taker.close()
    }
}
