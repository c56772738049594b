import PluginAPI
import Synchronization

/// Slows guessing down (identity-and-organisations.md 10). Counts by the address typed, whether an account has it or
/// not, so that both answer alike; and by where the tries come from, so that one source can neither lock many accounts
/// nor make the host hash for ever.
final class GuessGuard: Sendable {
    /// Why a try is not looked at; only the audit learns which.
    enum Wait: String, Sendable {
        case throttled = "too many wrong tries for this address: it must wait"
        case locked = "too many wrong tries for this address: it is locked"
        case source = "too many wrong tries from this source"
    }

    enum Counted: Sendable { case counted, locked }

    fileprivate struct Entry {
        var failures = 0
        var nextAt = Instant(microsecondsSince1970: 0)
        var lastAt: Instant
        /// When the source's window began.
        var since: Instant
    }

    fileprivate struct State {
        var addresses: [String: Entry] = [:]
        var sources: [String: Entry] = [:]
    }

    /// Addresses and sources kept; beyond it those that wait for nothing are forgotten.
    static let capacity = 100_000

    private let rules: AccountRules
    private let state = Mutex(State())

    init(rules: AccountRules) { self.rules = rules }

    /// Whether a try may be looked at.
    func wait(address: String?, source: String, at now: Instant) -> Wait? {
        state.withLock { state in
            if let entry = state.sources[source], entry.failures >= rules[.sourceFailures],
                now < entry.since.adding(milliseconds: rules.milliseconds(.sourceWindow))
            {
                return .source
            }
            guard let address, let entry = state.addresses[address], now < entry.nextAt else { return nil }
            return entry.failures >= rules[.failuresLock] ? .locked : .throttled
        }
    }

    /// A try was wrong.
    /// - Parameter address: `nil` when the try named no account.
    func failed(address: String?, source: String, at now: Instant) -> Counted {
        state.withLock { state in
            if state.addresses.count >= GuessGuard.capacity || state.sources.count >= GuessGuard.capacity {
                state.forgetIdle(now: now, rules: rules)
            }
            var from = state.sources[source] ?? Entry(lastAt: now, since: now)
            if now >= from.since.adding(milliseconds: rules.milliseconds(.sourceWindow)) {
                from = Entry(lastAt: now, since: now)
            }
            from.failures += 1
            from.lastAt = now
            state.sources[source] = from
            guard let address else { return .counted }
            var entry = state.addresses[address] ?? Entry(lastAt: now, since: now)
            // A lock that has passed begins anew.
            if entry.failures >= rules[.failuresLock] { entry = Entry(lastAt: now, since: now) }
            entry.failures += 1
            entry.lastAt = now
            entry.nextAt = now.adding(milliseconds: pause(after: entry.failures))
            state.addresses[address] = entry
            return entry.failures >= rules[.failuresLock] ? .locked : .counted
        }
    }

    /// Milliseconds until the next try: none, then 30 seconds and doubling, then the lock.
    private func pause(after failures: Int) -> Int64 {
        if failures >= rules[.failuresLock] { return rules.milliseconds(.lockMinutes) }
        guard failures >= rules[.failuresFree] else { return 0 }
        return rules.milliseconds(.throttleFirst) << Int64(min(failures - rules[.failuresFree], 16))
    }

    /// The person has proved themselves, or an administrator has unlocked the account.
    func forget(address: String) { state.withLock { _ = $0.addresses.removeValue(forKey: address) } }

    /// How many are counted, for tests of the bound.
    var size: Int { state.withLock { $0.addresses.count + $0.sources.count } }
}

extension GuessGuard.State {
    fileprivate mutating func forgetIdle(now: Instant, rules: AccountRules) {
        let hour: Int64 = 3_600_000
        addresses = addresses.filter {
            $0.value.nextAt > now || $0.value.lastAt.adding(milliseconds: hour) > now
        }
        sources = sources.filter { $0.value.lastAt.adding(milliseconds: hour) > now }
        // A flood from everywhere: only what is locked stays.
        if addresses.count >= GuessGuard.capacity { addresses = addresses.filter { $0.value.nextAt > now } }
        if addresses.count >= GuessGuard.capacity { addresses.removeAll() }
        if sources.count >= GuessGuard.capacity { sources.removeAll() }
    }
}
