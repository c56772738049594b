import HostContract
package import Logging
package import PluginAPI
package import SwiftProtobuf
import Synchronization

/// One call from the moment the first gates let it in until its handler has returned.
///
/// It can end for its caller before that: at its deadline, when it is cancelled, when its plugin is drained.
/// Whoever ends it first decides the outcome; what comes later is dropped. The handler's place in the counts
/// is given back only when the handler has really returned, so that a drain and the limits see what still
/// runs.
package final class CallSession: Sendable {
    package let entry: MethodEntry
    package let arrival: CallArrival
    package let correlationID: String
    /// The number by which its carrier knows it.
    package let tag: UInt32
    /// Monotonic nanoseconds.
    package let deadlineAt: UInt64
    package let deadline: Instant
    /// Host time at which it came.
    let receivedAt: Instant
    let dispatcher: Dispatcher
    private let responder: any CallResponder
    private let progressReached = Atomic<UInt8>(UInt8(Progress.notStarted.rawValue))
    private let isEnded = Atomic<Bool>(false)
    private let stage = Atomic<Stage>(.running)
    private let handledNanoseconds = Atomic<UInt64>(0)
    private let held = Mutex(Held())

    /// Where the handler is. Most calls return before anybody keeps them, and then take no lock for it.
    private enum Stage: UInt8, AtomicRepresentable {
        case running
        /// Still running after `start`, and known to its plugin for a drain.
        case kept
        case returned
    }

    private struct Held {
        var task: Task<Void, Never>?
        var isCancelled = false
        var claim: IdempotencyClaim?
        var replayed = false
        var committed = false
    }

    /// Why a call ends before its handler has returned.
    package enum Ending: Sendable {
        case deadline, cancelled, drained, carrierLost, revoked
    }

    /// What the handler is given beside the context.
    package enum Work: Sendable {
        case unary([UInt8])
        case serverStreaming([UInt8], any ReplySink)
        case clientStreaming([UInt8], any RequestSource)
    }

    init(
        entry: MethodEntry, arrival: CallArrival, correlationID: String, tag: UInt32, deadlineAt: UInt64,
        receivedAt: Instant, deadline: Instant, dispatcher: Dispatcher, responder: any CallResponder
    ) {
        self.entry = entry
        self.arrival = arrival
        self.correlationID = correlationID
        self.tag = tag
        self.deadlineAt = deadlineAt
        self.receivedAt = receivedAt
        self.deadline = deadline
        self.dispatcher = dispatcher
        self.responder = responder
    }

    package var hasEnded: Bool { isEnded.load(ordering: .acquiring) }

    var progress: Progress {
        Progress(rawValue: UInt32(progressReached.load(ordering: .acquiring))) ?? .notStarted
    }

    func reached(_ progress: Progress) {
        progressReached.store(UInt8(progress.rawValue), ordering: .releasing)
    }

    /// Monotonic nanoseconds at which the handler had ended; 0 before.
    package var handledAt: UInt64 { handledNanoseconds.load(ordering: .relaxed) }
    func handled(at now: UInt64) { handledNanoseconds.store(now, ordering: .relaxed) }

    // MARK: Running

    /// Runs the remaining gates and the handler: at once on this thread until the handler first waits, and
    /// then on `executor`; or, for pooled methods, on the global pool.
    ///
    /// When the call has not ended on return, its carrier must see to the deadline.
    ///
    /// - Parameter began: monotonic nanoseconds now; a pooled call looks again when it has a thread.
    package func start(_ work: Work, on executor: (any TaskExecutor)?, at began: UInt64) {
        let task: Task<Void, Never>
        if !entry.isInline {
            task = Task(executorPreference: globalConcurrentExecutor) { await self.run(work, began: nil) }
        } else if let executor, entry.mayWait {
            task = Task.immediate(executorPreference: executor) { await self.run(work, began: began) }
        } else {
            // A preference costs a lock and an allocation, and only a task that waits has use for it.
            task = Task.immediate { await self.run(work, began: began) }
        }
        guard stage.load(ordering: .acquiring) != .returned else { return }
        let mustCancel = held.withLock { held in
            held.task = task
            return held.isCancelled
        }
        guard stage.compareExchange(expected: .running, desired: .kept, ordering: .acquiringAndReleasing).exchanged
        else { return held.withLock { $0.task = nil } }
        entry.slot.keep(self)
        if mustCancel { task.cancel() }
        // The handler may have returned between the two.
        if stage.load(ordering: .acquiring) == .returned { entry.slot.forget(self) }
    }

    private nonisolated(nonsending) func run(_ work: Work, began: UInt64?) async {
        let outcome = await dispatcher.pass(self, work, began: began ?? MonotonicTime.now)
        if stage.exchange(.returned, ordering: .acquiringAndReleasing) == .kept {
            held.withLock { $0.task = nil }
            entry.slot.forget(self)
        }
        dispatcher.leave(entry)
        end(outcome)
    }

    // MARK: Ending

    /// Ends the call for its caller now. The handler is asked to stop and may take its time.
    package func cancel(_ ending: Ending) {
        let task = held.withLock { held in
            held.isCancelled = true
            return held.task
        }
        // First the outcome, then the handler: one that gives up at once must not answer CALL_CANCELLED instead.
        end(.refused(Refusal(failure: ending.failure, progress: progress, correlationID: correlationID)))
        task?.cancel()
    }

    private func end(_ outcome: CallOutcome) {
        guard !isEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if case .refused(let refusal) = outcome { dispatcher.refused(self, refusal) }
        responder.callEnded(self, outcome)
    }

    var wasReplayed: Bool { held.withLock { $0.replayed } }

    func set(claim: IdempotencyClaim) { held.withLock { $0.claim = claim } }
}

extension CallSession.Ending {
    var failure: Failure {
        switch self {
        case .deadline: Failure(HostReasons.deadlinePassed)
        case .cancelled: Failure(HostReasons.callCancelled)
        case .drained:
            Failure(
                HostReasons.pluginNotReady,
                "The plugin was drained and the call did not end within the bound.")
        case .revoked: Failure(HostReasons.tokenExpired)
        case .carrierLost: Failure(HostReasons.callCancelled, "The connection ended before the call.")
        }
    }
}

extension CallSession: DrainableCall {
    package func cancelForDrain() { cancel(.drained) }
}

extension CallSession: CallHost {
    package var method: MethodDescriptor { entry.descriptor }
    package var traceParent: String { arrival.traceParent }
    package var logger: Logger { entry.slot.logger }
    package var clock: any HostClock { dispatcher.clock }

    package nonisolated(nonsending) func commit<Reply: Message & Sendable>(
        _ call: CallContext, _ body: @escaping @Sendable (any Transaction) throws -> Reply
    ) async throws -> Reply {
        guard entry.changesState else {
            throw HandlerFault(
                message: "\(entry.descriptor.path) commits, but its contract says that it changes nothing")
        }
        let (claim, isSecond) = held.withLock { held in
            defer { held.committed = true }
            return (held.claim, held.committed)
        }
        guard !isSecond else {
            throw HandlerFault(message: "\(entry.descriptor.path) commits twice in one call")
        }
        // Past its deadline or cancelled: the caller has been told, so nothing new begins.
        guard !hasEnded else { throw CancellationError() }
        let act = dispatcher.act(of: self, caller: call.caller)
        do {
            let committed = try await entry.slot.store.current().commit(act, key: claim, body)
            reached(.committed)
            if committed.replayed { held.withLock { $0.replayed = true } }
            return committed.reply
        } catch StorageError.overloaded {
            // The queue refused before anything was done. A plugin that calls others may have had effects
            // there.
            let progress: Progress = entry.slot.manifest.calls.isEmpty ? .notStarted : .started
            throw Failure(HostReasons.overloaded, progress: progress)
        }
    }

    package func requireOtherPerson(_ call: CallContext, than other: String, step: String) throws {
        guard call.caller.responsible != other else {
            throw Failure(
                HostReasons.secondPersonRequired,
                "\(step) needs another person than the one who took the step before.")
        }
    }
}

/// A handler broke an obligation of PluginAPI. Reaches the caller as INTERNAL, the log in full.
struct HandlerFault: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}
