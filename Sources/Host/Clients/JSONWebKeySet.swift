import Crypto
import CryptoExtras
import Foundation
import HostContract
import PluginAPI

/// A JSON Web Key Set (RFC 7517) read strictly: public signature keys of the three kinds that this system takes, each
/// with a name. Everything that is wrong is reported; nothing of a set that has a fault is used.
struct JSONWebKeySet: Sendable {
    struct Key: Sendable {
        let id: String
        let key: VerificationKey
    }

    let keys: [Key]

    static let maximumBytes = 32 << 10
    static let maximumKeys = 16

    /// - Throws: `FIELD_INVALID`, rule `jwk.private` when the set holds a secret.
    init(_ text: String, field: String) throws {
        guard text.utf8.count <= JSONWebKeySet.maximumBytes, !text.isEmpty else {
            throw Failure.invalid(field, "jwks.form", "A JSON Web Key Set of at most 32 KiB is required.")
        }
        let document = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        guard let object = document as? [String: Any], let list = object["keys"] as? [Any] else {
            // One key, or a list: looked at for secrets all the same.
            if JSONWebKeySet.holdsSecret(document) { throw JSONWebKeySet.secret(field) }
            throw Failure.invalid(
                field, "jwks.form", "A JSON object with the member 'keys' is required (RFC 7517).")
        }
        if JSONWebKeySet.holdsSecret(document) { throw JSONWebKeySet.secret(field) }
        guard (1...JSONWebKeySet.maximumKeys).contains(list.count) else {
            throw Failure.invalid(field, "jwks.count", "1 to \(JSONWebKeySet.maximumKeys) keys.")
        }
        var violations: [Violation] = []
        var keys: [Key] = []
        for (index, member) in list.enumerated() {
            let place = "\(field).keys[\(index)]"
            do throws(Fault) {
                let key = try JSONWebKeySet.key(member as? [String: Any] ?? [:])
                guard !keys.contains(where: { $0.id == key.id }) else {
                    throw Fault("jwk.kid", "Two keys are called '\(key.id)'.")
                }
                guard !keys.contains(where: { $0.key.fingerprint == key.key.fingerprint }) else {
                    throw Fault("jwk.same", "The same key stands twice in the set.")
                }
                keys.append(key)
            } catch {
                violations.append(Violation(field: place, rule: error.rule, message: error.message))
            }
        }
        if let first = violations.first {
            throw Failure(
                HostReasons.fieldInvalid, "\(first.field): \(first.message)", violations: violations)
        }
        self.keys = keys
    }

    private struct Fault: Error {
        let rule: String
        let message: String
        init(_ rule: String, _ message: String) {
            self.rule = rule
            self.message = message
        }
    }

    // MARK: Secrets

    /// Members that only private and symmetric keys have (RFC 7518, 6.2.2, 6.3.2, 6.4; RFC 8037, 2).
    private static let secretMembers: Set<String> = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    private static func holdsSecret(_ value: Any?, depth: Int = 0) -> Bool {
        guard depth < 8 else { return false }
        if let object = value as? [String: Any] {
            return object.contains { name, member in
                secretMembers.contains(name) || holdsSecret(member, depth: depth + 1)
            }
        }
        return (value as? [Any])?.contains { holdsSecret($0, depth: depth + 1) } ?? false
    }

    private static func secret(_ field: String) -> Failure {
        .invalid(
            field, "jwk.private",
            "THIS SET HOLDS A PRIVATE OR SYMMETRIC KEY. It is known to others now: destroy it, make a new pair, and send "
                + "the public half only. Nothing of it was kept.")
    }

    // MARK: One key

    private static func key(_ members: [String: Any]) throws(Fault) -> Key {
        guard let id = members["kid"] as? String, isName(id) else {
            throw Fault(
                "jwk.kid", "A key needs a 'kid' of 1 to 64 printable ASCII characters without quotes.")
        }
        if let use = members["use"], use as? String != "sig" {
            throw Fault("jwk.use", "The key is not for signatures: 'use' must be 'sig'.")
        }
        if let operations = members["key_ops"], operations as? [String] != ["verify"] {
            throw Fault("jwk.use", "'key_ops' of a public signature key is [\"verify\"].")
        }
        let key: VerificationKey
        switch members["kty"] as? String {
        case "RSA": key = try rsa(members)
        case "EC": key = try ec(members)
        case "OKP": key = try okp(members)
        default: throw Fault("jwk.kty", "'kty' must be RSA, EC or OKP.")
        }
        if let algorithm = members["alg"], algorithm as? String != key.algorithm {
            throw Fault(
                "jwk.alg", "This kind of key is used with \(key.algorithm) here, and with nothing else.")
        }
        return Key(id: id, key: key)
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    }

    private static func bytes(_ members: [String: Any], _ name: String) throws(Fault) -> [UInt8] {
        guard let text = members[name] as? String, text.utf8.count <= 2_048,
            let bytes = Base64URL.decode(Array(text.utf8)), !bytes.isEmpty
        else { throw Fault("jwk.member", "'\(name)' must be base64url without padding.") }
        return bytes
    }

    private static func rsa(_ members: [String: Any]) throws(Fault) -> VerificationKey {
        let modulus = try bytes(members, "n")
        let exponent = try bytes(members, "e")
        guard modulus.first != 0, exponent.first != 0 else {
            throw Fault("jwk.member", "'n' and 'e' have no leading zero octets (RFC 7518, 6.3.1).")
        }
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard bits >= 2_048 else {
            throw Fault("jwk.size", "RSA keys have at least 2048 bits; this has \(bits).")
        }
        guard bits <= VerificationKey.maximumRSABits else {
            throw Fault("jwk.size", "RSA keys have at most \(VerificationKey.maximumRSABits) bits.")
        }
        guard modulus.last.map({ $0 & 1 == 1 }) ?? false, exponent.last.map({ $0 & 1 == 1 }) ?? false,
            (3...4).contains(exponent.count)
        else { throw Fault("jwk.member", "'n' and 'e' are odd, and 'e' is 65537 or a little more.") }
        guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else {
            throw Fault("jwk.member", "'n' and 'e' make no RSA key.")
        }
        return .rsa(key)
    }

    private static func ec(_ members: [String: Any]) throws(Fault) -> VerificationKey {
        guard members["crv"] as? String == "P-256" else {
            throw Fault("jwk.crv", "The only curve of EC keys is P-256.")
        }
        let x = try bytes(members, "x")
        let y = try bytes(members, "y")
        guard x.count == 32, y.count == 32,
            let key = try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
        else { throw Fault("jwk.member", "'x' and 'y' are no point of P-256, 32 octets each.") }
        return .p256(key)
    }

    private static func okp(_ members: [String: Any]) throws(Fault) -> VerificationKey {
        guard members["crv"] as? String == "Ed25519" else {
            throw Fault("jwk.crv", "The only curve of OKP keys is Ed25519.")
        }
        let x = try bytes(members, "x")
        guard x.count == 32, x.contains(where: { $0 != 0 }),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
        else { throw Fault("jwk.member", "'x' is no Ed25519 key of 32 octets.") }
        return .ed25519(key)
    }
}
