package import PluginAPI

/// Campaigns, registrations, their steps, codes as salted hashes, and locks. Nothing is deleted.
package enum RegistrationTables {
    package static let migrations: [Migration] = [
        Migration(
            version: 260, name: "registration of organisations",
            statements: [
                """
                CREATE TABLE registration_campaign (
                    campaign_id TEXT NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL,
                    name_key TEXT NOT NULL UNIQUE,
                    valid_days INTEGER NOT NULL,
                    expires_on TEXT,
                    reason TEXT NOT NULL,
                    created_by TEXT NOT NULL,
                    created_on TEXT NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE registration_member (
                    campaign_id TEXT NOT NULL REFERENCES registration_campaign (campaign_id),
                    organisation_code TEXT NOT NULL,
                    issued_on TEXT,
                    not_issued_because TEXT,
                    PRIMARY KEY (campaign_id, organisation_code)
                ) STRICT
                """,
                """
                CREATE TABLE registration_organisation (
                    organisation_code TEXT NOT NULL PRIMARY KEY,
                    state INTEGER NOT NULL,
                    campaign_id TEXT NOT NULL,
                    expires_on TEXT,
                    holder_name TEXT NOT NULL,
                    holder_email TEXT NOT NULL,
                    main_practice_code TEXT NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE registration_step (
                    step_id TEXT NOT NULL PRIMARY KEY,
                    organisation_code TEXT NOT NULL,
                    state INTEGER NOT NULL,
                    day TEXT NOT NULL,
                    made_by TEXT NOT NULL,
                    reason TEXT NOT NULL
                ) STRICT
                """,
                "CREATE INDEX registration_step_by_organisation ON registration_step (organisation_code, step_id)",
                """
                CREATE TABLE registration_code (
                    code_id TEXT NOT NULL PRIMARY KEY,
                    organisation_code TEXT NOT NULL,
                    salt BLOB NOT NULL,
                    digest BLOB NOT NULL,
                    expires_on TEXT NOT NULL,
                    issued_at INTEGER NOT NULL,
                    issued_by TEXT NOT NULL,
                    ended_at INTEGER,
                    ended_because TEXT
                ) STRICT
                """,
                "CREATE INDEX registration_code_by_organisation ON registration_code (organisation_code, code_id)",
                """
                CREATE TABLE registration_lock (
                    organisation_code TEXT NOT NULL PRIMARY KEY,
                    window_from INTEGER NOT NULL,
                    wrong_codes INTEGER NOT NULL,
                    locked_until INTEGER NOT NULL
                ) STRICT
                """,
            ])
    ]

    static let insertCampaign = Statement(
        """
        INSERT INTO registration_campaign (campaign_id, name, name_key, valid_days, expires_on, reason, created_by,
            created_on)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    static let campaignByName = Statement("SELECT campaign_id FROM registration_campaign WHERE name_key = ?1")
    private static let campaignColumns = """
        c.campaign_id, c.name, c.valid_days, c.expires_on, c.created_by, c.created_on,
        (SELECT COUNT(*) FROM registration_member m WHERE m.campaign_id = c.campaign_id),
        (SELECT COUNT(*) FROM registration_member m WHERE m.campaign_id = c.campaign_id AND m.issued_on IS NOT NULL),
        (SELECT COUNT(*) FROM registration_organisation o WHERE o.campaign_id = c.campaign_id AND o.state = 5)
        """
    static let campaigns = Statement(
        "SELECT \(campaignColumns) FROM registration_campaign c ORDER BY c.campaign_id DESC LIMIT 1000")
    static let campaign = Statement(
        "SELECT \(campaignColumns) FROM registration_campaign c WHERE c.campaign_id = ?1")
    static let insertMember = Statement(
        "INSERT INTO registration_member (campaign_id, organisation_code) VALUES (?1, ?2)")
    static let waitingMembers = Statement(
        """
        SELECT organisation_code FROM registration_member
        WHERE campaign_id = ?1 AND issued_on IS NULL AND not_issued_because IS NULL
        ORDER BY organisation_code LIMIT ?2
        """)
    static let settleMember = Statement(
        """
        UPDATE registration_member SET issued_on = ?3, not_issued_because = ?4
        WHERE campaign_id = ?1 AND organisation_code = ?2
        """)

    private static let recordColumns = """
        organisation_code, state, campaign_id, expires_on, holder_name, holder_email, main_practice_code
        """
    static let record = Statement(
        "SELECT \(recordColumns) FROM registration_organisation WHERE organisation_code = ?1")
    static let records = Statement(
        """
        SELECT \(recordColumns) FROM registration_organisation
        WHERE organisation_code > ?1 ORDER BY organisation_code LIMIT ?2
        """)
    static let overdue = Statement(
        "SELECT \(recordColumns) FROM registration_organisation WHERE state = 2 AND expires_on < ?1 LIMIT 1000"
    )
    static let open = Statement(
        "SELECT \(recordColumns) FROM registration_organisation WHERE state IN (2, 3, 4, 5, 6, 8)")
    static let putRecord = Statement(
        """
        INSERT INTO registration_organisation (organisation_code, state, campaign_id, expires_on, holder_name,
            holder_email, main_practice_code)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (organisation_code) DO UPDATE SET state = excluded.state, campaign_id = excluded.campaign_id,
            expires_on = excluded.expires_on, holder_name = excluded.holder_name,
            holder_email = excluded.holder_email, main_practice_code = excluded.main_practice_code
        """)
    static let insertStep = Statement(
        """
        INSERT INTO registration_step (step_id, organisation_code, state, day, made_by, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    static let steps = Statement(
        "SELECT state, day, made_by, reason FROM registration_step WHERE organisation_code = ?1 ORDER BY step_id"
    )

    static let insertCode = Statement(
        """
        INSERT INTO registration_code (code_id, organisation_code, salt, digest, expires_on, issued_at, issued_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    static let codesOf = Statement(
        """
        SELECT code_id, salt, digest, expires_on, ended_because FROM registration_code
        WHERE organisation_code = ?1 ORDER BY code_id DESC LIMIT 50
        """)
    static let endCodes = Statement(
        """
        UPDATE registration_code SET ended_at = ?2, ended_because = ?3
        WHERE organisation_code = ?1 AND ended_at IS NULL
        """)

    static let locks = Statement(
        "SELECT organisation_code, window_from, wrong_codes, locked_until FROM registration_lock")
    static let putLock = Statement(
        """
        INSERT INTO registration_lock (organisation_code, window_from, wrong_codes, locked_until)
        VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (organisation_code) DO UPDATE SET window_from = excluded.window_from,
            wrong_codes = excluded.wrong_codes, locked_until = excluded.locked_until
        """)
}
