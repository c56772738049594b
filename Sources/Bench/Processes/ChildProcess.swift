import Foundation

/// A process that the benchmark started, with its output in a file. It ends when `end()` is called, and at the latest
/// with the benchmark itself (`ChildProcesses`).
final class ChildProcess {
    let pid: pid_t
    let name: String
    let outputPath: String
    private var status: Int32?

    /// - Parameter name: for messages and for the name of the output file in `folder`.
    /// - Parameter environment: beside the benchmark's own, without its settings of a host (`PCS_...`).
    /// - Throws: `BenchError` when the program cannot be started.
    init(
        _ executable: String, _ arguments: [String], name: String, folder: String,
        environment: [String: String] = [:]
    ) throws {
        self.name = name
        outputPath = folder + "/" + name + ".out"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)

        // The benchmark takes the signals that end it in one place; its children must heed them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in ChildProcesses.endingSignals { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PCS_") }
        let settings = inherited.merging(environment) { _, own in own }.map { "\($0.key)=\($0.value)" }
        var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
        defer { variables.forEach { free($0) } }
        var started: pid_t = 0
        let failure = posix_spawn(&started, executable, &actions, &attributes, &words, &variables)
        guard failure == 0 else {
            throw BenchError("cannot start \(executable): \(String(cString: strerror(failure)))")
        }
        pid = started
        ChildProcesses.shared.add(started)
    }

    deinit { end() }

    /// What the process has printed so far.
    var output: String { SystemFiles.text(at: outputPath) ?? "" }

    var isRunning: Bool {
        poll()
        return status == nil
    }

    /// Waits until the process ends by itself.
    /// - Throws: `BenchError` with its output when it fails or does not end in time.
    func waitForSuccess(within seconds: Double) throws {
        let limit = Stopwatch()
        while isRunning {
            guard limit.seconds < seconds else {
                end()
                throw BenchError("\(name) did not end within \(Int(seconds)) s:\n\(tail)")
            }
            usleep(1_000)
        }
        guard status == 0 else { throw BenchError("\(name) failed:\n\(tail)") }
    }

    /// Waits until `found` makes something of the output, for example the port that the process listens on.
    func waitForOutput<T>(within seconds: Double, _ found: (String) -> T?) throws -> T {
        let limit = Stopwatch()
        while true {
            let running = isRunning
            if let result = found(output) { return result }
            guard running else { throw BenchError("\(name) ended:\n\(tail)") }
            guard limit.seconds < seconds else { throw BenchError("\(name) did not come up:\n\(tail)") }
            usleep(2_000)
        }
    }

    /// Asks the process to end, insists after five seconds, and waits for it. Safe to call twice.
    func end() {
        guard isRunning else { return }
        kill(pid, SIGTERM)
        let limit = Stopwatch()
        while isRunning {
            if limit.seconds > 5 { kill(pid, SIGKILL) }
            usleep(1_000)
        }
    }

    private var tail: String { output.split(separator: "\n").suffix(15).joined(separator: "\n") }

    private func poll() {
        guard status == nil else { return }
        var code: Int32 = 0
        if waitpid(pid, &code, WNOHANG) == pid {
            status = code
            ChildProcesses.shared.remove(pid)
        }
    }
}

/// What went wrong, in words for the person who runs the benchmark.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
