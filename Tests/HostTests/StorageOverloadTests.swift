import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import StorageSQLite
import Testing

@Suite("A writer with a full queue")
struct StorageOverloadTests {
    @Test(
        "refuses a call as overload that was not started, and takes it under the same key afterwards",
        arguments: [TestHost.Fidelity.inProcess, .unixSocket, .tcp])
    func refused(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            let transport = try await host.transport(fidelity, as: officer)
            let table = try host.process.dispatcher().table
            let store = try #require(table.entry(for: TrialPlugin.note.path)).slot.store.current()
            let database = store.database
            let audited = try store.verifyAudit().entries
            let options = CallOptions(timeoutMilliseconds: 20_000, idempotencyKey: "overload")

            let held = try await HeldWriter.hold(database)
            let waiting = (0..<SQLiteEngine.queueLimit).map { _ in Task { try await database.write { _ in } } }
            try await until { database.statistics.queueLength == SQLiteEngine.queueLimit }
            let refused = await failure {
                _ = try await transport.trial(TrialPlugin.note, text: "overload", options: options)
            }
            #expect(refused?.reason == HostReasons.overloaded)
            #expect(refused?.reason.code == .resourceExhausted)
            #expect(refused?.progress == .notStarted)
            try await held.letGo()
            for write in waiting { try await write.value }
            #expect(try Self.notes(store) == 0)
            #expect(try store.verifyAudit().entries == audited)

            let reply = try await transport.trial(TrialPlugin.note, text: "overload", options: options)
            #expect(reply.text == "overload")
            #expect(try Self.notes(store) == 1)
            #expect(try store.verifyAudit().entries == audited + 1)
        }
    }

    private static func notes(_ store: any Store) throws -> Int64 {
        try store.read { try $0.first(Statement("SELECT count(*) FROM note")) { $0.integer(0) } ?? 0 }
    }
}
