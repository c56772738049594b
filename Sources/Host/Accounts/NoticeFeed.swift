package import PluginAPI
import Synchronization

/// What has to reach a person by mail. Lives in memory only: the code in it is nowhere else in the clear.
package struct AccountNotice: Sendable {
    package enum Kind: String, Sendable {
        case invitation, passwordReset, secondFactorReset, dormancyWarning, securityChange
    }

    package let kind: Kind
    package let accountID: String
    /// Empty when the notice only informs.
    package let code: String
    package let usableFrom: Instant
    package let expiresAt: Instant
    package let words: String
    let madeAt: Instant
}

/// Notices on their way to the system that sends mail. A notice with a code is handed out only when the code's row is
/// durable, so that one whose transaction was undone never leaves. Bounded; the oldest give way, and their codes can be
/// issued anew.
package final class NoticeFeed: Sendable {
    static let capacity = 10_000
    /// A transaction that is not durable after so long was undone.
    static let undoneAfterMilliseconds: Int64 = 60_000

    private struct State {
        var waiting: [AccountNotice] = []
        var dropped = 0
    }
    private let state = Mutex(State())

    package init() {}

    func add(_ notice: AccountNotice) {
        state.withLock { state in
            if state.waiting.count >= NoticeFeed.capacity {
                state.waiting.removeFirst(NoticeFeed.capacity / 10)
                state.dropped += NoticeFeed.capacity / 10
            }
            state.waiting.append(notice)
        }
    }

    /// How many notices gave way to later ones since the start.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Takes what can be sent, oldest first.
    /// - Parameter isDurable: whether the code with this text stands in the database.
    func take(at now: Instant, isDurable: (String) throws -> Bool) rethrows -> [AccountNotice] {
        let found = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        guard !found.isEmpty else { return [] }
        var ready: [AccountNotice] = []
        var later: [AccountNotice] = []
        for notice in found where notice.expiresAt > now {
            if try notice.code.isEmpty || isDurable(notice.code) {
                ready.append(notice)
            } else if notice.madeAt.adding(milliseconds: NoticeFeed.undoneAfterMilliseconds) > now {
                later.append(notice)
            }
        }
        if !later.isEmpty { state.withLock { $0.waiting = later + $0.waiting } }
        return ready
    }

    /// Puts back what could not be sent.
    func putBack(_ notices: [AccountNotice]) {
        guard !notices.isEmpty else { return }
        state.withLock { $0.waiting = notices + $0.waiting }
    }
}
