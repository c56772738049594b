import CommonContract
import Crypto
import Foundation
import HostContract

/// A system of its own with the roles that the measured calls need, made by the local operator of the measured host.
/// It proves itself by a signed assertion, as every system does.
struct BenchIdentity {
    static let clientID = "bench"
    /// Where national roles are held.
    static let nationalBody = "PCS"
    private let key = BenchKey(BenchIdentity.clientID)

    /// Registers client, key and grants. Once for a data folder.
    func register(on host: HostUnderTest) async throws {
        let session = try await host.operatorSession()
        let identities = Pcs_Host_V1_IdentityServiceClient(session.transport)
        var client = Pcs_Host_V1_CreateClientRequest()
        client.clientID = BenchIdentity.clientID
        client.name = "Benchmark"
        client.purpose = "Measures this host"
        client.owner = "pcs-bench"
        client.scopes = ["pcs.host.v1.*", "pcs.payments.v1.*"]
        _ = try await identities.createClient(client)
        _ = try await identities.registerKey(key.registration)
        var grant = Pcs_Host_V1_GrantRoleRequest()
        grant.subjectID = BenchIdentity.clientID
        grant.organisationCode = BenchIdentity.nationalBody
        grant.reason = "Benchmark"
        for role in [Pcs_Access_V1_Role.hostOperator, .paymentsOperator] {
            grant.role = role
            _ = try await identities.grantRole(grant)
        }
        await session.close()
    }

    /// Connects over TCP with a token.
    func session(on host: HostUnderTest) async throws -> HostSession {
        try await host.session(accessToken: try await token(on: host))
    }

    /// An access token; it holds for ten minutes, longer than any measurement.
    func token(on host: HostUnderTest) async throws -> String { try await key.token(through: host.door) }
}

/// The signing key of a person or system of the measured installation.
struct BenchKey: Sendable {
    let subjectID: String
    private static let keyID = "bench-1"
    private let key = P256.Signing.PrivateKey()

    init(_ subjectID: String) { self.subjectID = subjectID }

    var registration: Pcs_Host_V1_RegisterKeyRequest {
        .with {
            $0.subjectID = subjectID
            $0.keyID = BenchKey.keyID
            $0.publicKeyPem = key.publicKey.pemRepresentation
        }
    }

    func token(through door: HostDoor) async throws -> String {
        let session = try await door.session(accessToken: nil)
        var request = Pcs_Host_V1_IssueTokenRequest()
        request.clientAssertion = try assertion(audience: HostUnderTest.audience)
        let reply = try await Pcs_Host_V1_IdentityServiceClient(session.transport).issueToken(request)
        await session.close()
        return reply.accessToken
    }

    /// RFC 7523: what the subject claims, signed with its key (ES256).
    private func assertion(audience: String) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let header = #"{"alg":"ES256","typ":"JWT","kid":"\#(BenchKey.keyID)"}"#
        let claims = """
            {"iss":"\(subjectID)","sub":"\(subjectID)","aud":"\(audience)",\
            "jti":"\(UUID().uuidString)","iat":\(now),"exp":\(now + 120)}
            """
        let signed = BenchKey.base64URL(Data(header.utf8)) + "." + BenchKey.base64URL(Data(claims.utf8))
        let signature = try key.signature(for: Data(signed.utf8))
        return signed + "." + BenchKey.base64URL(signature.rawRepresentation)
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }
}
