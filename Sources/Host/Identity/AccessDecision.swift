import CommonContract
import HostContract
package import PluginAPI

/// The clauses of the decision (identity-and-organisations.md 9). A refusal names the one that failed.
enum AccessClause: String, Sendable, CaseIterable {
    /// The account is disabled, locked, dormant or unknown.
    case account
    /// The proof does not reach the level needed: password and second factor at least.
    case secondFactor
    /// The system's scopes do not have the method.
    case scope
    /// The session acts for another organisation, or for none yet.
    case sessionOrganisation
    /// The person is no member of the organisation of the session today.
    case membership
    /// One person would hold both sides of an act that needs two.
    case separation
    /// The last full proof is too old for a dangerous act.
    case stepUp
    /// No grant is in force, or none at the organisation named.
    case grant
    /// The organisation acted for is unknown or closed.
    case actingFor
    /// No grant gives a role that the method takes.
    case role
    /// The request names no organisation where it must.
    case organisationMissing
    /// The organisation named is not in the register.
    case organisationUnknown
    /// The organisation named has closed.
    case organisationClosed
    /// ICB level reads only.
    case icbReadOnly
    /// The organisation acted for has not the relation to the one named.
    case relation
}

extension IdentityRegistry {
    /// Days after its closing on which an organisation's own past can still be read (15.3, step 15).
    static let readableDaysAfterClosing = 90

    /// All of gate 5, on each call: the account is active, and the system's scopes have the method, and a grant in force
    /// today at the organisation acted for has a role of the rule, and that organisation has the relation of the rule
    /// to the one that the request names, today. A person through a system: the system by its scopes, the person by
    /// their grants, both must pass. Anything else is refused, with the clause.
    ///
    /// - Throws: `UNAUTHENTICATED`, `TOKEN_EXPIRED`, `ACCESS_DENIED`, `ACTING_FOR_REQUIRED`, `ORGANISATION_OUT_OF_SCOPE`.
    package func authorise(
        _ method: MethodDescriptor, credentials: Credentials, organisations: [OrganisationTarget]
    ) throws -> Caller {
        if method.access.isAnonymous { return Caller(personID: nil, clientID: nil, actingFor: "", roles: []) }
        var credentials = credentials
        if credentials.person == nil, credentials.system?.kind == .person {
            credentials.person = credentials.system
            credentials.system = nil
        }
        guard credentials.system != nil || credentials.person != nil else {
            throw Failure(HostReasons.unauthenticated)
        }
        let system = try credentials.system.map { try requireGood($0) } ?? nil
        let person = try credentials.person.map { try requireGood($0) } ?? nil
        guard credentials.person == nil || person?.kind == .person else {
            throw Failure(HostReasons.unauthenticated, "The person's token is not a person's.")
        }
        if let principal = credentials.system, !method.access.anyCaller {
            try requireScope(of: principal, subject: system, for: method)
        }
        let caller = CallerMaking(credentials: credentials)
        if credentials.person == nil, credentials.system?.kind == .plugin {
            // The manifest is the plugin's grant: what it declares to call is reviewed with its code.
            try requireFreshProof(credentials, for: method)
            return caller.make(actingFor: OrganisationRegister.operatorCode.value, roles: [])
        }
        if let session = credentials.person?.session, session.assurance < 2 {
            throw Failure.denied(.secondFactor, "the session was opened without a second factor")
        }
        let standing = self.standing(of: person ?? system)
        let acting = try actingOrganisation(standing, credentials, isNeeded: !method.access.anyCaller)
        guard let acting else {
            try requireFreshProof(credentials, for: method)
            return caller.make(actingFor: "", roles: [])
        }
        let roles = standing.roles(at: acting)
        if !method.access.anyCaller {
            if roles == [Roles.member], !method.access.allow.contains(where: { $0.role == Roles.member }) {
                throw Failure.denied(.grant, "no grant is in force at \(acting) today, only a membership")
            }
            let question = AccessQuestion(
                method: method, acting: acting, roles: roles, organisations: organisations, directory: directory,
                today: clock.today, glass: glass.session(of: credentials.person?.subjectID, at: clock.now))
            do {
                try question.answer()
            } catch let failure as Failure where failure.reason == HostReasons.organisationOutOfScope {
                throw seen(failure, by: credentials, standing, question)
            }
        }
        try requireFreshProof(credentials, for: method)
        return caller.make(actingFor: acting.value, roles: roles)
    }

    /// The token still holds and the account is active. `nil` for those who have no account here.
    private func requireGood(_ principal: Principal) throws -> Subject? {
        switch principal.kind {
        case .localOperator, .plugin: return nil
        case .person, .client: break
        }
        let now = principal.tokenID == nil ? nil : clock.now
        let subject = try state.withLock { state -> Subject? in
            if let tokenID = principal.tokenID, let now {
                guard let record = state.tokens.record(tokenID), record.subjectID == principal.subjectID
                else {
                    throw Failure(HostReasons.tokenExpired)
                }
                guard record.isAlive(at: now) else { throw Failure(HostReasons.tokenExpired) }
            }
            return state.subjects[principal.subjectID]
        }
        guard let subject else { throw Failure(HostReasons.unauthenticated, "The account is unknown here.") }
        guard subject.isActive else {
            throw Failure.denied(.account, "the account \(subject.id) is disabled")
        }
        return subject
    }

    private func requireScope(of principal: Principal, subject: Subject?, for method: MethodDescriptor) throws
    {
        let scopes: [MethodScope]
        switch principal.kind {
        case .localOperator, .person: return
        case .plugin: scopes = principal.scopes
        case .client: scopes = subject?.scopes ?? []
        }
        guard scopes.contains(where: { $0.contains(method.path) }) else {
            throw Failure.denied(.scope, "the scopes of \(principal.subjectID) do not have \(method.path)")
        }
    }

    /// The local operator's one grant.
    static let operatorGrants = [
        RoleGrant(
            id: "local-operator", role: Role("HOST_OPERATOR"),
            organisation: OrganisationRegister.operatorCode,
            from: .unboundedStart, to: nil)
    ]

    /// Grants that hold on a day.
    func inForce(_ grants: [RoleGrant], on day: CalendarDate) -> [RoleGrant] {
        grants.filter { $0.holds(on: day) && isUnbroken(at: $0.organisation, since: $0.from, on: day) }
    }

    /// An organisation that closed and opened again does not bring back what was given before (section 16, example 21).
    func isUnbroken(at organisation: ODSCode, since from: CalendarDate, on day: CalendarDate) -> Bool {
        guard let closed = closures?.lastInactiveDay(of: organisation, before: day) else { return true }
        if directory.organisation(organisation, at: day)?.status == .inactive { return true }
        return closed < from
    }
}

/// Puts the parts of a caller together.
private struct CallerMaking {
    let credentials: Credentials

    func make(actingFor: String, roles: Set<Role>) -> Caller {
        let system = credentials.system
        let person = credentials.person
        // An operator at the terminal is a natural person too: who approves is compared with who did.
        let isAlone = person == nil && system?.kind == .localOperator
        let token = person?.tokenID ?? system?.tokenID
        return Caller(
            personID: person?.subjectID ?? (isAlone ? system?.subjectID : nil),
            clientID: isAlone ? nil : system?.subjectID, actingFor: actingFor, roles: roles,
            authentication: (system ?? person)?.authentication ?? "", session: token?.description ?? "")
    }
}

extension Failure {
    static func denied(_ clause: AccessClause, _ words: String) -> Failure {
        Failure(HostReasons.accessDenied, "Refused by the clause \(clause.rawValue): \(words).")
    }

    static func outOfScope(_ clause: AccessClause, _ words: String) -> Failure {
        Failure(HostReasons.organisationOutOfScope, "Refused by the clause \(clause.rawValue): \(words).")
    }
}
