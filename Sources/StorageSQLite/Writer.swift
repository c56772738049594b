import CSQLite
import Foundation
import PluginAPI
import Synchronization

/// The one writer of a database: a thread of its own that takes whatever waits, runs it as one transaction in
/// which each body can fail alone, syncs once, and only then lets the callers go on.
///
/// There is no timer. A lone caller pays for one commit; while the disk syncs, the next group gathers by
/// itself.
final class Writer: @unchecked Sendable {
    static let largestGroup = 512
    /// Groups that use savepoints from the start after one in which a body failed.
    private static let groupsAfterFailure = 32

    private let connection: SQLiteConnection
    private let checkpointer: Checkpointer
    private let queueLimit: Int

    private let monitor = Monitor()
    // Guarded by the monitor.
    private var waiting: [WriteJob] = []
    private var phase = Phase.running
    private var isAsleep = false
    private var pauses = 0
    private var isParked = false
    private var parkWaiters: [UnsafeContinuation<Void, Never>] = []
    private var closeWaiters: [UnsafeContinuation<Void, Never>] = []

    /// Used on the writer's thread only.
    private var groupsWithSavepoints = 0

    private let writeCount = Atomic<Int64>(0)
    private let commitCount = Atomic<Int64>(0)

    private enum Phase { case running, closing, closed }

    init(name: String, connection: SQLiteConnection, checkpointer: Checkpointer, queueLimit: Int) {
        self.connection = connection
        self.checkpointer = checkpointer
        self.queueLimit = queueLimit
        checkpointer.watch(connection)
        let thread = Thread { self.work() }
        thread.name = "pcs-write-\(name)"
        thread.stackSize = 1 << 20
        thread.start()
    }

    // MARK: From any thread

    var statistics: (writes: Int64, commits: Int64, queue: Int) {
        (
            writeCount.load(ordering: .relaxed), commitCount.load(ordering: .relaxed),
            monitor.withLock { waiting.count }
        )
    }

    /// Queues a job, or ends it at once with the reason why not.
    func submit(_ job: WriteJob) {
        let refusal: StorageError? = monitor.withLock {
            if phase != .running { return .closed }
            if waiting.count >= queueLimit { return .overloaded }
            waiting.append(job)
            if isAsleep {
                isAsleep = false
                monitor.signal()
            }
            return nil
        }
        if let refusal { job.finish(refusal) }
    }

    /// Returns once the writer stands still between two groups; it takes no more until `proceed`. What was
    /// queued keeps waiting, and more may be queued. Pauses count: each needs its own `proceed`.
    func pause() async {
        await withUnsafeContinuation { (caller: UnsafeContinuation<Void, Never>) in
            let isStill = monitor.withLock {
                pauses += 1
                if isParked || phase == .closed { return true }
                parkWaiters.append(caller)
                if isAsleep { monitor.signal() }
                return false
            }
            if isStill { caller.resume() }
        }
    }

    func proceed() {
        monitor.withLock {
            pauses -= 1
            if pauses == 0 { monitor.signal() }
        }
    }

    /// Refuses further jobs without waiting for those queued.
    func requestClose() {
        monitor.withLock {
            guard phase == .running else { return }
            phase = .closing
            monitor.signal()
        }
    }

    /// Returns when the queue is empty and the thread has ended.
    func close() async {
        requestClose()
        await withUnsafeContinuation { (caller: UnsafeContinuation<Void, Never>) in
            let isClosed = monitor.withLock {
                if phase == .closed { return true }
                closeWaiters.append(caller)
                return false
            }
            if isClosed { caller.resume() }
        }
    }

    // MARK: On the writer's thread

    private func work() {
        var group: [WriteJob] = []
        group.reserveCapacity(Writer.largestGroup)
        while take(into: &group) {
            commit(group)
            group.removeAll(keepingCapacity: true)
            checkpointer.finishIfWanted(on: connection)
        }
        let (closers, parkers) = monitor.withLock {
            phase = .closed
            defer {
                closeWaiters = []
                parkWaiters = []
            }
            return (closeWaiters, parkWaiters)
        }
        for caller in closers + parkers { caller.resume() }
    }

    /// Waits for jobs. False when the writer is to end.
    private func take(into group: inout [WriteJob]) -> Bool {
        monitor.withLock {
            while true {
                if pauses > 0 {
                    isParked = true
                    for caller in parkWaiters { caller.resume() }
                    parkWaiters = []
                } else {
                    isParked = false
                    if !waiting.isEmpty { break }
                    if phase == .closing { return false }
                }
                isAsleep = true
                monitor.wait()
                isAsleep = false
            }
            if waiting.count <= Writer.largestGroup {
                swap(&group, &waiting)
            } else {
                group.append(contentsOf: waiting.prefix(Writer.largestGroup))
                waiting.removeFirst(Writer.largestGroup)
            }
            return true
        }
    }

    private enum Outcome {
        case committed
        /// Nothing of the group took effect.
        case failed(any Error)
        /// A body failed that had no savepoint. Nothing of the group took effect; it can be repeated with
        /// savepoints.
        case needsSavepoints
        /// One body took the whole transaction down with it: a full disk, a failed page, a deferred
        /// constraint.
        case spoiled(any Error)
    }

    /// A savepoint costs about a tenth of a small write, because every page is copied before its first
    /// change. Bodies seldom fail, so a group is first run without; when one fails, the group is repeated
    /// with savepoints, and so are the next ones from the start, in case failures are frequent now.
    private func commit(_ group: [WriteJob]) {
        var outcome: Outcome
        if groupsWithSavepoints > 0 {
            groupsWithSavepoints -= 1
            outcome = attempt(group, withSavepoints: group.count > 1)
        } else {
            outcome = attempt(group, withSavepoints: false)
            if case .needsSavepoints = outcome {
                groupsWithSavepoints = Writer.groupsAfterFailure
                outcome = attempt(group, withSavepoints: true)
            }
        }
        switch outcome {
        case .committed: finish(group, nil)
        case .failed(let error): finish(group, error)
        case .spoiled(let error) where group.count == 1: group[0].finish(group[0].failure ?? error)
        case .spoiled, .needsSavepoints:
            // Each on its own: only the one at fault fails.
            for job in group { commit([job]) }
        }
    }

    /// Lets the callers go. Those of one event loop cost it one wake-up.
    private func finish(_ group: [WriteJob], _ error: (any Error)?) {
        HandOver.gathered { for job in group { job.finish(error) } }
    }

    private func attempt(_ group: [WriteJob], withSavepoints: Bool) -> Outcome {
        do { try connection.control(.beginImmediate) } catch { return .failed(error) }
        do {
            for job in group {
                try run(job, withSavepoint: withSavepoints)
                if connection.isIdle { return .spoiled(job.failure ?? StorageError.closed) }
                if job.failure != nil, !withSavepoints, group.count > 1 { return abandon(.needsSavepoints) }
            }
        } catch {
            return abandon(.failed(error))
        }
        do {
            // A lone body is its own savepoint.
            if group.count == 1, group[0].failure != nil {
                try connection.control(.rollback)
            } else {
                try connection.control(.commit)
                commitCount.wrappingAdd(1, ordering: .relaxed)
            }
            writeCount.wrappingAdd(Int64(group.count), ordering: .relaxed)
            return .committed
        } catch StorageError.constraint(let message) {
            return abandon(.spoiled(StorageError.constraint(message: message)))
        } catch {
            return abandon(.failed(error))
        }
    }

    private func run(_ job: WriteJob, withSavepoint: Bool) throws {
        if withSavepoint { try connection.control(.savepoint) }
        job.execute(SQLiteTransaction(connection))
        connection.endLease()
        if !withSavepoint || connection.isIdle { return }
        if job.failure != nil { try connection.control(.rollbackToSavepoint) }
        try connection.control(.release)
    }

    private func abandon(_ outcome: Outcome) -> Outcome {
        if !connection.isIdle { try? connection.control(.rollback) }
        return outcome
    }
}
