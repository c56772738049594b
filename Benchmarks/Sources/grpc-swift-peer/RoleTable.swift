import Synchronization

/// Roles of the callers, in memory behind a lock: the cheapest authorisation that can be changed while serving.
final class RoleTable: Sendable {
    private let roles: Mutex<[String: Set<String>]>

    init(callers: [String: Set<String>]) {
        roles = Mutex(callers)
    }

    func holds(_ caller: String, _ role: String) -> Bool {
        roles.withLock { $0[caller]?.contains(role) ?? false }
    }
}
