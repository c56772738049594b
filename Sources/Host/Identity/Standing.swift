import CommonContract
import HostContract
import PluginAPI

/// Where a subject stands today: the organisations it reaches, and its roles there.
struct Standing: Sendable {
    let isPerson: Bool
    let grants: [RoleGrant]
    /// Of people only. A grant is a membership too: it was given to a member.
    let memberships: [ODSCode]

    var organisations: Set<ODSCode> { Set(memberships).union(grants.map(\.organisation)) }

    func isMember(at organisation: ODSCode) -> Bool {
        memberships.contains(organisation) || grants.contains { $0.organisation == organisation }
    }

    /// With MEMBER for people wherever they are members (identity-and-organisations.md 7).
    func roles(at organisation: ODSCode) -> Set<Role> {
        var roles = Set(grants.filter { $0.organisation == organisation }.map(\.role))
        if isPerson, isMember(at: organisation) { roles.insert(Roles.member) }
        return roles
    }
}

extension IdentityRegistry {
    /// The subject's standing today; that of the local operator when there is no subject.
    func standing(of subject: Subject?) -> Standing {
        let today = clock.today
        guard let subject else {
            let grants = inForce(IdentityRegistry.operatorGrants, on: today)
            return Standing(isPerson: false, grants: grants, memberships: [])
        }
        let memberships = subject.memberships.filter { membership in
            membership.holds(on: today)
                && isUnbroken(at: membership.organisation, since: membership.from, on: today)
        }
        return Standing(
            isPerson: subject.kind == .person, grants: inForce(subject.grants, on: today),
            memberships: memberships.map(\.organisation))
    }

    /// The organisation acted for: that of the session, or the one that the call names, or the only one.
    func actingOrganisation(
        _ standing: Standing, _ credentials: Credentials, isNeeded: Bool
    ) throws -> ODSCode? {
        if let session = credentials.person?.session {
            return try actingOrganisation(
                of: session, standing, asked: credentials.actingFor, isNeeded: isNeeded)
        }
        if let asked = credentials.actingFor, !asked.isEmpty {
            guard let code = ODSCode(asked), standing.isMember(at: code) else {
                throw Failure.denied(.grant, "no grant is in force at \(asked.prefix(12)) today")
            }
            return code
        }
        let organisations = standing.organisations
        guard let first = organisations.first else {
            if isNeeded { throw Failure.denied(.grant, "no grant is in force today") }
            return nil
        }
        guard organisations.count == 1 else {
            if isNeeded { throw Failure(HostReasons.actingForRequired) }
            return nil
        }
        return first
    }

    /// A session acts for one organisation; another needs another session (identity-and-organisations.md 7).
    private func actingOrganisation(
        of session: PersonSession, _ standing: Standing, asked: String?, isNeeded: Bool
    ) throws -> ODSCode? {
        guard let organisation = session.organisation else {
            guard isNeeded || asked?.isEmpty == false else { return nil }
            throw Failure(
                HostReasons.actingForRequired,
                "Refused by the clause sessionOrganisation: the session acts for no organisation yet; choose one."
            )
        }
        if let asked, !asked.isEmpty, asked != organisation.value {
            throw Failure.denied(
                .sessionOrganisation,
                "the session acts for \(organisation), not for \(asked.prefix(12)); switch with ChooseOrganisation"
            )
        }
        guard standing.isMember(at: organisation) else {
            if isNeeded {
                throw Failure.denied(.membership, "no membership of \(organisation) is active today")
            }
            return nil
        }
        return organisation
    }

    /// A dangerous act needs a full proof of the person within the last minutes (identity-and-organisations.md 10).
    func requireFreshProof(_ credentials: Credentials, for method: MethodDescriptor) throws {
        guard method.access.needsStepUp else { return }
        if credentials.person == nil, credentials.system?.kind == .localOperator { return }
        guard let person = credentials.person else {
            throw Failure(
                HostReasons.stepUpRequired,
                "Refused by the clause stepUp: a person does this, with a fresh proof; a system does not.")
        }
        let limit = AccountRules.shipped.milliseconds(.stepUpMinutes)
        guard let provedAt = person.provedAt, clock.now <= provedAt.adding(milliseconds: limit) else {
            throw Failure(
                HostReasons.stepUpRequired,
                "Refused by the clause stepUp: the last full proof is older than \(limit / 60_000) minutes.")
        }
    }

    /// How an organisation out of reach looks. A session that reads records of another organisation is told that there
    /// is nothing, so that addresses tried out tell nothing (section 16, example 9); the audit has the clause.
    func seen(
        _ failure: Failure, by credentials: Credentials, _ standing: Standing, _ question: AccessQuestion
    ) -> Failure {
        let ways = question.method.access.allow.filter { question.roles.contains($0.role) }
        guard credentials.person?.session != nil, !question.method.access.changesState,
            ways.allSatisfy({ [.own, .acting, .pcnMember].contains($0.relation) })
        else { return failure }
        let named = Set(question.organisations.compactMap { ODSCode($0.code) })
        let isElsewhere = named.contains { $0 != question.acting && standing.isMember(at: $0) }
        let words =
            isElsewhere
            ? "Refused by the clause sessionOrganisation: the session acts for \(question.acting), and the request "
                + "names \(named.map(\.value).sorted().joined(separator: ", "))."
            : failure.message
        return Failure(HostReasons.notFound, cause: AuditedCause(words: words))
    }
}

/// What the audit is told of a refusal, in the place of what the caller is told.
struct AuditedCause: Error, Sendable {
    let words: String
}
