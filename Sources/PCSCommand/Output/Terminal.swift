#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What stands behind standard output or standard error.
package struct Terminal: Sendable {
    package let isTerminal: Bool
    /// Columns; `nil` = unlimited, when it is a file or a pipe.
    package let width: Int?
    package let usesColour: Bool

    package init(isTerminal: Bool, width: Int?, usesColour: Bool) {
        self.isTerminal = isTerminal
        self.width = width
        self.usesColour = usesColour
    }

    package static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    package static let standardError = Terminal(descriptor: STDERR_FILENO)
    /// A file or pipe: nothing is cut, nothing coloured.
    package static let plain = Terminal(isTerminal: false, width: nil, usesColour: false)

    /// Colour needs a terminal, a TERM other than `dumb`, and no NO_COLOR (https://no-color.org).
    private init(descriptor: Int32) {
        isTerminal = isatty(descriptor) == 1
        var size = winsize()
        let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        width = isTerminal ? (known ? Int(size.ws_col) : 80) : nil
        let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
        usesColour = isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }

    /// `text` in a style, or as it is where there is no colour.
    package func styled(_ text: String, _ style: TextStyle) -> String {
        usesColour && style != .plain ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// ANSI "select graphic rendition" codes.
package enum TextStyle: String, Sendable {
    case plain = "0"
    case bold = "1"
    case faint = "2"
    case good = "32"
    case warning = "33"
    case bad = "31"
    case heading = "1;36"
}
