/// Results with what they stand on. A result is stored once; one that comes out the same again is not.
enum CalculationTables {
    static let statements = [
        // `inputs` holds the national figures used, with their sources.
        """
        CREATE TABLE calculation_run (
            seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, service_code TEXT NOT NULL,
            service_version INTEGER NOT NULL, achievement_date TEXT NOT NULL, state INTEGER NOT NULL,
            providers INTEGER NOT NULL, line_count INTEGER NOT NULL, incomplete INTEGER NOT NULL, changed INTEGER NOT NULL,
            unchanged INTEGER NOT NULL, total_pence INTEGER NOT NULL, points_hundredths INTEGER NOT NULL,
            mean_before_pence INTEGER NOT NULL, movement_basis_points INTEGER NOT NULL, calculated_by TEXT NOT NULL,
            calculated_at INTEGER NOT NULL, released_by TEXT NOT NULL, released_at INTEGER, inputs BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX calculation_run_by_service ON calculation_run (service_code, achievement_date, seq)",
        // `state`: 1 complete, 2 figures missing. `body` holds the lines in compact form.
        """
        CREATE TABLE calculation (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, provider_code TEXT NOT NULL,
            run_seq INTEGER NOT NULL REFERENCES calculation_run (seq), state INTEGER NOT NULL,
            points_hundredths INTEGER NOT NULL, maximum_hundredths INTEGER NOT NULL, total_pence INTEGER NOT NULL,
            population_id INTEGER NOT NULL, figures_sha256 BLOB NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (service_code, achievement_date, provider_code, run_seq)
        ) STRICT
        """,
        """
        CREATE TABLE aspiration (
            provider_code TEXT NOT NULL, financial_year TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES reference_load (seq),
            prior_pence INTEGER NOT NULL, monthly_pence INTEGER NOT NULL, agreed_by TEXT NOT NULL, source TEXT NOT NULL,
            explanation BLOB NOT NULL, PRIMARY KEY (provider_code, financial_year, seq)
        ) STRICT
        """,
        """
        CREATE TABLE recalculation_proposal (
            proposal_id TEXT PRIMARY KEY NOT NULL, service_code TEXT NOT NULL, achievement_date TEXT NOT NULL,
            provider_code TEXT NOT NULL, run_seq INTEGER NOT NULL REFERENCES calculation_run (seq), cause TEXT NOT NULL,
            raised_at INTEGER NOT NULL, closed_by_run INTEGER
        ) STRICT
        """,
        "CREATE INDEX recalculation_proposal_by_result ON recalculation_proposal (service_code, achievement_date, provider_code)",
    ]
}
