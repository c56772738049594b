import CommonContract
import Crypto
import Foundation
import HostContract

/// A system of its own with the roles that the measured calls need, made by the local operator of the measured host.
/// It proves itself by a signed assertion, as every system does.
struct BenchIdentity {
    static let clientID = "bench"
    private static let keyID = "bench-1"
    /// Where national roles are held.
    private static let nationalBody = "PCS"
    private let key = P256.Signing.PrivateKey()

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
        var register = Pcs_Host_V1_RegisterKeyRequest()
        register.subjectID = BenchIdentity.clientID
        register.keyID = BenchIdentity.keyID
        register.publicKeyPem = key.publicKey.pemRepresentation
        _ = try await identities.registerKey(register)
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
    func token(on host: HostUnderTest) async throws -> String {
        let session = try await host.session(accessToken: nil)
        var request = Pcs_Host_V1_IssueTokenRequest()
        request.clientAssertion = try assertion(audience: HostUnderTest.audience)
        let reply = try await Pcs_Host_V1_IdentityServiceClient(session.transport).issueToken(request)
        await session.close()
        return reply.accessToken
    }

    /// RFC 7523: what the client claims, signed with its key (ES256).
    private func assertion(audience: String) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let header = #"{"alg":"ES256","typ":"JWT","kid":"\#(BenchIdentity.keyID)"}"#
        let claims = """
            {"iss":"\(BenchIdentity.clientID)","sub":"\(BenchIdentity.clientID)","aud":"\(audience)",\
            "jti":"\(UUID().uuidString)","iat":\(now),"exp":\(now + 120)}
            """
        let signed =
            BenchIdentity.base64URL(Data(header.utf8)) + "." + BenchIdentity.base64URL(Data(claims.utf8))
        let signature = try key.signature(for: Data(signed.utf8))
        return signed + "." + BenchIdentity.base64URL(signature.rawRepresentation)
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }
}
