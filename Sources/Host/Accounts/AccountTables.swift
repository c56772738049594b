import PluginAPI

/// What belongs to a person's account beside the subject itself: its life, codes sent, passwords, authenticators.
/// Rows end and are kept; secrets are hashed, and those that must be read again are sealed under a key outside of the
/// database.
enum AccountTables {
    static let migrations: [Migration] = [
        Migration(
            version: 210, name: "accounts: life, codes, passwords, authenticators, profiles",
            statements: [
                """
                CREATE TABLE account_life (
                    account_id TEXT NOT NULL PRIMARY KEY REFERENCES identity_subject (subject_id),
                    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'locked', 'dormant', 'disabled')),
                    since INTEGER NOT NULL,
                    locked_until INTEGER,
                    last_log_in_at INTEGER,
                    warned_at INTEGER,
                    lapsed_at INTEGER
                ) STRICT
                """,
                """
                CREATE TABLE account_life_history (
                    entry_id TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    from_state TEXT,
                    to_state TEXT NOT NULL,
                    changed_at INTEGER NOT NULL,
                    changed_by TEXT NOT NULL,
                    reason TEXT NOT NULL
                ) STRICT
                """,
                "CREATE INDEX account_life_history_by_account ON account_life_history (account_id, entry_id)",
                """
                CREATE TABLE account_code (
                    code_hash TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'reset', 'second_factor')),
                    issued_at INTEGER NOT NULL,
                    usable_from INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL,
                    used_at INTEGER,
                    revoked_at INTEGER
                ) STRICT
                """,
                "CREATE INDEX account_code_by_account ON account_code (account_id, purpose, issued_at)",
                """
                CREATE TABLE account_password (
                    password_id TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    salt BLOB NOT NULL,
                    hash BLOB NOT NULL,
                    rounds INTEGER NOT NULL,
                    block_size INTEGER NOT NULL,
                    parallelism INTEGER NOT NULL,
                    set_at INTEGER NOT NULL,
                    ended_at INTEGER
                ) STRICT
                """,
                "CREATE INDEX account_password_by_account ON account_password (account_id)",
                """
                CREATE TABLE account_authenticator (
                    authenticator_id TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    kind TEXT NOT NULL CHECK (kind IN ('totp', 'webauthn')),
                    assurance INTEGER NOT NULL CHECK (assurance IN (2, 3)),
                    sealed_secret BLOB NOT NULL,
                    enrolled_at INTEGER NOT NULL,
                    confirmed_at INTEGER,
                    last_step INTEGER NOT NULL,
                    ended_at INTEGER,
                    end_reason TEXT
                ) STRICT
                """,
                "CREATE INDEX account_authenticator_by_account ON account_authenticator (account_id)",
                """
                CREATE TABLE account_profile (
                    profile_id TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    name TEXT NOT NULL,
                    job_title TEXT NOT NULL,
                    telephone TEXT NOT NULL,
                    set_at INTEGER NOT NULL
                ) STRICT
                """,
                "CREATE INDEX account_profile_by_account ON account_profile (account_id, profile_id)",
            ])
    ]

    // MARK: Life

    private static let lifeColumns = """
        account_id, state, since, locked_until, last_log_in_at, warned_at, lapsed_at
        """
    static let lives = Statement("SELECT \(lifeColumns) FROM account_life ORDER BY account_id")
    static let life = Statement("SELECT \(lifeColumns) FROM account_life WHERE account_id = ?1")
    static let insertLife = Statement(
        "INSERT INTO account_life (account_id, state, since) VALUES (?1, ?2, ?3)")
    static let setState = Statement(
        """
        UPDATE account_life SET state = ?2, since = ?3, locked_until = ?4, warned_at = NULL, lapsed_at = NULL
        WHERE account_id = ?1
        """)
    static let loggedIn = Statement(
        "UPDATE account_life SET last_log_in_at = ?2, warned_at = NULL WHERE account_id = ?1")
    static let warned = Statement("UPDATE account_life SET warned_at = ?2 WHERE account_id = ?1")
    static let lapsed = Statement("UPDATE account_life SET lapsed_at = ?2 WHERE account_id = ?1")
    static let insertHistory = Statement(
        """
        INSERT INTO account_life_history (entry_id, account_id, from_state, to_state, changed_at, changed_by, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    static let history = Statement(
        """
        SELECT from_state, to_state, changed_at, changed_by, reason FROM account_life_history
        WHERE account_id = ?1 ORDER BY entry_id
        """)

    // MARK: Codes

    static let insertCode = Statement(
        """
        INSERT INTO account_code (code_hash, account_id, purpose, issued_at, usable_from, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    static let code = Statement(
        """
        SELECT account_id, purpose, usable_from, expires_at, used_at, revoked_at FROM account_code
        WHERE code_hash = ?1
        """)
    static let codesSince = Statement(
        "SELECT count(*) FROM account_code WHERE account_id = ?1 AND purpose = ?2 AND issued_at > ?3")
    static let revokeCodes = Statement(
        """
        UPDATE account_code SET revoked_at = ?3
        WHERE account_id = ?1 AND purpose = ?2 AND used_at IS NULL AND revoked_at IS NULL
        """)
    static let useCode = Statement(
        "UPDATE account_code SET used_at = ?2 WHERE code_hash = ?1 AND used_at IS NULL AND revoked_at IS NULL"
    )

    // MARK: Passwords

    static let password = Statement(
        """
        SELECT password_id, salt, hash, rounds, block_size, parallelism FROM account_password
        WHERE account_id = ?1 AND ended_at IS NULL
        """)
    static let endPasswords = Statement(
        "UPDATE account_password SET ended_at = ?2 WHERE account_id = ?1 AND ended_at IS NULL")
    static let insertPassword = Statement(
        """
        INSERT INTO account_password (password_id, account_id, salt, hash, rounds, block_size, parallelism, set_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)

    // MARK: Authenticators

    static let authenticators = Statement(
        """
        SELECT authenticator_id, kind, assurance, sealed_secret, confirmed_at, last_step, enrolled_at
        FROM account_authenticator WHERE account_id = ?1 AND ended_at IS NULL ORDER BY authenticator_id
        """)
    static let insertAuthenticator = Statement(
        """
        INSERT INTO account_authenticator (authenticator_id, account_id, kind, assurance, sealed_secret, enrolled_at,
            last_step)
        VALUES (?1, ?2, 'totp', 2, ?3, ?4, 0)
        """)
    static let confirmAuthenticator = Statement(
        "UPDATE account_authenticator SET confirmed_at = ?2, last_step = ?3 WHERE authenticator_id = ?1")
    static let endUnconfirmed = Statement(
        """
        UPDATE account_authenticator SET ended_at = ?2, end_reason = 'replaced before it was confirmed'
        WHERE account_id = ?1 AND confirmed_at IS NULL AND ended_at IS NULL
        """)
    static let endConfirmed = Statement(
        """
        UPDATE account_authenticator SET ended_at = ?2, end_reason = ?3
        WHERE account_id = ?1 AND confirmed_at IS NOT NULL AND ended_at IS NULL
        """)
    /// Changes a row only while the step is new: each code serves once (RFC 6238, 5.2).
    static let useStep = Statement(
        "UPDATE account_authenticator SET last_step = ?2 WHERE authenticator_id = ?1 AND last_step < ?2")

    // MARK: Profiles

    static let profile = Statement(
        """
        SELECT name, job_title, telephone FROM account_profile WHERE account_id = ?1 ORDER BY profile_id DESC LIMIT 1
        """)
    static let insertProfile = Statement(
        """
        INSERT INTO account_profile (profile_id, account_id, name, job_title, telephone, set_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    static let renameSubject = Statement("UPDATE identity_subject SET name = ?2 WHERE subject_id = ?1")
}
