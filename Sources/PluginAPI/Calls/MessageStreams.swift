public import SwiftProtobuf

/// How generated clients pass between streams of messages and the streams of bytes that a `CallTransport` carries.
public enum MessageStreams {
    /// Decodes each reply when it is asked for. Dropping the result drops `replies`, which cancels the call.
    public static func decoding<Reply: Message & Sendable>(
        _ replies: AsyncThrowingStream<[UInt8], any Error>, as type: Reply.Type
    ) -> AsyncThrowingStream<Reply, any Error> {
        AsyncThrowingStream {
            var iterator = replies.makeAsyncIterator()
            guard let bytes = try await iterator.next() else { return nil }
            return try Reply(serializedBytes: bytes)
        }
    }

    /// Encodes each request when the transport asks for it, so that no more is read than credit allows.
    public static func encoding<Request: Message & Sendable>(
        _ requests: some AsyncSequence<Request, any Error> & Sendable
    ) -> AsyncThrowingStream<[UInt8], any Error> {
        let source = OneByOne(requests.makeAsyncIterator())
        return AsyncThrowingStream {
            guard let request = try await source.next() else { return nil }
            return try request.serializedBytes()
        }
    }

    /// Encodes requests that are all at hand.
    public static func encoding<Request: Message & Sendable>(
        _ requests: [Request]
    ) throws -> AsyncThrowingStream<[UInt8], any Error> {
        let encoded: [[UInt8]] = try requests.map { try $0.serializedBytes() }
        return AsyncThrowingStream { continuation in
            for bytes in encoded { continuation.yield(bytes) }
            continuation.finish()
        }
    }
}

/// An iterator that a stream of one consumer asks for one element after the other; a second consumer would be a fault
/// already in `AsyncThrowingStream`. That makes it safe to hand between tasks.
private final class OneByOne<Iterator: AsyncIteratorProtocol>: @unchecked Sendable {
    private var iterator: Iterator
    init(_ iterator: Iterator) { self.iterator = iterator }
    func next() async throws -> Iterator.Element? { try await iterator.next() }
}
