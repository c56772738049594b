/// Definitions, national figures, populations: what calculations stand on.
enum DefinitionTables {
    static let statements = [
        """
        CREATE TABLE reference_load (
            seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            row_count INTEGER NOT NULL, recorded_by TEXT NOT NULL, recorded_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX reference_load_by_hash ON reference_load (kind, sha256)",
        // The definition itself is its three files, in the form in which they are loaded.
        """
        CREATE TABLE service (
            code TEXT NOT NULL, version INTEGER NOT NULL, state INTEGER NOT NULL, financial_year TEXT NOT NULL,
            payment_type INTEGER NOT NULL, start_on TEXT NOT NULL, end_on TEXT NOT NULL, sha256 TEXT NOT NULL,
            service_file BLOB NOT NULL, indicator_file BLOB NOT NULL, tariff_file BLOB NOT NULL,
            loaded_by TEXT NOT NULL, loaded_at INTEGER NOT NULL, published_by TEXT NOT NULL, published_at INTEGER,
            PRIMARY KEY (code, version)
        ) STRICT
        """,
        """
        CREATE TABLE service_step (
            code TEXT NOT NULL, version INTEGER NOT NULL, number INTEGER NOT NULL, state INTEGER NOT NULL,
            taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (code, version, number)
        ) STRICT
        """,
        """
        CREATE TABLE national_constant (
            version INTEGER PRIMARY KEY, load_seq INTEGER NOT NULL REFERENCES reference_load (seq),
            name TEXT NOT NULL, group_code TEXT NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT, value TEXT NOT NULL,
            confidence INTEGER NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL
        ) STRICT
        """,
        // The value is in 10^-decimals.
        """
        CREATE TABLE population (
            population_id INTEGER PRIMARY KEY, load_seq INTEGER NOT NULL REFERENCES reference_load (seq),
            base INTEGER NOT NULL, group_code TEXT NOT NULL, as_of TEXT NOT NULL, organisation_code TEXT NOT NULL,
            value INTEGER NOT NULL, decimals INTEGER NOT NULL, source TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX population_by_day ON population (base, as_of, organisation_code, population_id)",
        "CREATE INDEX population_by_organisation ON population (organisation_code, base, as_of, population_id)",
    ]
}
