/// Who takes part in what, from when to when.
enum ParticipationTables {
    static let statements = [
        // `state` is the number of ParticipationState; `pcn_code` is empty for ordinary services.
        """
        CREATE TABLE participation (
            participation_id TEXT PRIMARY KEY NOT NULL, offer_id TEXT NOT NULL, service_code TEXT NOT NULL,
            service_version INTEGER NOT NULL, provider_code TEXT NOT NULL, pcn_code TEXT NOT NULL,
            commissioner_code TEXT NOT NULL, state INTEGER NOT NULL, start_on TEXT NOT NULL, end_on TEXT,
            answer_by TEXT, automatic INTEGER NOT NULL, backdating_unconfirmed INTEGER NOT NULL, reason TEXT NOT NULL,
            version INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX participation_by_service ON participation (service_code, provider_code, start_on)",
        "CREATE INDEX participation_by_provider ON participation (provider_code, service_code)",
    ]
}
