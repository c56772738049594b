import Synchronization

/// What was waited for did not happen within its bound.
struct BoundPassed: Error, CustomStringConvertible {
    let what: String
    let milliseconds: Int
    var description: String { "\(what) did not end within \(milliseconds) ms" }
}

/// Runs `operation` and waits for it at most so long. Past the bound it is cancelled and left to itself: code
/// that ignores cancellation cannot hold the host up.
/// - Throws: what `operation` throws, or `BoundPassed`.
func bounded<Value: Sendable>(
    _ what: String, milliseconds: Int, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let result = OneResult<Value>()
    let work = Task {
        do {
            result.set(.success(try await operation()))
        } catch {
            result.set(.failure(error))
        }
    }
    let alarm = Task {
        try await Task.sleep(for: .milliseconds(milliseconds))
        result.set(.failure(BoundPassed(what: what, milliseconds: milliseconds)))
        work.cancel()
    }
    defer { alarm.cancel() }
    return try await result.wait()
}

/// The first of several results; the others are dropped.
private final class OneResult<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiter: CheckedContinuation<Value, any Error>?
    }
    private let state = Mutex(State())

    func set(_ result: Result<Value, any Error>) {
        let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: result)
    }

    func wait() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result = state.withLock { state in
                if state.result == nil { state.waiter = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
