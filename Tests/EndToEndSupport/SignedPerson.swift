import CommonContract
import Crypto
import Foundation
public import FrameClient
import HostContract
public import PluginAPI

/// A person of the test with a key of their own: registered once by the local operator, signs in as often as needed.
public struct SignedPerson: Sendable {
    public let identifier: String
    private let key = P256.Signing.PrivateKey()

    public init(_ identifier: String) { self.identifier = identifier }

    /// Registers the person and the key and gives the roles, as the local operator.
    ///
    /// - Parameter organisation: where the roles are held; the national body unless another is named.
    public func register(
        roles: [Role], at organisation: String = "PCS", through operatorClient: FrameClient
    ) async throws {
        let identity = Pcs_Host_V1_IdentityServiceClient(operatorClient)
        var person = Pcs_Host_V1_CreatePersonRequest()
        person.personID = identifier
        person.name = identifier.capitalized
        person.email = "\(identifier)@example.org"
        _ = try await identity.createPerson(person)
        var registration = Pcs_Host_V1_RegisterKeyRequest()
        registration.subjectID = identifier
        registration.keyID = "k1"
        registration.publicKeyPem = key.publicKey.pemRepresentation
        _ = try await identity.registerKey(registration)
        for role in roles {
            var grant = Pcs_Host_V1_GrantRoleRequest()
            grant.subjectID = identifier
            grant.role = try Self.number(of: role)
            grant.organisationCode = organisation
            grant.reason = "Set up by a test"
            _ = try await identity.grantRole(grant)
        }
    }

    /// An access token, by a signed assertion.
    public func token(through client: FrameClient, audience: String = "pcs") async throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let header = #"{"alg":"ES256","typ":"JWT","kid":"k1"}"#
        let claims =
            #"{"iss":"\#(identifier)","sub":"\#(identifier)","aud":"\#(audience)","jti":"\#(UUID().uuidString)","#
            + #""iat":\#(now),"exp":\#(now + 120)}"#
        let signed = Self.base64URL(Data(header.utf8)) + "." + Self.base64URL(Data(claims.utf8))
        let signature = try key.signature(for: Data(signed.utf8)).rawRepresentation
        var request = Pcs_Host_V1_IssueTokenRequest()
        request.clientAssertion = signed + "." + Self.base64URL(signature)
        return try await Pcs_Host_V1_IdentityServiceClient(client).issueToken(request).accessToken
    }

    /// Calls as the person, over TCP on a connection of their own, never sending again by itself.
    public func calls<Result: Sendable>(
        _ host: LiveHost, _ body: @Sendable (FrameClient, CallOptions) async throws -> Result
    ) async throws -> Result {
        var configuration = FrameClientConfiguration(address: .tcp(host: "127.0.0.1", port: host.tcpPort))
        configuration.retry = .never
        let client = FrameClient(configuration)
        do {
            let token = try await token(through: client)
            let result = try await body(client, CallOptions(timeoutMilliseconds: 60_000, accessToken: token))
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    private static func number(of role: Role) throws -> Pcs_Access_V1_Role {
        guard
            let found = Pcs_Access_V1_Role.allCases.first(where: {
                "\($0)".uppercased() == role.name.replacing("_", with: "")
            })
        else { throw LiveHost.DidNotStart(description: "no role \(role.name)") }
        return found
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }
}
