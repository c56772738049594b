import Foundation

/// A connection that only shakes hands: for counting what an idle one costs the server.
final class RawConnection {
    private let descriptor: Int32

    /// Frame prefix, then `Frame { hello { version: 1 } }`: docs/protocol.md.
    private static let hello: [UInt8] = [0, 0, 0, 0, 4, 0x12, 0x02, 0x08, 0x01]

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Connects to a Unix socket; `nil` when nobody listens there (yet).
    static func open(unixSocket path: String) -> RawConnection? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let connection = RawConnection(descriptor)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? connection : nil
    }

    static func open(port: Int) -> RawConnection? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let connection = RawConnection(descriptor)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 ? connection : nil
    }

    deinit { close(descriptor) }

    /// Sends Hello and waits for the server's.
    func shakeHands() throws {
        guard
            send(descriptor, RawConnection.hello, RawConnection.hello.count, Int32(MSG_NOSIGNAL))
                == RawConnection.hello.count
        else { throw BenchError("a connection was closed before its Hello") }
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while !RawConnection.isWhole(received) {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else {
                throw BenchError("the server closed a connection instead of saying Hello")
            }
            received += chunk[..<count]
        }
        // Field 2 of Frame, length-delimited: the server's Hello.
        guard received[5] == 0x12 else { throw BenchError("the server answered Hello with something else") }
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 5 else { return false }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        return bytes.count >= 5 + length
    }
}
