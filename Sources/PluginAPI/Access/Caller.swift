/// Who calls, as the Host has established it before the handler runs.
public struct Caller: Hashable, Sendable {
    /// One reference, because a caller is handed on several times a call and holds six values that would each be counted.
    private let facts: Facts

    /// Account of the person; `nil` when a system calls for itself.
    public var personID: String? { facts.personID }
    /// Calling system; `nil` when a person calls with a session of their own.
    public var clientID: String? { facts.clientID }
    /// ODS code of the organisation acted for; empty when the method needs none.
    public var actingFor: String { facts.actingFor }
    /// Roles that the caller holds at `actingFor` today.
    public var roles: Set<Role> { facts.roles }
    /// How the caller proved itself: `unix-socket`, `mutual-tls`, `token`, `session` or `in-process`; empty
    /// for anonymous calls.
    public var authentication: String { facts.authentication }
    /// Public name of the access token that proved it; empty when there was none. Not a secret.
    public var session: String { facts.session }

    public init(
        personID: String?, clientID: String?, actingFor: String, roles: Set<Role>, authentication: String = "",
        session: String = ""
    ) {
        facts = Facts(
            personID: personID, clientID: clientID, actingFor: actingFor, roles: roles,
            authentication: authentication, session: session)
    }

    /// The natural person, or else the system, that answers for the act. Two steps that need different people compare
    /// this, across organisations.
    public var responsible: String { personID ?? clientID ?? "" }

    private final class Facts: Hashable, Sendable {
        let personID: String?
        let clientID: String?
        let actingFor: String
        let roles: Set<Role>
        let authentication: String
        let session: String

        init(
            personID: String?, clientID: String?, actingFor: String, roles: Set<Role>, authentication: String,
            session: String
        ) {
            self.personID = personID
            self.clientID = clientID
            self.actingFor = actingFor
            self.roles = roles
            self.authentication = authentication
            self.session = session
        }

        static func == (left: Facts, right: Facts) -> Bool {
            left === right
                || left.personID == right.personID && left.clientID == right.clientID
                    && left.actingFor == right.actingFor && left.roles == right.roles
                    && left.authentication == right.authentication && left.session == right.session
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(personID)
            hasher.combine(clientID)
            hasher.combine(actingFor)
            hasher.combine(roles)
            hasher.combine(authentication)
            hasher.combine(session)
        }
    }
}
