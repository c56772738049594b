import Foundation
import FrameClient
import FrameProtocol
import Glibc
import PluginTestKit

/// A peer that sends whatever bytes a test wants and reads frames one by one. Blocks; use it inside
/// `onThread`.
final class RawPeer {
    private let descriptor: Int32
    private var received: [UInt8] = []
    /// Whether the host has closed.
    private(set) var isAtEnd = false

    struct Trouble: Error {
        let what: String
    }

    init(_ address: FrameAddress, receiveBuffer: Int32 = 0) throws {
        switch address {
        case .unixSocket(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) {
                $0.copyBytes(from: Array(path.utf8).prefix($0.count - 1))
            }
            let result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard result == 0 else { throw Trouble(what: "cannot connect: \(errno)") }
        case .tcp(_, let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            if receiveBuffer > 0 {
                var size = receiveBuffer
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            }
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = in_port_t(port).bigEndian
            name.sin_addr.s_addr = inet_addr("127.0.0.1")
            let result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw Trouble(what: "cannot connect: \(errno)") }
        }
        var limit = timeval(tv_sec: 8, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Glibc.close(descriptor) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func send(_ frame: some OutgoingFrame) { send(frame.bytes()) }

    /// Hello, and the host's Hello taken.
    func shakeHands(accessToken: String = "", limits: ConnectionLimits = ConnectionLimits()) throws {
        send(OutgoingHello(software: "raw", limits: limits, accessToken: accessToken))
        guard case .hello? = try next()?.frame.kind else { throw Trouble(what: "no Hello came") }
    }

    /// A frame and the bytes that its ranges count in; `nil` when the host has closed.
    func next() throws -> (frame: Frame, bytes: [UInt8])? {
        while true {
            var position = 0
            let bytes = received
            let frame = try bytes.withUnsafeBytes {
                try FrameDecoder.next(in: $0, at: &position, maximumFrameBytes: 16 << 20)
            }
            if let frame {
                received.removeFirst(position)
                return (frame, bytes)
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) {
                isAtEnd = true
                return nil
            }
            guard count > 0 else { throw Trouble(what: "nothing came within the time: \(errno)") }
            received += chunk[..<count]
        }
    }

    /// The next Reply, stepping over other frames.
    func reply() throws -> (stream: UInt32, code: UInt32, reason: String)? {
        while let (frame, bytes) = try next() {
            guard case .reply(let reply) = frame.kind else { continue }
            let detail = bytes.withUnsafeBytes { frame.status(in: $0) }?.details.first?.value ?? []
            return (frame.stream, reply.code, RawPeer.reason(in: detail))
        }
        return nil
    }

    /// The reason of the GoAway that comes before the end; `nil` when the host closes without one.
    func goAway() throws -> UInt32? {
        while let (frame, _) = try next() {
            if case .goAway(let goAway) = frame.kind { return goAway.reason }
        }
        return nil
    }

    /// Reads until the host closes.
    func end() throws { while try next() != nil {} }

    /// Field 1 of FailureDetail.
    private static func reason(in detail: [UInt8]) -> String {
        guard detail.count > 2, detail[0] == 0x0A else { return "" }
        return String(decoding: detail[2..<min(detail.count, 2 + Int(detail[1]))], as: UTF8.self)
    }
}

/// Runs blocking code away from the threads of Swift concurrency.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
