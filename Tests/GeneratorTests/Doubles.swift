import HostContract
import Logging
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Serves the diagnostics without a host. `wait` tells the length of `actingFor`, so that a test sees which options
/// were used; notes are never there.
struct Diagnostics: Pcs_Host_V1_DiagnosticsService {
    func echo(_ request: Pcs_Host_V1_EchoRequest, _ call: CallContext) async throws -> Pcs_Host_V1_EchoReply {
        .with {
            $0.payload = request.payload
            $0.number = request.number
            $0.text = request.text
        }
    }

    func count(
        _ request: Pcs_Host_V1_CountRequest, _ reply: ReplyStream<Pcs_Host_V1_CountReply>, _ call: CallContext
    ) async throws {
        for number in 0..<request.count { try await reply.send(.with { $0.number = number + 1 }) }
    }

    func collect(
        _ requests: RequestStream<Pcs_Host_V1_CollectRequest>, _ call: CallContext
    ) async throws -> Pcs_Host_V1_CollectReply {
        var reply = Pcs_Host_V1_CollectReply()
        for try await request in requests {
            reply.messages += 1
            reply.sum += request.number
        }
        return reply
    }

    func wait(_ request: Pcs_Host_V1_WaitRequest, _ call: CallContext) async throws -> Pcs_Host_V1_WaitReply {
        .with { $0.waitedMilliseconds = Int64(call.caller.actingFor.count) }
    }

    func writeNote(
        _ request: Pcs_Host_V1_WriteNoteRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_WriteNoteReply {
        throw Failure(HostReasons.storageUnavailable)
    }

    func readNote(
        _ request: Pcs_Host_V1_ReadNoteRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ReadNoteReply {
        throw Failure(HostReasons.notFound)
    }
}

/// Knows no contract.
struct NoContracts: Pcs_Payments_V1_ContractService {
    private let failure = Failure(HostReasons.notFound)

    func loadContracts(
        _ requests: RequestStream<Pcs_Payments_V1_LoadContractsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractLoad { throw failure }

    func getContract(
        _ request: Pcs_Payments_V1_GetContractRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Contract { throw failure }

    func listContracts(
        _ request: Pcs_Payments_V1_ListContractsRequest, _ reply: ReplyStream<Pcs_Payments_V1_Contract>,
        _ call: CallContext
    ) async throws { throw failure }

    func listContractVersions(
        _ request: Pcs_Payments_V1_ListContractVersionsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListContractVersionsResponse { throw failure }

    func reviseContract(
        _ request: Pcs_Payments_V1_ReviseContractRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractRevision { throw failure }

    func decideContractRevision(
        _ request: Pcs_Payments_V1_DecideContractRevisionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractRevision { throw failure }

    func listContractRevisions(
        _ request: Pcs_Payments_V1_ListContractRevisionsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListContractRevisionsResponse { throw failure }
}

/// Carries calls from a client straight into the bound methods, as encoded bytes.
struct LoopbackTransport: CallTransport {
    private let methods: [String: BoundMethod]

    init(_ methods: [BoundMethod]) {
        self.methods = Dictionary(uniqueKeysWithValues: methods.map { ($0.descriptor.path, $0) })
    }

    private struct NoSuchMethod: Error {}

    func unary(_ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions) async throws -> [UInt8]
    {
        guard case .unary(let prepare) = methods[method.path]?.handler else { throw NoSuchMethod() }
        return try await prepare(request).run(context(method, options))
    }

    func serverStreaming(
        _ method: MethodDescriptor, _ request: [UInt8], _ options: CallOptions
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        guard case .serverStreaming(let prepare) = methods[method.path]?.handler else { throw NoSuchMethod() }
        let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        try await prepare(request).run(context(method, options), Sink(continuation: continuation))
        continuation.finish()
        return stream
    }

    func clientStreaming(
        _ method: MethodDescriptor, _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ options: CallOptions
    ) async throws -> [UInt8] {
        guard case .clientStreaming(let prepare) = methods[method.path]?.handler else { throw NoSuchMethod() }
        let source = Source(stream: requests)
        guard let first = try await source.next() else { throw NoSuchMethod() }
        return try await prepare(first).run(context(method, options), source)
    }

    private func context(_ method: MethodDescriptor, _ options: CallOptions) -> CallContext {
        CallContext(
            caller: Caller(personID: "ada", clientID: nil, actingFor: options.actingFor ?? "", roles: []),
            host: NoHost(method: method))
    }

    private struct Sink: ReplySink {
        let continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation
        func send(_ message: [UInt8]) async throws { continuation.yield(message) }
    }

    private struct Source: RequestSource {
        let stream: AsyncThrowingStream<[UInt8], any Error>
        func next() async throws -> [UInt8]? {
            var iterator = stream.makeAsyncIterator()
            return try await iterator.next()
        }
    }
}

/// A host that keeps nothing.
private struct NoHost: CallHost {
    struct Clock: HostClock {
        let now = Instant(microsecondsSince1970: 0)
        let today = CalendarDate(daysSince1970: 0)
    }
    let method: MethodDescriptor
    let deadline = Instant(microsecondsSince1970: 1)
    let correlationID = "test"
    let traceParent = ""
    let logger = Logger(label: "test")
    let clock: any HostClock = Clock()

    func commit<Reply: Message & Sendable>(
        _ call: CallContext, _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Reply { throw Failure(HostReasons.storageUnavailable) }

    func requireOtherPerson(_ call: CallContext, than other: String, step: String) throws {}
}
