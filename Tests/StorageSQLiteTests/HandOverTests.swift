import Dispatch
import PluginAPI
import StorageSQLite
import Synchronization
import Testing

/// An executor that sleeps until it is woken, as an event loop does, and counts how often it is.
private final class SleepyExecutor: TaskExecutor, Sleeper {
    private struct State {
        var jobs: [UnownedJob] = []
        var isWoken = false
        var wakes = 0
    }
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "sleepy")
    var wakes: Int { state.withLock { $0.wakes } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            defer { state.isWoken = true }
            return !state.isWoken
        }
        if mustWake, !HandOver.postpone(self) { wake() }
    }

    func wake() {
        state.withLock { $0.wakes += 1 }
        queue.async { self.run() }
    }

    private func run() {
        let jobs = state.withLock { state in
            defer { state.jobs = [] }
            state.isWoken = false
            return state.jobs
        }
        for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}

@Suite("Handing over")
struct HandOverTests {
    @Test("callers of one loop that a commit lets go cost it one wake-up, and all of them go on")
    func oneWake() async throws {
        let folder = try TemporaryFolder()
        let database = try await GroupCommitTests.open(folder.path)
        let executor = SleepyExecutor()
        let held = try await HeldWriter.hold(database)
        let calls = (1...300).map { number in
            Task(executorPreference: executor) {
                try await database.write {
                    _ = try $0.run(GroupCommitTests.insert, [.integer(number), .text("n")])
                }
            }
        }
        while database.statistics.queueLength < 300 { try await Task.sleep(for: .milliseconds(2)) }
        let before = executor.wakes
        try await held.letGo()
        for call in calls { try await call.value }
        #expect(executor.wakes - before == 1)
        let count = try database.read { try $0.first(GroupCommitTests.count) { $0.integer(0) } }
        #expect(count == 300)
        await database.close()
    }

    @Test("outside a gathering a sleeper is not postponed, also by a task that was begun in one")
    func outside() async {
        let executor = SleepyExecutor()
        #expect(!HandOver.postpone(executor))
        let begun = Mutex<Task<Bool, Never>?>(nil)
        let gate = DispatchSemaphore(value: 0)
        HandOver.gathered {
            let task = Task {
                await withCheckedContinuation { caller in
                    DispatchQueue.global().async {
                        gate.wait()
                        caller.resume()
                    }
                }
                return HandOver.postpone(executor)
            }
            begun.withLock { $0 = task }
            #expect(HandOver.postpone(executor))
            #expect(executor.wakes == 0)
        }
        #expect(executor.wakes == 1)
        gate.signal()
        #expect(await begun.withLock { $0 }?.value == false)
    }
}

@Suite("Epochs")
struct EpochTests {
    @Test("are the same for bodies of a group, and others after a body was undone and in the next transaction")
    func change() async throws {
        struct Undone: Error {}
        let folder = try TemporaryFolder()
        let database = try await GroupCommitTests.open(folder.path)
        let held = try await HeldWriter.hold(database)
        // Queued one after the other, so that their order in the group is known.
        var calls: [Task<UInt64, any Error>] = []
        for place in 0..<6 {
            while database.statistics.queueLength < place { try await Task.sleep(for: .milliseconds(1)) }
            calls.append(
                Task {
                    try await database.write { transaction in
                        try transaction.run(GroupCommitTests.insert, [.integer(place), .text("n")])
                        if place == 3 { throw Undone() }
                        return transaction.epoch
                    }
                })
        }
        while database.statistics.queueLength < 6 { try await Task.sleep(for: .milliseconds(1)) }
        try await held.letGo()
        var epochs: [UInt64?] = []
        for call in calls { epochs.append(try? await call.value) }
        #expect(epochs[3] == nil)
        #expect(Set(epochs[0...2]).count == 1)
        #expect(Set(epochs[4...5]).count == 1)
        #expect(epochs[2] != epochs[4])
        let next = try await database.write { $0.epoch }
        #expect(next != epochs[4])
        await database.close()
    }
}
