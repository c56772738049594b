public import SwiftProtobuf

/// A request (or a further message of a stream) is not an encoding of its message type. Generated code throws it; the
/// Host answers `REQUEST_MALFORMED`.
public struct RequestDecodingFailure: Error, Sendable {
    /// Full name of the message type expected.
    public let messageType: String
    public init(messageType: String) { self.messageType = messageType }

    /// Decodes a message that a caller sent; throws `RequestDecodingFailure` when the bytes are no such message.
    ///
    /// Inlinable, because every call passes here and the compiler then knows the message type.
    @inlinable
    public static func decode<Request: Message>(_ bytes: [UInt8], as type: Request.Type) throws -> Request {
        do {
            return try Request(serializedBytes: bytes)
        } catch {
            throw RequestDecodingFailure(messageType: Request.protoMessageName)
        }
    }
}
