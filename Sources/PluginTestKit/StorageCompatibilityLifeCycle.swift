import Foundation
import PluginAPI

extension StorageCompatibility {
    // MARK: Opening, closing, limits

    static let lifeCycle: [Check] = [
        Check(description: "a full queue refuses, and what it refused did not happen") { _, bench in
            let database = try await bench.open()
            let gate = Gate()
            let held = await gate.hold(database)
            let sent = 20_000
            let (stored, refused) = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 1...sent {
                    group.addTask {
                        do {
                            try await Bench.add(number, to: database)
                            return true
                        } catch StorageError.overloaded { return false }
                    }
                }
                group.addTask {
                    while database.statistics.queueLength == 0 { await Task.yield() }
                    try await Task.sleep(for: .milliseconds(300))
                    gate.open()
                    return true
                }
                var counts = (stored: -1, refused: 0)
                for try await succeeded in group {
                    if succeeded { counts.stored += 1 } else { counts.refused += 1 }
                }
                return counts
            }
            try await held.value
            try expect(
                stored + refused == sent && refused > 0, "\(stored) stored and \(refused) refused of \(sent)")
            try expect(try Bench.count(database) == stored, "rows and acknowledgements differ")
            await database.close()
        },
        Check(description: "closing waits for what is queued and refuses the rest") { _, bench in
            let database = try await bench.open()
            let gate = Gate()
            let held = await gate.hold(database)
            let writes = Task {
                await withTaskGroup(of: Bool.self) { group in
                    for number in 1...50 {
                        group.addTask { (try? await Bench.add(number, to: database)) != nil }
                    }
                    return await group.reduce(into: 0) { if $1 { $0 += 1 } }
                }
            }
            while database.statistics.queueLength < 50 { await Task.yield() }
            async let closed: Void = database.close()
            gate.open()
            await closed
            try await held.value
            let done = await writes.value
            try expect(done == 50, "\(done) of 50 queued writes were done")
            await database.close()
            let error = try await failure("a write to a closed database") {
                try await Bench.add(51, to: database)
            }
            try expect(error as? StorageError == .closed, "\(error)")
            let readError = try await failure("a read of a closed database") { _ = try Bench.count(database) }
            try expect(readError as? StorageError == .closed, "\(readError)")
            let again = try bench.engine.open("store")
            try expect(try Bench.count(again) == 50, "rows are missing after opening again")
            await again.close()
        },
        Check(description: "databases are listed by name, once each, and never opened twice at a time") {
            _, bench in
            try expect(try bench.engine.existing().isEmpty, "a new engine knows databases")
            let first = try await bench.open("alpha")
            let second = try await bench.open("beta-2")
            try expect(try bench.engine.existing().sorted() == ["alpha", "beta-2"], "wrong names")
            _ = try await failure("a second opening") { _ = try bench.engine.open("alpha") }
            for name in ["", "../alpha", "Alpha", "a/b", "a.b", String(repeating: "a", count: 65)] {
                _ = try await failure("the name \(name)") { _ = try bench.engine.open(name) }
            }
            await first.close()
            await second.close()
        },
        Check(description: "a folder belongs to one engine while a database in it is open") { suite, bench in
            let database = try await bench.open()
            let other = try suite.makeEngine(bench.root + "/data")
            _ = try await failure("another engine") { _ = try other.open("store") }
            await database.close()
            let after = try other.open("store")
            await after.close()
        },
        Check(description: "many threads read while one writes") { _, bench in
            let database = try await bench.open()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var last = 0
                        for _ in 0..<200 {
                            let (count, highest) = try database.read {
                                (try Bench.count($0), try Bench.highestIn($0))
                            }
                            try expect(count == highest && count >= last, "a read saw half a state")
                            last = count
                            await Task.yield()
                        }
                    }
                }
                group.addTask { for number in 1...300 { try await Bench.add(number, to: database) } }
                try await group.waitForAll()
            }
            await database.close()
        },
    ]

    // MARK: Backup and restore

    static let backups: [Check] = [
        Check(description: "a live backup holds one moment of all databases and all that was acknowledged") {
            _, bench in
            let first = try await bench.open("first")
            let second = try await bench.open("second")
            let acknowledged = Progress()
            // Each number goes to `first`, and only then to `second`.
            let writing = Task {
                var number = 0
                while !Task.isCancelled {
                    number += 1
                    try await Bench.add(number, to: first)
                    try await Bench.add(number, to: second)
                    await acknowledged.reached(number)
                }
            }
            for round in 1...4 {
                while await acknowledged.number < round * 40 { await Task.yield() }
                let folder = bench.root + "/copy-\(round)"
                let before = await acknowledged.number
                let files = try await bench.engine.backup([first, second], to: folder)
                try expect(Set(files.keys) == ["first", "second"], "wrong files: \(files)")
                let copies = try bench.engine.engine(in: folder)
                let copyOfFirst = try copies.open("first")
                let copyOfSecond = try copies.open("second")
                let counts = (try Bench.count(copyOfFirst), try Bench.count(copyOfSecond))
                try expect(counts.1 >= before, "\(before) acknowledged, \(counts.1) in the copy")
                try expect((0...1).contains(counts.0 - counts.1), "effect without cause: \(counts)")
                try expect(try Bench.highest(copyOfFirst) == counts.0, "a hole in the copy")
                try expect(
                    try copyOfFirst.check().isEmpty && copyOfSecond.check().isEmpty, "a copy is not sound")
                await copyOfFirst.close()
                await copyOfSecond.close()
            }
            writing.cancel()
            _ = try await writing.value
            await first.close()
            await second.close()
        },
        Check(description: "a restore brings back the moment of the backup, and needs the database closed") {
            _, bench in
            let database = try await bench.open()
            for number in 1...10 { try await Bench.add(number, to: database) }
            let folder = bench.root + "/copy"
            _ = try await bench.engine.backup([database], to: folder)
            for number in 11...20 { try await Bench.add(number, to: database) }
            _ = try await failure("restoring an open database") {
                try bench.engine.restore("store", from: folder)
            }
            await database.close()
            try bench.engine.restore("store", from: folder)
            let restored = try bench.engine.open("store")
            try expect(try Bench.count(restored) == 10, "\(try Bench.count(restored)) rows instead of 10")
            try await Bench.add(11, to: restored)
            await restored.close()
            let again = try bench.engine.open("store")
            try expect(try Bench.count(again) == 11, "the restored database does not keep writes")
            await again.close()
        },
    ]

    private actor Progress {
        private(set) var number = 0
        func reached(_ number: Int) { self.number = number }
    }
}
