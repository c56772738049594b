/// What the Host knows of one method: its name, shape and access rule. Generated.
public struct MethodDescriptor: Hashable, Sendable {
    public enum Kind: String, Sendable { case unary, serverStreaming, clientStreaming }

    /// `pcs.payments.v1.RunService/GetRun`.
    public let path: String
    public let kind: Kind
    /// Full names of the message types.
    public let requestType: String
    public let replyType: String
    public let access: AccessRule

    public init(path: String, kind: Kind, requestType: String, replyType: String, access: AccessRule) {
        self.path = path
        self.kind = kind
        self.requestType = requestType
        self.replyType = replyType
        self.access = access
    }
}

/// The organisation that a request concerns: the value of a field named in the access rule.
public struct OrganisationTarget: Hashable, Sendable {
    public let field: String
    public let code: String
    public init(field: String, code: String) {
        self.field = field
        self.code = code
    }
}

/// A method together with the code that serves it, types erased. Generated `bind` functions make it; the Host decodes
/// the (first) request message through it, checks the access rule on the organisations found, and then runs it.
public struct BoundMethod: Sendable {
    /// A decoded call that waits for the Host's gates.
    public struct Prepared<Run: Sendable>: Sendable {
        public let organisations: [OrganisationTarget]
        public let run: Run
        public init(organisations: [OrganisationTarget], run: Run) {
            self.organisations = organisations
            self.run = run
        }
    }
    public typealias Unary = nonisolated(nonsending) @Sendable (CallContext) async throws -> [UInt8]
    public typealias ServerStreaming = @Sendable (CallContext, any ReplySink) async throws -> Void
    public typealias ClientStreaming = @Sendable (CallContext, any RequestSource) async throws -> [UInt8]

    public enum Handler: Sendable {
        case unary(@Sendable ([UInt8]) throws -> Prepared<Unary>)
        case serverStreaming(@Sendable ([UInt8]) throws -> Prepared<ServerStreaming>)
        case clientStreaming(@Sendable ([UInt8]) throws -> Prepared<ClientStreaming>)
    }

    public let descriptor: MethodDescriptor
    public let handler: Handler

    public init(descriptor: MethodDescriptor, handler: Handler) {
        self.descriptor = descriptor
        self.handler = handler
    }
}
