import PluginAPI

/// Break-glass sessions.
enum GlassTables {
    static let migrations: [Migration] = [
        Migration(
            version: 233, name: "break-glass sessions",
            statements: [
                """
                CREATE TABLE glass_session (
                    session_id TEXT NOT NULL PRIMARY KEY,
                    holder TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    incident_number TEXT NOT NULL,
                    organisations TEXT NOT NULL,
                    started_at INTEGER NOT NULL,
                    ends_at INTEGER NOT NULL,
                    extensions INTEGER NOT NULL DEFAULT 0,
                    review_due_on TEXT NOT NULL,
                    escalated_at INTEGER,
                    reviewed_by TEXT,
                    reviewed_at INTEGER,
                    justified INTEGER,
                    findings TEXT
                ) STRICT
                """,
                "CREATE INDEX glass_session_by_holder ON glass_session (holder, ends_at)",
                // Read in the order of the sequence, which every index ends with. Acts on no organisation, the most
                // by number, cost the writer nothing.
                """
                CREATE INDEX audit_by_organisation ON pcs_audit (organisation_code) WHERE organisation_code <> ''
                """,
            ])
    ]

    private static let columns = """
        session_id, holder, reason, incident_number, organisations, started_at, ends_at, extensions, review_due_on,
        escalated_at, reviewed_by, justified, findings
        """
    static let session = Statement("SELECT \(columns) FROM glass_session WHERE session_id = ?1")
    static let sessions = Statement("SELECT \(columns) FROM glass_session ORDER BY session_id")
    static let unreviewedOf = Statement(
        "SELECT \(columns) FROM glass_session WHERE holder = ?1 AND reviewed_by IS NULL ORDER BY session_id")
    static let insert = Statement(
        """
        INSERT INTO glass_session (session_id, holder, reason, incident_number, organisations, started_at, ends_at,
            review_due_on)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    static let extend = Statement(
        "UPDATE glass_session SET ends_at = ?2, extensions = extensions + 1 WHERE session_id = ?1")
    static let end = Statement("UPDATE glass_session SET ends_at = ?2 WHERE session_id = ?1 AND ends_at > ?2")
    static let review = Statement(
        """
        UPDATE glass_session SET reviewed_by = ?2, reviewed_at = ?3, justified = ?4, findings = ?5
        WHERE session_id = ?1 AND reviewed_by IS NULL
        """)
    static let escalate = Statement(
        "UPDATE glass_session SET escalated_at = ?2 WHERE session_id = ?1 AND escalated_at IS NULL")
}

/// A row of `glass_session`.
struct GlassSession: Hashable, Sendable {
    let id: String
    let holder: String
    let reason: String
    let incidentNumber: String
    let organisations: [String]
    let startedAt: Instant
    let endsAt: Instant
    let extensions: Int
    let reviewDueOn: CalendarDate
    let isEscalated: Bool
    let reviewedBy: String
    let isJustified: Bool
    let findings: String

    var isReviewed: Bool { !reviewedBy.isEmpty }

    init(row: any Row) throws {
        id = row.text(0)
        holder = row.text(1)
        reason = row.text(2)
        incidentNumber = row.text(3)
        organisations = row.text(4).split(separator: "\n").map(String.init)
        startedAt = row.instant(5)
        endsAt = row.instant(6)
        extensions = Int(row.integer(7))
        reviewDueOn = try row.date(8)
        isEscalated = !row.isNull(9)
        reviewedBy = row.text(10)
        isJustified = row.bool(11)
        findings = row.text(12)
    }
}
