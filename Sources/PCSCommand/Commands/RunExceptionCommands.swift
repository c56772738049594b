import ArgumentParser
package import PaymentsContract

struct RunExceptionsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "exceptions", abstract: "What a person must look at before the run may be reviewed.")
    @Argument(help: "Run or month.") var run: String
    @Flag(help: "Only blocking ones that nobody has accepted.") var open = false
    @Option(help: "Only of this kind.") var kind: Choice<Pcs_Payments_V1_ExceptionKind>?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ListExceptionsRequest()
        request.runID = try await RunReference.id(run, session)
        request.openOnly = open
        if let kind { request.kind = kind.value }
        let rows = try await session.runs.listExceptions(request)
        try await session.showEach(
            rows, RunView.emptyExceptionTable, nothing: "no exceptions", RunView.cells)
    }
}

struct RunAcceptCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Accept blocking exceptions, with the reason.")
    @Argument(help: "Run or month.") var run: String
    @Argument(help: "Numbers of exceptions.") var numbers: [Int32] = []
    @Flag(help: "All that are open; of one kind with --kind.") var allOpen = false
    @Option(help: "With --all-open: only of this kind.") var kind: Choice<Pcs_Payments_V1_ExceptionKind>?
    @Option(help: "Why.") var reason: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        if allOpen == !numbers.isEmpty { throw ValidationError("Give numbers of exceptions, or --all-open.") }
        if kind != nil, !allOpen { throw ValidationError("--kind goes with --all-open.") }
    }

    func run(_ session: Session) async throws {
        let id = try await RunReference.id(run, session)
        var wanted = numbers
        if allOpen { wanted = try await RunExceptions.open(of: id, kind: kind?.value, session).map(\.number) }
        guard !wanted.isEmpty else {
            session.note("no exception is open")
            return
        }
        let reply = try await RunExceptions.accept(wanted, of: id, reason: reason, session)
        try session.show(reply) { _ in
            "accepted \(Wording.plural(wanted.count, "exception")); "
                + "\(Wording.count(reply.blockingExceptionsOpen)) still open"
        }
    }
}

/// Exceptions of a run.
package enum RunExceptions {
    /// What one call takes at most.
    private static let batch = 1_000

    package static func open(
        of run: String, kind: Pcs_Payments_V1_ExceptionKind? = nil, _ session: Session
    ) async throws -> [Pcs_Payments_V1_RunException] {
        var request = Pcs_Payments_V1_ListExceptionsRequest()
        request.runID = run
        request.openOnly = true
        if let kind { request.kind = kind }
        var found: [Pcs_Payments_V1_RunException] = []
        for try await exception in try await session.runs.listExceptions(request) { found.append(exception) }
        return found
    }

    /// - Returns: the reply to the last batch.
    package static func accept(
        _ numbers: [Int32], of run: String, reason: String, _ session: Session
    ) async throws -> Pcs_Payments_V1_AcceptExceptionResponse {
        var reply = Pcs_Payments_V1_AcceptExceptionResponse()
        var rest = numbers[...]
        while !rest.isEmpty {
            var request = Pcs_Payments_V1_AcceptExceptionRequest()
            request.runID = run
            request.numbers = Array(rest.prefix(batch))
            request.reason = reason
            reply = try await session.runs.acceptException(request, options: session.change())
            rest = rest.dropFirst(batch)
        }
        return reply
    }
}
