import PluginAPI

/// The schema of the documents store, forward only. Bytes live here too, so that a backup has them.
enum DocumentsMigrations {
    static let all: [Migration] = [
        Migration(version: 1, name: "uploads and documents", statements: documents),
        Migration(version: 2, name: "readers, holds and destructions", statements: care),
        Migration(version: 3, name: "rules", statements: rules),
    ]

    private static let documents = [
        """
        CREATE TABLE upload (
            upload_id TEXT PRIMARY KEY NOT NULL, state INTEGER NOT NULL, kind TEXT NOT NULL, file_name TEXT NOT NULL,
            file_type INTEGER NOT NULL, size INTEGER NOT NULL, confirmed INTEGER NOT NULL, organisation TEXT NOT NULL,
            record_area TEXT NOT NULL, record_kind TEXT NOT NULL, record_id TEXT NOT NULL, started_by TEXT NOT NULL,
            started_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, document_id TEXT NOT NULL, refused TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX upload_by_state ON upload (state, expires_at)",
        "CREATE INDEX upload_by_record ON upload (record_area, record_kind, record_id)",
        """
        CREATE TABLE piece (
            upload_id TEXT NOT NULL REFERENCES upload (upload_id), position INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (upload_id, position)
        ) STRICT
        """,
        """
        CREATE TABLE document (
            document_id TEXT PRIMARY KEY NOT NULL, upload_id TEXT NOT NULL UNIQUE REFERENCES upload (upload_id),
            state INTEGER NOT NULL, kind TEXT NOT NULL, file_name TEXT NOT NULL, file_type INTEGER NOT NULL,
            size INTEGER NOT NULL, sha256 TEXT NOT NULL, organisation TEXT NOT NULL, uploaded_by TEXT NOT NULL,
            uploaded_at INTEGER NOT NULL, retain_by_kind TEXT NOT NULL, identifiers INTEGER NOT NULL,
            confirmation TEXT NOT NULL, scan_finding TEXT NOT NULL, version INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX document_by_state ON document (state, document_id)",
        """
        CREATE TABLE scan_claim (
            claim_id TEXT PRIMARY KEY NOT NULL, document_id TEXT NOT NULL REFERENCES document (document_id),
            scanner TEXT NOT NULL, claimed_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, reported_at INTEGER,
            verdict INTEGER NOT NULL, engine TEXT NOT NULL, finding TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX scan_claim_by_document ON scan_claim (document_id, ends_at)",
    ]

    private static let care = [
        """
        CREATE TABLE reader_list (
            document_id TEXT NOT NULL REFERENCES document (document_id), version INTEGER NOT NULL,
            record_area TEXT NOT NULL, record_kind TEXT NOT NULL, record_id TEXT NOT NULL,
            record_organisation TEXT NOT NULL, retain_until TEXT, stated_by TEXT NOT NULL, from_at INTEGER NOT NULL,
            PRIMARY KEY (document_id, version)
        ) STRICT
        """,
        "CREATE INDEX reader_list_by_record ON reader_list (record_area, record_kind, record_id)",
        """
        CREATE TABLE reader (
            document_id TEXT NOT NULL, version INTEGER NOT NULL, number INTEGER NOT NULL, role INTEGER NOT NULL,
            organisation TEXT NOT NULL, PRIMARY KEY (document_id, version, number),
            FOREIGN KEY (document_id, version) REFERENCES reader_list (document_id, version)
        ) STRICT
        """,
        """
        CREATE TABLE hold (
            document_id TEXT NOT NULL REFERENCES document (document_id), number INTEGER NOT NULL,
            placed_by TEXT NOT NULL, placed_at INTEGER NOT NULL, reason TEXT NOT NULL, lifted_by TEXT,
            lifted_at INTEGER, lift_reason TEXT, PRIMARY KEY (document_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE destruction (
            destruction_id TEXT PRIMARY KEY NOT NULL, state INTEGER NOT NULL, reason TEXT NOT NULL,
            proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT, decided_at INTEGER,
            decision_reason TEXT
        ) STRICT
        """,
        """
        CREATE TABLE destruction_item (
            destruction_id TEXT NOT NULL REFERENCES destruction (destruction_id),
            document_id TEXT NOT NULL REFERENCES document (document_id), PRIMARY KEY (destruction_id, document_id)
        ) STRICT
        """,
    ]

    private static let rules = [
        """
        CREATE TABLE rule_set (
            set_id TEXT PRIMARY KEY NOT NULL, rule_table INTEGER NOT NULL, state INTEGER NOT NULL,
            file_name TEXT NOT NULL, sha256 TEXT NOT NULL, row_count INTEGER NOT NULL, reason TEXT NOT NULL,
            proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT, decided_at INTEGER,
            decision_reason TEXT, body BLOB NOT NULL
        ) STRICT
        """
    ]
}
