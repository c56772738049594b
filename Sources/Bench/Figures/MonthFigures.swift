import Foundation

/// England's month: from the call to the reply of `CalculateRun`, all lines with their explanations durably stored; and
/// the same with ten times the practices. Each calculation is the first of its month on a fresh copy of the loaded
/// data.
enum MonthFigures: Measurement {
    static let names = ["run_month_s", "run_month_10x_ratio"]
    /// Ten times England is measured as often as this allows, and at least three times.
    private static let secondsForTenfold = 75.0

    static func run(on bench: Workbench) async throws -> [Figure] {
        var figures: [Figure] = []
        if bench.options.wants(["run_month_s"]) {
            bench.report.note("England's month ...")
            let england = try await England.prepared(on: bench, .whole)
            var months: [England.Month] = []
            for _ in 0..<bench.repetitions { months.append(try await england.firstMonth(on: bench)) }
            figures.append(month(months))
        }
        if bench.options.wants(["run_month_10x_ratio"]) {
            bench.report.note("ten times England ...")
            let one = try await England.prepared(on: bench, .onceWithoutRegister)
            let ten = try await England.prepared(on: bench, .tenTimesWithoutRegister)
            var once: [England.Month] = []
            var tenfold: [England.Month] = []
            let watch = Stopwatch()
            while tenfold.count < bench.repetitions, tenfold.count < 3 || watch.seconds < secondsForTenfold {
                once.append(try await one.firstMonth(on: bench))
                tenfold.append(try await ten.firstMonth(on: bench))
            }
            figures.append(ratio(tenfold, once))
        }
        return figures
    }

    private static func month(_ months: [England.Month]) -> Figure {
        Figure(
            "run_month_s", median(months.map(\.seconds)), "s",
            [
                .init(name: "statements", value: Double(months.last?.statements ?? 0), unit: ""),
                .init(name: "lines", value: Double(months.last?.lines ?? 0), unit: ""),
                .init(name: "calculation in the host", value: median(months.map(\.hostSeconds)), unit: "s"),
                .init(name: "longest", value: months.map(\.seconds).max() ?? 0, unit: "s"),
            ])
    }

    private static func ratio(_ tenfold: [England.Month], _ once: [England.Month]) -> Figure {
        Figure(
            "run_month_10x_ratio", medianRatio(tenfold.map(\.seconds), once.map(\.seconds)), "x",
            [
                .init(name: "once", value: median(once.map(\.seconds)), unit: "s"),
                .init(name: "ten times", value: median(tenfold.map(\.seconds)), unit: "s"),
                .init(name: "once in the host", value: median(once.map(\.hostSeconds)), unit: "s"),
                .init(name: "ten times in the host", value: median(tenfold.map(\.hostSeconds)), unit: "s"),
                .init(name: "statements", value: Double(tenfold.last?.statements ?? 0), unit: ""),
                .init(name: "repetitions", value: Double(tenfold.count), unit: ""),
            ])
    }
}
