import PluginAPI

/// Grants that PCSE proposes, and the Authorised Email List.
enum ProposalTables {
    static let migrations: [Migration] = [
        Migration(
            version: 231, name: "proposals of administrator grants, authorised contacts",
            statements: [
                """
                CREATE TABLE grant_proposal (
                    proposal_id TEXT NOT NULL PRIMARY KEY,
                    organisation_code TEXT NOT NULL,
                    account_id TEXT NOT NULL REFERENCES identity_subject (subject_id),
                    role TEXT NOT NULL,
                    authoriser INTEGER NOT NULL,
                    authoriser_name TEXT NOT NULL,
                    authoriser_account_id TEXT NOT NULL,
                    authoriser_organisation_code TEXT NOT NULL,
                    signature_reference TEXT NOT NULL,
                    no_earlier_authoriser TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    sight_acknowledged INTEGER NOT NULL,
                    digest TEXT NOT NULL,
                    proposed_by TEXT NOT NULL,
                    proposed_at INTEGER NOT NULL,
                    lapses_after TEXT NOT NULL,
                    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected')),
                    decided_by TEXT,
                    decided_at INTEGER,
                    decision_reason TEXT,
                    grant_id TEXT
                ) STRICT
                """,
                "CREATE INDEX grant_proposal_by_organisation ON grant_proposal (organisation_code)",
                """
                CREATE TABLE authorised_contact (
                    contact_id TEXT NOT NULL PRIMARY KEY,
                    organisation_code TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    email TEXT NOT NULL,
                    email_key TEXT NOT NULL,
                    name TEXT NOT NULL,
                    added_by TEXT NOT NULL,
                    added_at INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    ended_by TEXT,
                    ended_at INTEGER,
                    end_reason TEXT
                ) STRICT
                """,
                "CREATE INDEX authorised_contact_by_organisation ON authorised_contact (organisation_code, subject)",
            ])
    ]

    private static let columns = """
        proposal_id, organisation_code, account_id, role, authoriser, authoriser_name, authoriser_account_id,
        authoriser_organisation_code, signature_reference, no_earlier_authoriser, reason, sight_acknowledged, digest,
        proposed_by, lapses_after, state, decided_by, decision_reason, grant_id, proposed_at
        """
    static let proposal = Statement("SELECT \(columns) FROM grant_proposal WHERE proposal_id = ?1")
    static let proposals = Statement(
        """
        SELECT \(columns) FROM grant_proposal
        WHERE (?1 = '' OR organisation_code = ?1) AND (?2 = 1 OR state = 'open') ORDER BY proposal_id
        """)
    static let insertProposal = Statement(
        """
        INSERT INTO grant_proposal (proposal_id, organisation_code, account_id, role, authoriser, authoriser_name,
            authoriser_account_id, authoriser_organisation_code, signature_reference, no_earlier_authoriser, reason,
            sight_acknowledged, digest, proposed_by, lapses_after, proposed_at, state)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 'open')
        """)
    static let decide = Statement(
        """
        UPDATE grant_proposal SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, grant_id = ?6
        WHERE proposal_id = ?1 AND state = 'open'
        """)

    private static let contactColumns =
        "contact_id, organisation_code, subject, email, email_key, name, ended_at"
    static let contacts = Statement(
        """
        SELECT \(contactColumns) FROM authorised_contact WHERE organisation_code = ?1
        ORDER BY subject, name, contact_id
        """)
    static let currentContacts = Statement(
        """
        SELECT \(contactColumns) FROM authorised_contact
        WHERE organisation_code = ?1 AND subject = ?2 AND ended_at IS NULL ORDER BY name, contact_id
        """)
    static let insertContact = Statement(
        """
        INSERT INTO authorised_contact (contact_id, organisation_code, subject, email, email_key, name, added_by, added_at,
            reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    static let endContact = Statement(
        """
        UPDATE authorised_contact SET ended_by = ?2, ended_at = ?3, end_reason = ?4
        WHERE contact_id = ?1 AND ended_at IS NULL
        """)
}

/// A row of `grant_proposal`.
struct GrantProposal: Hashable, Sendable {
    var id: String
    var organisation: String
    var accountID: String
    var role: Role
    var authoriser: Int
    var authoriserName: String
    var authoriserAccountID: String
    var authoriserOrganisation: String
    var signatureReference: String
    var noEarlierAuthoriser: String
    var reason: String
    var sightAcknowledged: Bool
    var digest: String
    var proposedBy: String
    var lapsesAfter: CalendarDate
    var state: String
    var decidedBy = ""
    var decisionReason = ""
    var grantID = ""
    var proposedAt: Instant

    init(row: any Row) throws {
        id = row.text(0)
        organisation = row.text(1)
        accountID = row.text(2)
        role = Role(row.text(3))
        authoriser = Int(row.integer(4))
        authoriserName = row.text(5)
        authoriserAccountID = row.text(6)
        authoriserOrganisation = row.text(7)
        signatureReference = row.text(8)
        noEarlierAuthoriser = row.text(9)
        reason = row.text(10)
        sightAcknowledged = row.bool(11)
        digest = row.text(12)
        proposedBy = row.text(13)
        lapsesAfter = try row.date(14)
        state = row.text(15)
        decidedBy = row.text(16)
        decisionReason = row.text(17)
        grantID = row.text(18)
        proposedAt = row.instant(19)
    }

    init(
        id: String, organisation: ODSCode, role: Role, request: ProposedGrant, proposedBy: String,
        lapsesAfter: CalendarDate, at now: Instant
    ) {
        self.id = id
        self.organisation = organisation.value
        accountID = request.accountID
        self.role = role
        authoriser = request.authoriser
        authoriserName = request.authoriserName
        authoriserAccountID = request.authoriserAccountID
        authoriserOrganisation = request.authoriserOrganisation
        signatureReference = request.signatureReference
        noEarlierAuthoriser = request.noEarlierAuthoriser
        reason = request.reason
        sightAcknowledged = request.sightAcknowledged
        digest = ""
        self.proposedBy = proposedBy
        self.lapsesAfter = lapsesAfter
        state = "open"
        proposedAt = now
    }

    func insert(in transaction: any Transaction) throws {
        try transaction.run(
            ProposalTables.insertProposal,
            [
                .text(id), .text(organisation), .text(accountID), .text(role.name), .integer(authoriser),
                .text(authoriserName), .text(authoriserAccountID), .text(authoriserOrganisation),
                .text(signatureReference), .text(noEarlierAuthoriser), .text(reason),
                .integer(sightAcknowledged ? 1 : 0), .text(digest), .text(proposedBy), .date(lapsesAfter),
                .instant(proposedAt),
            ])
    }
}

/// The words of a proposal, checked.
struct ProposedGrant: Hashable, Sendable {
    var accountID: String
    var authoriser: Int
    var authoriserName: String
    var authoriserAccountID: String
    var authoriserOrganisation: String
    var signatureReference: String
    var noEarlierAuthoriser: String
    var reason: String
    var sightAcknowledged: Bool
}
