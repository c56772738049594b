/// Offers with their history, declarations from a calculated amount to an instruction, networks as CQRS knows them.
enum DeclarationTables {
    static let statements = [
        """
        CREATE TABLE offer (
            offer_id TEXT PRIMARY KEY NOT NULL, commissioner_code TEXT NOT NULL, service_code TEXT NOT NULL,
            service_version INTEGER NOT NULL, start_on TEXT NOT NULL, end_on TEXT NOT NULL, answer_by TEXT,
            offer_on TEXT NOT NULL, automatic INTEGER NOT NULL, contract_reference TEXT NOT NULL, made_by TEXT NOT NULL,
            made_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX offer_by_commissioner ON offer (commissioner_code, service_code)",
        """
        CREATE TABLE participation_step (
            participation_id TEXT NOT NULL, number INTEGER NOT NULL, from_state INTEGER NOT NULL,
            to_state INTEGER NOT NULL, taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (participation_id, number)
        ) STRICT
        """,
        "CREATE INDEX participation_by_offer ON participation (offer_id)",
        "CREATE INDEX participation_by_commissioner ON participation (commissioner_code, service_code)",
        "CREATE INDEX participation_by_pcn ON participation (pcn_code, service_code)",
        // `figures_sha256` stands for the amount and the result it comes from; declaring states it.
        """
        CREATE TABLE declaration (
            declaration_id TEXT PRIMARY KEY NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,
            service_code TEXT NOT NULL, service_version INTEGER NOT NULL, achievement_date TEXT NOT NULL,
            provider_code TEXT NOT NULL, pcn_code TEXT NOT NULL, commissioner_code TEXT NOT NULL,
            calculation_id TEXT NOT NULL, amount_pence INTEGER NOT NULL, amount_before_pence INTEGER NOT NULL,
            payee_code TEXT NOT NULL, figures_sha256 TEXT NOT NULL, aggregated_into TEXT NOT NULL, adjusts TEXT NOT NULL,
            adjustment_reason INTEGER NOT NULL, recovery_months INTEGER NOT NULL, declared_by TEXT NOT NULL,
            approved_by TEXT NOT NULL, instruction_id TEXT NOT NULL, version INTEGER NOT NULL
        ) STRICT
        """,
        // One live achievement and one live sum for each provider, service and date.
        """
        CREATE UNIQUE INDEX declaration_live ON declaration (service_code, achievement_date, provider_code, kind)
        WHERE kind IN (1, 2) AND state NOT IN (13, 14)
        """,
        "CREATE INDEX declaration_by_provider ON declaration (provider_code, service_code, achievement_date)",
        "CREATE INDEX declaration_by_network ON declaration (pcn_code, service_code, achievement_date)",
        "CREATE INDEX declaration_by_queue ON declaration (commissioner_code, state, service_code, achievement_date)",
        "CREATE INDEX declaration_by_parent ON declaration (aggregated_into)",
        "CREATE INDEX declaration_by_original ON declaration (adjusts)",
        """
        CREATE TABLE declaration_step (
            declaration_id TEXT NOT NULL, number INTEGER NOT NULL, from_state INTEGER NOT NULL, to_state INTEGER NOT NULL,
            taken_by TEXT NOT NULL, acting_for TEXT NOT NULL, taken_at INTEGER NOT NULL, reason TEXT NOT NULL,
            figures_sha256 TEXT NOT NULL, PRIMARY KEY (declaration_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE declaration_note (
            declaration_id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, made_by TEXT NOT NULL,
            made_at INTEGER NOT NULL, PRIMARY KEY (declaration_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE service_hold (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, number INTEGER NOT NULL, held INTEGER NOT NULL,
            reason TEXT NOT NULL, release_criteria TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL,
            PRIMARY KEY (service_code, achievement_date, number)
        ) STRICT
        """,
        """
        CREATE TABLE hold_attestation (
            service_code TEXT NOT NULL, achievement_date TEXT NOT NULL, hold_number INTEGER NOT NULL,
            provider_code TEXT NOT NULL, attestation TEXT NOT NULL, made_by TEXT NOT NULL, made_at INTEGER NOT NULL,
            PRIMARY KEY (service_code, achievement_date, hold_number, provider_code)
        ) STRICT
        """,
        """
        CREATE TABLE instruction (
            instruction_id TEXT PRIMARY KEY NOT NULL, declaration_id TEXT NOT NULL, payee_code TEXT NOT NULL,
            payee_kind TEXT NOT NULL, provider_code TEXT NOT NULL, commissioner_code TEXT NOT NULL,
            pay_code TEXT NOT NULL, subjective_code TEXT NOT NULL, gross_pence INTEGER NOT NULL, period TEXT NOT NULL,
            service_code TEXT NOT NULL, narrative TEXT NOT NULL, release_on TEXT NOT NULL, corrects TEXT NOT NULL,
            state INTEGER NOT NULL, agency_reference TEXT NOT NULL, refusal_reason TEXT NOT NULL, paid_on TEXT
        ) STRICT
        """,
        "CREATE INDEX instruction_by_state ON instruction (state, release_on)",
        "CREATE INDEX instruction_by_payee ON instruction (payee_code, instruction_id)",
        "CREATE INDEX instruction_by_declaration ON instruction (declaration_id)",
        // What CQRS itself is told about networks; the row with the highest number holds from its day on.
        """
        CREATE TABLE nominated_payee (
            number INTEGER PRIMARY KEY, pcn_code TEXT NOT NULL, payee_code TEXT NOT NULL, valid_from TEXT NOT NULL,
            requested_only INTEGER NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX nominated_payee_by_pcn ON nominated_payee (pcn_code, number)",
        """
        CREATE TABLE lead_commissioner (
            number INTEGER PRIMARY KEY, pcn_code TEXT NOT NULL, commissioner_code TEXT NOT NULL, valid_from TEXT NOT NULL,
            reason TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE membership_report (
            report_id TEXT PRIMARY KEY NOT NULL, pcn_code TEXT NOT NULL, practice_code TEXT NOT NULL, claimed_from TEXT,
            claimed_to TEXT, detail TEXT NOT NULL, reported_by TEXT NOT NULL, reported_at INTEGER NOT NULL
        ) STRICT
        """,
    ]
}
