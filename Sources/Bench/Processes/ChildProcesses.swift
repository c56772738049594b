import Foundation
import Synchronization

/// All processes and folders that must not outlive the benchmark, also when it is interrupted.
final class ChildProcesses: Sendable {
    static let shared = ChildProcesses()

    private struct State {
        var running: Set<pid_t> = []
        var folders: [String] = []
    }
    private let state = Mutex(State())

    func add(_ pid: pid_t) { state.withLock { _ = $0.running.insert(pid) } }
    func remove(_ pid: pid_t) { state.withLock { _ = $0.running.remove(pid) } }

    /// Ends the children and removes `folders` when the user or the system ends the benchmark. Call before any other
    /// thread exists, so that all threads leave these signals to the one that waits for them.
    func watchSignals(removing folders: [String]) {
        state.withLock { $0.folders = folders }
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waited = signals
        Thread.detachNewThread {
            var waited = waited
            var received: Int32 = 0
            while sigwait(&waited, &received) != 0 {}
            Self.shared.endAll()
            exit(128 + received)
        }
    }

    /// Ends what still runs, at once, and removes the folders.
    func endAll() {
        let (running, folders) = state.withLock { ($0.running, $0.folders) }
        for pid in running { kill(pid, SIGKILL) }
        for pid in running { waitpid(pid, nil, 0) }
        for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
    }
}
