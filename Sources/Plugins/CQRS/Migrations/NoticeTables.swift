/// What was said already, who is away, and what a provider disputes.
enum NoticeTables {
    /// The newest row of a key is what those concerned were last told; an empty body ends it.
    static let notices = [
        """
        CREATE TABLE notice (
            notice_key TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, sent_at INTEGER NOT NULL,
            PRIMARY KEY (notice_key, number)
        ) STRICT
        """
    ]

    /// `ended_at` is set once, when a leave ends early.
    static let leave = [
        """
        CREATE TABLE declarer_leave (
            leave_id TEXT PRIMARY KEY NOT NULL, organisation_code TEXT NOT NULL, person_id TEXT NOT NULL,
            delegate_id TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL, recorded_by TEXT NOT NULL,
            recorded_at INTEGER NOT NULL, ended_by TEXT NOT NULL, ended_at INTEGER
        ) STRICT
        """,
        "CREATE INDEX declarer_leave_by_organisation ON declarer_leave (organisation_code, last_day)",
    ]

    /// The provider's own figures beside the extracted ones (R6).
    static let disputes = [
        """
        CREATE TABLE disputed_count (
            declaration_id TEXT NOT NULL, number INTEGER NOT NULL, indicator_code TEXT NOT NULL, field TEXT NOT NULL,
            value INTEGER NOT NULL, PRIMARY KEY (declaration_id, number)
        ) STRICT
        """
    ]
}
