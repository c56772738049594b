import HostContract
import Logging
import PluginAPI
import Synchronization

/// Delivers to one subscriber: one run at a time, bounded batches, publishers in turn.
final class SubscriberWorker: Sendable {
    /// Events read and delivered at once.
    static let batch = 256
    /// A position is also moved on when so many events passed that were not for this subscriber.
    private static let farBehind: Int64 = 4_096

    let store: HostStore
    /// Types wanted, by publisher.
    let types: [String: Set<String>]
    private let handlers: [String: [String: HostStore.EventHandler]]
    private let pauses: [Duration]
    private let logger: Logger
    private let publisher: @Sendable (String) -> HostStore?
    private let signal: AsyncStream<Void>.Continuation
    private let signals: AsyncStream<Void>
    private let state = Mutex(State())

    private struct State {
        var isPaused = false
        var isWorking = false
        var idleWaiters: [CheckedContinuation<Void, Never>] = []
        var task: Task<Void, Never>?
        /// Up to where a publisher's outbox has been looked through.
        var cursors: [String: Int64] = [:]
        /// When the first held event of a key is due again; keys are `publisher\nkey`.
        var due: [String: ContinuousClock.Instant] = [:]
    }

    init(
        store: HostStore, subscriptions: [Subscription], pauses: [Duration], logger: Logger,
        publisher: @escaping @Sendable (String) -> HostStore?
    ) {
        self.store = store
        self.pauses = pauses
        self.logger = logger
        self.publisher = publisher
        var handlers: [String: [String: HostStore.EventHandler]] = [:]
        for subscription in subscriptions {
            handlers[subscription.publisher, default: [:]][subscription.eventType] = subscription.handle
        }
        self.handlers = handlers
        types = handlers.mapValues { Set($0.keys) }
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Control

    func start() {
        state.withLock { state in
            guard state.task == nil else { return }
            state.task = Task { await self.run() }
        }
        wake()
    }

    func stop() async {
        let task = state.withLock { state in
            state.isPaused = true
            return state.task
        }
        signal.finish()
        await task?.value
    }

    func wake() { signal.yield() }

    func pause() async {
        await withCheckedContinuation { caller in
            let isIdle = state.withLock { state in
                state.isPaused = true
                if !state.isWorking { return true }
                state.idleWaiters.append(caller)
                return false
            }
            if isIdle { caller.resume() }
        }
    }

    func resume() {
        state.withLock { $0.isPaused = false }
        wake()
    }

    private var isPaused: Bool { state.withLock { $0.isPaused } }

    private func beginWork() -> Bool {
        state.withLock { state in
            if state.isPaused || state.isWorking { return false }
            state.isWorking = true
            return true
        }
    }

    private func endWork() {
        let waiters = state.withLock { state in
            state.isWorking = false
            defer { state.idleWaiters = [] }
            return state.idleWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: Delivering

    private func run() async {
        for await _ in signals {
            guard beginWork() else { continue }
            do {
                try await retryDue()
                for name in handlers.keys.sorted() where !isPaused { try await drain(name) }
            } catch {
                // The store or the outbox cannot be used now; nothing is lost, the next tick tries again.
                logger.warning("events wait", metadata: ["subscriber": "\(store.name)", "error": "\(error)"])
            }
            endWork()
        }
    }

    /// Delivers what `name` has published until nothing is left.
    private func drain(_ name: String) async throws {
        guard let outbox = publisher(name), let handlers = handlers[name] else { return }
        let positions = try store.positions(of: name)
        let lowest = handlers.keys.map { positions[$0] ?? 0 }.min() ?? 0
        var cursor = max(lowest, state.withLock { $0.cursors[name] ?? 0 })
        while !isPaused {
            let events = try outbox.outbox(after: cursor, limit: SubscriberWorker.batch)
            guard let last = events.last else { return }
            let wanted = events.filter { event in
                handlers[event.type] != nil && event.sequence > positions[event.type] ?? 0
            }
            if !wanted.isEmpty || last.sequence - lowest > SubscriberWorker.farBehind {
                try await deliver(wanted[...], upTo: last.sequence, from: name, to: handlers)
            }
            cursor = last.sequence
            state.withLock { $0.cursors[name] = last.sequence }
        }
    }

    /// Delivers a batch as one transaction. When a handler fails, what came before it is delivered again
    /// without it, it is put aside, and the rest follows.
    private func deliver(
        _ events: ArraySlice<OutboxEvent>, upTo end: Int64, from name: String,
        to handlers: [String: HostStore.EventHandler]
    ) async throws {
        var rest = events
        while true {
            do {
                let positions = handlers.mapValues { _ in end }
                _ = try await store.deliver(Array(rest), upTo: positions, from: name, to: handlers)
                return
            } catch let fault as DeliveryFault {
                try SubscriberWorker.rethrowUnavailable(fault.cause)
                let failed = rest[rest.startIndex + fault.index]
                let before = rest[..<(rest.startIndex + fault.index)]
                if let last = before.last {
                    try await deliver(before, upTo: last.sequence, from: name, to: handlers)
                }
                try await store.hold(failed, from: name, failure: SubscriberWorker.describe(fault.cause))
                logger.warning("event failed", metadata: metadata(failed.sequence, name, 1, fault.cause))
                pauseKey(failed.key, of: name, attempts: 1)
                rest = rest[(rest.startIndex + fault.index + 1)...]
            }
        }
    }

    // MARK: Held events

    /// Tries the held events whose pause is over; those found after a start have none.
    private func retryDue() async throws {
        var seen: Set<String> = []
        for held in try store.heldEvents() where held.sequence == held.head && held.attempts <= pauses.count {
            let slot = held.publisher + "\n" + held.key
            guard !isPaused, publisher(held.publisher) != nil, seen.insert(slot).inserted else { continue }
            let due = state.withLock { $0.due[slot] }
            if let due, due > ContinuousClock.now { continue }
            _ = try await release(key: held.key, of: held.publisher)
        }
    }

    /// Delivers the held events of a key in order until one fails or none is left.
    /// - Returns: the failure of the first one; `nil` when it took effect.
    private func release(key: String, of name: String) async throws -> String? {
        var isFirst = true
        var failureOfFirst: String?
        while !isPaused, let held = try store.firstHeld(key, of: name) {
            if let failure = try await attempt(held.sequence, of: name, key: key) {
                if isFirst { failureOfFirst = failure }
                break
            }
            isFirst = false
        }
        return failureOfFirst
    }

    /// Returns the failure, `nil` when the event took effect.
    private func attempt(_ sequence: Int64, of name: String, key: String) async throws -> String? {
        guard let outbox = publisher(name) else { throw StorageError.closed }
        let event = try outbox.outboxEvent(sequence)
        do {
            guard let event, let handle = handlers[name]?[event.type] else {
                throw StorageError.unusable(message: "the event is gone, or nothing takes its type any more")
            }
            _ = try await store.deliverHeld(event, from: name, to: handle)
            state.withLock { _ = $0.due.removeValue(forKey: name + "\n" + key) }
            return nil
        } catch {
            try SubscriberWorker.rethrowUnavailable(error)
            let failure = SubscriberWorker.describe(error)
            let attempts = try await store.countAttempt(sequence, from: name, failure: failure)
            logger.warning("event failed", metadata: metadata(sequence, name, attempts, error))
            pauseKey(key, of: name, attempts: attempts)
            return failure
        }
    }

    /// Runs beside the normal delivery; the rows of the held events keep each effect single.
    func retry(publisher name: String, sequence: Int64) async throws -> String? {
        guard
            let held = try store.heldEvents().first(where: { $0.publisher == name && $0.sequence == sequence }
            )
        else {
            throw Failure.notFound("No event \(sequence) of \(name) is parked.")
        }
        guard held.head == sequence else {
            throw Failure(
                HostReasons.stateWrong, "Event \(sequence) waits behind event \(held.head) of its key.")
        }
        guard !isPaused else { throw Failure(HostReasons.stateWrong, "The subscriber is disabled.") }
        return try await release(key: held.key, of: name)
    }

    private func pauseKey(_ key: String, of name: String, attempts: Int) {
        guard attempts >= 1, attempts <= pauses.count else { return }
        let pause = pauses[attempts - 1]
        state.withLock { $0.due[name + "\n" + key] = .now + pause }
        Task { [weak self] in
            try? await Task.sleep(for: pause)
            self?.wake()
        }
    }

    // MARK: Failures

    /// A full queue or a closed file says nothing about the event: it is tried again and not counted.
    private static func rethrowUnavailable(_ error: any Error) throws {
        switch error as? StorageError {
        case .overloaded, .closed: throw error
        case .engine, .constraint, .unusable, nil: return
        }
    }

    private static func describe(_ error: any Error) -> String { String("\(error)".prefix(500)) }

    private func metadata(_ sequence: Int64, _ name: String, _ attempts: Int, _ error: any Error)
        -> Logger.Metadata
    {
        [
            "subscriber": "\(store.name)", "publisher": "\(name)", "sequence": "\(sequence)",
            "attempts": "\(attempts)", "error": "\(error)",
        ]
    }
}

extension Failure {
    static func notFound(_ message: String) -> Failure { Failure(HostReasons.notFound, message) }
}
