import Foundation

/// How a load is spread: connections, and calls in flight on each.
struct LoadShape: Hashable {
    let connections: Int
    let inFlight: Int

    /// `1x64`.
    var name: String { "\(connections)x\(inFlight)" }

    /// The two shapes that figures are compared at.
    static let oneBy64 = LoadShape(connections: 1, inFlight: 64)
    static let many = LoadShape(connections: 32, inFlight: 8)
    static let compared = [oneBy64, many]

    /// 64 and 256 calls in flight, as the durable writes are compared.
    static let writers64 = LoadShape(connections: 8, inFlight: 8)
    static let writers256 = many
}

/// What a server is asked.
enum LoadCall: String {
    case echo, read, write
}

/// What one load showed.
struct LoadResult {
    let calls: Int
    let seconds: Double
    /// CPU of the server process a call, microseconds.
    let cpuMicroseconds: Double

    var callsPerSecond: Double { Double(calls) / seconds }
}

/// A server that can be put under load, with the client that fits it.
protocol LoadTarget: AnyObject {
    /// As it is called in the figures: `ours`, `c`, `grpc-swift`, `grpc-c++`.
    var name: String { get }
    /// Loads the server for about `seconds` and returns what came of it. Every call must have been answered rightly.
    func load(_ call: LoadCall, _ shape: LoadShape, seconds: Double) throws -> LoadResult
    func end()
}

/// CPU of a server around a piece of work, and the number of calls in it.
func measureCPU(of pid: pid_t, _ body: () throws -> (calls: Int, seconds: Double)) rethrows -> LoadResult {
    let before = ProcessMeter.cpuNanoseconds(of: pid)
    let (calls, seconds) = try body()
    let used = Double(ProcessMeter.cpuNanoseconds(of: pid) - before)
    return LoadResult(calls: calls, seconds: seconds, cpuMicroseconds: used / 1_000 / Double(max(calls, 1)))
}
