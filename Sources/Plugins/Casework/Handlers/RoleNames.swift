import CaseworkContract
import CommonContract
import PluginAPI

/// Between the roles of the contract and their names, which rows and callers carry.
enum RoleNames {
    // Both lists are in the order of the contract; the first value of the enumeration is the unspecified one.
    private static let known = Set(Roles.all.map(\.name))
    private static let byNumber: [Int: String] = Dictionary(
        zip(Pcs_Access_V1_Role.allCases.dropFirst().map(\.rawValue), Roles.all.map(\.name)),
        uniquingKeysWith: { first, _ in first })
    private static let byName: [String: Pcs_Access_V1_Role] = Dictionary(
        zip(Roles.all.map(\.name), Pcs_Access_V1_Role.allCases.dropFirst()),
        uniquingKeysWith: { first, _ in first })

    static func isKnown(_ name: String) -> Bool { known.contains(name) }
    /// `nil` for the unspecified role and for numbers that name none.
    static func name(_ role: Pcs_Access_V1_Role) -> String? { byNumber[role.rawValue] }
    static func role(_ name: String) -> Pcs_Access_V1_Role { byName[name] ?? .unspecified }
}

extension Caller {
    /// Names of the roles held at the organisation acted for.
    var roleNames: Set<String> { Set(roles.map(\.name)) }

    /// The person who calls; a system for itself is refused where somebody must answer for the act.
    func requirePerson() throws -> String {
        guard let personID else { throw Failure(CaseworkReasons.notAPerson) }
        return personID
    }
}
