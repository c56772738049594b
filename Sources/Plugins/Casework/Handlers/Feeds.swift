import PluginAPI
import Synchronization

/// Wakes those who watch tasks or messages when something was written for them.
///
/// What is written becomes visible with its commit, after `announce` was called inside the transaction. So `announce`
/// queues an empty write behind it: writes become durable in order, and once the empty one has, everything announced
/// before can be read.
final class Feeds: Sendable {
    private struct State {
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
        var isSettling = false
        var isClosed = false
    }

    private let store: any Store
    private let state = Mutex(State())

    init(store: any Store) { self.store = store }

    /// One element now and one whenever something may be new. Ends when the plugin drains, or with the caller's task.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.watchers[state.next] = continuation
            return state.next
        }
        continuation.yield()
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Call inside a transaction that wrote for a feed. Has no effect in the transaction, and may be called in one that
    /// is run again or fails.
    func announce() {
        let isFirst = state.withLock { state in
            if state.isSettling || state.watchers.isEmpty { return false }
            state.isSettling = true
            return true
        }
        guard isFirst else { return }
        Task { await settle() }
    }

    private func settle() async {
        state.withLock { $0.isSettling = false }
        // A full queue only means that more is being written: who watches looks at what there is.
        _ = try? await store.write(actor: "feeds") { _ in true }
        wake()
    }

    /// Lets everybody look again.
    func wake() {
        for watcher in state.withLock({ Array($0.watchers.values) }) { watcher.yield() }
    }

    func open() { state.withLock { $0.isClosed = false } }

    /// Ends all streams; callers come again elsewhere or later.
    func close() {
        let watchers = state.withLock { state in
            state.isClosed = true
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.finish() }
    }
}
