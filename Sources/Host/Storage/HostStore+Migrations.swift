import Crypto
package import PluginAPI

extension HostStore {
    private struct Applied {
        var version: Int
        var name: String
        var checksum: [UInt8]
    }

    /// Brings the schema up to date: the Host's own tables first, then those of the plugin. Each migration is
    /// one transaction, recorded with a checksum of its statements.
    ///
    /// - Returns: the schema version: how many of the plugin's migrations are applied.
    /// - Throws: `StorageError.unusable` when the file has a migration that this program does not know (a
    ///   newer program wrote it), when one that was applied has been changed since, or when versions repeat.
    ///   Nothing is changed then.
    package func migrate(_ migrations: [Migration]) async throws -> Int {
        try await database.write { _ = try $0.run(SystemTables.migrationTable, []) }
        let systemPending = try pending(SystemTables.migrations, scope: "system")
        let ownPending = try pending(migrations, scope: "own")
        for migration in systemPending { try await apply(migration, scope: "system") }
        for migration in ownPending { try await apply(migration, scope: "own") }
        return migrations.count
    }

    /// Migrations of one scope that the file has, by version.
    package func appliedVersions() throws -> [Int] { try applied(scope: "own").map(\.version) }

    private func applied(scope: String) throws -> [Applied] {
        try read { reader in
            try reader.all(HostStore.selectApplied, [.text(scope)]) { row in
                Applied(version: Int(row.integer(0)), name: row.text(1), checksum: row.blob(2))
            }
        }
    }

    private func pending(_ migrations: [Migration], scope: String) throws -> [Migration] {
        var known: [Int: Migration] = [:]
        for migration in migrations {
            guard known.updateValue(migration, forKey: migration.version) == nil else {
                throw StorageError.unusable(
                    message: "database \(name): two migrations have version \(migration.version)")
            }
        }
        for applied in try applied(scope: scope) {
            guard let migration = known.removeValue(forKey: applied.version) else {
                throw StorageError.unusable(
                    message: "database \(name) has migration \(applied.version) (\(applied.name)), "
                        + "which this program does not know: it was written by a newer one")
            }
            guard HostStore.checksum(of: migration) == applied.checksum else {
                throw StorageError.unusable(
                    message: "database \(name): migration \(applied.version) (\(applied.name)) "
                        + "is not the one that was applied; a released migration is never changed")
            }
        }
        return known.values.sorted { $0.version < $1.version }
    }

    private func apply(_ migration: Migration, scope: String) async throws {
        let now = clock.now
        try await database.write { sql in
            for statement in migration.statements { try sql.run(Statement(statement), []) }
            let values: [StoredValue] = [
                .text(scope), .integer(migration.version), .text(migration.name),
                .blob(HostStore.checksum(of: migration)), .instant(now),
            ]
            try sql.run(HostStore.insertApplied, values)
        }
        logger.info(
            "migrated",
            metadata: [
                "store": "\(name)", "scope": "\(scope)", "version": "\(migration.version)",
                "name": "\(migration.name)",
            ])
    }

    /// Over the statements with their lengths; a better name for a migration is no change of it.
    static func checksum(of migration: Migration) -> [UInt8] {
        var hash = SHA256()
        for statement in migration.statements {
            withUnsafeBytes(of: UInt64(statement.utf8.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(statement.utf8))
        }
        return Array(hash.finalize())
    }

    private static let selectApplied = Statement(
        "SELECT version, name, checksum FROM pcs_migration WHERE scope = ?1 ORDER BY version")
    private static let insertApplied = Statement(
        "INSERT INTO pcs_migration (scope, version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)")
}
