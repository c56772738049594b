#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes to standard output and standard error, whole and in order.
package enum Console {
    /// A line, or several, to standard output.
    package static func out(_ text: String = "") { write(Array((text + "\n").utf8)[...], to: STDOUT_FILENO) }
    package static func out(bytes: some Collection<UInt8>) { write(Array(bytes)[...], to: STDOUT_FILENO) }
    package static func error(_ text: String) { write(Array((text + "\n").utf8)[...], to: STDERR_FILENO) }
    /// Without a line's end: for progress.
    package static func status(_ text: String) { write(Array(text.utf8)[...], to: STDERR_FILENO) }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) {
        var rest = bytes
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { posixWrite(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                // Nobody reads any more (a closed pipe, a full disk): there is nowhere left to say so.
                return
            }
            rest = rest.dropFirst(written)
        }
    }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
