import Synchronization

/// Something that sleeps until it is told that work was left for it: an event loop with its inbox.
package protocol Sleeper: AnyObject, Sendable {
    /// May be called from any thread, also when there is no work.
    func wake()
}

/// Gathers wake-ups while many callers are let go at once, as after the commit of a group: each sleeper is
/// woken once for all that was left for it, because a wake-up is a system call and costs more than what it
/// announces.
package enum HandOver {
    @TaskLocal private static var current: Gathering?

    /// Runs `body`, and then wakes everything that was to be woken in its course.
    package static func gathered(_ body: () -> Void) {
        let gathering = Gathering()
        $current.withValue(gathering) { body() }
        gathering.end()
    }

    /// Sees to it that `sleeper` is woken when the present gathering ends. `false` when none is under way on
    /// this thread: then wake it at once.
    package static func postpone(_ sleeper: any Sleeper) -> Bool { current?.add(sleeper) ?? false }

    /// Has a lock and an end, because a task that is begun in the body inherits it and may outlive it.
    private final class Gathering: Sendable {
        private let sleepers = Mutex<[any Sleeper]?>([])

        func add(_ sleeper: any Sleeper) -> Bool {
            sleepers.withLock { sleepers in
                guard sleepers != nil else { return false }
                if sleepers?.contains(where: { $0 === sleeper }) == false { sleepers?.append(sleeper) }
                return true
            }
        }

        func end() {
            let woken = sleepers.withLock { sleepers in
                defer { sleepers = nil }
                return sleepers
            }
            for sleeper in woken ?? [] { sleeper.wake() }
        }
    }
}
