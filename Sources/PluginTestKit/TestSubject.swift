import Crypto
import Foundation
public import PluginAPI

/// A person or a system that a test acts as: its account, its key, and for which organisation it acts.
public struct TestSubject: Sendable {
    public enum Kind: Sendable { case person, client }

    public let id: String
    public let kind: Kind
    /// Grants given, role by organisation code.
    public internal(set) var grants: [String: Set<Role>]
    /// ODS code of the organisation acted for; `nil` = left out of calls.
    public internal(set) var actingFor: String?
    let key: P256.Signing.PrivateKey

    static let keyID = "test"

    init(id: String, kind: Kind, grants: [String: Set<Role>]) {
        self.id = id
        self.kind = kind
        self.grants = grants
        key = P256.Signing.PrivateKey()
        actingFor = grants.count == 1 ? grants.keys.first : nil
    }

    /// The same subject, acting for another organisation.
    public func acting(for organisation: String?) -> TestSubject {
        var subject = self
        subject.actingFor = organisation
        return subject
    }

    /// A signed client assertion (private key JWT, ES256) as of `now`.
    /// - Parameter lifetimeSeconds: how long until `exp`.
    public func assertion(audience: String, now: Instant, lifetimeSeconds: Int64 = 120) throws -> String {
        let seconds = now.microsecondsSince1970 / 1_000_000
        let header = #"{"alg":"ES256","kid":"\#(Self.keyID)","typ":"JWT"}"#
        let claims = """
            {"iss":"\(id)","sub":"\(id)","aud":"\(audience)","jti":"\(UUID().uuidString)",\
            "iat":\(seconds),"exp":\(seconds + lifetimeSeconds)}
            """
        let signed = Self.base64URL(Data(header.utf8)) + "." + Self.base64URL(Data(claims.utf8))
        let signature = try key.signature(for: Data(signed.utf8))
        return signed + "." + Self.base64URL(signature.rawRepresentation)
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(
            of: "/", with: "_"
        )
        .replacingOccurrences(of: "=", with: "")
    }
}
