import CommonContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// What an organisation sees of its users.
struct UserList {
    let registry: IdentityRegistry
    let today: CalendarDate

    private static let person = Statement(
        """
        SELECT s.subject_id, s.name, s.email, s.is_active, l.last_log_in_at
        FROM identity_subject s LEFT JOIN account_life l ON l.account_id = s.subject_id
        WHERE s.subject_id = ?1
        """)

    /// One person at an organisation, with every role they have or had there.
    func user(_ id: String, at organisation: String, in reader: any Reader) throws -> Pcs_Host_V1_User {
        let memberships = try reader.all(
            UserTables.membershipsOf, [.text(id)], MembershipRow.init(row:)
        ).filter { $0.organisation == organisation }
        let grants = try reader.all(UserTables.grantsOf, [.text(id)], GrantRow.init(row:)).filter {
            $0.organisation == organisation
        }
        return try user(id, at: organisation, memberships, grants, in: reader)
    }

    func user(
        _ id: String, at organisation: String, _ memberships: [MembershipRow], _ grants: [GrantRow],
        in reader: any Reader
    ) throws -> Pcs_Host_V1_User {
        var user = Pcs_Host_V1_User()
        var lastLogIn: Instant?
        try reader.forEach(Self.person, [.text(id)]) { row in
            user.name = row.text(1)
            user.email = row.text(2)
            user.accountDisabled = !row.bool(3)
            lastLogIn = row.isNull(4) ? nil : row.instant(4)
        }
        user.accountID = id
        user.organisationCode = organisation
        if let open = memberships.first(where: \.isOpen) {
            user.active = true
            user.memberSince = Pcs_Common_V1_Date(open.from)
        } else if let last = memberships.max(by: { ($0.endedAt ?? $0.givenAt) < ($1.endedAt ?? $1.givenAt) })
        {
            user.memberSince = Pcs_Common_V1_Date(last.from)
            if let endedAt = last.endedAt { user.deactivatedAt = Google_Protobuf_Timestamp(endedAt) }
            user.deactivatedBy = last.endedBy
            user.deactivationReason = last.endReason
        }
        if let lastLogIn { user.lastUsedAt = Google_Protobuf_Timestamp(lastLogIn) }
        user.roles = grants.map(message)
        user.remarks = remarks(user, grants, lastLogIn)
        return user
    }

    private func remarks(_ user: Pcs_Host_V1_User, _ grants: [GrantRow], _ lastLogIn: Instant?) -> [String] {
        guard user.active else { return [] }
        var remarks: [String] = []
        let parameters = registry.catalogue.current(on: today).parameters
        if let lastLogIn,
            LondonTime.day(at: lastLogIn).adding(days: parameters.unusedAccountWarnDays) <= today
        {
            // Leavers keep what nobody takes away (S2, S7): this is how they are found.
            remarks.append("not used for \(parameters.unusedAccountWarnDays) days or more: still here?")
        }
        for grant in grants where grant.holds(on: today) && grant.givenBy == grant.subjectID {
            remarks.append("gave themselves \(grant.role)")
        }
        return remarks
    }

    func message(_ grant: GrantRow) -> Pcs_Host_V1_RoleGiven {
        .with {
            $0.grantID = grant.id
            $0.accountID = grant.subjectID
            $0.organisationCode = grant.organisation
            $0.role = WantedGrant.role(named: grant.role.name)
            $0.label = registry.catalogue.current(on: today).entry(grant.role, on: today)?.label ?? ""
            $0.validFrom = Pcs_Common_V1_Date(grant.from)
            if let to = grant.to { $0.validTo = Pcs_Common_V1_Date(to) }
            $0.givenBy = grant.givenBy
            $0.givenAt = Google_Protobuf_Timestamp(grant.givenAt)
            $0.reason = grant.reason
            $0.paymentTypes = grant.paymentTypes
            $0.acknowledgedSight = grant.acknowledgedSight
            if let revokedAt = grant.revokedAt { $0.revokedAt = Google_Protobuf_Timestamp(revokedAt) }
            $0.revokedBy = grant.revokedBy
            $0.revokeReason = grant.revokeReason
            $0.selfGiven = grant.givenBy == grant.subjectID
            $0.basis = grant.basis
        }
    }

    /// Roles with fewer holders than the catalogue advises (USR-7).
    func warnings(_ grants: [GrantRow], at kind: RoleCatalogue.Kind) -> [String] {
        let inForce = grants.filter { $0.holds(on: today) }
        let holders = Dictionary(grouping: inForce, by: \.role).mapValues { Set($0.map(\.subjectID)).count }
        var warnings: [String] = []
        for entry in registry.catalogue.current(on: today).entries(on: today)
        where entry.kinds.contains(kind) {
            guard let least = entry.leastHolders, let count = holders[entry.role], count < least else {
                continue
            }
            warnings.append(
                "\(entry.label) has \(count) holder\(count == 1 ? "" : "s"); \(least) are advised.")
        }
        if !inForce.isEmpty,
            !inForce.contains(where: {
                registry.catalogue.current(on: today).entry($0.role, on: today)?.isAdministrator == true
            })
        {
            warnings.append("Nobody administers users here.")
        }
        return warnings
    }
}
