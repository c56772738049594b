import CommonContract
import HostContract
public import PluginAPI

extension TestHost {
    /// Registers a person with a key and the roles at one organisation.
    /// - Parameter organisation: ODS code; `PCS` is the national body that runs this system.
    public func person(_ id: String, roles: Set<Role> = [], at organisation: String = "PCS") async throws
        -> TestSubject
    {
        try await subject(
            TestSubject(id: id, kind: .person, grants: roles.isEmpty ? [:] : [organisation: roles])
        ) { identity in
            var request = Pcs_Host_V1_CreatePersonRequest()
            request.personID = id
            request.name = "Person \(id)"
            request.email = "\(id)@example.nhs.uk"
            _ = try await identity.createPerson(request)
        }
    }

    /// Registers a system with a key, its scopes and the roles at one organisation.
    /// - Parameter scopes: methods that it may reach, for example `pcs.payments.v1.*`; by default every area
    ///   served.
    public func client(
        _ id: String, roles: Set<Role> = [], at organisation: String = "PCS", scopes: [String]? = nil,
        certificateURI: String = ""
    ) async throws -> TestSubject {
        let scopes = try scopes ?? areas()
        return try await subject(
            TestSubject(id: id, kind: .client, grants: roles.isEmpty ? [:] : [organisation: roles])
        ) { identity in
            var request = Pcs_Host_V1_CreateClientRequest()
            request.clientID = id
            request.name = "System \(id)"
            request.purpose = "tests"
            request.owner = "the test kit"
            request.scopes = scopes
            request.certificateUri = certificateURI
            _ = try await identity.createClient(request)
        }
    }

    /// Scopes of all areas that this host serves.
    private func areas() throws -> [String] {
        let packages = try process.dispatcher().table.entries.map { entry in
            entry.service.split(separator: ".").dropLast().joined(separator: ".") + ".*"
        }
        return Set(packages).sorted()
    }

    /// Gives a subject further roles at an organisation. Use the subject returned: it knows of them.
    public func grant(_ roles: Set<Role>, at organisation: String, to subject: TestSubject) async throws
        -> TestSubject
    {
        let identity = Pcs_Host_V1_IdentityServiceClient(try await transport(.inProcess))
        try await give(roles, at: organisation, to: subject.id, identity)
        var changed = subject
        changed.grants[organisation, default: []].formUnion(roles)
        if changed.actingFor == nil, changed.grants.count == 1 { changed.actingFor = organisation }
        return changed
    }

    private func subject(
        _ subject: TestSubject, create: (Pcs_Host_V1_IdentityServiceClient) async throws -> Void
    ) async throws -> TestSubject {
        let identity = Pcs_Host_V1_IdentityServiceClient(try await transport(.inProcess))
        try await create(identity)
        var key = Pcs_Host_V1_RegisterKeyRequest()
        key.subjectID = subject.id
        key.keyID = TestSubject.keyID
        key.publicKeyPem = subject.key.publicKey.pemRepresentation
        _ = try await identity.registerKey(key)
        for (organisation, roles) in subject.grants {
            try await give(roles, at: organisation, to: subject.id, identity)
        }
        return subject
    }

    private func give(
        _ roles: Set<Role>, at organisation: String, to subject: String,
        _ identity: Pcs_Host_V1_IdentityServiceClient
    ) async throws {
        for role in roles.sorted(by: { $0.name < $1.name }) {
            var request = Pcs_Host_V1_GrantRoleRequest()
            request.subjectID = subject
            request.role = try Pcs_Access_V1_Role(named: role)
            request.organisationCode = organisation
            request.reason = "for a test"
            _ = try await identity.grantRole(request)
        }
    }
}

/// The catalogue has no role of that name.
public struct UnknownRole: Error {
    public let role: Role
}

extension Pcs_Access_V1_Role {
    init(named role: Role) throws {
        let found = Pcs_Access_V1_Role.allCases.first {
            "\($0)".lowercased() == role.name.replacing("_", with: "").lowercased()
        }
        guard let found else { throw UnknownRole(role: role) }
        self = found
    }
}
