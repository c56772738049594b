public import Logging
public import NIOSSL
import PluginAPI

/// Where a host listens.
public enum FrameAddress: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    /// Path of a Unix-domain socket: the host reads the caller's user id from the kernel.
    case unixSocket(path: String)

    public var description: String {
        switch self {
        case .tcp(let host, let port): "\(host):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }
}

/// How a `FrameClient` reaches a host, and what it says of itself.
public struct FrameClientConfiguration: Sendable {
    public var address: FrameAddress
    /// TLS for TCP; `nil` = plain text, for Unix sockets and for tests. The protocol name `pcs/1` is added
    /// (ALPN). Set `certificateChain` and `privateKey` for mutual TLS.
    public var tls: TLSConfiguration?
    /// Name that the host's certificate must carry; `nil` = the host of the address. A certificate for the IP address
    /// that is connected to is accepted beside it.
    public var serverName: String?
    /// Name and version of the calling software, for the host's logs.
    public var software: String
    /// Access token of the calling system for all calls that carry none of their own. Kept out of logs.
    public var accessToken: String?
    /// Milliseconds for connecting, TLS included, and again for the host's Hello.
    public var connectTimeoutMilliseconds: Int64 = 5_000
    /// Messages of a stream that the host may send before we have taken any.
    public var initialCredit: UInt32 = 16
    /// Silence, in seconds, after which the client pings; after twice as much it gives the connection up.
    public var keepaliveSeconds: UInt32 = 30
    /// Calls that may wait for one of the connection's streams; further ones are refused as not started.
    public var maximumWaitingCalls: Int = 10_000
    /// Milliseconds that calls in flight have to end when the client is closed.
    public var closeGraceMilliseconds: UInt32 = 2_000
    public var retry = RetryPolicy()
    public var logger: Logger?

    public init(
        address: FrameAddress, tls: TLSConfiguration? = nil, software: String = "pcs-swift/1",
        accessToken: String? = nil
    ) {
        self.address = address
        self.tls = tls
        self.software = software
        self.accessToken = accessToken
    }
}

/// When a unary call is sent again without asking the caller.
///
/// Only a call that ended UNAVAILABLE is: when the reply says that nothing was started, or when it carries an
/// idempotency key, with which sending twice has one effect.
public struct RetryPolicy: Sendable {
    /// Times a call is sent at most, the first included; 1 = never again.
    public var maximumAttempts: Int = 4
    /// Pause before the second attempt; doubles each time. Half of each pause is chance.
    public var firstPauseMilliseconds: Int64 = 50
    public var longestPauseMilliseconds: Int64 = 2_000

    public init() {}

    public static var never: RetryPolicy {
        var policy = RetryPolicy()
        policy.maximumAttempts = 1
        return policy
    }

    func allows(_ failure: Failure, attempt: Int, idempotencyKey: String?) -> Bool {
        guard attempt < maximumAttempts, failure.reason.code == .unavailable else { return false }
        if failure.progress == .notStarted { return true }
        return failure.progress != .committed && !(idempotencyKey ?? "").isEmpty
    }

    /// Milliseconds to wait after the given attempt.
    func pause(after attempt: Int) -> Int64 {
        let doublings = min(max(attempt - 1, 0), 20)
        let longest = min(firstPauseMilliseconds << Int64(doublings), longestPauseMilliseconds)
        return longest / 2 + Int64.random(in: 0...max(longest / 2, 1))
    }
}
