/// When to ping, and when to give a silent peer up. Any received byte counts as a sign of life.
struct Keepalive: Sendable {
    private let interval: UInt64
    private var lastHeard: MonotonicNanoseconds
    private var pinged = false
    private var token: UInt64 = 0

    enum Step: Hashable { case nothing, ping(UInt64), dead }

    init(seconds: UInt32, now: MonotonicNanoseconds) {
        interval = UInt64(seconds) * 1_000_000_000
        lastHeard = now
    }

    @inline(__always)
    mutating func heard(at now: MonotonicNanoseconds) {
        lastHeard = now
        pinged = false
    }

    mutating func step(at now: MonotonicNanoseconds) -> Step {
        let silence = now > lastHeard ? now - lastHeard : 0
        if silence >= 2 * interval { return .dead }
        if silence >= interval, !pinged {
            pinged = true
            token += 1
            return .ping(token)
        }
        return .nothing
    }

    /// When `step` next has something to say, unless something is heard before.
    var next: MonotonicNanoseconds { lastHeard + (pinged ? 2 : 1) * interval }
}
