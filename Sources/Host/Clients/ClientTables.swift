package import PluginAPI

/// What is kept of a system beside its subject, keys and grants.
package enum ClientTables {
    package static let migrations: [Migration] = [
        Migration(
            version: 270, name: "system clients: organisation, networks, ends, use",
            statements: [
                """
                CREATE TABLE client_record (
                    client_id TEXT NOT NULL PRIMARY KEY REFERENCES identity_subject (subject_id),
                    organisation_code TEXT NOT NULL,
                    networks TEXT NOT NULL,
                    expires_on TEXT,
                    certificate_expires_on TEXT,
                    registered_at INTEGER NOT NULL,
                    last_used_at INTEGER,
                    disabled_because TEXT NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE client_key_end (
                    client_id TEXT NOT NULL,
                    key_id TEXT NOT NULL,
                    retires_at INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    PRIMARY KEY (client_id, key_id)
                ) STRICT
                """,
                """
                CREATE TABLE client_alarm (
                    client_id TEXT NOT NULL,
                    alarm INTEGER NOT NULL,
                    day TEXT NOT NULL,
                    raised_at INTEGER NOT NULL,
                    PRIMARY KEY (client_id, alarm, day)
                ) STRICT
                """,
            ])
    ]

    private static let columns = """
        s.subject_id, s.name, s.purpose, s.owner, s.scopes, s.certificate_uri, s.is_active, r.organisation_code,
        r.networks, r.expires_on, r.certificate_expires_on, COALESCE(r.registered_at, s.created_at), r.last_used_at,
        r.disabled_because
        """
    private static let source = """
        FROM identity_subject s LEFT JOIN client_record r ON r.client_id = s.subject_id WHERE s.kind = 'client'
        """
    static let clients = Statement("SELECT \(columns) \(source) ORDER BY s.subject_id")
    static let client = Statement("SELECT \(columns) \(source) AND s.subject_id = ?1")
    static let putRecord = Statement(
        """
        INSERT INTO client_record (client_id, organisation_code, networks, expires_on, certificate_expires_on,
            registered_at, last_used_at, disabled_because)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (client_id) DO UPDATE SET organisation_code = excluded.organisation_code,
            networks = excluded.networks, expires_on = excluded.expires_on,
            certificate_expires_on = excluded.certificate_expires_on, last_used_at = excluded.last_used_at,
            disabled_because = excluded.disabled_because
        """)
    static let changeSubject = Statement(
        """
        UPDATE identity_subject SET purpose = ?2, owner = ?3, scopes = ?4, certificate_uri = ?5
        WHERE subject_id = ?1
        """)
    static let use = Statement("UPDATE client_record SET last_used_at = ?2 WHERE client_id = ?1")
    static let insertUse = Statement(
        """
        INSERT INTO client_record (client_id, organisation_code, networks, registered_at, last_used_at,
            disabled_because)
        SELECT subject_id, '', '', created_at, ?2, '' FROM identity_subject WHERE subject_id = ?1
        """)

    static let keys = Statement(
        """
        SELECT k.key_id, k.algorithm, k.revoked_at, e.retires_at, k.fingerprint FROM identity_key k
        LEFT JOIN client_key_end e ON e.client_id = k.subject_id AND e.key_id = k.key_id
        WHERE k.subject_id = ?1 ORDER BY k.key_id
        """)
    static let retire = Statement(
        """
        INSERT INTO client_key_end (client_id, key_id, retires_at, reason) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (client_id, key_id) DO UPDATE SET retires_at = excluded.retires_at, reason = excluded.reason
        """)
    static let keep = Statement("DELETE FROM client_key_end WHERE client_id = ?1 AND key_id = ?2")
    static let retiring = Statement(
        """
        SELECT e.client_id, e.key_id, e.reason FROM client_key_end e
        JOIN identity_key k ON k.subject_id = e.client_id AND k.key_id = e.key_id
        WHERE e.retires_at <= ?1 AND k.revoked_at IS NULL ORDER BY e.client_id, e.key_id
        """)
    static let insertAlarm = Statement(
        """
        INSERT INTO client_alarm (client_id, alarm, day, raised_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (client_id, alarm, day) DO NOTHING
        """)
}
