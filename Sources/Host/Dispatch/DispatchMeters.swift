import Synchronization

/// What all calls together do, counted without locks.
package final class DispatchMeters: Sendable {
    /// An inline handler that holds its event loop longer than this is counted as a stall.
    package static let stallNanoseconds: UInt64 = 10_000_000

    private let running = Atomic<Int>(0)
    private let anonymous = Atomic<Int>(0)
    private let total = Atomic<Int>(0)
    private let refusals = Atomic<Int>(0)
    private let stalls = Atomic<Int>(0)
    private let longestHold = Atomic<UInt64>(0)
    private let connections = Atomic<Int>(0)
    private let heldBytes = Atomic<Int>(0)
    /// Bytes of unfinished frames that all connections together may hold.
    private static let heldBytesLimit = 256 << 20

    package init() {}

    /// Takes a place among the calls in flight; `false` when all are taken.
    func enter(limit: Int) -> Bool {
        total.add(1, ordering: .relaxed)
        guard running.add(1, ordering: .relaxed).newValue <= limit else {
            running.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func leave() { running.subtract(1, ordering: .relaxed) }

    func enterAnonymous(limit: Int) -> Bool {
        guard anonymous.add(1, ordering: .relaxed).newValue <= limit else {
            anonymous.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func leaveAnonymous() { anonymous.subtract(1, ordering: .relaxed) }

    func refused() { refusals.add(1, ordering: .relaxed) }

    /// How long an event loop was held by one handler before it first waited or ended.
    func held(nanoseconds: UInt64) {
        if nanoseconds > Self.stallNanoseconds { stalls.add(1, ordering: .relaxed) }
        // Rarely more than one turn: only a new longest writes.
        if nanoseconds > longestHold.load(ordering: .relaxed) {
            longestHold.max(nanoseconds, ordering: .relaxed)
        }
    }

    /// Takes a place among the connections; `false` when all are taken.
    func connect(limit: Int) -> Bool {
        guard connections.add(1, ordering: .relaxed).newValue <= limit else {
            connections.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func disconnect() { connections.subtract(1, ordering: .relaxed) }

    /// Counts bytes of unfinished frames; `false` when there are more than may be.
    func holds(_ difference: Int) -> Bool {
        heldBytes.add(difference, ordering: .relaxed).newValue <= Self.heldBytesLimit
    }

    package var callsInFlight: Int { running.load(ordering: .relaxed) }
    package var callsTotal: Int { total.load(ordering: .relaxed) }
    package var refusalsTotal: Int { refusals.load(ordering: .relaxed) }
    package var stallsTotal: Int { stalls.load(ordering: .relaxed) }
    package var longestHoldMicroseconds: Int64 { Int64(longestHold.load(ordering: .relaxed) / 1000) }
    package var openConnections: Int { connections.load(ordering: .relaxed) }
}
