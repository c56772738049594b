import Foundation
import Host
import HostContract
import PluginAPI
import StorageSQLite
import Synchronization
import Testing

@Suite("Backup and restore")
struct BackupTests {
    static func keeper(_ bench: StorageWorkbench, _ stores: [HostStore]) -> BackupKeeper {
        BackupKeeper(
            folder: bench.root + "/backups", engine: bench.engine, clock: bench.clock, logger: bench.logger
        ) { stores }
    }

    static func add(_ numbers: ClosedRange<Int>, to store: HostStore) async throws {
        for number in numbers {
            try await store.write(actor: "job/add") { transaction in
                _ = try transaction.run(StorageWorkbench.insert, [.integer(number), .text("item \(number)")])
            }
        }
    }

    static let still = BackupKeeper.Surroundings(quiesce: {}, reopen: {})

    @Test("a backup names every file with its hash and audit head, and verifies")
    func manifest() async throws {
        let bench = try StorageWorkbench()
        let stores = [try await bench.store("host"), try await bench.store("payments")]
        try await Self.add(1...20, to: stores[0])
        try await Self.add(1...5, to: stores[1])
        let keeper = Self.keeper(bench, stores)
        let taken = try await keeper.create(named: "first")
        #expect(taken.files.map(\.store) == ["host", "payments"])
        #expect(taken.files.map(\.auditEntries) == [20, 5])
        #expect(taken.files.allSatisfy { $0.sha256.count == 64 && $0.bytes > 0 && $0.migrations == [1] })
        #expect(keeper.verifiedAt("first") == taken.takenAt)
        bench.clock.advance(seconds: 5)
        #expect(try await keeper.verify("first") == taken)
        #expect(keeper.verifiedAt("first") == bench.clock.now)
        #expect(try keeper.list() == [taken])
        bench.clock.advance(seconds: 60)
        let unnamed = try await keeper.create()
        #expect(try keeper.list().map(\.name).contains(unnamed.name))
        let left = try FileManager.default.contentsOfDirectory(atPath: bench.root + "/backups").filter {
            $0.hasPrefix(".")
        }
        #expect(left.isEmpty)
        for (name, reason) in [("first", HostReasons.alreadyExists), ("../x", HostReasons.fieldInvalid)] {
            let error = await #expect(throws: Failure.self) { _ = try await keeper.create(named: name) }
            #expect(error?.reason == reason)
        }
        let missing = await #expect(throws: Failure.self) { _ = try await keeper.verify("none") }
        #expect(missing?.reason == HostReasons.notFound)
        for store in stores { await store.close() }
    }

    @Test("taken while two stores are written, each copy has what the other one rests on")
    func consistent() async throws {
        let bench = try StorageWorkbench()
        let (giver, taker) = (try await bench.store("giver"), try await bench.store("taker"))
        let pump = EventPump(logger: bench.logger)
        pump.register(publisher: giver)
        pump.register(subscriber: taker, subscriptions: [EventsPumpTests.subscription()])
        pump.start()
        let acknowledged = Mutex(0)
        let writing = Task {
            var number = 0
            while !Task.isCancelled {
                number += 1
                try await EventsPumpTests.publish(number, key: "k", from: giver)
                acknowledged.withLock { [number] in $0 = number }
            }
        }
        let keeper = Self.keeper(bench, [giver, taker])
        for round in 1...3 {
            while acknowledged.withLock({ $0 }) < round * 100 { await Task.yield() }
            let before = acknowledged.withLock { $0 }
            _ = try await keeper.create(named: "round-\(round)")
            let copies = SQLiteEngine(folder: bench.root + "/backups/round-\(round)")
            let copyOfGiver = HostStore(
                database: try copies.open("giver"), clock: bench.clock, logger: bench.logger)
            let copyOfTaker = HostStore(
                database: try copies.open("taker"), clock: bench.clock, logger: bench.logger)
            let published = try copyOfGiver.outboxHead()
            let received = Int64(try StorageWorkbench.items(copyOfTaker))
            #expect(published >= before)
            #expect(received <= published)
            #expect(try copyOfTaker.position(of: "giver", type: EventsPumpTests.type) == received)
            await copyOfGiver.close()
            await copyOfTaker.close()
        }
        writing.cancel()
        try await writing.value
        await pump.stop()
        await giver.close()
        await taker.close()
    }

    @Test("a restore brings the stores back to the backup, keeps the state before, and the same stores go on")
    func restore() async throws {
        let bench = try StorageWorkbench()
        let stores = [try await bench.store("host"), try await bench.store("payments")]
        let keeper = Self.keeper(bench, stores)
        for store in stores { try await Self.add(1...10, to: store) }
        _ = try await keeper.create(named: "ten")
        for store in stores { try await Self.add(11...30, to: store) }
        let steps = Mutex<[String]>([])
        let surroundings = BackupKeeper.Surroundings(
            quiesce: { steps.withLock { $0.append("quiesce") } },
            reopen: { steps.withLock { $0.append("reopen") } })
        let (restored, safety) = try await keeper.restore("ten", with: surroundings)
        #expect(restored.name == "ten")
        #expect(steps.withLock { $0 } == ["quiesce", "reopen"])
        for store in stores {
            #expect(try StorageWorkbench.items(store) == 10)
            try await Self.add(11...12, to: store)
            #expect(try store.verifyAudit().isWhole)
            #expect(try store.verifyAudit().entries == 12)
        }
        _ = try await keeper.restore(safety, with: Self.still)
        #expect(try stores.map(StorageWorkbench.items) == [30, 30])
        for store in stores { await store.close() }
    }

    @Test("a backup whose file, manifest or audit was changed does not verify, and is not restored")
    func damaged() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store("host")
        try await Self.add(1...50, to: store)
        let keeper = Self.keeper(bench, [store])
        for name in ["bytes", "manifest", "missing"] { _ = try await keeper.create(named: name) }
        let folder = bench.root + "/backups/"
        let file = try #require(FileHandle(forUpdatingAtPath: folder + "bytes/host.sqlite"))
        try file.seek(toOffset: 5_000)
        try file.write(contentsOf: Data([1, 2, 3]))
        try file.close()
        let text = try String(contentsOfFile: folder + "manifest/manifest.json", encoding: .utf8)
        try text.replacingOccurrences(of: "\"auditEntries\" : 50", with: "\"auditEntries\" : 49")
            .write(toFile: folder + "manifest/manifest.json", atomically: true, encoding: .utf8)
        try FileManager.default.removeItem(atPath: folder + "missing/host.sqlite")
        for name in ["bytes", "manifest", "missing"] {
            #expect(keeper.verifiedAt(name) != nil)
            for attempt in 0..<2 {
                let error = await #expect(throws: Failure.self) {
                    if attempt == 0 { _ = try await keeper.verify(name) }
                    _ = try await keeper.restore(name, with: Self.still)
                }
                #expect(error?.reason == HostReasons.backupInvalid)
                #expect(keeper.verifiedAt(name) == nil)
            }
        }
        #expect(try StorageWorkbench.items(store) == 50)
        await store.close()
    }

    @Test("a backup is not taken of a store whose audit chain was tampered with")
    func tamperedChain() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store("host")
        try await Self.add(1...5, to: store)
        try await StorageAuditChainTests.tamper(store, "UPDATE pcs_audit SET detail = 'x' WHERE sequence = 2")
        let error = await #expect(throws: Failure.self) {
            _ = try await Self.keeper(bench, [store]).create(named: "bad")
        }
        #expect(error?.reason == HostReasons.backupInvalid)
        await store.close()
    }

    @Test("an exchange that a crash interrupted is finished at the next start")
    func interrupted() async throws {
        let bench = try StorageWorkbench()
        let stores = [try await bench.store("host"), try await bench.store("payments")]
        let keeper = Self.keeper(bench, stores)
        for store in stores { try await Self.add(1...3, to: store) }
        _ = try await keeper.create(named: "three")
        for store in stores { try await Self.add(4...9, to: store) }
        for store in stores { await store.close() }
        // As the crash leaves it: the mark is there, one file is exchanged.
        try Data(#"{"backup":"three"}"#.utf8).write(
            to: URL(fileURLWithPath: bench.root + "/backups/.restoring"))
        try bench.engine.restore("host", from: bench.root + "/backups/three")
        #expect(try keeper.finishInterruptedRestore() == "three")
        #expect(try keeper.finishInterruptedRestore() == nil)
        let reopened = [try await bench.store("host"), try await bench.store("payments")]
        #expect(try reopened.map(StorageWorkbench.items) == [3, 3])
        for store in reopened { await store.close() }
    }
}
