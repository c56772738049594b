import Crypto

/// A person's or system's P-256 key: signs the assertion that an access token is given for.
package struct PrivateKey: Sendable {
    private let key: P256.Signing.PrivateKey

    /// A new one, from the system's random numbers.
    package init() { key = P256.Signing.PrivateKey() }

    /// - Parameter pem: PKCS#8 or SEC 1.
    package init(pem: String) throws { key = try P256.Signing.PrivateKey(pemRepresentation: pem) }

    package var pem: String { key.pemRepresentation }
    package var publicKeyPEM: String { key.publicKey.pemRepresentation }

    /// First 16 hexadecimal digits of the SHA-256 of the public key (SubjectPublicKeyInfo): whoever has the key finds
    /// the same name for it.
    package var keyID: String { Self.keyID(of: Array(key.publicKey.derRepresentation)) }

    /// - Parameter publicKeyPEM: a P-256 public key.
    package static func keyID(ofPublicKey publicKeyPEM: String) throws -> String {
        keyID(of: Array(try P256.Signing.PublicKey(pemRepresentation: publicKeyPEM).derRepresentation))
    }

    private static func keyID(of publicKey: [UInt8]) -> String {
        SHA256.hash(data: publicKey).prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// A compact JWS (ES256) as RFC 7523 wants it: who it is, for which host, used once, valid for two minutes.
    ///
    /// - Parameters:
    ///   - secondsSince1970: now.
    ///   - identifier: used once, ever.
    package func assertion(
        subject: String, audience: String, secondsSince1970 now: Int64, identifier: String
    ) throws -> String {
        let header = JSONValue.object([
            JSONValue.Member("alg", .string("ES256")), JSONValue.Member("typ", .string("JWT")),
            JSONValue.Member("kid", .string(keyID)),
        ])
        let claims = JSONValue.object([
            JSONValue.Member("iss", .string(subject)), JSONValue.Member("sub", .string(subject)),
            JSONValue.Member("aud", .string(audience)), JSONValue.Member("jti", .string(identifier)),
            JSONValue.Member("iat", .number(String(now))),
            JSONValue.Member("exp", .number(String(now + 120))),
        ])
        let signed = [header, claims].map { Base64.encodeForURL(Array($0.compact.utf8)) }.joined(
            separator: ".")
        let signature = try key.signature(for: Array(signed.utf8))
        return signed + "." + Base64.encodeForURL(Array(signature.rawRepresentation))
    }
}
