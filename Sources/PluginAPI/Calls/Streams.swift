public import SwiftProtobuf

/// Takes the encoded messages of a server-streaming reply. The Host's side of a stream.
public protocol ReplySink: Sendable {
    /// Returns once the caller's credit took the message; throws when the call was cancelled or its connection ended.
    func send(_ message: [UInt8]) async throws
}

/// Gives the encoded messages that follow the first one of a client-streaming call.
public protocol RequestSource: Sendable {
    /// The next message, or `nil` at the end; throws when the call was cancelled or its connection ended.
    func next() async throws -> [UInt8]?
}

/// The reply stream as a handler sees it.
public struct ReplyStream<Reply: Message & Sendable>: Sendable {
    private let sink: any ReplySink
    public init(_ sink: any ReplySink) { self.sink = sink }

    /// Sends one message; waits while the caller has given no credit.
    public func send(_ message: Reply) async throws {
        try await sink.send(try message.serializedBytes())
    }
}

/// The request messages of a client-streaming call, the first one included.
public struct RequestStream<Request: Message & Sendable>: Sendable, AsyncSequence {
    public typealias Element = Request
    /// The message that came with the call itself.
    public let first: Request
    private let source: any RequestSource

    public init(first: Request, rest: any RequestSource) {
        self.first = first
        self.source = rest
    }

    public struct Iterator: AsyncIteratorProtocol {
        var first: Request?
        let source: any RequestSource
        public mutating func next() async throws -> Request? {
            if let message = first {
                first = nil
                return message
            }
            guard let bytes = try await source.next() else { return nil }
            return try RequestDecodingFailure.decode(bytes, as: Request.self)
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(first: first, source: source) }
}
