package import PluginAPI

/// The Host's own tables for operating it: which plugins are disabled, how jobs ended, notes of the
/// diagnostics.
package enum LifecycleTables {
    package static let migrations: [Migration] = [
        Migration(
            version: 300, name: "plugin switches, job outcomes, diagnostic notes",
            statements: [
                """
                CREATE TABLE plugin_switch (
                    name TEXT PRIMARY KEY,
                    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
                    because TEXT NOT NULL,
                    changed_by TEXT NOT NULL,
                    changed_at INTEGER NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE job_outcome (
                    plugin TEXT NOT NULL,
                    name TEXT NOT NULL,
                    started_at INTEGER NOT NULL,
                    ended_at INTEGER NOT NULL,
                    succeeded INTEGER NOT NULL CHECK (succeeded IN (0, 1)),
                    outcome TEXT NOT NULL,
                    PRIMARY KEY (plugin, name)
                ) STRICT
                """,
                """
                CREATE TABLE diagnostic_note (
                    note_number INTEGER PRIMARY KEY,
                    text TEXT NOT NULL
                ) STRICT
                """,
            ])
    ]
}

/// Whether a plugin is enabled, as an operator last said. A plugin without a row is enabled.
struct PluginSwitch: Sendable {
    let enabled: Bool
    let because: String

    private static let select = Statement("SELECT enabled, because FROM plugin_switch WHERE name = ?1")
    private static let upsert = Statement(
        """
        INSERT INTO plugin_switch (name, enabled, because, changed_by, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled, because = excluded.because,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at
        """)

    static func find(_ name: String, in reader: any Reader) throws -> PluginSwitch? {
        try reader.first(select, [.text(name)]) { PluginSwitch(enabled: $0.bool(0), because: $0.text(1)) }
    }

    func keep(_ name: String, by actor: String, in transaction: any Transaction) throws {
        let values: [StoredValue] = [
            .text(name), .integer(enabled ? 1 : 0), .text(because), .text(actor), .instant(transaction.now),
        ]
        try transaction.run(PluginSwitch.upsert, values)
    }
}
