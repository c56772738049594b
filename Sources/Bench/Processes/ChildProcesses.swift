import Foundation
import Synchronization

/// All processes and folders that must not outlive the benchmark, also when it is interrupted.
final class ChildProcesses: Sendable {
    static let shared = ChildProcesses()

    private struct State {
        var running: Set<pid_t> = []
        var folders: [String] = []
        var sources: [any DispatchSourceSignal] = []
    }
    private let state = Mutex(State())

    func add(_ pid: pid_t) { state.withLock { _ = $0.running.insert(pid) } }
    func remove(_ pid: pid_t) { state.withLock { _ = $0.running.remove(pid) } }

    /// Signals that end the benchmark.
    static let endingSignals = [SIGINT, SIGTERM, SIGHUP]

    /// Ends the children and removes `folders` when the user or the system ends the benchmark. Call once.
    func watchSignals(removing folders: [String]) {
        state.withLock {
            $0.folders = folders
            $0.sources = ChildProcesses.endingSignals.map(ChildProcesses.source)
        }
    }

    private static func source(of number: Int32) -> any DispatchSourceSignal {
        // The source takes the signal only when its own action does not.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            shared.endAll()
            exit(128 + number)
        }
        source.activate()
        return source
    }

    /// Ends what still runs, at once, and removes the folders.
    func endAll() {
        let (running, folders) = state.withLock { ($0.running, $0.folders) }
        for pid in running { kill(pid, SIGKILL) }
        for pid in running { waitpid(pid, nil, 0) }
        for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
    }
}
