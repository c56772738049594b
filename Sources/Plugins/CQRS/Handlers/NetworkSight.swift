import CqrsContract
import HostContract
import PluginAPI

/// What a network, or a practice with PCN View, sees of a member: only for dates on which both belonged to the network
/// (cqrs.md 2.3, REP-3), and pounds only with PCN View or PCN Management beside Finance View (cqrs.md 12).
struct NetworkSight {
    let organisations: any OrganisationDirectory
    let caller: Caller
    let today: CalendarDate

    init(_ context: PluginContext, _ call: CallContext) {
        organisations = context.organisations
        caller = call.caller
        today = call.today
    }

    static let networkRoles: Set<Role> = [Role("CQRS_PCN_VIEW"), Role("CQRS_PCN_MANAGEMENT")]

    /// Who looks at another provider through a network; `nil` for the provider itself, commissioners and national roles.
    private func looker(at provider: String) -> (code: ODSCode, isNetwork: Bool)? {
        guard caller.actingFor != provider, let code = ODSCode(caller.actingFor),
            let kind = organisations.organisation(code, at: today)?.kind
        else { return nil }
        switch kind {
        case .pcn: return (code, true)
        case .practice: return (code, false)
        default: return nil
        }
    }

    func sees(_ provider: String, on day: CalendarDate) -> Bool {
        guard let looker = looker(at: provider), let other = ODSCode(provider) else { return true }
        let pcn = looker.isNetwork ? looker.code : organisations.pcn(of: looker.code, at: day)
        guard let pcn else { return false }
        return other == pcn || organisations.pcn(of: other, at: day) == pcn
    }

    func require(_ provider: String, on day: CalendarDate, pounds: Bool = false) throws {
        guard looker(at: provider) != nil else { return }
        if pounds, caller.roles.isDisjoint(with: Self.networkRoles) {
            throw Failure(
                HostReasons.accessDenied,
                "Pounds of a member take PCN View or PCN Management beside Finance View.")
        }
        guard sees(provider, on: day) else {
            throw Failure(
                CqrsReasons.notMembersThen,
                "\(provider) and \(caller.actingFor) were not in one network on \(day).")
        }
    }
}
