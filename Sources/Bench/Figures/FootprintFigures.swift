import Foundation

/// How soon a host serves and how much memory it holds: with England's organisations and a year of payments loaded, as
/// it would be started again.
enum FootprintFigures: Measurement {
    static let names = ["start_ms", "idle_rss_mib", "idle_connection_kib"]
    private static let connections = 1_000

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("start and memory ...")
        let england = try await England.prepared(on: bench, .whole)
        let data = try england.copy(to: "footprint-data")
        var starts: [Double] = []
        var resident: [Double] = []
        var grown: [Double] = []
        for _ in 0..<bench.repetitions {
            let watch = Stopwatch()
            let host = try await HostUnderTest.start(on: bench, data: data)
            starts.append(watch.seconds * 1_000)
            defer { host.end() }
            usleep(500_000)
            let alone = try ProcessMeter.residentKiB(of: host.pid)
            resident.append(alone)
            let open = try (0..<connections).map { _ in try host.connect() }
            usleep(300_000)
            grown.append((try ProcessMeter.residentKiB(of: host.pid) - alone) / Double(open.count))
            withExtendedLifetime(open) {}
        }
        return [
            Figure(
                "start_ms", median(starts), "ms",
                [.init(name: "longest", value: starts.max() ?? 0, unit: "ms")]),
            Figure("idle_rss_mib", median(resident) / 1_024, "MiB"),
            Figure(
                "idle_connection_kib", median(grown), "KiB",
                [.init(name: "connections", value: Double(connections), unit: "")]),
        ]
    }
}
