import CommonContract
import Foundation
import HostContract
import PluginAPI

/// A person of the measured installation: registered by its local operator, signs in with a key of their own.
struct BenchPerson: Sendable {
    struct Duty: Sendable {
        let role: Pcs_Access_V1_Role
        /// ODS codes of the organisations at which it is held.
        let organisations: [String]

        static func national(_ role: Pcs_Access_V1_Role) -> Duty {
            Duty(role: role, organisations: [BenchIdentity.nationalBody])
        }
    }

    let identifier: String
    let duties: [Duty]
    private let key: BenchKey

    init(_ identifier: String, _ duties: [Duty]) {
        self.identifier = identifier
        self.duties = duties
        key = BenchKey(identifier)
    }

    /// Registers person, key and grants. Once for a data folder, and after the register of organisations.
    func register(over local: HostSession) async throws {
        let identities = Pcs_Host_V1_IdentityServiceClient(local.transport)
        _ = try await identities.createPerson(
            .with {
                $0.personID = identifier
                $0.name = identifier
                $0.email = "\(identifier)@example.org"
            })
        _ = try await identities.registerKey(key.registration)
        for duty in duties {
            for organisation in duty.organisations {
                _ = try await identities.grantRole(
                    .with {
                        $0.subjectID = identifier
                        $0.role = duty.role
                        $0.organisationCode = organisation
                        $0.reason = "Benchmark"
                    })
            }
        }
    }

    /// Connects over TCP with a token of ten minutes.
    func session(on host: HostUnderTest) async throws -> HostSession { try await session(through: host.door) }

    func session(through door: HostDoor) async throws -> HostSession {
        try await door.session(accessToken: try await key.token(through: door))
    }
}

extension HostSession {
    /// Options of a call for one organisation.
    func acting(for organisation: String) -> CallOptions {
        CallOptions(timeoutMilliseconds: 120_000, actingFor: organisation)
    }
}

/// Runs `work` on all items, at most `width` at a time.
enum Concurrently {
    static func run<Item: Sendable>(
        _ items: [Item], width: Int = 32, _ work: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in items.enumerated() {
                if index >= width { try await group.next() }
                group.addTask { try await work(item) }
            }
            try await group.waitForAll()
        }
    }
}
