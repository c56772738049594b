/// CQRS Local: services that commissioners define, contracts, windows, claims, bulk uploads and their payment.
enum LocalTables {
    static let schemes = [
        // `body` is the definition as the contract's message; each definition is a version of its own.
        """
        CREATE TABLE local_service (
            service_id TEXT NOT NULL, version INTEGER NOT NULL, owner_code TEXT NOT NULL, state INTEGER NOT NULL,
            sha256 TEXT NOT NULL, body BLOB NOT NULL, defined_by TEXT NOT NULL, defined_at INTEGER NOT NULL,
            published_by TEXT NOT NULL, published_at INTEGER, PRIMARY KEY (service_id, version)
        ) STRICT
        """,
        "CREATE INDEX local_service_by_owner ON local_service (owner_code, service_id, version)",
        """
        CREATE TABLE local_service_share (
            service_id TEXT NOT NULL, version INTEGER NOT NULL, commissioner_code TEXT NOT NULL,
            PRIMARY KEY (commissioner_code, service_id, version)
        ) STRICT
        """,
        // The row with the highest number holds.
        """
        CREATE TABLE local_budget (
            number INTEGER PRIMARY KEY, service_id TEXT NOT NULL, commissioner_code TEXT NOT NULL,
            financial_year TEXT NOT NULL, pence INTEGER NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL,
            set_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX local_budget_by_service ON local_budget (service_id, commissioner_code, financial_year, number)",
    ]

    static let contracts = [
        """
        CREATE TABLE local_contract (
            contract_id TEXT PRIMARY KEY NOT NULL, commissioner_code TEXT NOT NULL, name TEXT NOT NULL,
            is_offer INTEGER NOT NULL, start_on TEXT NOT NULL, end_on TEXT NOT NULL, paper_reference TEXT NOT NULL,
            made_by TEXT NOT NULL, made_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX local_contract_by_commissioner ON local_contract (commissioner_code, contract_id)",
        // An empty component = every one of the service.
        """
        CREATE TABLE local_contract_item (
            contract_id TEXT NOT NULL, service_id TEXT NOT NULL, component_id TEXT NOT NULL,
            PRIMARY KEY (contract_id, service_id, component_id)
        ) STRICT
        """,
        "CREATE INDEX local_contract_item_by_service ON local_contract_item (service_id, contract_id)",
        """
        CREATE TABLE local_contract_provider (
            contract_id TEXT NOT NULL, provider_code TEXT NOT NULL, kind INTEGER NOT NULL, provider_group TEXT NOT NULL,
            state INTEGER NOT NULL, bulk_agreed INTEGER NOT NULL, reason TEXT NOT NULL, answered_by TEXT NOT NULL,
            answered_at INTEGER, ended_on TEXT, PRIMARY KEY (contract_id, provider_code)
        ) STRICT
        """,
        "CREATE INDEX local_contract_provider_by_provider ON local_contract_provider (provider_code, contract_id)",
        """
        CREATE TABLE local_contract_step (
            number INTEGER PRIMARY KEY, contract_id TEXT NOT NULL, provider_code TEXT NOT NULL,
            from_state INTEGER NOT NULL, to_state INTEGER NOT NULL, taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE local_window (
            window_id TEXT PRIMARY KEY NOT NULL, service_id TEXT NOT NULL, activity_from TEXT NOT NULL,
            activity_to TEXT NOT NULL, opens_on TEXT NOT NULL, closes_on TEXT NOT NULL, late_until TEXT,
            set_by TEXT NOT NULL, set_at INTEGER NOT NULL, withdrawn_by TEXT NOT NULL, withdrawn_at INTEGER,
            withdrawn_reason TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX local_window_by_service ON local_window (service_id, activity_from)",
        """
        CREATE TABLE local_window_extension (
            number INTEGER PRIMARY KEY, window_id TEXT NOT NULL, provider_code TEXT NOT NULL, open_until TEXT NOT NULL,
            reason TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX local_window_extension_by_window ON local_window_extension (window_id, provider_code)",
    ]

    static let claims = [
        // `bulk_number` and `file_number` 0 = none; persons empty = not yet; `multi_level` 1 = the provider has an approver.
        """
        CREATE TABLE local_claim (
            number INTEGER PRIMARY KEY, claim_id TEXT NOT NULL, service_id TEXT NOT NULL, provider_code TEXT NOT NULL,
            commissioner_code TEXT NOT NULL, window_id TEXT NOT NULL, state INTEGER NOT NULL, route INTEGER NOT NULL,
            pence INTEGER NOT NULL, band INTEGER NOT NULL, version INTEGER NOT NULL, lines_version INTEGER NOT NULL,
            bulk_number INTEGER NOT NULL, file_number INTEGER NOT NULL, attempt INTEGER NOT NULL,
            multi_level INTEGER NOT NULL, late INTEGER NOT NULL, prepared_by TEXT NOT NULL, submitted_by TEXT NOT NULL,
            tier1_by TEXT NOT NULL, tier2_by TEXT NOT NULL, finance_by TEXT NOT NULL, note TEXT NOT NULL,
            figures_sha256 TEXT NOT NULL, submitted_on TEXT, approved_on TEXT, paid_on TEXT
        ) STRICT
        """,
        "CREATE UNIQUE INDEX local_claim_by_id ON local_claim (claim_id)",
        "CREATE INDEX local_claim_by_commissioner ON local_claim (commissioner_code, state, number)",
        "CREATE INDEX local_claim_by_provider ON local_claim (provider_code, window_id)",
        "CREATE INDEX local_claim_by_bulk ON local_claim (bulk_number, number)",
        "CREATE INDEX local_claim_by_file ON local_claim (file_number, number)",
        // Lines of an earlier version of the claim stay; `quantity` is in thousandths.
        """
        CREATE TABLE local_claim_line (
            claim_number INTEGER NOT NULL REFERENCES local_claim (number), lines_version INTEGER NOT NULL,
            line INTEGER NOT NULL, service_id TEXT NOT NULL, service_version INTEGER NOT NULL,
            component_id TEXT NOT NULL, activity_on TEXT NOT NULL, quantity INTEGER NOT NULL, claimed INTEGER NOT NULL,
            price TEXT NOT NULL, pence INTEGER NOT NULL, note TEXT NOT NULL,
            PRIMARY KEY (claim_number, lines_version, line)
        ) STRICT
        """,
        """
        CREATE TABLE local_claim_step (
            claim_number INTEGER NOT NULL REFERENCES local_claim (number), number INTEGER NOT NULL,
            from_state INTEGER NOT NULL, to_state INTEGER NOT NULL, taken_by TEXT NOT NULL, acting_for TEXT NOT NULL,
            taken_at INTEGER NOT NULL, reason TEXT NOT NULL, figures_sha256 TEXT NOT NULL,
            PRIMARY KEY (claim_number, number)
        ) STRICT
        """,
    ]

    static let evidence = [
        // What the keeper of documents has said of documents: only those are attached.
        """
        CREATE TABLE local_scanned_document (
            document_id TEXT PRIMARY KEY NOT NULL, organisation_code TEXT NOT NULL, clean INTEGER NOT NULL,
            told_at INTEGER NOT NULL
        ) STRICT
        """,
        // A document, or a table of backing data with its content; of tables the one with the highest number holds.
        """
        CREATE TABLE local_evidence (
            claim_number INTEGER NOT NULL REFERENCES local_claim (number), number INTEGER NOT NULL,
            document_id TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL, row_count INTEGER NOT NULL,
            body BLOB, no_identifiers_reason TEXT NOT NULL, attached_by TEXT NOT NULL, attached_at INTEGER NOT NULL,
            PRIMARY KEY (claim_number, number)
        ) STRICT
        """,
        """
        CREATE TABLE local_bulk (
            number INTEGER PRIMARY KEY, bulk_id TEXT NOT NULL UNIQUE, commissioner_code TEXT NOT NULL,
            service_id TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL, body BLOB NOT NULL,
            state INTEGER NOT NULL, row_count INTEGER NOT NULL, claims INTEGER NOT NULL, rejected_rows INTEGER NOT NULL,
            pence INTEGER NOT NULL, uploaded_by TEXT NOT NULL, uploaded_at INTEGER NOT NULL, reviewed_by TEXT NOT NULL,
            reviewed_at INTEGER, reason TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX local_bulk_by_commissioner ON local_bulk (commissioner_code, number)",
        "CREATE INDEX local_bulk_by_hash ON local_bulk (sha256, commissioner_code)",
        """
        CREATE TABLE local_bulk_rejection (
            bulk_number INTEGER NOT NULL REFERENCES local_bulk (number), number INTEGER NOT NULL, line INTEGER NOT NULL,
            field TEXT NOT NULL, rule TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (bulk_number, number)
        ) STRICT
        """,
    ]

    static let payment = [
        // Instructions of claims live beside those of declarations; theirs have no declaration.
        "ALTER TABLE instruction ADD COLUMN claim_id TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX instruction_by_claim ON instruction (claim_id)",
        // Each time that an instruction went out; `escalated` 1 = an operator was told instead.
        """
        CREATE TABLE instruction_sending (
            instruction_id TEXT NOT NULL, attempt INTEGER NOT NULL, sent_at INTEGER NOT NULL, escalated INTEGER NOT NULL,
            PRIMARY KEY (instruction_id, attempt)
        ) STRICT
        """,
        """
        CREATE TABLE local_payment_file (
            number INTEGER PRIMARY KEY, file_id TEXT NOT NULL UNIQUE, commissioner_code TEXT NOT NULL,
            claims INTEGER NOT NULL, pence INTEGER NOT NULL, sha256 TEXT NOT NULL, body BLOB NOT NULL,
            made_by TEXT NOT NULL, made_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX local_payment_file_by_commissioner ON local_payment_file (commissioner_code, number)",
    ]
}
