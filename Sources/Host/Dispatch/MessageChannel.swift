import PluginAPI
import Synchronization

/// A bounded line of messages between one sender and one receiver that run on their own. The bound is the
/// credit of the stream: a socket's peer may not send more than it was given, a sender in process waits.
package final class MessageChannel: RequestSource, Sendable {
    fileprivate struct State {
        var messages: [[UInt8]] = []
        var taken = 0
        var end: Result<Void, any Error>?
        var receiver: CheckedContinuation<[UInt8]?, any Error>?
        var sender: CheckedContinuation<Void, any Error>?
        var count: Int { messages.count - taken }
    }

    private let capacity: Int
    private let state = Mutex(State())
    /// Called after each message that the receiver took, on either side.s thread.
    private let onTake: @Sendable () -> Void

    package init(capacity: Int, onTake: @escaping @Sendable () -> Void = {}) {
        self.capacity = capacity
        self.onTake = onTake
    }

    /// Puts a message in without waiting; `false` when there is no room or the line has ended.
    package func offer(_ message: [UInt8]) -> Bool {
        var receiver: CheckedContinuation<[UInt8]?, any Error>?
        let accepted = state.withLock { state -> Bool in
            guard state.end == nil else { return false }
            if let waiting = state.receiver {
                receiver = waiting
                state.receiver = nil
                return true
            }
            guard state.count < capacity else { return false }
            state.messages.append(message)
            return true
        }
        if let receiver {
            receiver.resume(returning: message)
            onTake()
        }
        return accepted
    }

    /// Puts a message in, waiting for room.
    /// - Throws: the error that the line ended with, `CancellationError` when it was closed without one.
    package func send(_ message: [UInt8]) async throws {
        while true {
            try Task.checkCancellation()
            if offer(message) { return }
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let ready: Result<Void, any Error>? = state.withLock { state in
                        switch state.end {
                        case .failure(let error): return .failure(error)
                        case .success: return .failure(CancellationError())
                        case nil: break
                        }
                        if state.count < capacity { return .success(()) }
                        state.sender = continuation
                        return nil
                    }
                    if let ready { continuation.resume(with: ready) }
                }
            } onCancel: {
                releaseSender(throwing: CancellationError())
            }
        }
    }

    /// Ends the line after what it holds; a later end changes nothing.
    /// - Parameter dropping: forget what it holds, so that the receiver sees the end at once.
    package func finish(throwing error: (any Error)? = nil, dropping: Bool = false) {
        var receiver: CheckedContinuation<[UInt8]?, any Error>?
        let first = state.withLock { state -> Bool in
            guard state.end == nil else { return false }
            state.end = error.map { .failure($0) } ?? .success(())
            if dropping {
                state.messages = []
                state.taken = 0
            }
            receiver = state.receiver
            state.receiver = nil
            return true
        }
        guard first else { return }
        if let error { receiver?.resume(throwing: error) } else { receiver?.resume(returning: nil) }
        releaseSender(throwing: error ?? CancellationError())
    }

    package func next() async throws -> [UInt8]? {
        let message: [UInt8]? = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready: Result<[UInt8]?, any Error>? = state.withLock { state in
                    if let message = state.takeFirst() { return .success(message) }
                    switch state.end {
                    case .failure(let error): return .failure(error)
                    case .success: return .success(nil)
                    case nil: break
                    }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.receiver = continuation
                    return nil
                }
                guard let ready else { return }
                continuation.resume(with: ready)
                if case .success(.some) = ready { onTake() }
            }
        } onCancel: {
            let receiver = state.withLock { state in
                defer { state.receiver = nil }
                return state.receiver
            }
            receiver?.resume(throwing: CancellationError())
        }
        if message != nil { releaseSender(throwing: nil) }
        return message
    }

    private func releaseSender(throwing error: (any Error)?) {
        let sender = state.withLock { state in
            defer { state.sender = nil }
            return state.sender
        }
        if let error { sender?.resume(throwing: error) } else { sender?.resume() }
    }
}

extension MessageChannel.State {
    /// Takes from the front without moving the rest each time.
    fileprivate mutating func takeFirst() -> [UInt8]? {
        guard taken < messages.count else { return nil }
        let message = messages[taken]
        messages[taken] = []
        taken += 1
        if taken == messages.count {
            messages.removeAll(keepingCapacity: true)
            taken = 0
        }
        return message
    }
}
