import HostContract
import PluginAPI
import Synchronization

/// The sending side of a server stream over a socket: holds the credit that the caller has given, and lets
/// the handler wait while there is none or while the connection has more bytes waiting than it may.
final class ConnectionReplySink: ReplySink, Sendable {
    private struct State {
        var credit: Int
        var waiter: CheckedContinuation<Void, any Error>?
        var isEnded = false
    }

    private let connection: Connection
    private let stream: UInt32
    /// Largest message that fits a frame of this connection.
    private let largest: Int
    private let state: Mutex<State>

    init(connection: Connection, stream: UInt32, credit: Int, maximumFrameBytes: Int) {
        self.connection = connection
        self.stream = stream
        // Stream number, tags and lengths around the body take at most 30 bytes.
        largest = maximumFrameBytes - 32
        state = Mutex(State(credit: credit))
    }

    func send(_ message: [UInt8]) async throws {
        guard message.count <= largest else {
            throw HandlerFault(
                message: "a stream message of \(message.count) bytes does not fit a frame of \(largest)")
        }
        while !(try takeCredit()) { try await wait() }
        connection.deliver(message, on: stream)
    }

    private func takeCredit() throws -> Bool {
        let isBlocked = connection.isBlocked
        return try state.withLock { state in
            if state.isEnded { throw CancellationError() }
            guard state.credit > 0, !isBlocked else { return false }
            state.credit -= 1
            return true
        }
    }

    private func wait() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                let isEnded = state.withLock { state in
                    if !state.isEnded { state.waiter = continuation }
                    return state.isEnded
                }
                if isEnded || Task.isCancelled {
                    if isEnded { continuation.resume(throwing: CancellationError()) } else { end() }
                    return
                }
                // Credit may have come, or the connection opened up, between looking and waiting.
                wake()
            }
        } onCancel: {
            end()
        }
    }

    func grant(_ credit: Int) {
        state.withLock { $0.credit += credit }
        wake()
    }

    /// Lets the handler look again when it may send.
    func wake() {
        guard !connection.isBlocked else { return }
        let waiter = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard state.credit > 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The stream is over: what the handler still sends is refused.
    func end() {
        let waiter = state.withLock { state in
            state.isEnded = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(throwing: CancellationError())
    }
}
