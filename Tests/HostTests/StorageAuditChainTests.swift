import Foundation
import Host
import HostContract
import PluginAPI
import Testing

@Suite("The audit chain")
struct StorageAuditChainTests {
    /// What somebody with the file and a SQL shell could do.
    static func tamper(_ store: HostStore, _ sql: String) async throws {
        try await store.database.write { transaction in
            for statement in sql.split(separator: ";") {
                try transaction.run(Statement(String(statement)), [])
            }
        }
    }

    static func write(_ number: Int, to store: HostStore, failing: Bool = false, notes: Int = 1) async throws
    {
        _ = try await store.commit(StorageWorkbench.act(), key: nil) { transaction in
            try transaction.run(StorageWorkbench.insert, [.integer(number), .text("item \(number)")])
            for note in 0..<notes {
                transaction.audit(AuditNote(object: "item/\(number)", detail: "note \(note)"))
            }
            if failing { throw Refused() }
            return Pcs_Host_V1_WriteNoteReply()
        }
    }

    @Test("stays whole while bodies of the same groups fail")
    func failures() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        await withTaskGroup(of: Void.self) { group in
            for number in 1...600 {
                group.addTask {
                    try? await Self.write(
                        number / 2 * 2, to: store, failing: number % 3 == 0, notes: number % 4)
                }
            }
        }
        let verified = try store.verifyAudit()
        #expect(verified.isWhole)
        let rows = try store.auditRows(from: 1, limit: 10_000)
        #expect(rows.map(\.sequence) == Array(1...Int64(rows.count)))
        #expect(Set(rows.map(\.note.object)).subtracting([""]).count <= (try StorageWorkbench.items(store)))
        await store.close()
        let reopened = try await bench.store()
        try await Self.write(5_001, to: reopened)
        #expect(try reopened.verifyAudit().isWhole)
        #expect(try reopened.verifyAudit().entries == verified.entries + 1)
        await reopened.close()
    }

    @Test("in a group in which one body fails, the others' rows follow each other without a gap")
    func failureInsideAGroup() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        try await Self.write(1, to: store)
        for round in 0..<3 {
            let before = store.statistics
            let held = try await HeldWriter.hold(store.database)
            let calls = (0..<20).map { place in
                Task {
                    // What fails has written its item already; every fifth writes no note, every fourth two.
                    try await Self.write(
                        100 * (round + 1) + place, to: store, failing: place == 7,
                        notes: place % 5 == 0 ? 0 : place % 4 == 0 ? 2 : 1)
                }
            }
            try await until { store.statistics.queueLength == 20 }
            try await held.letGo()
            for (place, call) in calls.enumerated() {
                if place == 7 {
                    await #expect(throws: Refused.self) { try await call.value }
                } else {
                    try await call.value
                }
            }
            // The held body, and the twenty in one.
            #expect(store.statistics.commits == before.commits + 2)
        }
        // Each of the nineteen writes a row, and those at 4, 8, 12 and 16 a second one.
        let perRound = 19 + 4
        #expect(try StorageWorkbench.items(store) == 1 + 3 * 19)
        let verified = try store.verifyAudit()
        #expect(verified.isWhole)
        #expect(verified.entries == Int64(1 + 3 * perRound))
        #expect(
            try store.auditRows(from: 1, limit: 1_000).map(\.sequence) == Array(1...verified.entries))
        await store.close()
    }

    static let child = Statement(
        """
        CREATE TABLE IF NOT EXISTS child (
            number INTEGER REFERENCES item (number) DEFERRABLE INITIALLY DEFERRED
        ) STRICT
        """)

    @Test("goes on behind what is in the file when a row that was written is rolled back with its body")
    func rolledBackBehindTheRow() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        try await Self.write(1, to: store)
        // Refused at the commit: the audit row is written already, and vanishes with the body.
        let key = IdempotencyClaim(subject: "s", method: "m", key: "k", requestHash: [])
        for round in 2...4 {
            await #expect(throws: (any Error).self) {
                _ = try await store.commit(StorageWorkbench.act(), key: key) { transaction in
                    try transaction.run(Self.child, [])
                    try transaction.run(Statement("INSERT INTO child (number) VALUES (?1)"), [.integer(99)])
                    return Pcs_Host_V1_WriteNoteReply()
                }
            }
            try await Self.write(round, to: store)
            #expect(try store.verifyAudit().isWhole)
        }
        #expect(try store.verifyAudit().entries == 4)
        await store.close()
    }

    @Test(
        "a row that is changed, removed or put in is found",
        arguments: [
            "UPDATE pcs_audit SET detail = 'other' WHERE sequence = 5",
            "UPDATE pcs_audit SET person_id = NULL WHERE sequence = 5",
            "UPDATE pcs_audit SET recorded_at = recorded_at + 1 WHERE sequence = 5",
            "UPDATE pcs_audit SET outcome = 'refused' WHERE sequence = 5",
            "UPDATE pcs_audit SET hash = zeroblob(32) WHERE sequence = 5",
            "DELETE FROM pcs_audit WHERE sequence = 5",
            "DELETE FROM pcs_audit WHERE sequence = 5; UPDATE pcs_audit SET sequence = sequence - 1 WHERE sequence > 4",
        ])
    func tampered(sql: String) async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        for number in 1...10 { try await Self.write(number, to: store) }
        #expect(try store.verifyAudit().isWhole)
        try await Self.tamper(store, sql)
        let found = try store.verifyAudit()
        #expect(found.brokenAt == 5)
        await store.close()
    }

    @Test("rows cut off the end while the host runs are found, and the chain is not continued over the cut")
    func cut() async throws {
        let bench = try StorageWorkbench()
        let store = try await bench.store()
        for number in 1...10 { try await Self.write(number, to: store) }
        try await Self.tamper(store, "DELETE FROM pcs_audit WHERE sequence > 7")
        #expect(try store.verifyAudit().brokenAt == 8)
        await #expect(throws: StorageError.self) { try await Self.write(11, to: store) }
        #expect(try StorageWorkbench.items(store) == 10)
        await store.close()
    }

    @Test("another store's rows do not fit")
    func otherStore() async throws {
        let bench = try StorageWorkbench()
        let first = try await bench.store("first")
        try await Self.write(1, to: first)
        let second = try await bench.store("second")
        try await Self.write(1, to: second)
        #expect(try first.verifyAudit().lastHash != second.verifyAudit().lastHash)
        await first.close()
        await second.close()
    }
}
