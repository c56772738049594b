import CommonContract
import HostContract
import PluginAPI

/// Questions that changes of subjects ask in their transaction.
enum SubjectStore {
    static func requireFree(_ id: String, _ field: String, in reader: any Reader) throws {
        guard try reader.first(IdentityTables.subject, [.text(id)], { $0.text(0) }) == nil else {
            throw Failure(
                HostReasons.alreadyExists, "People and clients share one name space, and '\(id)' is taken.",
                violations: [Violation(field: field, rule: "subject.unique", message: "The id is taken.")])
        }
    }

    static func require(_ id: String, in reader: any Reader) throws {
        guard try reader.first(IdentityTables.subject, [.text(id)], { $0.text(0) }) != nil else {
            throw Failure(
                HostReasons.notFound, "There is no such subject.",
                violations: [
                    Violation(
                        field: "subject_id", rule: "subject.known", message: "Neither a person nor a client.")
                ])
        }
    }

    /// A name is used once, and so is a key: also one that was revoked never comes back.
    static func requireNew(
        _ key: VerificationKey, named keyID: String, of subjectID: String, in reader: any Reader
    ) throws {
        if try reader.first(IdentityTables.key, [.text(subjectID), .text(keyID)], { $0.text(0) }) != nil {
            throw Failure(
                HostReasons.alreadyExists, "The subject has, or had, a key of this name.",
                violations: [Violation(field: "key_id", rule: "key.unique", message: "Choose another name.")])
        }
        if try reader.first(IdentityTables.keyByFingerprint, [.text(key.fingerprint)], { $0.text(0) }) != nil
        {
            throw Failure(
                HostReasons.alreadyExists, "This key is, or was, registered. A key proves one subject, once.",
                violations: [
                    Violation(field: "public_key_pem", rule: "key.fingerprint", message: "Make a new pair.")
                ])
        }
    }
}

/// A grant as asked for, checked against the directory.
struct WantedGrant: Sendable {
    let subjectID: String
    let role: Pcs_Access_V1_Role
    let roleName: String
    let organisation: ODSCode
    let from: CalendarDate
    /// First day on which it no longer holds.
    let to: CalendarDate?
    let reason: String

    /// Roles of the host itself mean nothing at any other organisation than a national body.
    private static let nationalOnly: Set<Role> = [
        Roles.hostOperator, Roles.identityAdministrator, Roles.organisationDataManager, Roles.auditor,
    ]

    init(_ request: Pcs_Host_V1_GrantRoleRequest, directory: any OrganisationDirectory, today: CalendarDate)
        throws
    {
        subjectID = request.subjectID
        role = request.role
        guard let name = WantedGrant.name(of: request.role) else {
            throw Failure.invalid("role", "grant.role", "There is no such role.")
        }
        roleName = name
        organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        from = try request.hasValidFrom ? FieldCheck.day(request.validFrom, "valid_from") : today
        to = try request.hasValidTo ? FieldCheck.day(request.validTo, "valid_to") : nil
        reason = request.reason
        try FieldCheck.reason(reason)
        guard from >= today else {
            throw Failure.invalid("valid_from", "grant.not_backdated", "A grant begins today or later.")
        }
        if let to, to <= from {
            throw Failure.invalid(
                "valid_to", "grant.period",
                "The end is a day after valid_from; it is the first day without the role.")
        }
        guard let entry = directory.organisation(organisation, at: today), entry.status != .inactive else {
            throw Failure.invalid(
                "organisation_code", "grant.organisation", "The organisation is unknown or closed.")
        }
        if WantedGrant.nationalOnly.contains(Role(roleName)), entry.kind != .national {
            throw Failure.invalid(
                "organisation_code", "grant.national", "\(roleName) is granted at a national body: PCS.")
        }
    }

    func message(id: String, givenBy: String) -> Pcs_Host_V1_Grant {
        .with {
            $0.grantID = id
            $0.subjectID = subjectID
            $0.role = role
            $0.organisationCode = organisation.value
            $0.validFrom = Pcs_Common_V1_Date(from)
            if let to { $0.validTo = Pcs_Common_V1_Date(to) }
            $0.givenBy = givenBy
            $0.reason = reason
        }
    }

    /// `PAYMENTS_OPERATOR` for `ROLE_PAYMENTS_OPERATOR`; `nil` for numbers that name no role.
    static func name(of role: Pcs_Access_V1_Role) -> String? {
        guard role != .unspecified, let index = Pcs_Access_V1_Role.allCases.firstIndex(of: role),
            index >= 1, index <= Roles.all.count
        else { return nil }
        // Both lists are in the order of the contract; the first value of the enumeration is the unspecified one.
        return Roles.all[index - 1].name
    }

    static func role(named name: String) -> Pcs_Access_V1_Role {
        guard let index = Roles.all.firstIndex(of: Role(name)) else { return .unspecified }
        return Pcs_Access_V1_Role.allCases[index + 1]
    }
}

extension Pcs_Host_V1_Person {
    /// From a row of the subject statements.
    init(row: any Row) {
        self.init()
        personID = row.text(0)
        name = row.text(2)
        email = row.text(3)
        state = row.bool(8) ? .active : .disabled
    }
}

extension Pcs_Host_V1_Client {
    /// From a row of the subject statements.
    init(row: any Row) {
        self.init()
        clientID = row.text(0)
        name = row.text(2)
        purpose = row.text(4)
        owner = row.text(5)
        scopes = row.text(6).split(separator: "\n").map(String.init)
        certificateUri = row.text(7)
        state = row.bool(8) ? .active : .disabled
    }
}

extension Pcs_Host_V1_Key {
    /// From a row of the key statements.
    init(row: any Row) {
        self.init()
        subjectID = row.text(0)
        keyID = row.text(1)
        algorithm = row.text(2)
        revoked = !row.isNull(4)
    }
}

extension Pcs_Host_V1_Grant {
    /// From a row of the grant statements.
    init(row: any Row) throws {
        self.init()
        grantID = row.text(0)
        subjectID = row.text(1)
        role = WantedGrant.role(named: row.text(2))
        organisationCode = row.text(3)
        validFrom = Pcs_Common_V1_Date(try row.date(4))
        if let to = try row.optionalDate(5) { validTo = Pcs_Common_V1_Date(to) }
        givenBy = row.text(6)
        reason = row.text(7)
        revokedBy = row.text(8)
    }
}
