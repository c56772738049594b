import HostContract
import PluginAPI
import Synchronization

/// Adds a subject's token and organisation to every call that brings none of its own. Gets a new token when
/// the old one nears its end by the host's clock.
struct SubjectTransport: CallTransport {
    private let inner: any CallTransport
    private let tokens: TokenKeeper
    private let actingFor: String?
    private let person: TokenKeeper?

    init(_ inner: any CallTransport, tokens: TokenKeeper, actingFor: String?, person: TokenKeeper?) {
        self.inner = inner
        self.tokens = tokens
        self.actingFor = actingFor
        self.person = person
    }

    private func completed(_ options: CallOptions) async throws -> CallOptions {
        var options = options
        if options.accessToken == nil { options.accessToken = try await tokens.current() }
        if options.personToken == nil, let person { options.personToken = try await person.current() }
        if options.actingFor == nil { options.actingFor = actingFor }
        return options
    }

    func unary(_ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions) async throws -> [UInt8]
    {
        try await inner.unary(method, request, try await completed(options))
    }

    func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        try await inner.serverStreaming(method, request, try await completed(options))
    }

    func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ options: CallOptions
    ) async throws -> [UInt8] {
        try await inner.clientStreaming(method, requests, try await completed(options))
    }
}

/// A subject's access token, renewed in time.
actor TokenKeeper {
    private let subject: TestSubject
    private let clock: any HostClock
    private let audience: String
    private let issue: any CallTransport
    private var token: String?
    private var issuedAt = Instant(microsecondsSince1970: 0)
    /// The exchange under way: calls that come together share one token.
    private var issuing: Task<String, any Error>?

    init(subject: TestSubject, clock: any HostClock, audience: String, issue: any CallTransport) {
        self.subject = subject
        self.clock = clock
        self.audience = audience
        self.issue = issue
    }

    func current() async throws -> String {
        let now = clock.now
        let age = now.microsecondsSince1970 - issuedAt.microsecondsSince1970
        // Tokens live for ten minutes; a clock set back also asks for a new one.
        if let token, (0..<300_000_000).contains(age) { return token }
        if let issuing { return try await issuing.value }
        let (subject, audience, issue) = (subject, audience, issue)
        let exchange = Task {
            var request = Pcs_Host_V1_IssueTokenRequest()
            request.clientAssertion = try subject.assertion(audience: audience, now: now)
            return try await Pcs_Host_V1_IdentityServiceClient(issue).issueToken(request).accessToken
        }
        issuing = exchange
        defer { issuing = nil }
        let fresh = try await exchange.value
        token = fresh
        issuedAt = now
        return fresh
    }
}
