import NIOCore
import PluginAPI
import Synchronization

/// What one event loop holds for its connections: the executor on which their inline handlers run, the inbox
/// through which handlers elsewhere hand in their results, and the list of connections that have something to
/// flush.
///
/// Everything that reaches the loop from outside goes through one inbox with one wake-up: at 64 calls in
/// flight that saves more than any other measure (one write and one hop a reply cost most of a naive server's
/// time). Callers that a storage engine lets go together after a sync come with one wake-up too (`HandOver`).
///
/// `@unchecked Sendable`: `connections`, `unflushed` and `isDraining` are touched on the loop only, which
/// `assertInLoop` checks in debug builds; the inbox has a lock.
final class ServerLoop: TaskExecutor, Sleeper, @unchecked Sendable {
    /// Something that happened elsewhere and concerns a connection of this loop.
    enum Delivery: Sendable {
        case outcome(Connection, CallSession, CallOutcome)
        case message(Connection, stream: UInt32, body: [UInt8])
        case taken(Connection, stream: UInt32)
        case wakeSinks(Connection)
    }

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var deliveries: [Delivery] = []
        var isScheduled = false
    }

    let loop: any EventLoop
    private let inbox = Mutex(Inbox())
    private var unflushed: [Connection] = []
    private var isDraining = false
    private var isFlushScheduled = false
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var sweeper: RepeatedTask?

    init(_ loop: any EventLoop) { self.loop = loop }

    // MARK: From anywhere

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        post { $0.jobs.append(job) }
    }

    func deliver(_ delivery: Delivery) {
        post { $0.deliveries.append(delivery) }
    }

    private func post(_ add: (inout Inbox) -> Void) {
        let mustSchedule = inbox.withLock { inbox in
            add(&inbox)
            defer { inbox.isScheduled = true }
            return !inbox.isScheduled
        }
        if mustSchedule, !HandOver.postpone(self) { wake() }
    }

    func wake() { loop.execute { self.drain() } }

    // MARK: On the loop

    private func drain() {
        loop.assertInEventLoop()
        let (jobs, deliveries) = inbox.withLock { inbox in
            inbox.isScheduled = false
            let content = (inbox.jobs, inbox.deliveries)
            inbox.jobs = []
            inbox.deliveries = []
            return content
        }
        isDraining = true
        let executor = asUnownedTaskExecutor()
        for job in jobs { job.runSynchronously(on: executor) }
        for delivery in deliveries { hand(delivery) }
        isDraining = false
        flushAll()
    }

    private func hand(_ delivery: Delivery) {
        switch delivery {
        case .outcome(let connection, let session, let outcome): connection.finish(session, outcome)
        case .message(let connection, let stream, let body): connection.send(body, on: stream)
        case .taken(let connection, let stream): connection.messageTaken(on: stream)
        case .wakeSinks(let connection): connection.wakeSinks()
        }
    }

    /// Flushes the connection at the end of this tick.
    func flushLater(_ connection: Connection) {
        loop.assertInEventLoop()
        unflushed.append(connection)
        guard !isDraining, !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.execute {
            self.isFlushScheduled = false
            self.flushAll()
        }
    }

    private func flushAll() {
        guard !unflushed.isEmpty else { return }
        let connections = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for connection in connections { connection.flushNow() }
    }

    // MARK: Connections

    func add(_ connection: Connection) {
        loop.assertInEventLoop()
        connections[ObjectIdentifier(connection)] = connection
        guard sweeper == nil else { return }
        // Keepalive, slow frames and stalled peers are counted in seconds; deadlines have timers of their
        // own.
        sweeper = loop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) {
            _ in
            let now = MonotonicTime.now
            for connection in self.connections.values { connection.sweep(at: now) }
        }
    }

    func remove(_ connection: Connection) {
        loop.assertInEventLoop()
        connections.removeValue(forKey: ObjectIdentifier(connection))
        guard connections.isEmpty else { return }
        sweeper?.cancel()
        sweeper = nil
    }

    func forEachConnection(_ body: @escaping @Sendable (Connection) -> Void) {
        loop.execute { for connection in Array(self.connections.values) { body(connection) } }
    }
}
