import CommonContract
import HostContract
import PluginAPI
import PluginTestKit

@testable import Host

/// A practice of the real register with an administrator, and short words for what tests do there.
struct UsersBench {
    static let practice = "C84101"
    static let commissioner = "02Q"
    let host: TestHost

    static func with(
        _ clock: ManualClock = .atStart, on day: CalendarDate? = nil,
        _ body: @Sendable (UsersBench) async throws -> Void
    ) async throws {
        try await TestHost.with(clock: clock) { host in
            try await host.loadOrganisations()
            // The register is published later than some of the days that tests look at.
            if let day { clock.set(day) }
            try await body(UsersBench(host: host))
        }
    }

    func users(_ subject: TestSubject?) async throws -> Pcs_Host_V1_UserServiceClient {
        Pcs_Host_V1_UserServiceClient(try await host.transport(.inProcess, as: subject))
    }

    /// A member of the practice without roles.
    func member(_ id: String, at organisation: String = practice) async throws -> TestSubject {
        let person = try await host.person(id).acting(for: organisation)
        _ = try await users(nil).addExistingUser(
            .with {
                $0.organisationCode = organisation
                $0.accountID = id
                $0.reason = "for a test"
            })
        return person
    }

    static func gift(
        _ role: Pcs_Access_V1_Role, to account: String, at organisation: String = practice,
        acknowledged: Bool = true
    ) -> Pcs_Host_V1_GiveRoleRequest {
        .with {
            $0.organisationCode = organisation
            $0.accountID = account
            $0.role = role
            $0.reason = "for a test"
            $0.sightAcknowledged = acknowledged
        }
    }

    @discardableResult
    func give(
        _ role: Pcs_Access_V1_Role, to account: String, at organisation: String = practice,
        as giver: TestSubject?, acknowledged: Bool = true
    ) async throws -> Pcs_Host_V1_GiveRoleResponse {
        try await users(giver).giveRole(
            Self.gift(role, to: account, at: organisation, acknowledged: acknowledged))
    }

    /// The clause by which giving a role is refused; `nil` when it is given.
    func refusal(
        _ role: Pcs_Access_V1_Role, to account: String, at organisation: String = practice,
        as giver: TestSubject?, acknowledged: Bool = true
    ) async -> String? {
        await failure {
            try await give(role, to: account, at: organisation, as: giver, acknowledged: acknowledged)
        }?.clause
    }

    func roles(of account: String, at organisation: String = practice) async throws -> [Pcs_Access_V1_Role] {
        let list = try await users(nil).listUsers(
            .with {
                $0.organisationCode = organisation
                $0.includeDeactivated = true
            })
        return list.users.first { $0.accountID == account }?.roles.filter { !$0.hasRevokedAt }.map(\.role)
            ?? []
    }

    var store: HostStore {
        get throws { try host.process.store() }
    }

    /// Events of a type that the host published.
    func published(_ type: String) throws -> [OutboxEvent] {
        try store.outbox(after: 0, limit: 10_000).filter { $0.type == type }
    }
}

extension Failure {
    /// The word after "clause", or the first violation's rule.
    var clause: String { violations.first?.rule ?? message }
}
