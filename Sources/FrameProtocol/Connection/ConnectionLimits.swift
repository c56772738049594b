/// What one side of a connection states in its Hello; the defaults are those of frame.proto.
package struct ConnectionLimits: Hashable, Sendable {
    package static let protocolVersion: UInt32 = 1
    /// A Hello is refused beyond this, so that a stranger cannot make the host hold more.
    package static let maximumHelloBytes = 16_384
    /// The least that a peer may state as `max_frame_bytes`: any typed refusal must fit.
    package static let leastFrameBytes: UInt32 = 16_384

    /// Largest frame accepted, without the prefix.
    package var maximumFrameBytes: UInt32 = 4 << 20
    /// Most streams open at once.
    package var maximumStreams: UInt32 = 128
    /// Messages that the peer may send on a stream before it is given more.
    package var initialCredit: UInt32 = 16
    /// Silence after which we ping; after twice as much we close.
    package var keepaliveSeconds: UInt32 = 30
    /// Time for the peer's Hello. Not on the wire.
    package var handshakeSeconds: UInt32 = 10

    package init() {}

    /// Limits as a peer stated them, defaults filled in; `nil` when one is too small to work with.
    init?(stated hello: HelloFrame) {
        if hello.maximumFrameBytes != 0 { maximumFrameBytes = hello.maximumFrameBytes }
        if hello.maximumStreams != 0 { maximumStreams = hello.maximumStreams }
        if hello.initialCredit != 0 { initialCredit = hello.initialCredit }
        if hello.keepaliveSeconds != 0 { keepaliveSeconds = hello.keepaliveSeconds }
        guard maximumFrameBytes >= Self.leastFrameBytes else { return nil }
    }
}

/// Time that only rises, in nanoseconds from any origin (`NIODeadline.uptimeNanoseconds`). State machines are
/// told it; they never ask a clock.
package typealias MonotonicNanoseconds = UInt64

/// What a passed time asks for.
package enum TimerAction: Hashable, Sendable {
    case none
    case sendPing(token: UInt64)
    /// Send it, then close at once.
    case close(OutgoingGoAway)
    /// The grace of a GoAway is over: cancel what is still open and close without a word.
    case graceOver
}
