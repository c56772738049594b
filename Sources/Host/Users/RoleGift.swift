package import PluginAPI

/// A role to be given to a person at an organisation, and on whose authority.
package struct RoleGift: Sendable {
    /// What lets it be given. Each is checked against the catalogue but `installation`.
    package enum Authority: Sendable, Hashable {
        /// By a holder of these roles who stands at this level to the organisation.
        case holder(roles: Set<Role>, level: Set<RoleCatalogue.Level>)
        /// At the registration of the organisation itself (identity-and-organisations.md 6).
        case registration
        /// PCSE's support proposed it and a supervisor approved (12).
        case proposal(String)
        /// An approved migration of grants names it (7, 15.3 step 15).
        case migration(String)
        /// The operator or the identity administrator who sets the installation up: any role, within the limits.
        case installation
    }

    package var subjectID: String
    package var role: Role
    package var organisation: ODSCode
    package var from: CalendarDate
    /// First day on which it no longer holds; `nil` = open.
    package var to: CalendarDate?
    package var reason: String
    package var givenBy: String
    package var authority: Authority
    /// Only these payment types; empty = all.
    package var paymentTypes: [String]
    /// The giver has read what the holder will see.
    package var acknowledgesSight: Bool

    package init(
        subjectID: String, role: Role, organisation: ODSCode, from: CalendarDate, to: CalendarDate? = nil,
        reason: String, givenBy: String, authority: Authority, paymentTypes: [String] = [],
        acknowledgesSight: Bool
    ) {
        self.subjectID = subjectID
        self.role = role
        self.organisation = organisation
        self.from = from
        self.to = to
        self.reason = reason
        self.givenBy = givenBy
        self.authority = authority
        self.paymentTypes = paymentTypes
        self.acknowledgesSight = acknowledgesSight
    }

    var basis: String {
        switch authority {
        case .holder: "administrator"
        case .registration: "registration"
        case .proposal(let id): "proposal/\(id)"
        case .migration(let id): "migration/\(id)"
        case .installation: "installation"
        }
    }

    var isInstallation: Bool { authority == .installation }

    /// Whoever sets the installation up gives roles that the contract has and the catalogue does not list yet.
    var unlistedEntry: RoleCatalogue.Entry? {
        guard isInstallation else { return nil }
        return RoleCatalogue.Entry(
            role: role, label: role.name, service: "", kinds: [], givers: [], atRegistration: false,
            mostHolders: nil, leastHolders: nil, isAdministrator: false, isPrivileged: true, sight: "",
            takesPaymentTypes: false, email: .any, source: "", from: from, to: nil)
    }
}

/// What giving a role came to.
package struct GivenRole: Sendable {
    package let grantID: String
    /// Conflicts that are allowed and told (separation of duties).
    package let warnings: [String]
}
