import Foundation

/// The Quality and Outcomes Framework of England from the first byte of its extract to the last stored result; and the
/// same for ten times the practices.
enum FrameworkFigures: Measurement {
    static let names = ["qof_england_s", "qof_england_10x_ratio"]
    private static let repetitionsOfTenfold = 2

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("the quality framework of England ...")
        let one = try await QualityEngland(on: bench, practices: QualityEngland.practicesOfEngland)
        var once: [QualityEngland.Measured] = []
        for _ in 0..<bench.repetitions { once.append(try await one.measure()) }
        var figures = [
            Figure(
                "qof_england_s", median(once.map(\.seconds)), "s",
                [
                    .init(name: "practices", value: Double(once.last?.providers ?? 0), unit: ""),
                    .init(name: "rows", value: Double(once.last?.rows ?? 0), unit: ""),
                    .init(name: "lines", value: Double(once.last?.lines ?? 0), unit: ""),
                    .init(name: "loading", value: median(once.map(\.loadSeconds)), unit: "s"),
                    .init(name: "calculating", value: median(once.map(\.calculateSeconds)), unit: "s"),
                ])
        ]
        guard bench.options.wants(["qof_england_10x_ratio"]) else { return figures }
        bench.report.note("ten times the quality framework ...")
        let ten = try await QualityEngland(on: bench, practices: 10 * QualityEngland.practicesOfEngland)
        var pairs: [(once: QualityEngland.Measured, tenfold: QualityEngland.Measured)] = []
        for _ in 0..<repetitionsOfTenfold { pairs.append((try await one.measure(), try await ten.measure())) }
        figures.append(
            Figure(
                "qof_england_10x_ratio", medianRatio(pairs.map(\.tenfold.seconds), pairs.map(\.once.seconds)),
                "x",
                [
                    .init(name: "once", value: median(pairs.map(\.once.seconds)), unit: "s"),
                    .init(name: "ten times", value: median(pairs.map(\.tenfold.seconds)), unit: "s"),
                    .init(
                        name: "loading ten times", value: median(pairs.map(\.tenfold.loadSeconds)), unit: "s"),
                    .init(
                        name: "calculating ten times", value: median(pairs.map(\.tenfold.calculateSeconds)),
                        unit: "s"),
                ]))
        return figures
    }
}

/// Declarations of all networks of England, approved and summed in one session of bulk calls, durable.
enum DeclarationFigures: Measurement {
    static let names = ["declare_england_s"]

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("declarations of all networks ...")
        let networks = try await NetworkDeclarations(on: bench)
        var measured: [NetworkDeclarations.Measured] = []
        for _ in 0..<bench.repetitions { measured.append(try await networks.measure()) }
        return [
            Figure(
                "declare_england_s", median(measured.map(\.approveSeconds)), "s",
                [
                    .init(name: "declarations", value: Double(measured.last?.declarations ?? 0), unit: ""),
                    .init(name: "networks summed", value: Double(measured.last?.networks ?? 0), unit: ""),
                    .init(name: "calls", value: Double(measured.last?.calls ?? 0), unit: ""),
                    .init(
                        name: "finance approval of the sums", value: median(measured.map(\.financeSeconds)),
                        unit: "s"),
                    .init(name: "longest", value: measured.map(\.approveSeconds).max() ?? 0, unit: "s"),
                ])
        ]
    }
}
