/// What a caller may add to a call.
public struct CallOptions: Sendable {
    /// Relative deadline in milliseconds; `nil` = the method's own time limit.
    public var timeoutMilliseconds: UInt32?
    public var idempotencyKey: String?
    public var actingFor: String?
    public var accessToken: String?
    public var personToken: String?
    public var traceParent: String?

    public init(
        timeoutMilliseconds: UInt32? = nil, idempotencyKey: String? = nil, actingFor: String? = nil,
        accessToken: String? = nil, personToken: String? = nil, traceParent: String? = nil
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.idempotencyKey = idempotencyKey
        self.actingFor = actingFor
        self.accessToken = accessToken
        self.personToken = personToken
        self.traceParent = traceParent
    }
}

/// Carries encoded calls: over a socket (`FrameClient`) or straight into the Host's dispatcher (in process). Generated
/// clients work the same over both. Failures are thrown as `Failure`.
public protocol CallTransport: Sendable {
    func unary(_ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions) async throws -> [UInt8]

    /// Replies in order; ends normally after the last, or throws. Dropping the stream cancels the call.
    func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error>

    /// `requests` gives the messages in order, at least one.
    func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>, _ options: CallOptions
    ) async throws -> [UInt8]
}
