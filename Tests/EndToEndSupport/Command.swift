import Foundation

/// A finished command: what it printed and how it ended.
public struct Finished: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
}

/// Runs commands of this package and of the machine, to their end, within a bound.
public enum Command {
    /// The repository's root.
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Folder of the executables that were built with the tests.
    public static var binaries: String {
        ProcessInfo.processInfo.environment["PCS_TEST_BINARIES"] ?? root + "/.build/debug"
    }

    public static var pcs: String { binaries + "/pcs" }
    public static var cExample: String { binaries + "/pcs-c-example" }

    /// Python of the test environment that `make test` prepares.
    public static var python: String {
        ProcessInfo.processInfo.environment["PCS_TEST_PYTHON"] ?? root + "/.build/python/bin/python"
    }

    /// Runs `executable` and waits; ends it after `seconds` and reports status 124 then.
    public static func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:], input: String = "",
        seconds: Double = 120
    ) throws -> Finished {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.currentDirectoryURL = URL(fileURLWithPath: root)
        let (output, errors) = (folder.path + "/output", folder.path + "/errors")
        let given = folder.path + "/input"
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        try Data(input.utf8).write(to: URL(fileURLWithPath: given))
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: given))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try process.run()
        let end = Date().addingTimeInterval(seconds)
        while process.isRunning, Date() < end { usleep(5_000) }
        var status: Int32 = 124
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        } else {
            status = process.terminationStatus
        }
        return Finished(
            status: status, output: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "",
            errors: (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")
    }
}

/// A folder that goes with its last reference. Short, because a Unix socket's path may have only 107 bytes.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path = NSTemporaryDirectory() + "pcs-" + String(UInt32.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
