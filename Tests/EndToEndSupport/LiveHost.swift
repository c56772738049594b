import Foundation
import Synchronization

/// The real executable, serving a data folder of its own, started and ended by a test as an operator or a power cut
/// would.
public final class LiveHost: Sendable {
    public struct DidNotStart: Error, CustomStringConvertible {
        public let description: String
    }

    public let folder: TemporaryFolder
    public let tcpPort: Int
    private let process = Mutex<Process?>(nil)
    private let configuration: String

    public var dataFolder: String { folder.path + "/data" }
    public var socketPath: String { dataFolder + "/pcs.sock" }
    public var logPath: String { folder.path + "/log" }
    /// For `pcs --host`.
    public var address: String { "unix:" + socketPath }
    public var processIdentifier: Int32? { process.withLock { $0?.processIdentifier } }

    /// - Parameter limits: settings below `limits`, by name.
    public init(limits: [String: Int] = [:]) throws {
        folder = try TemporaryFolder()
        tcpPort = try Self.freePort()
        configuration = folder.path + "/pcs.json"
        let settings: [String: Any] = [
            "data-folder": folder.path + "/data",
            "listen": ["tcp": ["port": tcpPort]],
            "log": ["level": "warning"],
            "limits": limits,
        ]
        try JSONSerialization.data(withJSONObject: settings).write(to: URL(fileURLWithPath: configuration))
    }

    deinit { killNow() }

    /// Starts the host and returns when it answers on its socket.
    public func start(seconds: Double = 30) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.pcs)
        process.arguments = ["serve", "--config", configuration]
        process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
        if !FileManager.default.fileExists(atPath: logPath) {
            _ = FileManager.default.createFile(atPath: logPath, contents: nil)
        }
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: logPath))
        try log.seekToEnd()
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if Self.answers(port: tcpPort) { return }
            if !process.isRunning { break }
            usleep(10_000)
        }
        throw DidNotStart(description: (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "no log")
    }

    /// Ends it as a power cut would: no chance to tidy up.
    public func killNow() {
        process.withLock { process in
            guard let running = process, running.isRunning else { return }
            kill(running.processIdentifier, SIGKILL)
            running.waitUntilExit()
            process = nil
        }
    }

    /// Asks it to stop and waits; the exit status.
    @discardableResult
    public func stop() -> Int32 {
        process.withLock { process in
            guard let running = process else { return -1 }
            if running.isRunning { kill(running.processIdentifier, SIGTERM) }
            running.waitUntilExit()
            process = nil
            return running.terminationStatus
        }
    }

    /// Runs `pcs` as a client of this host.
    public func pcs(_ arguments: String..., input: String = "", seconds: Double = 120) throws -> Finished {
        try pcs(arguments, input: input, seconds: seconds)
    }

    public func pcs(_ arguments: [String], input: String = "", seconds: Double = 120) throws -> Finished {
        try Command.run(
            Command.pcs, arguments,
            environment: ["PCS_HOST": address, "PCS_KEYS": folder.path + "/keys"], input: input,
            seconds: seconds)
    }

    // MARK: Ports

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int in
                guard bind(descriptor, generic, length) == 0, getsockname(descriptor, generic, &length) == 0
                else { return 0 }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
        guard port != 0 else { throw DidNotStart(description: "no free port") }
        return port
    }

    private static func answers(port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
