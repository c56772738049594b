/// A request (or a further message of a stream) is not an encoding of its message type. Generated code throws it; the
/// Host answers `REQUEST_MALFORMED`.
public struct RequestDecodingFailure: Error, Sendable {
    /// Full name of the message type expected.
    public let messageType: String
    public init(messageType: String) { self.messageType = messageType }
}
