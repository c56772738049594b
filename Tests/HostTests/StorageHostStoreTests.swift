import Foundation
import Host
import HostContract
import PluginAPI
import StorageSQLite
import SwiftProtobuf
import Testing

@Suite("A plugin's store")
struct StorageHostStoreTests {
    @Test("effect, key, event and audit row commit together, and a failing body leaves none of them")
    func together() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        let reply = try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("k")) {
            transaction in
            try transaction.run(StorageWorkbench.insert, [.integer(1), .text("one")])
            try transaction.publish(Pcs_Host_V1_EchoReply.with { $0.number = 1 }, key: "a")
            transaction.audit(AuditNote(object: "item/1", organisation: "A81001", detail: "added"))
            return Pcs_Host_V1_WriteNoteReply.with { $0.noteNumber = 1 }
        }
        #expect(reply.reply.noteNumber == 1)
        #expect(!reply.replayed)
        await #expect(throws: Refused.self) {
            _ = try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("other")) {
                transaction -> Pcs_Host_V1_WriteNoteReply in
                try transaction.run(StorageWorkbench.insert, [.integer(2), .text("two")])
                try transaction.publish(Pcs_Host_V1_EchoReply(), key: "a")
                throw Refused()
            }
        }
        #expect(try StorageWorkbench.items(store) == 1)
        #expect(try store.outboxHead() == 1)
        #expect(try store.storedReply(for: StorageWorkbench.claim("other")) == nil)
        let rows = try store.auditRows(from: 1, limit: 10)
        #expect(rows.count == 1)
        #expect(rows.first?.note == AuditNote(object: "item/1", organisation: "A81001", detail: "added"))
        #expect(rows.first?.act == StorageWorkbench.act())
        #expect(try store.auditRows(from: 1, limit: 10, organisation: "B82001").isEmpty)
        #expect(try store.verifyAudit().isWhole)
        await store.close()
    }

    @Test(
        "the same key and request get the same bytes again and no second effect; another request is refused")
    func replay() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        let write: @Sendable (any Transaction) throws -> Pcs_Host_V1_ReadNoteReply = { transaction in
            let number = try transaction.first(StorageWorkbench.count) { $0.integer(0) } ?? 0
            try transaction.run(StorageWorkbench.insert, [.integer(number + 1), .text("item \(number)")])
            return .with {
                $0.noteNumber = number + 1
                $0.text = transaction.newIdentifier()
            }
        }
        let first = try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("k"), write)
        let again = try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("k"), write)
        #expect(again.replayed)
        #expect(again.reply == first.reply)
        let stored = try #require(try store.storedReply(for: StorageWorkbench.claim("k")))
        let sent: [UInt8] = try first.reply.serializedBytes()
        #expect(stored.reply == sent)
        #expect(try StorageWorkbench.items(store) == 1)
        for attempt in [0, 1] {
            let error = await #expect(throws: Failure.self) {
                let other = StorageWorkbench.claim("k", request: 2)
                if attempt == 0 { _ = try store.storedReply(for: other) }
                _ = try await store.commit(StorageWorkbench.act(), key: other, write)
            }
            #expect(error?.reason == HostReasons.idempotencyKeyReused)
        }
        await store.close()
        let reopened = try await bench.store()
        #expect(try reopened.storedReply(for: StorageWorkbench.claim("k"))?.reply == sent)
        await reopened.close()
    }

    @Test("of many calls with one key at the same time, one takes effect and all get its reply")
    func race() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        let replies = try await withThrowingTaskGroup(of: Committed<Pcs_Host_V1_WriteNoteReply>.self) {
            group in
            for number in 1...100 {
                group.addTask {
                    try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("k")) {
                        transaction in
                        try transaction.run(StorageWorkbench.insert, [.integer(number), .text("\(number)")])
                        return .with { $0.noteNumber = Int64(number) }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(replies.map(\.reply.noteNumber)).count == 1)
        #expect(replies.filter { !$0.replayed }.count == 1)
        #expect(try StorageWorkbench.items(store) == 1)
        await store.close()
    }

    @Test("keys are kept a week, then purged; audit and events stay")
    func purge() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        for key in 1...25 {
            _ = try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("old \(key)")) {
                transaction in
                try transaction.publish(Pcs_Host_V1_EchoReply(), key: "a")
                return Pcs_Host_V1_WriteNoteReply()
            }
        }
        bench.clock.advance(seconds: 7 * 86_400 - 1)
        #expect(try await store.purgeIdempotencyKeys(step: 10) == 0)
        _ = try await store.commit(StorageWorkbench.act(), key: StorageWorkbench.claim("new")) { _ in
            Pcs_Host_V1_WriteNoteReply()
        }
        bench.clock.advance(seconds: 2)
        #expect(try await store.purgeIdempotencyKeys(step: 10) == 25)
        #expect(try store.storedReply(for: StorageWorkbench.claim("old 3")) == nil)
        #expect(try store.storedReply(for: StorageWorkbench.claim("new")) != nil)
        #expect(try store.outboxHead() == 25)
        #expect(try store.verifyAudit().entries == 26)
        await store.close()
    }

    @Test("a plugin's statement cannot change the Host's tables")
    func guarded() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        for sql in [
            "DELETE FROM pcs_audit", "update PCS_outbox set event_key = ''", "DROP TABLE \"pcs_inbox\"",
        ] {
            await #expect(throws: StorageError.self) {
                try await store.write(actor: "job/test") { try $0.run(Statement(sql), []) }
            }
        }
        await store.close()
    }

    @Test("a job that changes something leaves a row with its name; one that finds nothing to do leaves none")
    func jobs() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        _ = try await store.write(actor: "job/idle") {
            try $0.first(StorageWorkbench.count) { $0.integer(0) }
        }
        try await store.write(actor: "job/busy") {
            _ = try $0.run(StorageWorkbench.insert, [.integer(1), .text("a")])
        }
        try await store.record(
            StorageWorkbench.act("test/Refused"), outcome: .refused, detail: "ACCESS_DENIED: no role")
        let rows = try store.auditRows(from: 1, limit: 10)
        #expect(rows.map(\.act.method) == ["job/busy", "test/Refused"])
        #expect(rows.map(\.outcome) == ["done", "refused"])
        await store.close()
    }

    @Test("identifiers have 26 characters and rise, also within a millisecond and when the clock steps back")
    func identifiers() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        var all: [String] = []
        for step in 0..<5 {
            if step == 3 { bench.clock.advance(seconds: -5) }
            all += try await store.write(actor: "job") { transaction in
                (0..<200).map { _ in transaction.newIdentifier() }
            }
            bench.clock.advance(seconds: 1)
        }
        #expect(all == all.sorted())
        #expect(Set(all).count == 1_000)
        #expect(all.allSatisfy { $0.count == 26 })
        await store.close()
    }

    // MARK: Migrations

    @Test("migrations run once, in order of version, and later ones are added")
    func migrations() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        let more = Migration(version: 7, name: "note", statements: ["ALTER TABLE item ADD COLUMN note TEXT"])
        let between = Migration(
            version: 3, name: "part", statements: ["CREATE TABLE part (number INTEGER PRIMARY KEY) STRICT"])
        #expect(try await store.migrate(StorageWorkbench.migrations + [more]) == 2)
        #expect(try await store.migrate(StorageWorkbench.migrations + [more]) == 2)
        #expect(try await store.migrate([more, between] + StorageWorkbench.migrations) == 3)
        #expect(try store.appliedVersions() == [1, 3, 7])
        await store.close()
    }

    @Test("a newer schema, a changed migration and a version used twice are refused, and nothing is changed")
    func migrationRefusals() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        let extra = Migration(
            version: 2, name: "extra", statements: ["CREATE TABLE extra (number INTEGER PRIMARY KEY) STRICT"])
        _ = try await store.migrate(StorageWorkbench.migrations + [extra])
        let changed = Migration(
            version: 2, name: "extra", statements: ["CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT"])
        let third = Migration(
            version: 3, name: "third", statements: ["CREATE TABLE third (number INTEGER PRIMARY KEY) STRICT"])
        for refused in [
            StorageWorkbench.migrations + [third], StorageWorkbench.migrations + [changed, third],
            [extra, extra],
        ] {
            await #expect(throws: StorageError.self) { _ = try await store.migrate(refused) }
        }
        #expect(try store.appliedVersions() == [1, 2])
        await store.close()
    }

    @Test("a migration that fails half way leaves nothing of itself")
    func failingMigration() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        let broken = Migration(
            version: 2, name: "broken",
            statements: [
                "CREATE TABLE half (number INTEGER PRIMARY KEY) STRICT", "INSERT INTO nowhere (a) VALUES (1)",
            ])
        await #expect(throws: StorageError.self) {
            _ = try await store.migrate(StorageWorkbench.migrations + [broken])
        }
        #expect(throws: StorageError.self) {
            _ = try store.read { try $0.all(Statement("SELECT number FROM half")) { _ in } }
        }
        #expect(try await store.migrate(StorageWorkbench.migrations) == 1)
        await store.close()
    }
}
