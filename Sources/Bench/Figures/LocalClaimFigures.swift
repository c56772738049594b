/// Claims of many providers in one file, as a commissioner of local services sends them: over the protocol, checked,
/// stored; then reviewed by a second person and approved by Tier 2.
enum LocalClaimFigures: Measurement {
    static let names = ["local_claims_per_s"]

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("a hundred thousand local claims ...")
        let file = try await LocalClaimFile(on: bench)
        var measured: [LocalClaimFile.Measured] = []
        for _ in 0..<bench.repetitions { measured.append(try await file.measure()) }
        let claims = Double(measured.last?.claims ?? 0)
        return [
            Figure(
                "local_claims_per_s", median(measured.map { Double($0.claims) / $0.uploadSeconds }), "/s",
                [
                    .init(name: "claims", value: claims, unit: ""),
                    .init(name: "file", value: Double(file.bytes) / Double(1 << 20), unit: "MiB"),
                    .init(name: "took", value: median(measured.map(\.uploadSeconds)), unit: "s"),
                    .init(
                        name: "CPU of the host", value: median(measured.map(\.cpuSeconds)) / claims * 1e6,
                        unit: "µs a claim"),
                    .init(name: "review of all", value: median(measured.map(\.reviewSeconds)), unit: "s"),
                    .init(
                        name: "Tier 2's approval of all", value: median(measured.map(\.approveSeconds)),
                        unit: "s"),
                ])
        ]
    }
}
