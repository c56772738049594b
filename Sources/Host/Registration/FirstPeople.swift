import CommonContract
import HostContract
import PluginAPI

/// The people of a new registration: the contract holder and the first User Administrators, as accounts with
/// memberships and the administrator roles of that kind of organisation.
struct FirstPeople: Sendable {
    struct Named: Sendable {
        let name: String
        let email: String
        var isAdministrator: Bool
    }

    let people: [Named]
    let holder: Named
    let isNominee: Bool

    /// - Throws: `FIELD_INVALID` with everything that is wrong.
    init(_ request: Pcs_Host_V1_RedeemCodeRequest, rules: RegistrationRules) throws {
        var check = IdentityFields()
        let holder = FirstPeople.named(request.contractHolder, "contract_holder", &check)
        var people: [Named] = []
        for (index, person) in request.administrators.prefix(20).enumerated() {
            var named = FirstPeople.named(person, "administrators[\(index)]", &check)
            named.isAdministrator = true
            people.append(named)
        }
        try check.finish()
        let least = rules[.administratorsLeast]
        let most = rules[.administratorsMost]
        guard (least...most).contains(request.administrators.count) else {
            throw Failure.invalid(
                "administrators", "registration.administrators", "\(least) to \(most) User Administrators.")
        }
        guard Set(people.map { $0.email.lowercased() }).count == people.count else {
            throw Failure.invalid(
                "administrators", "registration.administrators", "Each User Administrator is another person.")
        }
        guard request.acknowledged else {
            throw Failure.invalid(
                "acknowledged", "registration.acknowledged",
                "Say that you know: a role lets its holder see data that you may consider sensitive or confidential."
            )
        }
        isNominee = request.isNominee
        self.holder = holder
        let isAmong = people.contains { $0.email.lowercased() == holder.email.lowercased() }
        self.people = isAmong ? people : [holder] + people
    }

    private static func named(
        _ person: Pcs_Host_V1_NamedPerson, _ field: String, _ check: inout IdentityFields
    ) -> Named {
        Named(
            name: check.text(person.name, field + ".name", 1...200),
            email: check.email(person.email, field + ".email"), isAdministrator: false)
    }

    /// Makes or finds the accounts, and gives what registration gives.
    /// - Returns: the people as the reply shows them, with the activation codes of new accounts apart.
    func settle(
        at organisation: ODSCode, roles: [Role], identity: IdentityRegistry, invitations: InvitationBook,
        today: CalendarDate, in transaction: any Transaction
    ) throws -> (people: [Pcs_Host_V1_RegisteredPerson], codes: [String: String]) {
        var codes: [String: String] = [:]
        let giver = "registration/\(organisation)"
        let shown = try people.map { person in
            let (id, isNew) = try account(of: person, giver, in: transaction)
            try identity.addMembership(
                of: id, at: organisation, from: today, reason: "registration of the organisation",
                givenBy: giver,
                in: transaction)
            let own = person.isAdministrator ? roles : []
            for role in own {
                _ = try identity.giveRole(
                    RoleGift(
                        subjectID: id, role: role, organisation: organisation, from: today,
                        reason: "named at the registration of the organisation", givenBy: giver,
                        authority: .registration, acknowledgesSight: true), in: transaction)
            }
            if isNew { codes[id] = try invitations.issueInvitation(for: id, in: transaction).code }
            return Pcs_Host_V1_RegisteredPerson.with {
                $0.personID = id
                $0.name = person.name
                $0.email = person.email
                $0.roles = own.map { WantedGrant.role(named: $0.name) }
            }
        }
        return (shown, codes)
    }

    /// A person has one account, whoever names them (identity-and-organisations.md 7).
    private func account(
        of person: Named, _ giver: String, in transaction: any Transaction
    ) throws -> (id: String, isNew: Bool) {
        if let known = try transaction.first(
            IdentityTables.subjectByEmail, [.text(person.email.lowercased())], { $0.text(0) })
        {
            return (known, false)
        }
        let id = "p" + transaction.newIdentifier().lowercased()
        try transaction.run(
            IdentityTables.insertSubject,
            [
                .text(id), .text(Subject.Kind.person.rawValue), .text(person.name), .text(person.email),
                .text(person.email.lowercased()), .text(""), .text(""), .text(""), .null,
                .instant(transaction.now), .text(giver),
            ])
        transaction.audit(AuditNote(object: "subject/\(id)", detail: "person created: \(person.name)"))
        return (id, true)
    }
}
