import FrameClient
import Foundation
import PluginAPI
import Testing

@testable import FrameProtocol

private func method(_ name: String, _ kind: MethodDescriptor.Kind = .unary, limit: UInt32 = 5_000)
    -> MethodDescriptor
{
    MethodDescriptor(
        path: "test.Service/" + name, kind: kind, requestType: "", replyType: "",
        access: AccessRule(allow: [], timeLimitMilliseconds: limit))
}

/// Echoes; other methods answer by their name.
private let script: ScriptedServer.Script = { line, stream, method, body in
    switch method {
    case "test.Service/Echo": line.write(OutgoingReply(stream: stream, body: body))
    case "test.Service/Silent": break
    case "test.Service/Stream": line.stream(stream, (0..<100).map { [UInt8($0)] })
    case "test.Service/Collect": break
    case "test.Service/Drop": line.close()
    case "test.Service/Drain":
        line.goAway()
        line.write(OutgoingReply(stream: stream, body: body))
    case "test.Service/NotStarted":
        line.write(OutgoingReply(stream: stream, code: 14, message: "no", progress: 1, status: nil))
    case "test.Service/Started":
        line.write(OutgoingReply(stream: stream, code: 14, message: "perhaps", progress: 2, status: nil))
    case "test.Service/Committed":
        line.write(OutgoingReply(stream: stream, code: 14, message: "done", progress: 3, status: nil))
    case "test.Service/Refused":
        // FailureDetail { reason, next_step, violations { field, rule, message, row }, count 9, correlation_id }.
        let violation = text(0x0A, "a.b") + text(0x12, "R1") + text(0x1A, "wrong") + [0x20, 4]
        let detail =
            text(0x0A, "FIELD_INVALID") + text(0x12, "Mend it.") + [0x1A, UInt8(violation.count)] + violation
            + [0x20, 9] + text(0x2A, "c-1")
        let status = FrameStatus(
            code: 3, message: "no",
            details: [.init(typeURL: "type.googleapis.com/pcs.common.v1.FailureDetail", value: detail)])
        line.write(OutgoingReply(stream: stream, code: 3, message: "no", progress: 2, status: status))
    default: line.write(OutgoingReply(stream: stream, code: 12, message: "unknown", progress: 1, status: nil))
    }
}

private func text(_ tag: UInt8, _ text: String) -> [UInt8] { [tag, UInt8(text.utf8.count)] + text.utf8 }

/// Runs `body` with a client of a scripted server; the server must have seen no violation.
private func withClient(
    limits: ConnectionLimits = ConnectionLimits(),
    _ change: (inout FrameClientConfiguration) -> Void = { _ in },
    _ body: (FrameClient, ScriptedServer) async throws -> Void
) async throws {
    let server = try await ScriptedServer(limits: limits, script)
    var configuration = FrameClientConfiguration(address: .unixSocket(path: server.path))
    configuration.retry.firstPauseMilliseconds = 2
    configuration.closeGraceMilliseconds = 100
    change(&configuration)
    let client = FrameClient(configuration)
    do {
        try await body(client, server)
    } catch {
        await client.close()
        await server.stop()
        throw error
    }
    await client.close()
    #expect(server.seen.violations == [])
    await server.stop()
}

/// The failure that `body` ends with.
private func failure(_ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// Waits, at most two seconds, until `condition` holds.
private func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<400 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}

@Suite("the Swift client: calls")
struct FrameClientCallTests {
    @Test("a call comes back; its options go out")
    func unary() async throws {
        try await withClient { client, server in
            let options = CallOptions(timeoutMilliseconds: 900, idempotencyKey: "k")
            let echoed = try await client.unary(method("Echo"), [1, 2, 3], options)
            #expect(echoed == [1, 2, 3])
            let call = try #require(server.seen.calls.first)
            #expect(call.key == "k")
            #expect((1...900).contains(call.timeout))
        }
    }

    @Test("more calls than streams wait their turn, on one connection")
    func pipelining() async throws {
        var limits = ConnectionLimits()
        limits.maximumStreams = 4
        try await withClient(limits: limits) { client, server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let body = [UInt8(number & 255), UInt8(number >> 8)]
                        return try await client.unary(method("Echo"), body, CallOptions()) == body
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            #expect(server.seen.connections == 1)
            #expect(server.seen.calls.count == 500)
        }
    }

    @Test("a refusal carries reason, next step, violations and correlation id")
    func refusal() async throws {
        try await withClient { client, _ in
            let thrown = await failure { _ = try await client.unary(method("Refused"), [], CallOptions()) }
            let refusal = try #require(thrown)
            #expect(refusal.reason.name == "FIELD_INVALID")
            #expect(refusal.reason.code == .invalidArgument)
            #expect(refusal.reason.nextStep == "Mend it.")
            #expect(refusal.violations == [Violation(field: "a.b", rule: "R1", message: "wrong", row: 4)])
            #expect(refusal.violationCount == 9)
            #expect(refusal.progress == .started)
            #expect(refusal.correlationID == "c-1")
        }
    }

    @Test("cancelling the task sends Cancel and ends the wait")
    func cancel() async throws {
        try await withClient { client, server in
            let task = Task { try await client.unary(method("Silent"), [], CallOptions()) }
            #expect(await eventually { server.seen.calls.count == 1 })
            task.cancel()
            let thrown = await failure { _ = try await task.value }
            #expect(thrown?.reason.code == .cancelled)
            #expect(await eventually { server.seen.cancelled == [1] })
            let echoed = try await client.unary(method("Echo"), [7], CallOptions())
            #expect(echoed == [7])
        }
    }

    @Test("a call that is cancelled while it waits for a stream is never sent")
    func cancelWaiting() async throws {
        var limits = ConnectionLimits()
        limits.maximumStreams = 1
        try await withClient(limits: limits) { client, server in
            let first = Task { try await client.unary(method("Silent"), [], CallOptions()) }
            #expect(await eventually { server.seen.calls.count == 1 })
            let second = Task { try await client.unary(method("Echo"), [], CallOptions()) }
            try await Task.sleep(for: .milliseconds(20))
            second.cancel()
            let thrown = await failure { _ = try await second.value }
            #expect(thrown?.progress == .notStarted)
            first.cancel()
            _ = await first.result
            let echoed = try await client.unary(method("Echo"), [1], CallOptions())
            #expect(echoed == [1])
            #expect(server.seen.calls.map(\.method) == ["test.Service/Silent", "test.Service/Echo"])
        }
    }

    @Test("a call of a task that was cancelled beforehand ends, whatever its shape")
    func cancelledBeforehand() async throws {
        try await withClient { client, server in
            let connected = try await client.unary(method("Echo"), [1], CallOptions())
            #expect(connected == [1])
            // Many, because the cancellation and the call race each other to the event loop.
            for _ in 0..<100 {
                let unary = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.unary(method("Silent"), [], CallOptions())
                }
                let sending = Task {
                    let requests = AsyncThrowingStream<[UInt8], any Error> { $0.yield([1]) }
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.clientStreaming(
                        method("Collect", .clientStreaming), requests, CallOptions())
                }
                let reading = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    let stream = try await client.serverStreaming(
                        method("Silent", .serverStreaming), [], CallOptions())
                    for try await _ in stream {}
                }
                let ended = await failure { _ = try await unary.value }
                #expect(ended?.reason.code == .cancelled)
                _ = await sending.result
                _ = await reading.result
            }
            #expect(await eventually { server.seen.calls.count - 1 == server.seen.cancelled.count })
        }
    }

    @Test("a host that does not answer is given up after the deadline, and told so")
    func deadline() async throws {
        try await withClient { client, server in
            let options = CallOptions(timeoutMilliseconds: 50)
            let thrown = await failure { _ = try await client.unary(method("Silent"), [], options) }
            #expect(thrown?.reason.code == .deadlineExceeded)
            #expect(thrown?.progress == .started)
            #expect(await eventually { server.seen.cancelled == [1] })
        }
    }

    @Test("a request larger than a frame is refused before it is sent")
    func tooLarge() async throws {
        var limits = ConnectionLimits()
        limits.maximumFrameBytes = 16_384
        try await withClient(limits: limits) { client, server in
            let body = [UInt8](repeating: 1, count: 16_384)
            let thrown = await failure { _ = try await client.unary(method("Echo"), body, CallOptions()) }
            #expect(thrown?.reason.name == "REQUEST_TOO_LARGE")
            #expect(thrown?.progress == .notStarted)
            #expect(server.seen.calls.isEmpty)
        }
    }
}

@Suite("the Swift client: streams")
struct FrameClientStreamTests {
    @Test("messages come in order, and credit follows what is taken")
    func serverStreaming() async throws {
        try await withClient({ $0.initialCredit = 3 }) { client, _ in
            let stream = try await client.serverStreaming(
                method("Stream", .serverStreaming), [], CallOptions())
            var taken: [UInt8] = []
            for try await message in stream { taken += message }
            #expect(taken == Array(0..<100))
        }
    }

    @Test("a stream that is dropped is cancelled")
    func dropped() async throws {
        try await withClient({ $0.initialCredit = 2 }) { client, server in
            do {
                let stream = try await client.serverStreaming(
                    method("Stream", .serverStreaming), [], CallOptions())
                for try await _ in stream { break }
            }
            #expect(await eventually { server.seen.cancelled == [1] })
        }
    }

    @Test("a refused stream throws when it is read")
    func refusedStream() async throws {
        try await withClient { client, _ in
            let stream = try await client.serverStreaming(
                method("Refused", .serverStreaming), [], CallOptions())
            let thrown = await failure { for try await _ in stream {} }
            #expect(thrown?.reason.name == "FIELD_INVALID")
        }
    }

    @Test("a cancelled reader ends at once")
    func cancelledReader() async throws {
        try await withClient { client, server in
            let reader = Task {
                let stream = try await client.serverStreaming(
                    method("Silent", .serverStreaming), [], CallOptions())
                for try await _ in stream {}
            }
            #expect(await eventually { server.seen.calls.count == 1 })
            reader.cancel()
            _ = await reader.result
            #expect(await eventually { server.seen.cancelled == [1] })
        }
    }

    @Test("requests go out as credit allows, all of them and in order")
    func clientStreaming() async throws {
        var limits = ConnectionLimits()
        limits.initialCredit = 2
        try await withClient(limits: limits) { client, server in
            let requests = AsyncThrowingStream<[UInt8], any Error> { continuation in
                for number in 0..<100 { continuation.yield([UInt8(number)]) }
                continuation.finish()
            }
            let reply = try await client.clientStreaming(
                method("Collect", .clientStreaming), requests, CallOptions())
            #expect(reply == [0])
            #expect(server.seen.calls.first?.body == [0])
            #expect(server.seen.messages == (1..<100).map { [UInt8($0)] })
        }
    }

    @Test("a source that fails cancels the call, and its error is the caller's")
    func failingSource() async throws {
        struct Broken: Error {}
        try await withClient { client, server in
            let requests = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield([1])
                continuation.yield([2])
                continuation.finish(throwing: Broken())
            }
            await #expect(throws: Broken.self) {
                try await client.clientStreaming(method("Collect", .clientStreaming), requests, CallOptions())
            }
            #expect(await eventually { server.seen.cancelled == [1] })
        }
    }

    @Test("a host that refuses early ends the sending")
    func earlyRefusal() async throws {
        try await withClient { client, _ in
            let requests = AsyncThrowingStream<[UInt8], any Error> { continuation in continuation.yield([1]) }
            let thrown = await failure {
                _ = try await client.clientStreaming(
                    method("Refused", .clientStreaming), requests, CallOptions())
            }
            #expect(thrown?.reason.name == "FIELD_INVALID")
        }
    }

    @Test("no request at all is refused before anything is sent")
    func noRequest() async throws {
        try await withClient { client, server in
            let none = AsyncThrowingStream<[UInt8], any Error> { $0.finish() }
            let thrown = await failure {
                _ = try await client.clientStreaming(method("Collect", .clientStreaming), none, CallOptions())
            }
            #expect(thrown?.progress == .notStarted)
            #expect(server.seen.calls.isEmpty)
        }
    }
}

@Suite("the Swift client: what it sends again, and what it does not")
struct FrameClientRetryTests {
    private func timesSent(_ name: String, key: String? = nil) async throws -> Int {
        var times = 0
        try await withClient { client, server in
            let thrown = await failure {
                _ = try await client.unary(method(name), [], CallOptions(idempotencyKey: key))
            }
            #expect(thrown?.reason.code == .unavailable)
            times = server.seen.calls.count
        }
        return times
    }

    @Test("only what was not started, or carries a key, and a few times only")
    func rules() async throws {
        #expect(try await timesSent("NotStarted") == 4)
        #expect(try await timesSent("Started") == 1)
        #expect(try await timesSent("Started", key: "k") == 4)
        #expect(try await timesSent("Committed", key: "k") == 1)
    }

    @Test("a lost connection is not hidden from a caller without a key")
    func lost() async throws {
        try await withClient { client, server in
            let thrown = await failure { _ = try await client.unary(method("Drop"), [], CallOptions()) }
            #expect(thrown?.reason.name == "CONNECTION_LOST")
            #expect(thrown?.progress == .started)
            #expect(server.seen.calls.count == 1)
            let echoed = try await client.unary(method("Echo"), [1], CallOptions())
            #expect(echoed == [1])
            #expect(server.seen.connections == 2)
        }
        #expect(try await timesSent("Drop", key: "k") == 4)
    }

    @Test("a draining host serves what it has taken; new calls go to a new connection")
    func drain() async throws {
        try await withClient { client, server in
            let echoed = try await client.unary(method("Drain"), [5], CallOptions())
            #expect(echoed == [5])
            for number in 0..<20 {
                #expect(
                    try await client.unary(method("Echo"), [UInt8(number)], CallOptions()) == [UInt8(number)])
            }
            #expect(server.seen.connections == 2)
        }
    }

    @Test("a call is not sent again when the pause would outlast the caller's deadline")
    func deadlineOverAttempts() async throws {
        // Half of the first pause is certain: 30 seconds, far beyond the deadline, whatever the machine is busy with.
        try await withClient({
            $0.retry.firstPauseMilliseconds = 60_000
            $0.retry.longestPauseMilliseconds = 60_000
        }) { client, server in
            let options = CallOptions(timeoutMilliseconds: 5_000)
            let thrown = await failure { _ = try await client.unary(method("NotStarted"), [], options) }
            #expect(thrown?.reason.code == .unavailable)
            #expect(server.seen.calls.count == 1)
        }
    }

    @Test("a host that is not there is tried a few times, and named")
    func nobody() async throws {
        var configuration = FrameClientConfiguration(address: .unixSocket(path: "/nowhere/pcs.sock"))
        configuration.retry.firstPauseMilliseconds = 2
        let client = FrameClient(configuration)
        let thrown = await failure { _ = try await client.unary(method("Echo"), [], CallOptions()) }
        #expect(thrown?.reason.name == "CONNECTION_FAILED")
        #expect(thrown?.progress == .notStarted)
        await client.close()
        let closed = await failure { _ = try await client.unary(method("Echo"), [], CallOptions()) }
        #expect(closed?.reason.name == "CLIENT_CLOSED")
    }

    @Test("closing lets calls in flight end within the grace, and cuts the rest off")
    func close() async throws {
        try await withClient { client, server in
            let open = Task { try await client.unary(method("Silent"), [], CallOptions()) }
            #expect(await eventually { server.seen.calls.count == 1 })
            await client.close()
            // Cut off by the client itself, not by the call's own deadline.
            let thrown = await failure { _ = try await open.value }
            #expect(thrown?.reason.name == "CLIENT_CLOSED")
            #expect(thrown?.progress == .started)
        }
    }
}
