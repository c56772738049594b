import PluginAPI
import Synchronization

/// Break-glass sessions that are open, for the decision on each call (identity-and-organisations.md 12).
package final class GlassBook: Sendable {
    struct Open: Hashable, Sendable {
        let sessionID: String
        let organisations: Set<String>
        let endsAt: Instant
    }

    private let open = Mutex<[String: Open]>([:])
    private let count = Atomic<Int>(0)

    init() {}

    /// The open session of a person, `nil` for nearly everybody.
    func session(of personID: String?, at now: @autoclosure () -> Instant) -> Open? {
        guard let personID, let session = open.withLock({ $0[personID] }), now() < session.endsAt else {
            return nil
        }
        return session
    }

    /// - Parameter session: `nil` = ended.
    func set(_ session: Open?, of personID: String) {
        open.withLock {
            $0[personID] = session
            count.store($0.count, ordering: .releasing)
        }
    }

    func replace(_ sessions: [String: Open]) {
        open.withLock {
            $0 = sessions
            count.store($0.count, ordering: .releasing)
        }
    }

    /// Whether anybody may have one: asked on every call, so without a lock.
    var isAnyOpen: Bool { count.load(ordering: .acquiring) > 0 }
}
