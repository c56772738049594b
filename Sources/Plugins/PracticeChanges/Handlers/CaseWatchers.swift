import ChangesContract
import PluginAPI
import Synchronization

/// Those who watch a case. The plugin takes its own event of a change, which comes when the change is durable, and wakes
/// them.
final class CaseWatchers: Sendable {
    private struct State {
        var next = 0
        var watching: [Int: (caseID: String, wake: AsyncStream<Void>.Continuation)] = [:]
    }
    private let state = Mutex(State())

    func watch(_ caseID: String) -> (changes: AsyncStream<Void>, id: Int) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.next += 1
            state.watching[state.next] = (caseID, continuation)
            return state.next
        }
        return (stream, id)
    }

    func end(_ id: Int) {
        state.withLock { $0.watching.removeValue(forKey: id) }?.wake.finish()
    }

    func wake(_ caseID: String) {
        let waiting = state.withLock { state in
            state.watching.values.filter { $0.caseID == caseID }.map(\.wake)
        }
        for wake in waiting { wake.yield() }
    }

    /// The plugin drains: streams end, and their callers watch again elsewhere.
    func endAll() {
        let all = state.withLock { state in
            defer { state.watching = [:] }
            return state.watching.values.map(\.wake)
        }
        for wake in all { wake.finish() }
    }
}
