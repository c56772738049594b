import FrameClient
import Foundation
import HostContract
import PluginAPI

/// The host as it is delivered: `pcs serve` in a process of its own, on a Unix socket and on TCP.
final class HostUnderTest {
    static let audience = "pcs-bench"

    let port: Int
    private let process: ChildProcess
    private let socketPath: String

    var pid: pid_t { process.pid }

    /// Starts it on a data folder and returns when it has answered a Hello: then it takes calls.
    static func start(on bench: Workbench, data: String) async throws -> HostUnderTest {
        let host = try HostUnderTest(on: bench, data: data)
        let limit = Stopwatch()
        while true {
            if let connection = RawConnection.open(unixSocket: host.socketPath) {
                try connection.shakeHands()
                // The listeners open one after another; figures are taken over both.
                if RawConnection.open(port: host.port) != nil { return host }
            }
            guard host.process.isRunning, limit.seconds < 30 else {
                throw BenchError("pcs serve did not come up:\n\(host.process.output)")
            }
            usleep(500)
        }
    }

    private init(on bench: Workbench, data: String) throws {
        port = try HostUnderTest.freePort()
        // Not below the data: the path of a Unix socket holds 107 bytes.
        socketPath = "\(bench.socketFolder)/\(port).sock"
        process = try ChildProcess(
            "\(bench.programs)/pcs", ["serve"], name: "pcs-serve", folder: bench.folder,
            environment: [
                "PCS_DATA_FOLDER": data, "PCS_AUDIENCE": HostUnderTest.audience,
                "PCS_LISTEN_UNIX_PATH": socketPath,
                "PCS_LISTEN_TCP_PORT": "\(port)", "PCS_LOG_LEVEL": "warning",
            ])
    }

    func end() { process.end() }

    /// A connection that shakes hands and then does nothing.
    func connect() throws -> RawConnection {
        guard let connection = RawConnection.open(unixSocket: socketPath) else {
            throw BenchError("the host took no further connection:\n\(process.output)")
        }
        try connection.shakeHands()
        return connection
    }

    /// For callers of their own, which do not hold the host.
    var door: HostDoor { HostDoor(port: port, socketPath: socketPath) }

    func operatorSession() async throws -> HostSession { try await door.operatorSession() }

    func session(accessToken: String?) async throws -> HostSession {
        try await door.session(accessToken: accessToken)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard bound else { throw BenchError("no free port on 127.0.0.1") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Where a host listens.
struct HostDoor: Sendable {
    let port: Int
    let socketPath: String

    /// Calls as the local operator, over the Unix socket.
    func operatorSession() async throws -> HostSession {
        try await HostSession(
            FrameClientConfiguration(address: .unixSocket(path: socketPath), software: "pcs-bench/1"))
    }

    /// Calls over TCP, as the system that the token names.
    func session(accessToken: String?) async throws -> HostSession {
        try await HostSession(
            FrameClientConfiguration(
                address: .tcp(host: "127.0.0.1", port: port), software: "pcs-bench/1",
                accessToken: accessToken))
    }
}

/// A client with its connection.
struct HostSession: Sendable {
    let transport: FrameClient
    /// For loads and calculations.
    let slow = CallOptions(timeoutMilliseconds: 120_000)
    /// For national extracts.
    let slowest = CallOptions(timeoutMilliseconds: 600_000)

    init(_ configuration: FrameClientConfiguration) async throws {
        transport = FrameClient(configuration)
        try await transport.connect()
    }

    func close() async { await transport.close() }
}
