import HostContract
import PluginAPI

/// How a caller stands to an organisation whose users it manages.
struct GiverStanding {
    let registry: IdentityRegistry
    let caller: Caller
    let today: CalendarDate

    func levels(to organisation: ODSCode) -> Set<RoleCatalogue.Level> {
        guard let acting = ODSCode(caller.actingFor) else { return [] }
        let directory = registry.directory
        let kind = directory.organisation(acting, at: today)?.kind
        var levels: Set<RoleCatalogue.Level> = []
        if acting == organisation { levels.insert(.own) }
        if kind == .national { levels.insert(.national) }
        if kind == .subICBLocation, directory.commissioner(of: organisation, at: today) == acting {
            levels.insert(.commissioner)
        }
        if directory.icb(of: organisation, at: today) == acting, acting != organisation {
            levels.insert(.icb)
        }
        if directory.region(of: organisation, at: today) == acting, acting != organisation {
            levels.insert(.region)
        }
        return levels
    }

    /// The authority on which the caller gives roles there.
    func authority(at organisation: ODSCode) -> RoleGift.Authority {
        .holder(roles: caller.roles, level: levels(to: organisation))
    }

    /// Whether the caller may act on users of any service, as the operator and identity administrator may.
    var isNationalAdministrator: Bool {
        !caller.roles.isDisjoint(with: [
            Role("HOST_OPERATOR"), Role("IDENTITY_ADMINISTRATOR"), Role("PCSE_SUPERVISOR"),
        ])
    }
}
