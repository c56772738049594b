import PluginTestKit
import StorageSQLite
import Testing

@Test("SQLite is a storage engine", arguments: StorageCompatibility.checks)
func compatible(_ check: StorageCompatibility.Check) async throws {
    await #expect(throws: Never.self) {
        try await check.run(StorageCompatibility { SQLiteEngine(folder: $0) })
    }
}
