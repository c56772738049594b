import Synchronization

/// A line on standard error that shows how far long work is; nothing at all where standard error is not a terminal.
package final class ProgressBar: Sendable {
    private struct State {
        var lastDrawn: ContinuousClock.Instant?
        var isDone = false
    }

    private let label: String
    private let terminal: Terminal
    private let started = ContinuousClock.now
    private let state = Mutex(State())
    private static let cells = 28

    package init(_ label: String, terminal: Terminal = .standardError) {
        // Bar, percentage, note and time take less than 60 columns: the line must not wrap, or it could not be wiped.
        let room = max(12, (terminal.width ?? 80) - 60)
        self.label = label.count <= room ? label : label.prefix(room - 1) + "…"
        self.terminal = terminal
    }

    /// - Parameters:
    ///   - fraction: 0 to 1; `nil` = how much there is in all is not known.
    ///   - note: for example "3.2 MB".
    ///   - atOnce: also when the line was drawn a moment ago.
    package func show(_ fraction: Double?, note: String = "", atOnce: Bool = false) {
        guard terminal.isTerminal else { return }
        let now = ContinuousClock.now
        let draw = state.withLock { state in
            if state.isDone { return false }
            if !atOnce, let last = state.lastDrawn, now - last < .milliseconds(80) { return false }
            state.lastDrawn = now
            return true
        }
        guard draw else { return }
        var line = "\r\u{1B}[2K" + label + " "
        if let fraction {
            let full = Int((min(1, max(0, fraction)) * Double(Self.cells)).rounded())
            let bar = String(repeating: "━", count: full)
            let rest = String(repeating: "━", count: Self.cells - full)
            line += terminal.styled(bar, .good) + terminal.styled(rest, .faint)
            line += " \(Int((min(1, max(0, fraction)) * 100).rounded())) %"
        }
        let milliseconds = Int64((now - started) / .milliseconds(1))
        line +=
            "  "
            + [note, Wording.duration(milliseconds: milliseconds)].filter { !$0.isEmpty }.joined(
                separator: "  ")
        Console.status(line)
    }

    /// Wipes the line. Safe to call twice.
    package func finish() {
        let wipe = state.withLock { state in
            defer { state.isDone = true }
            return !state.isDone && state.lastDrawn != nil
        }
        if wipe { Console.status("\r\u{1B}[2K") }
    }

    /// Shows that `body` goes on, when nothing is known of how far it is.
    package func waiting<Value: Sendable>(
        note: String = "", _ body: @Sendable () async throws -> Value
    ) async rethrows -> Value {
        guard terminal.isTerminal else { return try await body() }
        let ticker = Task {
            try await Task.sleep(for: .milliseconds(400))
            while !Task.isCancelled {
                show(nil, note: note)
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        defer {
            ticker.cancel()
            finish()
        }
        return try await body()
    }
}
