import Synchronization

/// What the demonstration prints: a line a step with the time it took, and headed parts.
final class DemoJournal: Sendable {
    let terminal: Terminal
    private let started = ContinuousClock.now
    private static let labelWidth = 41

    init(terminal: Terminal) { self.terminal = terminal }

    func title(_ text: String, _ detail: [String]) {
        Console.out("\n" + terminal.styled(text, .bold))
        for line in detail { Console.out(terminal.styled(line, .faint)) }
        Console.out()
    }

    func heading(_ text: String) { Console.out("\n" + terminal.styled(text, .heading) + "\n") }

    func text(_ text: String = "") { Console.out(text) }

    /// A line without a step: `  label   detail`.
    func fact(_ label: String, _ detail: String) {
        Console.out("  " + padded(label) + detail)
    }

    /// Does one step and prints a line: what, how long, and what came out.
    ///
    /// - Returns: what `body` returns, its words printed.
    @discardableResult
    func step<Value: Sendable>(
        _ label: String, _ body: @Sendable () async throws -> (Value, String)
    ) async throws -> Value {
        let begun = ContinuousClock.now
        if terminal.isTerminal { Console.status("  " + label + " ...") }
        let result: (Value, String)
        do {
            result = try await body()
        } catch {
            if terminal.isTerminal { Console.status("\r\u{1B}[2K") }
            Console.out(
                "  " + padded(label) + (Task.isCancelled ? "stopped" : terminal.styled("failed", .bad)))
            throw error
        }
        if terminal.isTerminal { Console.status("\r\u{1B}[2K") }
        let milliseconds = Int64((ContinuousClock.now - begun) / .milliseconds(1))
        let time = Wording.duration(milliseconds: milliseconds)
        let timeText = String(repeating: " ", count: max(0, 8 - time.count)) + time
        Console.out(
            "  " + padded(label) + terminal.styled(timeText, .good) + "   "
                + terminal.styled(result.1, .faint))
        return result.0
    }

    var elapsed: String {
        Wording.duration(milliseconds: Int64((ContinuousClock.now - started) / .milliseconds(1)))
    }

    private func padded(_ label: String) -> String {
        label + String(repeating: " ", count: max(1, Self.labelWidth - label.count))
    }
}
