import PluginAPI

/// The tables that the Host keeps in every database beside the plugin's own, so that an effect, its key, its
/// events and its audit row commit together. Their names begin with `pcs_`; plugins may not change them.
enum SystemTables {
    static let prefix = "pcs_"

    static let migrationTable = Statement(
        """
        CREATE TABLE IF NOT EXISTS pcs_migration (
            scope TEXT NOT NULL,
            version INTEGER NOT NULL,
            name TEXT NOT NULL,
            checksum BLOB NOT NULL,
            applied_at INTEGER NOT NULL,
            PRIMARY KEY (scope, version)
        ) STRICT
        """)

    /// Numbered apart from the plugin's. Never changed once released.
    static let migrations: [Migration] = [
        Migration(
            version: 1, name: "idempotency, audit, events",
            statements: [idempotency, audit, outbox, inbox, parked, parkedByKey])
    ]

    /// `request_hash` tells a repeated request from another one under the same key; `reply` is answered again
    /// as it is. The key comes first in the index: callers' keys that rise with time then fill it from one
    /// side.
    private static let idempotency = """
        CREATE TABLE pcs_idempotency (
            claim INTEGER PRIMARY KEY,
            subject TEXT NOT NULL,
            method TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            request_hash BLOB NOT NULL,
            reply BLOB NOT NULL,
            recorded_at INTEGER NOT NULL,
            UNIQUE (idempotency_key, subject, method)
        ) STRICT
        """

    private static let audit = """
        CREATE TABLE pcs_audit (
            sequence INTEGER PRIMARY KEY,
            recorded_at INTEGER NOT NULL,
            person_id TEXT,
            client_id TEXT,
            acting_for TEXT NOT NULL,
            method TEXT NOT NULL,
            object TEXT NOT NULL,
            organisation_code TEXT NOT NULL,
            outcome TEXT NOT NULL,
            detail TEXT NOT NULL,
            correlation_id TEXT NOT NULL,
            request_digest BLOB NOT NULL,
            hash BLOB NOT NULL
        ) STRICT
        """

    private static let outbox = """
        CREATE TABLE pcs_outbox (
            sequence INTEGER PRIMARY KEY,
            event_type TEXT NOT NULL,
            event_key TEXT NOT NULL,
            payload BLOB NOT NULL,
            occurred_at INTEGER NOT NULL
        ) STRICT
        """

    /// Up to where the events of a type have been dealt with: taken effect, or put into `pcs_parked`.
    private static let inbox = """
        CREATE TABLE pcs_inbox (
            publisher TEXT NOT NULL,
            event_type TEXT NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (publisher, event_type)
        ) STRICT
        """

    /// Events that have not taken effect although the inbox is past them. The lowest sequence of a key is the
    /// one that failed (`attempts` > 0); the others of the key wait behind it.
    private static let parked = """
        CREATE TABLE pcs_parked (
            publisher TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            event_type TEXT NOT NULL,
            event_key TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            failure TEXT NOT NULL,
            parked_at INTEGER NOT NULL,
            PRIMARY KEY (publisher, sequence)
        ) STRICT
        """

    private static let parkedByKey =
        "CREATE INDEX pcs_parked_by_key ON pcs_parked (publisher, event_key, sequence)"
}
