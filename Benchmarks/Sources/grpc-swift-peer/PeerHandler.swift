import GRPCCore

/// The three operations, written the plain way that grpc-swift-2 and GRDB document.
struct PeerHandler: Pcs_Benchmark_V1_PeerService.ServiceProtocol {
    let store: NoteStore
    let roles: RoleTable

    func echo(
        request: ServerRequest<Pcs_Benchmark_V1_EchoRequest>, context: ServerContext
    ) async throws -> ServerResponse<Pcs_Benchmark_V1_EchoReply> {
        var reply = Pcs_Benchmark_V1_EchoReply()
        reply.payload = request.message.payload
        reply.number = request.message.number
        reply.text = request.message.text
        return ServerResponse(message: reply)
    }

    func writeNote(
        request: ServerRequest<Pcs_Benchmark_V1_WriteNoteRequest>, context: ServerContext
    ) async throws -> ServerResponse<Pcs_Benchmark_V1_WriteNoteReply> {
        let caller = try authorise(request.metadata)
        var reply = Pcs_Benchmark_V1_WriteNoteReply()
        reply.noteNumber = try await store.write(text: request.message.text, by: caller)
        return ServerResponse(message: reply)
    }

    func readNote(
        request: ServerRequest<Pcs_Benchmark_V1_ReadNoteRequest>, context: ServerContext
    ) async throws -> ServerResponse<Pcs_Benchmark_V1_ReadNoteReply> {
        _ = try authorise(request.metadata)
        guard let text = try await store.text(of: request.message.noteNumber) else {
            throw RPCError(code: .notFound, message: "no such note")
        }
        var reply = Pcs_Benchmark_V1_ReadNoteReply()
        reply.noteNumber = request.message.noteNumber
        reply.text = text
        return ServerResponse(message: reply)
    }

    /// The role lookup of an authorised call: less than our host's gates do, which also check token, expiry, scope,
    /// organisation, size and plugin state.
    private func authorise(_ metadata: Metadata) throws -> String {
        var callers = metadata[stringValues: "x-caller"].makeIterator()
        guard let caller = callers.next(), roles.holds(caller, "HOST_OPERATOR") else {
            throw RPCError(code: .permissionDenied, message: "the caller does not hold the role")
        }
        return caller
    }
}
