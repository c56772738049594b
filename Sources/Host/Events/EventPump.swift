package import Logging
package import PluginAPI
import Synchronization

/// Carries events from publishers' outboxes to subscribers, from start until `stop`.
///
/// Promises: every event is delivered at least once and takes effect once (the subscriber's inbox sees to
/// it); events of one key of a publisher arrive in the order of publishing; one that fails is tried again
/// with growing pauses and parked after the fifth attempt, later ones of its key wait behind it, other keys
/// go on; nothing is dropped.
///
/// It wakes when something is published, when a pause is over, and once a second in any case.
package final class EventPump: Sendable {
    /// Attempts before an event is parked for an operator.
    package static let attempts = 5
    /// Pauses before the second and each later attempt.
    package static let pauses: [Duration] = [.milliseconds(200), .seconds(1), .seconds(5), .seconds(25)]

    private struct State {
        var publishers: [String: HostStore] = [:]
        var subscribers: [String: SubscriberWorker] = [:]
        var ticker: Task<Void, Never>?
        var isStarted = false
    }

    private let pauses: [Duration]
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter pauses: shorter ones for tests; their number plus one is the number of attempts.
    package init(logger: Logger, pauses: [Duration] = EventPump.pauses) {
        self.logger = logger
        self.pauses = pauses
    }

    // MARK: Who publishes, who receives

    /// Makes the events of an open store available. Registering a name again replaces it.
    package func register(publisher store: HostStore) {
        state.withLock { $0.publishers[store.name] = store }
        store.onPublish { [weak self] in self?.wake() }
        wake()
    }

    /// Events of this publisher wait from now on.
    package func unregister(publisher name: String) {
        state.withLock { _ = $0.publishers.removeValue(forKey: name) }
    }

    /// Takes up delivery to a subscriber where its inbox stands. Registering a name again replaces its
    /// handlers; the earlier ones must have been removed with `unregister(subscriber:)`.
    package func register(subscriber store: HostStore, subscriptions: [Subscription]) {
        let worker = SubscriberWorker(
            store: store, subscriptions: subscriptions, pauses: pauses, logger: logger,
            publisher: { [weak self] name in self?.state.withLock { $0.publishers[name] } })
        let isStarted = state.withLock { state in
            state.subscribers[store.name] = worker
            return state.isStarted
        }
        if isStarted { worker.start() }
    }

    /// Ends delivery to a subscriber and returns when none is in progress. Its events wait.
    package func unregister(subscriber name: String) async {
        let worker = state.withLock { $0.subscribers.removeValue(forKey: name) }
        await worker?.stop()
    }

    // MARK: Running

    package func start() {
        let workers = state.withLock { state in
            guard !state.isStarted else { return [SubscriberWorker]() }
            state.isStarted = true
            state.ticker = Task { [weak self] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    self?.wake()
                }
            }
            return Array(state.subscribers.values)
        }
        for worker in workers { worker.start() }
    }

    /// Returns when no delivery is in progress.
    package func stop() async {
        let workers = state.withLock { state in
            state.ticker?.cancel()
            state.ticker = nil
            state.isStarted = false
            return Array(state.subscribers.values)
        }
        for worker in workers { await worker.stop() }
    }

    /// Looks for events now.
    package func wake() {
        for worker in state.withLock({ Array($0.subscribers.values) }) { worker.wake() }
    }

    /// Holds delivery to a subscriber; returns when none is in progress. Its events wait until `resume`.
    package func pause(subscriber name: String) async {
        await state.withLock { $0.subscribers[name] }?.pause()
    }

    package func resume(subscriber name: String) {
        state.withLock { $0.subscribers[name] }?.resume()
    }

    // MARK: For operators

    /// Subscriptions with their positions, by subscriber, publisher and type.
    package func subscriptions() throws -> [SubscriptionStatus] {
        let (subscribers, publishers) = state.withLock { ($0.subscribers, $0.publishers) }
        var result: [SubscriptionStatus] = []
        for (name, worker) in subscribers.sorted(by: { $0.key < $1.key }) {
            let held = try worker.store.heldEvents()
            for (publisher, types) in worker.types.sorted(by: { $0.key < $1.key }) {
                let positions = try worker.store.positions(of: publisher)
                for type in types.sorted() {
                    let position = positions[type] ?? 0
                    let behind = try publishers[publisher]?.outboxCount(of: type, after: position) ?? 0
                    let heldHere = held.filter { $0.publisher == publisher && $0.type == type }.count
                    result.append(
                        SubscriptionStatus(
                            publisher: publisher, subscriber: name, eventType: type, deliveredUpTo: position,
                            waiting: behind, parked: Int64(heldHere)))
                }
            }
        }
        return result
    }

    /// Events that wait for a subscriber, and those that are held.
    package func waiting(for subscriber: String) throws -> (waiting: Int64, parked: Int64) {
        try subscriptions().filter { $0.subscriber == subscriber }.reduce((0, 0)) {
            ($0.0 + $1.waiting, $0.1 + $1.parked)
        }
    }

    /// Events that failed and those that wait behind them, of one subscriber or of all.
    package func parked(subscriber: String? = nil) throws -> [(subscriber: String, event: HeldEvent)] {
        let subscribers = state.withLock { $0.subscribers }
        return try subscribers.sorted { $0.key < $1.key }
            .filter { subscriber == nil || $0.key == subscriber }
            .flatMap { name, worker in try worker.store.heldEvents().map { (name, $0) } }
    }

    /// Tries a parked event again, and after it those of its key that wait behind it, until one fails.
    /// - Returns: the failure of the named event; `nil` when it took effect.
    /// - Throws: `NOT_FOUND` when there is no such parked event, `STATE_WRONG` when it waits behind another
    ///   one or its subscriber is paused.
    package func retry(subscriber: String, publisher: String, sequence: Int64) async throws -> String? {
        guard let worker = state.withLock({ $0.subscribers[subscriber] }) else {
            throw Failure.notFound("There is no subscriber \(subscriber) at work.")
        }
        return try await worker.retry(publisher: publisher, sequence: sequence)
    }
}

/// One subscription as operators see it.
package struct SubscriptionStatus: Hashable, Sendable {
    package var publisher: String
    package var subscriber: String
    package var eventType: String
    package var deliveredUpTo: Int64
    package var waiting: Int64
    package var parked: Int64
}
