import PluginAPI

/// People, systems, their public keys and grants. Nothing is deleted: what ends says when, by whom and why.
enum IdentityTables {
    static let migrations: [Migration] = [
        Migration(
            version: 200, name: "people, systems, keys, grants, used assertions",
            statements: [
                """
                CREATE TABLE identity_subject (
                    subject_id TEXT NOT NULL PRIMARY KEY,
                    kind TEXT NOT NULL CHECK (kind IN ('person', 'client')),
                    name TEXT NOT NULL,
                    email TEXT,
                    email_key TEXT UNIQUE,
                    purpose TEXT NOT NULL,
                    owner TEXT NOT NULL,
                    scopes TEXT NOT NULL,
                    certificate_uri TEXT UNIQUE,
                    is_active INTEGER NOT NULL,
                    created_at INTEGER NOT NULL,
                    created_by TEXT NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE identity_key (
                    subject_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    key_id TEXT NOT NULL,
                    algorithm TEXT NOT NULL,
                    public_key_pem TEXT NOT NULL,
                    fingerprint TEXT NOT NULL UNIQUE,
                    registered_at INTEGER NOT NULL,
                    registered_by TEXT NOT NULL,
                    revoked_at INTEGER,
                    revoked_by TEXT,
                    revoke_reason TEXT,
                    PRIMARY KEY (subject_id, key_id)
                ) STRICT
                """,
                """
                CREATE TABLE identity_grant (
                    grant_id TEXT NOT NULL PRIMARY KEY,
                    subject_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    role TEXT NOT NULL,
                    organisation_code TEXT NOT NULL,
                    valid_from TEXT NOT NULL,
                    valid_to TEXT,
                    given_by TEXT NOT NULL,
                    given_at INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    revoked_at INTEGER,
                    revoked_by TEXT,
                    revoke_reason TEXT
                ) STRICT
                """,
                "CREATE INDEX identity_grant_by_subject ON identity_grant (subject_id)",
                """
                CREATE TABLE identity_assertion (
                    subject_id TEXT NOT NULL,
                    jti TEXT NOT NULL,
                    expires_at INTEGER NOT NULL,
                    PRIMARY KEY (subject_id, jti)
                ) STRICT
                """,
            ])
    ]

    private static let subjectColumns = """
        subject_id, kind, name, email, purpose, owner, scopes, certificate_uri, is_active
        """
    static let subjects = Statement("SELECT \(subjectColumns) FROM identity_subject ORDER BY subject_id")
    static let subject = Statement("SELECT \(subjectColumns) FROM identity_subject WHERE subject_id = ?1")
    static let subjectByEmail = Statement("SELECT subject_id FROM identity_subject WHERE email_key = ?1")
    static let subjectByCertificate = Statement(
        "SELECT subject_id FROM identity_subject WHERE certificate_uri = ?1")
    static let insertSubject = Statement(
        """
        INSERT INTO identity_subject (subject_id, kind, name, email, email_key, purpose, owner, scopes, certificate_uri,
            is_active, created_at, created_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?11)
        """)
    static let setActive = Statement("UPDATE identity_subject SET is_active = ?2 WHERE subject_id = ?1")

    private static let keyColumns = "subject_id, key_id, algorithm, public_key_pem, revoked_at"
    static let keys = Statement("SELECT \(keyColumns) FROM identity_key ORDER BY subject_id, key_id")
    static let keysOf = Statement(
        "SELECT \(keyColumns) FROM identity_key WHERE subject_id = ?1 ORDER BY key_id")
    static let key = Statement("SELECT \(keyColumns) FROM identity_key WHERE subject_id = ?1 AND key_id = ?2")
    static let keyByFingerprint = Statement(
        "SELECT subject_id, revoked_at FROM identity_key WHERE fingerprint = ?1")
    static let insertKey = Statement(
        """
        INSERT INTO identity_key (subject_id, key_id, algorithm, public_key_pem, fingerprint, registered_at, registered_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    static let revokeKey = Statement(
        """
        UPDATE identity_key SET revoked_at = ?3, revoked_by = ?4, revoke_reason = ?5
        WHERE subject_id = ?1 AND key_id = ?2
        """)

    private static let grantColumns = """
        grant_id, subject_id, role, organisation_code, valid_from, valid_to, given_by, reason, revoked_by
        """
    static let grants = Statement("SELECT \(grantColumns) FROM identity_grant ORDER BY subject_id, grant_id")
    static let grantsOf = Statement(
        "SELECT \(grantColumns) FROM identity_grant WHERE subject_id = ?1 ORDER BY grant_id")
    static let grant = Statement("SELECT \(grantColumns) FROM identity_grant WHERE grant_id = ?1")
    static let insertGrant = Statement(
        """
        INSERT INTO identity_grant (grant_id, subject_id, role, organisation_code, valid_from, valid_to, given_by, given_at,
            reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    static let revokeGrant = Statement(
        "UPDATE identity_grant SET revoked_at = ?2, revoked_by = ?3, revoke_reason = ?4 WHERE grant_id = ?1")

    static let insertAssertion = Statement(
        """
        INSERT INTO identity_assertion (subject_id, jti, expires_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (subject_id, jti) DO NOTHING
        """)
    static let assertions = Statement(
        "SELECT subject_id, jti, expires_at FROM identity_assertion WHERE expires_at > ?1")
    static let expiredAssertion = Statement(
        "SELECT jti FROM identity_assertion WHERE expires_at <= ?1 LIMIT 1")
    static let deleteAssertions = Statement("DELETE FROM identity_assertion WHERE expires_at <= ?1")
}

extension Subject {
    /// From a row of the subject statements.
    init?(row: any Row) {
        guard let kind = Kind(rawValue: row.text(1)) else { return nil }
        self.init(
            id: row.text(0), kind: kind, name: row.text(2), isActive: row.bool(8),
            scopes: row.text(6).split(separator: "\n").compactMap { MethodScope(String($0)) },
            certificateURI: row.optionalText(7))
    }

    /// Adds a row of the key statements, unless revoked.
    mutating func addKey(_ row: any Row) {
        guard row.isNull(4), let key = try? VerificationKey(pem: row.text(3)) else { return }
        keys[row.text(1)] = key
    }

    /// Adds a row of the grant statements, unless revoked.
    mutating func addGrant(_ row: any Row) throws {
        guard row.isNull(8), let organisation = ODSCode(row.text(3)) else { return }
        grants.append(
            RoleGrant(
                id: row.text(0), role: Role(row.text(2)), organisation: organisation, from: try row.date(4),
                to: try row.optionalDate(5)))
    }

    /// Adds a row of the membership statements, unless ended.
    mutating func addMembership(_ row: any Row) throws {
        guard row.isNull(7), let organisation = ODSCode(row.text(2)) else { return }
        memberships.append(Membership(organisation: organisation, from: try row.date(3)))
    }
}
