import PluginAPI

/// Quarterly reviews of grants, and migrations of grants after a merger.
enum ReviewTables {
    static let migrations: [Migration] = [
        Migration(
            version: 232, name: "reviews and migrations of grants",
            statements: [
                """
                CREATE TABLE grant_review (
                    review_id TEXT NOT NULL PRIMARY KEY,
                    organisation_code TEXT NOT NULL,
                    quarter TEXT NOT NULL,
                    due_on TEXT NOT NULL,
                    closed_at INTEGER,
                    UNIQUE (organisation_code, quarter)
                ) STRICT
                """,
                """
                CREATE TABLE grant_review_item (
                    review_id TEXT NOT NULL REFERENCES grant_review (review_id),
                    grant_id TEXT NOT NULL REFERENCES identity_grant (grant_id),
                    answer TEXT NOT NULL DEFAULT '' CHECK (answer IN ('', 'keep', 'end', 'lapsed', 'gone')),
                    answered_by TEXT,
                    answered_at INTEGER,
                    PRIMARY KEY (review_id, grant_id)
                ) STRICT
                """,
                """
                CREATE TABLE grant_migration (
                    migration_id TEXT NOT NULL PRIMARY KEY,
                    from_code TEXT NOT NULL,
                    to_code TEXT NOT NULL,
                    effective_on TEXT,
                    case_reference TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    digest TEXT NOT NULL,
                    proposed_by TEXT NOT NULL,
                    proposed_at INTEGER NOT NULL,
                    lapses_after TEXT NOT NULL,
                    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected')),
                    decided_by TEXT,
                    decided_at INTEGER,
                    decision_reason TEXT
                ) STRICT
                """,
                """
                CREATE TABLE grant_migration_role (
                    migration_id TEXT NOT NULL REFERENCES grant_migration (migration_id),
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    role TEXT NOT NULL,
                    grant_id TEXT,
                    PRIMARY KEY (migration_id, account_id, role)
                ) STRICT
                """,
            ])
    ]

    private static let reviewColumns = "review_id, organisation_code, quarter, due_on, closed_at"
    static let review = Statement("SELECT \(reviewColumns) FROM grant_review WHERE review_id = ?1")
    static let reviewsAt = Statement(
        """
        SELECT \(reviewColumns) FROM grant_review
        WHERE organisation_code = ?1 AND (?2 = 1 OR closed_at IS NULL) ORDER BY quarter
        """)
    static let openReviews = Statement(
        "SELECT \(reviewColumns) FROM grant_review WHERE closed_at IS NULL ORDER BY review_id")
    static let reviewOfQuarter = Statement("SELECT review_id FROM grant_review WHERE quarter = ?1 LIMIT 1")
    static let insertReview = Statement(
        "INSERT INTO grant_review (review_id, organisation_code, quarter, due_on) VALUES (?1, ?2, ?3, ?4)")
    static let closeReview = Statement(
        "UPDATE grant_review SET closed_at = ?2 WHERE review_id = ?1 AND closed_at IS NULL")

    static let items = Statement(
        """
        SELECT grant_id, answer, answered_by FROM grant_review_item WHERE review_id = ?1 ORDER BY grant_id
        """)
    static let insertItem = Statement(
        "INSERT INTO grant_review_item (review_id, grant_id) VALUES (?1, ?2)")
    static let answerItem = Statement(
        """
        UPDATE grant_review_item SET answer = ?3, answered_by = ?4, answered_at = ?5
        WHERE review_id = ?1 AND grant_id = ?2 AND answer = ''
        """)

    private static let migrationColumns = """
        migration_id, from_code, to_code, effective_on, case_reference, reason, digest, proposed_by, lapses_after, state,
        decided_by, decision_reason
        """
    static let migration = Statement(
        "SELECT \(migrationColumns) FROM grant_migration WHERE migration_id = ?1")
    static let migrationsOf = Statement(
        """
        SELECT \(migrationColumns) FROM grant_migration WHERE ?1 = '' OR from_code = ?1 OR to_code = ?1
        ORDER BY migration_id
        """)
    static let insertMigration = Statement(
        """
        INSERT INTO grant_migration (migration_id, from_code, to_code, effective_on, case_reference, reason, digest,
            proposed_by, proposed_at, lapses_after, state)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open')
        """)
    static let decideMigration = Statement(
        """
        UPDATE grant_migration SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5
        WHERE migration_id = ?1 AND state = 'open'
        """)
    static let migrationRoles = Statement(
        """
        SELECT account_id, role, grant_id FROM grant_migration_role WHERE migration_id = ?1 ORDER BY account_id, role
        """)
    static let insertMigrationRole = Statement(
        "INSERT INTO grant_migration_role (migration_id, account_id, role) VALUES (?1, ?2, ?3)")
    static let setMigratedGrant = Statement(
        "UPDATE grant_migration_role SET grant_id = ?4 WHERE migration_id = ?1 AND account_id = ?2 AND role = ?3"
    )
}

/// A row of `grant_review`.
struct GrantReview: Hashable, Sendable {
    let id: String
    let organisation: String
    let quarter: CalendarDate
    let dueOn: CalendarDate
    let isClosed: Bool

    init(row: any Row) throws {
        id = row.text(0)
        organisation = row.text(1)
        quarter = try row.date(2)
        dueOn = try row.date(3)
        isClosed = !row.isNull(4)
    }
}

/// A row of `grant_review_item`.
struct GrantReviewItem: Hashable, Sendable {
    let grantID: String
    let answer: String
    let answeredBy: String

    init(row: any Row) {
        grantID = row.text(0)
        answer = row.text(1)
        answeredBy = row.text(2)
    }
}
