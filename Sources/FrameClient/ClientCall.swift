import FrameProtocol
import NIOCore
import PluginAPI
import Synchronization

/// One call on its way. Made by the caller's task and then owned by the connection's event loop: everything
/// mutable here is touched on that loop only, which is what the unchecked conformance stands on.
final class ClientCall: @unchecked Sendable {
    /// A further message of a client-streaming call that waits for credit.
    struct Outward {
        let body: [UInt8]
        /// Resumed with false when the call has ended and the message will not go out.
        let taken: CheckedContinuation<Bool, Never>
    }

    enum Phase {
        /// Not on the wire yet.
        case waiting
        case open(stream: UInt32)
        case ended
    }

    let method: String
    let body: [UInt8]
    let deadline: NIODeadline
    let options: OutgoingCall.Options
    /// Gets the messages of a server-streaming call.
    let inbox: MessageInbox?
    /// Gets the reply of other calls.
    private var reply: CheckedContinuation<[UInt8], any Error>?

    var phase = Phase.waiting
    var outward: [Outward] = []
    /// The last message has been handed over; the closing frame goes out behind those that wait.
    var closing = false

    init(
        method: String, body: [UInt8], options: OutgoingCall.Options, deadline: NIODeadline,
        inbox: MessageInbox? = nil
    ) {
        self.method = method
        self.body = body
        self.options = options
        self.deadline = deadline
        self.inbox = inbox
    }

    /// On the loop, before the call is opened.
    func await(_ continuation: CheckedContinuation<[UInt8], any Error>) { reply = continuation }

    var hasEnded: Bool {
        if case .ended = phase { return true }
        return false
    }

    /// The outcome; later ones are ignored.
    func end(_ outcome: Result<[UInt8], Failure>) {
        guard !hasEnded else { return }
        phase = .ended
        for message in outward { message.taken.resume(returning: false) }
        outward = []
        if let inbox {
            switch outcome {
            case .success: inbox.finish(nil)
            case .failure(let failure): inbox.finish(failure)
            }
        }
        let waiting = reply
        reply = nil
        waiting?.resume(with: outcome.mapError { $0 as any Error })
    }
}

/// Messages of a server-streaming call between the event loop, which puts them in, and the caller, who takes
/// them out. Never holds more than the credit given.
final class MessageInbox: Sendable {
    private struct State {
        var messages: [[UInt8]] = []
        /// Index of the first message not yet taken.
        var next = 0
        var outcome: Failure?
        var isFinished = false
        var waiter: CheckedContinuation<[UInt8]?, any Error>?
    }

    private let state = Mutex(State())

    func put(_ message: [UInt8]) {
        let waiter = state.withLock { state -> CheckedContinuation<[UInt8]?, any Error>? in
            guard let waiter = state.waiter else {
                state.messages.append(message)
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: message)
    }

    func finish(_ failure: Failure?) {
        let waiter = state.withLock { state -> CheckedContinuation<[UInt8]?, any Error>? in
            guard !state.isFinished else { return nil }
            state.isFinished = true
            state.outcome = failure
            defer { state.waiter = nil }
            if state.waiter != nil { state.outcome = nil }
            return state.waiter
        }
        if let failure { waiter?.resume(throwing: failure) } else { waiter?.resume(returning: nil) }
    }

    /// The next message, or `nil` at the end; throws the call's failure once. One taker at a time.
    func take() async throws -> [UInt8]? {
        try await withCheckedThrowingContinuation { continuation in
            let ready = state.withLock { state -> Result<[UInt8]?, any Error>? in
                if state.next < state.messages.count {
                    let message = state.messages[state.next]
                    state.next += 1
                    if state.next == state.messages.count {
                        state.messages.removeAll(keepingCapacity: true)
                        state.next = 0
                    }
                    return .success(message)
                }
                if state.isFinished {
                    guard let failure = state.outcome else { return .success(nil) }
                    state.outcome = nil
                    return .failure(failure)
                }
                state.waiter = continuation
                return nil
            }
            if let ready { continuation.resume(with: ready) }
        }
    }
}
