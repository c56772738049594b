/// Who calls, as the Host has established it before the handler runs.
public struct Caller: Hashable, Sendable {
    /// Account of the person; `nil` when a system calls for itself.
    public let personID: String?
    /// Calling system; `nil` when a person calls with a session of their own.
    public let clientID: String?
    /// ODS code of the organisation acted for; empty when the method needs none.
    public let actingFor: String
    /// Roles that the caller holds at `actingFor` today.
    public let roles: Set<Role>
    /// How the caller proved itself: `unix-socket`, `mutual-tls`, `token`, `session` or `in-process`; empty
    /// for anonymous calls.
    public let authentication: String
    /// Public name of the access token that proved it; empty when there was none. Not a secret.
    public let session: String

    public init(
        personID: String?, clientID: String?, actingFor: String, roles: Set<Role>, authentication: String = "",
        session: String = ""
    ) {
        self.personID = personID
        self.clientID = clientID
        self.actingFor = actingFor
        self.roles = roles
        self.authentication = authentication
        self.session = session
    }

    /// The natural person, or else the system, that answers for the act. Two steps that need different people compare
    /// this, across organisations.
    public var responsible: String { personID ?? clientID ?? "" }
}
