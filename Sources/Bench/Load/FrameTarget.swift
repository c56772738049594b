import Foundation
import HostContract

/// A server of our protocol under the load of `pcs-bench-load`: our host, or the C program that copies frames back.
final class FrameTarget: LoadTarget {
    let name: String
    private let process: () -> pid_t
    private let stop: () -> Void
    private let port: Int
    private let accessToken: String?
    private let program: String
    private let folder: String

    private init(
        name: String, port: Int, accessToken: String?, on bench: Workbench, process: @escaping () -> pid_t,
        stop: @escaping () -> Void
    ) {
        self.name = name
        self.port = port
        self.accessToken = accessToken
        self.process = process
        self.stop = stop
        program = "\(bench.programs)/pcs-bench-load"
        folder = bench.folder
    }

    /// Our host, called by a system with the roles for the calls.
    static func ours(_ host: HostUnderTest, on bench: Workbench) async throws -> FrameTarget {
        let identity = BenchIdentity()
        try await identity.register(on: host)
        return FrameTarget(
            name: "ours", port: host.port, accessToken: try await identity.token(on: host), on: bench,
            process: { host.pid }, stop: { host.end() })
    }

    /// `pcs-bench-load server-echo`: reads frames from epoll and writes their bytes back.
    static func echoInC(on bench: Workbench) throws -> FrameTarget {
        let server = try ChildProcess(
            "\(bench.programs)/pcs-bench-load", ["server-echo", "--port", "0"], name: "echo-in-c",
            folder: bench.folder)
        let port: Int = try server.waitForOutput(within: 5) { output in
            output.split(separator: "\n").first { $0.hasPrefix("listening ") }.flatMap {
                Int($0.dropFirst(10))
            }
        }
        return FrameTarget(
            name: "c", port: port, accessToken: nil, on: bench, process: { server.pid },
            stop: { server.end() })
    }

    func end() { stop() }

    func load(_ call: LoadCall, _ shape: LoadShape, seconds: Double) throws -> LoadResult {
        try measureCPU(of: process()) {
            let body = "\(folder)/\(call.rawValue).body"
            try Data(try LoadBodies.request(call)).write(to: URL(fileURLWithPath: body))
            var arguments = [
                "load", "--port", "\(port)", "--connections", "\(shape.connections)", "--in-flight",
                "\(shape.inFlight)", "--seconds", "\(seconds)", "--method", method(call), "--body", body,
            ]
            if let accessToken { arguments += ["--token", accessToken] }
            let client = try ChildProcess(program, arguments, name: "frame-load", folder: folder)
            try client.waitForSuccess(within: 60)
            return try check(client.output)
        }
    }

    private func method(_ call: LoadCall) -> String {
        switch call {
        case .echo: Pcs_Host_V1_DiagnosticsServiceMethods.echo.path
        case .read: Pcs_Host_V1_DiagnosticsServiceMethods.readNote.path
        case .write: Pcs_Host_V1_DiagnosticsServiceMethods.writeNote.path
        }
    }

    /// `calls 123`, `seconds 0.8` ...: pcs-bench-load has checked the answers itself and fails when one was wrong.
    private func check(_ output: String) throws -> (calls: Int, seconds: Double) {
        var values: [Substring: Substring] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { values[words[0]] = words[1] }
        }
        guard let calls = values["calls"].flatMap({ Int($0) }), calls > 0,
            let seconds = values["seconds"].flatMap({ Double($0) })
        else { throw BenchError("pcs-bench-load against \(name) did not end well:\n\(output)") }
        return (calls, seconds)
    }
}
