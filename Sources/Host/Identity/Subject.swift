import PluginAPI

/// A person or client as held in memory: everything that authenticating and authorising need.
struct Subject: Sendable {
    enum Kind: String, Sendable { case person, client }

    let id: String
    let kind: Kind
    let name: String
    var isActive: Bool
    let scopes: [MethodScope]
    let certificateURI: String?
    /// Keys that are not revoked, by name.
    var keys: [String: VerificationKey] = [:]
    /// Grants that are not revoked, past and future ones included.
    var grants: [RoleGrant] = []
    /// Memberships that have not ended, future ones included. A membership that ends takes its grants with it.
    var memberships: [Membership] = []
}

/// A person at an organisation. It alone gives the role MEMBER there, and nothing else.
struct Membership: Hashable, Sendable {
    let organisation: ODSCode
    let from: CalendarDate

    func holds(on day: CalendarDate) -> Bool { from <= day }
}

/// A role at an organisation for a period.
struct RoleGrant: Hashable, Sendable {
    let id: String
    let role: Role
    let organisation: ODSCode
    let from: CalendarDate
    /// First day on which it no longer holds; `nil` = open.
    let to: CalendarDate?

    func holds(on day: CalendarDate) -> Bool { from <= day && to.map { day < $0 } ?? true }
}
