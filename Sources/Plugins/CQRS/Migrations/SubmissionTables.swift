/// Counts as they were sent, and the windows for sending them.
enum SubmissionTables {
    static let statements = [
        // One row a file loaded or an entry made by hand.
        """
        CREATE TABLE submission (
            seq INTEGER PRIMARY KEY, submission_id TEXT NOT NULL UNIQUE, format INTEGER NOT NULL, source INTEGER NOT NULL,
            file_name TEXT NOT NULL, sha256 TEXT NOT NULL, services TEXT NOT NULL, row_count INTEGER NOT NULL,
            providers INTEGER NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL, unchanged INTEGER NOT NULL,
            kept_manual INTEGER NOT NULL, reason TEXT NOT NULL, submitted_by TEXT NOT NULL, submitted_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX submission_by_hash ON submission (format, sha256)",
        "CREATE TABLE cell_name (cell_id INTEGER PRIMARY KEY, indicator_code TEXT NOT NULL, field TEXT NOT NULL) STRICT",
        "CREATE UNIQUE INDEX cell_name_by_name ON cell_name (indicator_code, field)",
        // The cells that one submission brought for one provider and day, in compact form.
        """
        CREATE TABLE count_set (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, provider_code TEXT NOT NULL,
            seq INTEGER NOT NULL REFERENCES submission (seq), body BLOB NOT NULL,
            PRIMARY KEY (service_code, achievement_date, provider_code, seq)
        ) STRICT
        """,
        """
        CREATE TABLE stated_points (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, provider_code TEXT NOT NULL,
            seq INTEGER NOT NULL REFERENCES submission (seq), body BLOB NOT NULL,
            PRIMARY KEY (service_code, achievement_date, provider_code, seq)
        ) STRICT
        """,
        """
        CREATE TABLE default_confirmation (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, provider_code TEXT NOT NULL, seq INTEGER NOT NULL,
            confirmed_by TEXT NOT NULL, confirmed_at INTEGER NOT NULL,
            PRIMARY KEY (service_code, achievement_date, provider_code, seq)
        ) STRICT
        """,
        """
        CREATE TABLE collection_window (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL,
            load_seq INTEGER NOT NULL REFERENCES reference_load (seq), extract_from TEXT, extract_to TEXT, manual_from TEXT,
            manual_to TEXT, declare_by TEXT, approve_by TEXT, pay_on TEXT,
            PRIMARY KEY (service_code, achievement_date, load_seq)
        ) STRICT
        """,
        """
        CREATE TABLE entry_unlock (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, provider_code TEXT NOT NULL, number INTEGER NOT NULL,
            open_until TEXT NOT NULL, unlocked_by TEXT NOT NULL, unlocked_at INTEGER NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (service_code, achievement_date, provider_code, number)
        ) STRICT
        """,
        """
        CREATE TABLE figures_seen (
            number INTEGER PRIMARY KEY, service_code TEXT NOT NULL, achievement_date TEXT NOT NULL,
            provider_code TEXT NOT NULL, figures_sha256 TEXT NOT NULL, seen_by TEXT NOT NULL, acting_for TEXT NOT NULL,
            seen_at INTEGER NOT NULL
        ) STRICT
        """,
    ]
}
