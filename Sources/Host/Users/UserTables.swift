import PluginAPI

/// Memberships, and what a grant says beside its role. Nothing is deleted: what ends says when, by whom and why.
enum UserTables {
    static let migrations: [Migration] = [
        Migration(
            version: 230, name: "memberships; payment types and acknowledgement of grants",
            statements: [
                """
                CREATE TABLE identity_membership (
                    membership_id TEXT NOT NULL PRIMARY KEY,
                    subject_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    organisation_code TEXT NOT NULL,
                    valid_from TEXT NOT NULL,
                    given_by TEXT NOT NULL,
                    given_at INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    ended_at INTEGER,
                    ended_by TEXT,
                    end_reason TEXT
                ) STRICT
                """,
                "CREATE INDEX identity_membership_by_subject ON identity_membership (subject_id)",
                "CREATE INDEX identity_membership_by_organisation ON identity_membership (organisation_code)",
                """
                INSERT INTO identity_membership (membership_id, subject_id, organisation_code, valid_from, given_by,
                    given_at, reason)
                SELECT g.subject_id || '@' || g.organisation_code, g.subject_id, g.organisation_code,
                    min(g.valid_from), 'host', min(g.given_at), 'held a role there before memberships were kept'
                FROM identity_grant g JOIN identity_subject s ON s.subject_id = g.subject_id
                WHERE s.kind = 'person' AND g.revoked_at IS NULL
                GROUP BY g.subject_id, g.organisation_code
                """,
                "ALTER TABLE identity_grant ADD COLUMN payment_types TEXT NOT NULL DEFAULT ''",
                "ALTER TABLE identity_grant ADD COLUMN acknowledged_sight TEXT NOT NULL DEFAULT ''",
                "ALTER TABLE identity_grant ADD COLUMN basis TEXT NOT NULL DEFAULT 'installation'",
                "CREATE INDEX identity_grant_by_organisation ON identity_grant (organisation_code, role)",
            ])
    ]

    private static let membershipColumns = """
        membership_id, subject_id, organisation_code, valid_from, given_by, given_at, reason, ended_at, ended_by,
        end_reason
        """
    static let memberships = Statement(
        "SELECT \(membershipColumns) FROM identity_membership ORDER BY subject_id, membership_id")
    static let membershipsOf = Statement(
        "SELECT \(membershipColumns) FROM identity_membership WHERE subject_id = ?1 ORDER BY membership_id")
    static let membershipsAt = Statement(
        """
        SELECT \(membershipColumns) FROM identity_membership WHERE organisation_code = ?1
        ORDER BY subject_id, membership_id
        """)
    static let openMembership = Statement(
        """
        SELECT \(membershipColumns) FROM identity_membership
        WHERE subject_id = ?1 AND organisation_code = ?2 AND ended_at IS NULL
        """)
    static let insertMembership = Statement(
        """
        INSERT INTO identity_membership (membership_id, subject_id, organisation_code, valid_from, given_by, given_at,
            reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    static let endMembership = Statement(
        """
        UPDATE identity_membership SET ended_at = ?2, ended_by = ?3, end_reason = ?4
        WHERE membership_id = ?1 AND ended_at IS NULL
        """)

    private static let grantColumns = """
        grant_id, subject_id, role, organisation_code, valid_from, valid_to, given_by, given_at, reason, revoked_at,
        revoked_by, revoke_reason, payment_types, acknowledged_sight, basis
        """
    static let grant = Statement("SELECT \(grantColumns) FROM identity_grant WHERE grant_id = ?1")
    static let grantsAt = Statement(
        "SELECT \(grantColumns) FROM identity_grant WHERE organisation_code = ?1 ORDER BY grant_id")
    static let grantsOf = Statement(
        "SELECT \(grantColumns) FROM identity_grant WHERE subject_id = ?1 ORDER BY grant_id")
    static let grantsOfRoleAt = Statement(
        """
        SELECT \(grantColumns) FROM identity_grant
        WHERE organisation_code = ?1 AND role = ?2 AND revoked_at IS NULL ORDER BY grant_id
        """)
    static let selfGrants = Statement(
        "SELECT \(grantColumns) FROM identity_grant WHERE given_by = subject_id ORDER BY grant_id")
    static let allGrants = Statement("SELECT \(grantColumns) FROM identity_grant ORDER BY grant_id")
    static let insertGrant = Statement(
        """
        INSERT INTO identity_grant (grant_id, subject_id, role, organisation_code, valid_from, valid_to, given_by, given_at,
            reason, payment_types, acknowledged_sight, basis)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """)
}

/// A row of `identity_membership`.
package struct MembershipRow: Hashable, Sendable {
    let id: String
    let subjectID: String
    let organisation: String
    let from: CalendarDate
    let givenBy: String
    let givenAt: Instant
    let reason: String
    let endedAt: Instant?
    let endedBy: String
    let endReason: String

    var isOpen: Bool { endedAt == nil }

    init(row: any Row) throws {
        id = row.text(0)
        subjectID = row.text(1)
        organisation = row.text(2)
        from = try row.date(3)
        givenBy = row.text(4)
        givenAt = row.instant(5)
        reason = row.text(6)
        endedAt = row.isNull(7) ? nil : row.instant(7)
        endedBy = row.text(8)
        endReason = row.text(9)
    }
}

/// A row of `identity_grant`.
package struct GrantRow: Hashable, Sendable {
    let id: String
    let subjectID: String
    let role: Role
    let organisation: String
    let from: CalendarDate
    let to: CalendarDate?
    let givenBy: String
    let givenAt: Instant
    let reason: String
    let revokedAt: Instant?
    let revokedBy: String
    let revokeReason: String
    let paymentTypes: [String]
    let acknowledgedSight: String
    let basis: String

    var isRevoked: Bool { revokedAt != nil }
    func holds(on day: CalendarDate) -> Bool { !isRevoked && from <= day && to.map { day < $0 } ?? true }

    init(row: any Row) throws {
        id = row.text(0)
        subjectID = row.text(1)
        role = Role(row.text(2))
        organisation = row.text(3)
        from = try row.date(4)
        to = try row.optionalDate(5)
        givenBy = row.text(6)
        givenAt = row.instant(7)
        reason = row.text(8)
        revokedAt = row.isNull(9) ? nil : row.instant(9)
        revokedBy = row.text(10)
        revokeReason = row.text(11)
        paymentTypes = row.text(12).split(separator: "\n").map(String.init)
        acknowledgedSight = row.text(13)
        basis = row.text(14)
    }
}
