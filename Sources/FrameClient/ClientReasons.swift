public import PluginAPI

/// Failures that the client finds by itself. Where the host knows the same failure, the name is the host's.
public enum ClientReasons {
    public static let connectionFailed = Reason(
        name: "CONNECTION_FAILED", code: .unavailable, summary: "The host could not be reached.",
        nextStep: "Check the address and that the host runs; nothing was started.")
    public static let connectionLost = Reason(
        name: "CONNECTION_LOST", code: .unavailable, summary: "The connection ended before the reply came.",
        nextStep: "Look at the progress: send again with the same idempotency key unless nothing was started."
    )
    public static let hostDraining = Reason(
        name: "HOST_DRAINING", code: .unavailable, summary: "The host takes no new calls on this connection.",
        nextStep: "Send again on a new connection; nothing was started.")
    public static let connectionRefused = Reason(
        name: "CONNECTION_REFUSED", code: .failedPrecondition, summary: "The host closed the connection.",
        nextStep: "The message says why; mend the client or its credentials.")
    public static let protocolBroken = Reason(
        name: "PROTOCOL_BROKEN", code: .internal, summary: "The host sent what the protocol does not allow.",
        nextStep: "Compare the versions of client and host.")
    public static let deadlinePassed = Reason(
        name: "DEADLINE_PASSED", code: .deadlineExceeded, summary: "The call's time ran out.",
        nextStep:
            "Look at the progress of the reply: resend with the same idempotency key unless it says committed."
    )
    public static let callCancelled = Reason(
        name: "CALL_CANCELLED", code: .cancelled, summary: "The caller cancelled the call.",
        nextStep: "Nothing to do.")
    public static let overloaded = Reason(
        name: "OVERLOADED", code: .resourceExhausted, summary: "Too many calls wait for this connection.",
        nextStep: "Wait and try again; nothing was started.")
    public static let requestTooLarge = Reason(
        name: "REQUEST_TOO_LARGE", code: .resourceExhausted,
        summary: "The request message is larger than a frame of this connection.",
        nextStep: "Send less, or use the streaming method.")
    public static let noRequest = Reason(
        name: "REQUEST_MISSING", code: .invalidArgument,
        summary: "A client-streaming call needs at least one message.",
        nextStep: "Send a first message.")
    public static let clientClosed = Reason(
        name: "CLIENT_CLOSED", code: .cancelled, summary: "The client has been closed.",
        nextStep: "Use a client that is open.")
}
