import Foundation
import PluginAPI

extension StorageCompatibility {
    // MARK: Values and statements

    static let values: [Check] = [
        Check(description: "values come back as they were stored") { _, bench in
            let database = try await bench.open()
            let texts = ["", "plain", "naïve £ 🏥 \u{0}zero", String(repeating: "long ", count: 30_000)]
            let numbers: [Int64] = [.min, -1, 0, 1, .max]
            let blobs: [[UInt8]] = [[], [0], Array(repeating: 0xFF, count: 200_000)]
            let echo = Statement("SELECT ?1, ?2, ?3, ?4")
            for text in texts {
                for number in numbers {
                    for blob in blobs {
                        let row = try database.read { reader in
                            try reader.first(echo, [.text(text), .integer(number), .blob(blob), .null]) {
                                ($0.text(0), $0.integer(1), $0.blob(2), $0.isNull(3), $0.isNull(0))
                            }
                        }
                        try expect(row?.0 == text && row?.1 == number && row?.2 == blob, "a value changed")
                        try expect(row?.3 == true && row?.4 == false, "NULL and empty were mixed up")
                    }
                }
            }
            await database.close()
        },
        Check(description: "a statement with too few or too many values is refused") { _, bench in
            let database = try await bench.open()
            for given in [[], [StoredValue.integer(1)], [.integer(1), .text("a"), .null]] {
                let error = try await failure("\(given.count) values for two") {
                    try await database.write { _ = try $0.run(Bench.insert, given) }
                }
                try expect(error is StorageError, "not a storage error: \(error)")
            }
            await database.close()
        },
        Check(description: "changed rows are counted, and rows returned by a change are read") { _, bench in
            let database = try await bench.open()
            let outcome = try await database.write { transaction in
                for number in 1...3 {
                    try transaction.run(Bench.insert, [.integer(number), .text("\(number)")])
                }
                let changed = try transaction.run(
                    Statement("UPDATE item SET note = ?1 WHERE number > 1"), [.text("n")])
                let none = try transaction.run(
                    Statement("UPDATE item SET note = ?1 WHERE number > 9"), [.text("n")])
                let again = Statement(
                    "INSERT INTO item (number, label) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                let skipped = try transaction.run(again, [.integer(1), .text("1")])
                let returned = try transaction.all(
                    Statement("INSERT INTO item (label) VALUES (?1) RETURNING number"), [.text("next")]
                ) { $0.integer(0) }
                return [changed, none, skipped, Int(returned.first ?? 0)]
            }
            try expect(outcome == [2, 0, 0, 4], "counts were \(outcome)")
            await database.close()
        },
        Check(description: "a statement can be read inside its own result") { _, bench in
            let database = try await bench.open()
            for number in 1...5 { try await Bench.add(number, to: database) }
            var pairs = 0
            try database.read { reader in
                try reader.forEach(Bench.numbers, []) { _ in
                    try reader.forEach(Bench.numbers, []) { _ in pairs += 1 }
                }
            }
            try expect(pairs == 25, "\(pairs) pairs instead of 25")
            await database.close()
        },
        Check(description: "text that holds two statements, or controls transactions, is refused") {
            _, bench in
            let database = try await bench.open()
            for sql in [
                "DELETE FROM item; DELETE FROM part", "COMMIT", " rollback", "PRAGMA synchronous = OFF", "",
            ] {
                _ = try await failure(sql) { try await database.write { _ = try $0.run(Statement(sql), []) } }
            }
            try await Bench.add(1, to: database)
            try expect(try Bench.count(database) == 1, "the writer did not go on")
            await database.close()
        },
    ]

    // MARK: Transactions

    static let transactions: [Check] = [
        Check(description: "an acknowledged write is seen by the next read") { _, bench in
            let database = try await bench.open()
            for number in 1...200 {
                try await Bench.add(number, to: database)
                try expect(try Bench.count(database) == number, "write \(number) was not seen")
            }
            await database.close()
        },
        Check(description: "a body sees its own changes, and vanishes whole when it throws") { _, bench in
            let database = try await bench.open()
            let error = try await failure("a throwing body") {
                try await database.write { transaction in
                    try transaction.run(Bench.insert, [.integer(1), .text("a")])
                    try expect(try Bench.count(transaction) == 1, "own change not seen")
                    throw Refused()
                }
            }
            try expect(error is Refused, "the body's own error was lost: \(error)")
            try expect(try Bench.count(database) == 0, "a row was left")
            await database.close()
        },
        Check(description: "of bodies that wait together, one that fails rolls back alone") { _, bench in
            let database = try await bench.open()
            let gate = Gate()
            let held = await gate.hold(database)
            let outcomes = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                for number in 1...300 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                try transaction.run(Bench.insert, [.integer(number), .text("\(number)")])
                                if number % 7 == 0 { throw Refused() }
                                if number % 11 == 0 {
                                    try transaction.run(
                                        Bench.insert, [.integer(-number), .text("\(number)")])
                                }
                            }
                            return (number, true)
                        } catch { return (number, false) }
                    }
                }
                gate.open()
                var done: Set<Int> = []
                for try await (number, succeeded) in group where succeeded { done.insert(number) }
                return done
            }
            try await held.value
            let expected = (1...300).filter { $0 % 7 != 0 && $0 % 11 != 0 }
            let stored = try database.read { try $0.all(Bench.numbers) { Int($0.integer(0)) } }
            try expect(
                stored == expected && outcomes == Set(expected), "\(stored.count) rows for \(expected.count)")
            await database.close()
        },
        Check(description: "a constraint that is checked at the end fails only the body that broke it") {
            _, bench in
            let database = try await bench.open()
            try await Bench.add(1, to: database)
            let gate = Gate()
            let held = await gate.hold(database)
            let failed = await withTaskGroup(of: Int?.self) { group in
                for number in 1...40 {
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                let item = number == 20 ? 99 : 1
                                _ = try transaction.run(Bench.insertPart, [.integer(number), .integer(item)])
                            }
                            return nil
                        } catch { return number }
                    }
                }
                gate.open()
                return await group.reduce(into: [Int]()) { if let number = $1 { $0.append(number) } }
            }
            try await held.value
            try expect(failed == [20], "failed: \(failed)")
            let sound = try database.check()
            try expect(sound.isEmpty, "check found \(sound)")
            await database.close()
        },
        Check(description: "unique, foreign key, not null and type faults are constraint errors") {
            _, bench in
            let database = try await bench.open()
            try await Bench.add(1, to: database)
            let faults: [(Statement, [StoredValue])] = [
                (Bench.insert, [.integer(2), .text("item 1")]), (Bench.insert, [.integer(3), .null]),
                (Bench.insertPart, [.integer(1), .integer(77)]),
                (
                    Statement("INSERT INTO part (number, item) VALUES (?1, ?2)"),
                    [.integer(2), .text("not a number")]
                ),
            ]
            for (statement, values) in faults {
                let error = try await failure("\(values)") {
                    try await database.write { _ = try $0.run(statement, values) }
                }
                guard case .constraint = error as? StorageError else {
                    throw Fault(description: "\(values) gave \(error)")
                }
            }
            await database.close()
        },
        Check(description: "all statements of one read see the same snapshot") { _, bench in
            let database = try await bench.open()
            try await Bench.add(1, to: database)
            let counts = try database.read { reader in
                let before = try Bench.count(reader)
                let written = DispatchSemaphore(value: 0)
                Task {
                    try await Bench.add(2, to: database)
                    written.signal()
                }
                written.wait()
                return [before, try Bench.count(reader), try Bench.highestIn(reader)]
            }
            try expect(counts == [1, 1, 1], "the snapshot moved: \(counts)")
            try expect(try Bench.count(database) == 2, "the write was lost")
            await database.close()
        },
        Check(description: "reads cannot write, and a reader kept beyond its closure is refused") {
            _, bench in
            let database = try await bench.open()
            _ = try await failure("a write through a reader") {
                try database.read { try $0.forEach(Bench.insert, [.integer(1), .text("a")]) { _ in } }
            }
            var kept: (any Reader)?
            try database.read { kept = $0 }
            _ = try await failure("a kept reader") { _ = try kept.map { try Bench.count($0) } }
            try expect(try Bench.count(database) == 0, "a row appeared")
            await database.close()
        },
    ]
}

extension StorageCompatibility.Bench {
    static func highestIn(_ reader: any Reader) throws -> Int {
        try reader.first(count) { Int($0.integer(1)) } ?? -1
    }
}
