/// One decoded frame of `pcs.frame.v1`. Holds no bytes: texts and bodies are ranges of the buffer it was
/// decoded from.
package struct Frame: Sendable {
    package enum Kind: Sendable {
        /// None that this version knows. Tolerated after the handshake: a later version may add kinds.
        case unknown
        case hello(HelloFrame)
        case call(CallFrame)
        case message(MessageFrame)
        case reply(ReplyFrame)
        case cancel(CancelFrame)
        case credit(CreditFrame)
        case ping(PingFrame)
        case goAway(GoAwayFrame)
    }

    /// 0 for the connection itself.
    package var stream: UInt32 = 0
    package var kind: Kind = .unknown
    /// Where the fields of `kind` begin and the frame ends: for reading its repeated fields
    /// (`FrameDetails.swift`).
    var kindBegins = 0
    var ends = 0

    package init() {}
}

package struct HelloFrame: Sendable {
    package var version: UInt32 = 0
    package var software = ByteRange.empty
    /// This and the next three: 0 = the default.
    package var maximumFrameBytes: UInt32 = 0
    package var maximumStreams: UInt32 = 0
    package var initialCredit: UInt32 = 0
    package var keepaliveSeconds: UInt32 = 0
    package var accessToken = ByteRange.empty
    package var hasFeatures = false
}

package struct CallFrame: Sendable {
    /// `package.Service/Method`; look it up in a `MethodIndex` without making a String.
    package var method = ByteRange.empty
    package var timeoutMilliseconds: UInt32 = 0
    package var credit: UInt32 = 0
    package var more = false
    package var idempotencyKey = ByteRange.empty
    package var actingFor = ByteRange.empty
    package var accessToken = ByteRange.empty
    package var personToken = ByteRange.empty
    package var traceParent = ByteRange.empty
    package var body = ByteRange.empty
}

package struct MessageFrame: Sendable {
    package var last = false
    package var body = ByteRange.empty
    /// False when the frame only closes the sending side.
    package var carriesMessage: Bool { !last || !body.isEmpty }
}

package struct ReplyFrame: Sendable {
    package var code: UInt32 = 0
    package var message = ByteRange.empty
    /// Number of `pcs.frame.v1.Progress`; values that this version does not know are kept.
    package var progress: UInt32 = 0
    package var hasStatus = false
    package var replayed = false
    package var body = ByteRange.empty
}

package struct CancelFrame: Sendable {
    package var reason = ByteRange.empty
}

package struct CreditFrame: Sendable {
    package var messages: UInt32 = 0
}

package struct PingFrame: Sendable {
    package var token: UInt64 = 0
    package var acknowledge = false
}

package struct GoAwayFrame: Sendable {
    package var lastStream: UInt32 = 0
    /// Number of `GoAwayReason`; values that this version does not know are kept.
    package var reason: UInt32 = 0
    package var message = ByteRange.empty
    package var graceMilliseconds: UInt32 = 0
}

/// Reasons of GoAway, with their numbers in frame.proto.
package enum GoAwayReason: UInt32, Sendable {
    case unspecified = 0
    case draining = 1
    case protocolError = 2
    case unsupportedVersion = 3
    case limitExceeded = 4
    case timeout = 5
    case unauthenticated = 6
}
