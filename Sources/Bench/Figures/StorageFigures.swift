import Foundation
import Synchronization

/// The store alone: group commit against one transaction for each write on raw SQLite: same disk, same
/// rows, same look-ups and hash.
enum StorageFigures: Measurement {
    static let names = [
        "durable_write_64_vs_single", "durable_write_256_vs_single", "lone_write_vs_raw_commit",
    ]
    private static let seconds = 0.8

    static func run(on bench: Workbench) async throws -> [Figure] {
        bench.report.note("durable writes ...")
        let raw = try await rawNotes(on: bench)
        let store = try await StorageSubject(folder: try bench.newFolder("store"))
        let numbers = Numbers()
        var single: [Writes] = []
        var rowsOnly: [Writes] = []
        var lone: [Writes] = []
        var by64: [Writes] = []
        var by256: [Writes] = []
        _ = try writeRaw(raw, .same)
        _ = try await write(store, callers: 64, numbers)
        for _ in 0..<bench.repetitions {
            single.append(try writeRaw(raw, .same))
            rowsOnly.append(try writeRaw(raw, .rowsOnly))
            lone.append(try await write(store, callers: 1, numbers))
            by64.append(try await write(store, callers: 64, numbers))
            by256.append(try await write(store, callers: 256, numbers))
        }
        try store.check(writes: numbers.taken)
        await store.close()

        func grouped(_ name: String, _ writes: [Writes]) -> Figure {
            Figure(
                name, medianRatio(writes.map(\.perSecond), single.map(\.perSecond)), "x",
                [
                    .init(name: "ours", value: median(writes.map(\.perSecond)), unit: "writes/s"),
                    .init(name: "ours p50", value: median(writes.map(\.p50)) * 1e6, unit: "us"),
                    .init(name: "single", value: median(single.map(\.perSecond)), unit: "writes/s"),
                    .init(name: "single of rows only", value: median(rowsOnly.map(\.perSecond)), unit: "writes/s"),
                    .init(
                        name: "ratio to rows only",
                        value: medianRatio(writes.map(\.perSecond), rowsOnly.map(\.perSecond)), unit: "x"),
                ])
        }
        return [
            grouped("durable_write_64_vs_single", by64), grouped("durable_write_256_vs_single", by256),
            Figure(
                "lone_write_vs_raw_commit", medianRatio(lone.map(\.p50), single.map(\.p50)), "x",
                [
                    .init(name: "ours p50", value: median(lone.map(\.p50)) * 1e6, unit: "us"),
                    .init(name: "raw p50", value: median(single.map(\.p50)) * 1e6, unit: "us"),
                    .init(name: "rows only p50", value: median(rowsOnly.map(\.p50)) * 1e6, unit: "us"),
                    .init(
                        name: "ratio to rows only", value: medianRatio(lone.map(\.p50), rowsOnly.map(\.p50)),
                        unit: "x"),
                ]),
        ]
    }

    /// What a time of writing showed.
    private struct Writes {
        let perSecond: Double
        /// Median time of a write, seconds.
        let p50: Double
    }

    /// Numbers of the writes: no two are the same.
    private final class Numbers: Sendable {
        private let last = Atomic<Int64>(0)
        var taken: Int64 { last.load(ordering: .relaxed) }
        func next() -> Int64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    /// A file with the same tables, made by a store and then left to raw SQLite.
    private static func rawNotes(on bench: Workbench) async throws -> RawNotes {
        let folder = try bench.newFolder("raw-store")
        let maker = try await StorageSubject(folder: folder)
        await maker.close()
        guard
            let file = SystemFiles.names(in: folder).first(where: {
                $0.hasPrefix("bench.") && !$0.contains("-")
            })
        else { throw BenchError("the store made no file in \(folder)") }
        return try RawNotes(path: "\(folder)/\(file)")
    }

    private static func writeRaw(_ notes: RawNotes, _ work: RawNotes.Work) throws -> Writes {
        var times: [Double] = []
        let watch = Stopwatch()
        while watch.seconds < seconds {
            let write = Stopwatch()
            try notes.write(work)
            times.append(write.seconds)
        }
        return Writes(perSecond: Double(times.count) / watch.seconds, p50: median(times))
    }

    /// Each caller writes again as soon as its write is durable.
    private static func write(_ store: StorageSubject, callers: Int, _ numbers: Numbers) async throws
        -> Writes
    {
        let watch = Stopwatch()
        let times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var times: [Double] = []
                    while watch.seconds < seconds {
                        let write = Stopwatch()
                        try await store.write(number: numbers.next())
                        times.append(write.seconds)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return Writes(perSecond: Double(times.count) / watch.seconds, p50: median(times))
    }
}
