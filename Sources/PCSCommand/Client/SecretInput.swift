import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Secrets that people give: typed on the terminal without echo, or one a line on standard input, or from a file of
/// theirs. Never from the command line, where every user of the machine could read them.
package enum SecretInput {
    /// - Parameter file: when given, its first line instead of the terminal or standard input.
    /// - Throws: `CommandError` when nothing is given.
    package static func read(_ what: String, file: String? = nil) throws -> String {
        let text: String?
        if let file {
            text = try PrivateFile.read(file).split(separator: "\n").first.map(String.init)
        } else if isatty(STDIN_FILENO) == 1 {
            text = typed(what)
        } else {
            text = readLine(strippingNewline: true)
        }
        guard let text, !text.isEmpty else {
            throw CommandError(
                .usage, "no \(what) was given", nextStep: "Type it, or give it as a line of standard input.")
        }
        return text
    }

    /// A new secret: typed twice on a terminal, once elsewhere.
    package static func new(_ what: String, file: String? = nil) throws -> String {
        let first = try read(what, file: file)
        if file == nil, isatty(STDIN_FILENO) == 1, try read("\(what) again") != first {
            throw CommandError(.usage, "the two are not the same; nothing was sent")
        }
        return first
    }

    private static func typed(_ what: String) -> String? {
        Console.status("\(what): ")
        var before = termios()
        let isKnown = tcgetattr(STDIN_FILENO, &before) == 0
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        if isKnown { tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) }
        defer {
            if isKnown { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
            Console.status("\n")
        }
        return readLine(strippingNewline: true)
    }
}
