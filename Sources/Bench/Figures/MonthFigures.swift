import Foundation

/// England's month: from the call to the reply of `CalculateRun`, all lines with their explanations durably stored; and
/// the same with ten times the practices. Each calculation is the first of its month on a fresh copy of the loaded
/// data.
enum MonthFigures: Measurement {
    static let names = ["run_month_s", "run_month_10x_ratio"]
    /// Ten times England is measured as often as this allows, and at least three times.
    private static let secondsForTenfold = 75.0

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("England's month ...")
        let england = try await England.prepared(on: bench, times: 1)
        var figures: [Figure] = []
        var single: [Double] = []
        var paired: [Double] = []
        var tenfold: [Double] = []
        var last: England.Month?
        if bench.options.wants(["run_month_10x_ratio"]) {
            bench.report.note("ten times England ...")
            let ten = try await England.prepared(on: bench, times: 10)
            let watch = Stopwatch()
            while tenfold.count < bench.repetitions, tenfold.count < 3 || watch.seconds < secondsForTenfold {
                let month = try await england.firstMonth(on: bench)
                last = month
                single.append(month.seconds)
                paired.append(month.seconds)
                tenfold.append(try await ten.firstMonth(on: bench).seconds)
            }
            ten.remove()
            figures.append(
                Figure(
                    "run_month_10x_ratio", medianRatio(tenfold, paired), "x",
                    [
                        .init(name: "once", value: median(paired), unit: "s"),
                        .init(name: "ten times", value: median(tenfold), unit: "s"),
                        .init(name: "repetitions", value: Double(tenfold.count), unit: ""),
                    ]))
        }
        while single.count < bench.repetitions {
            let month = try await england.firstMonth(on: bench)
            last = month
            single.append(month.seconds)
        }
        figures.insert(
            Figure(
                "run_month_s", median(single), "s",
                [
                    .init(name: "statements", value: Double(last?.statements ?? 0), unit: ""),
                    .init(name: "lines", value: Double(last?.lines ?? 0), unit: ""),
                    .init(name: "of it calculating and storing", value: last?.hostSeconds ?? 0, unit: "s"),
                    .init(name: "longest", value: single.max() ?? 0, unit: "s"),
                ]), at: 0)
        return figures
    }
}
