import Foundation
import HostContract
import SwiftProtobuf

/// A gRPC server under the load of `h2load` (Debian's nghttp2-client), which speaks HTTP/2 with little cost of its own.
final class GRPCTarget: LoadTarget {
    let name: String
    private let process: ChildProcess
    private let port: Int
    private let folder: String
    /// Calls a second that were seen last: how many to ask for, to fill the time wanted.
    private var rates: [String: Double] = [:]
    private var bodies: [LoadCall: String] = [:]

    /// Starts the peer and waits until it takes calls.
    init(name: String, executable: String, arguments: [String], folder: String) throws {
        self.name = name
        self.folder = folder
        process = try ChildProcess(executable, arguments, name: "peer-" + name, folder: folder)
        port = try process.waitForOutput(within: 20) { output in
            output.split(separator: "\n").first { $0.hasPrefix("listening ") }.flatMap {
                Int($0.dropFirst(10))
            }
        }
    }

    func end() { process.end() }

    func load(_ call: LoadCall, _ shape: LoadShape, seconds: Double) throws -> LoadResult {
        let key = call.rawValue + shape.name
        if rates[key] == nil {
            _ = try run(call, shape, calls: max(shape.connections * shape.inFlight * 4, 1_000))
        }
        let calls = max(Int((rates[key] ?? 1_000) * seconds), shape.connections * shape.inFlight * 4)
        return try run(call, shape, calls: calls)
    }

    private func run(_ call: LoadCall, _ shape: LoadShape, calls: Int) throws -> LoadResult {
        let result = try measureCPU(of: process.pid) {
            let client = try ChildProcess(
                Programs.find("h2load"),
                [
                    "-n", "\(calls)", "-c", "\(shape.connections)", "-m", "\(shape.inFlight)", "-t", "1",
                    "-d", try bodyFile(call), "-H", "content-type: application/grpc", "-H", "te: trailers",
                    "-H", "x-caller: bench",
                    "http://127.0.0.1:\(port)/pcs.benchmark.v1.PeerService/\(method(call))",
                ], name: "h2load", folder: folder)
            try client.waitForSuccess(within: 60)
            return try check(client.output, calls: calls, smallest: LoadBodies.smallestReply(to: call))
        }
        rates[call.rawValue + shape.name] = result.callsPerSecond
        return result
    }

    private func method(_ call: LoadCall) -> String {
        switch call {
        case .echo: "Echo"
        case .read: "ReadNote"
        case .write: "WriteNote"
        }
    }

    /// gRPC's prefix and the request: the same bytes as ours in its own frame.
    private func bodyFile(_ call: LoadCall) throws -> String {
        if let path = bodies[call] { return path }
        let message = try LoadBodies.request(call)
        let count = UInt32(message.count)
        let prefix: [UInt8] = [0] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
        let path = "\(folder)/\(name)-\(call.rawValue).body"
        try Data(prefix + message).write(to: URL(fileURLWithPath: path))
        bodies[call] = path
        return path
    }

    /// h2load counts a call as succeeded by its HTTP status, which gRPC sets to 200 for failures as well: those carry no
    /// message, so the bytes of data tell.
    private func check(_ output: String, calls: Int, smallest: Int) throws -> (calls: Int, seconds: Double) {
        func number(after text: String, until end: String) -> Substring? {
            guard let start = output.range(of: text) else { return nil }
            return output[start.upperBound...].range(of: end).map { output[start.upperBound..<$0.lowerBound] }
        }
        guard output.contains("\(calls) succeeded, 0 failed, 0 errored"),
            let data = number(after: "headers (", until: " data").flatMap({ text in
                text.split(separator: "(").last?.split(separator: ")").first.flatMap { Int($0) }
            }),
            let time = number(after: "finished in ", until: ",").flatMap({ GRPCTarget.seconds(String($0)) })
        else { throw BenchError("h2load against \(name) did not end well:\n\(output)") }
        guard data >= calls * (5 + smallest) else {
            throw BenchError("\(name) answered with \(data) bytes to \(calls) calls: some were refused")
        }
        return (calls, time)
    }

    /// h2load prints `1.50s`, `488.24ms` or `900us`, and from a minute on `1m 5s`.
    private static func seconds(_ text: String) -> Double? {
        if text.hasSuffix("us") { return Double(text.dropLast(2)).map { $0 / 1e6 } }
        if text.hasSuffix("ms") { return Double(text.dropLast(2)).map { $0 / 1e3 } }
        return text.hasSuffix("s") ? Double(text.dropLast()) : nil
    }
}

/// The request messages: the same for ours and the peers, whose proto has the same fields.
enum LoadBodies {
    static let noteText = String(repeating: "n", count: 48)
    static let echoPayload = Data(repeating: 0x78, count: 64)

    static func request(_ call: LoadCall) throws -> [UInt8] {
        switch call {
        case .echo:
            var request = Pcs_Host_V1_EchoRequest()
            request.payload = echoPayload
            return try request.serializedBytes()
        case .read:
            var request = Pcs_Host_V1_ReadNoteRequest()
            request.noteNumber = 1
            return try request.serializedBytes()
        case .write:
            var request = Pcs_Host_V1_WriteNoteRequest()
            request.text = noteText
            return try request.serializedBytes()
        }
    }

    /// Bytes that a right answer has at least.
    static func smallestReply(to call: LoadCall) -> Int {
        switch call {
        case .echo: echoPayload.count
        case .read: noteText.utf8.count
        case .write: 2
        }
    }
}

/// Where programs lie.
enum Programs {
    static func find(_ name: String) throws -> String {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":") {
            let path = "\(folder)/\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        throw BenchError("\(name) is not installed")
    }
}
