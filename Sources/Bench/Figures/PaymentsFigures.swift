import CommonContract
import Foundation
import PaymentsContract
import PluginAPI

/// A month of every kind of line: how long its calculation takes from call to reply, all of it durable with its
/// explanations; how much memory the host comes to hold; and the same with ten times the data.
enum FullMonthFigures: Measurement {
    static let names = ["full_month_s", "full_month_rss_mib", "full_month_10x_ratio"]
    private static let repetitionsOfTenfold = 2

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("a full month of England ...")
        let one = try await FullMonth(on: bench, factor: 1)
        var once: [FullMonth.Measured] = []
        for _ in 0..<bench.repetitions { once.append(try await one.measure()) }
        var figures = [
            Figure(
                "full_month_s", median(once.map(\.seconds)), "s",
                [
                    .init(name: "statements", value: Double(once.last?.statements ?? 0), unit: ""),
                    .init(name: "lines", value: Double(once.last?.lines ?? 0), unit: ""),
                    .init(name: "before the last step", value: median(once.map(\.hostSeconds)), unit: "s"),
                    .init(name: "longest", value: once.map(\.seconds).max() ?? 0, unit: "s"),
                ]),
            Figure("full_month_rss_mib", median(once.map(\.mostMemory)), "MiB"),
        ]
        guard bench.options.wants(["full_month_10x_ratio"]) else { return figures }
        bench.report.note("ten times a full month ...")
        let ten = try await FullMonth(on: bench, factor: 10)
        var pairs: [(once: FullMonth.Measured, tenfold: FullMonth.Measured)] = []
        for _ in 0..<repetitionsOfTenfold { pairs.append((try await one.measure(), try await ten.measure())) }
        figures.append(
            Figure(
                "full_month_10x_ratio", medianRatio(pairs.map(\.tenfold.seconds), pairs.map(\.once.seconds)),
                "x",
                [
                    .init(name: "once", value: median(pairs.map(\.once.seconds)), unit: "s"),
                    .init(name: "ten times", value: median(pairs.map(\.tenfold.seconds)), unit: "s"),
                    .init(name: "before the last step", value: median(pairs.map(\.tenfold.hostSeconds)), unit: "s"),
                    .init(name: "lines", value: Double(pairs.last?.tenfold.lines ?? 0), unit: ""),
                    .init(name: "memory", value: median(pairs.map(\.tenfold.mostMemory)), unit: "MiB"),
                ]))
        return figures
    }
}

/// Ophthalmic claims as practice systems send them: over the protocol, checked, stored.
enum ClaimFigures: Measurement {
    static let names = ["gos_claims_per_s"]

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("a million ophthalmic claims ...")
        let measured = try await ClaimFlood.measure(on: bench)
        return [
            Figure(
                "gos_claims_per_s", Double(measured.claims) / measured.seconds, "/s",
                [
                    .init(name: "claims", value: Double(measured.claims), unit: ""),
                    .init(name: "took", value: measured.seconds, unit: "s"),
                    .init(
                        name: "CPU of the host", value: measured.cpuSeconds / Double(measured.claims) * 1e6,
                        unit: "µs a claim"),
                ])
        ]
    }
}

/// What a person waits for in front of a screen: the check of a large file, a practice's six years.
enum WaitingFigures: Measurement {
    static let names = ["variation_20k_s", "statement_history_ms"]

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("a large file of variations, and six years of statements ...")
        let office = try await PaidYears(on: bench)
        var figures: [Figure] = []
        if bench.options.wants(["variation_20k_s"]) {
            let files = try await office.measureVariations(repetitions: bench.repetitions)
            figures.append(
                Figure(
                    "variation_20k_s", max(median(files.faulty), median(files.sound)), "s",
                    [
                        .init(name: "with a fault in every row", value: median(files.faulty), unit: "s"),
                        .init(name: "faults", value: Double(files.faults), unit: ""),
                        .init(name: "without a fault", value: median(files.sound), unit: "s"),
                    ]))
        }
        if bench.options.wants(["statement_history_ms"]) {
            let history = try await office.measureHistory(repetitions: 20 * bench.repetitions)
            figures.append(
                Figure(
                    "statement_history_ms", median(history.list), "ms",
                    [
                        .init(name: "statements", value: Double(history.statements), unit: ""),
                        .init(name: "with all lines of all months", value: median(history.lines), unit: "ms"),
                        .init(name: "longest", value: history.list.max() ?? 0, unit: "ms"),
                    ]))
        }
        return figures
    }
}
