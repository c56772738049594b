import Crypto
import CryptoExtras
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// JSON Web Keys, good and bad.
enum WebKey {
    static func ec(_ key: P256.Signing.PrivateKey, kid: String, more: [String: String] = [:]) -> String {
        let point = Array(key.publicKey.x963Representation.dropFirst())
        return json(
            [
                "kty": "EC", "crv": "P-256", "kid": kid, "x": Base64URL.encode(Array(point[..<32])),
                "y": Base64URL.encode(Array(point[32...])),
            ].merging(more) { $1 })
    }

    static func ed(_ key: Curve25519.Signing.PrivateKey, kid: String, more: [String: String] = [:]) -> String
    {
        json(
            [
                "kty": "OKP", "crv": "Ed25519", "kid": kid,
                "x": Base64URL.encode(Array(key.publicKey.rawRepresentation)),
            ].merging(more) { $1 })
    }

    static func rsa(_ key: _RSA.Signing.PrivateKey, kid: String, more: [String: String] = [:]) -> String {
        // The DER of a 2048-bit key ends with the modulus, two bytes of header, and 65537.
        let modulus = Array(key.publicKey.derRepresentation.suffix(261).prefix(256))
        return json(
            ["kty": "RSA", "kid": kid, "n": Base64URL.encode(modulus), "e": "AQAB"].merging(more) { $1 })
    }

    static func json(_ members: [String: String]) -> String {
        "{"
            + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(
                separator: ",") + "}"
    }

    static func set(_ keys: [String]) -> String { #"{"keys":["# + keys.joined(separator: ",") + "]}" }
}

@Suite("JSON Web Key Sets are read strictly")
struct ClientsKeySetTests {
    private let p256 = P256.Signing.PrivateKey()
    private let ed25519 = Curve25519.Signing.PrivateKey()

    private func rules(_ text: String) -> [String] {
        do {
            _ = try JSONWebKeySet(text, field: "jwks")
            return []
        } catch let failure as Failure {
            return failure.violations.map { "\($0.field) \($0.rule)" }
        } catch {
            return ["\(error)"]
        }
    }

    @Test("the three kinds of keys are taken, each with the one algorithm that it is used with")
    func good() throws {
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let set = try JSONWebKeySet(
            WebKey.set([
                WebKey.rsa(rsa, kid: "r", more: ["alg": "RS512", "use": "sig"]),
                WebKey.ec(p256, kid: "e", more: ["alg": "ES256"]), WebKey.ed(ed25519, kid: "o"),
            ]), field: "jwks")
        #expect(set.keys.map(\.key.algorithm) == ["RS512", "ES256", "EdDSA"])
        #expect(set.keys[0].key.pem == rsa.publicKey.pemRepresentation)
        let message = Array("to be signed".utf8)
        #expect(
            set.keys[1].key.isValid(Array(try p256.signature(for: message).rawRepresentation), for: message))
        #expect(set.keys[2].key.isValid(Array(try ed25519.signature(for: message)), for: message))
    }

    @Test("secrets are refused before anything else, wherever they stand")
    func secrets() throws {
        let secret = Base64URL.encode(Array(p256.rawRepresentation))
        for text in [
            WebKey.set([WebKey.ec(p256, kid: "e", more: ["d": secret])]),
            WebKey.set([WebKey.ed(ed25519, kid: "o"), WebKey.json(["kty": "oct", "kid": "s", "k": secret])]),
            WebKey.set([WebKey.json(["kty": "RSA", "kid": "r", "qi": "AQ"])]),
            WebKey.ec(p256, kid: "alone", more: ["d": secret]),
            "[\(WebKey.ec(p256, kid: "list", more: ["d": secret]))]",
            #"{"keys":[{"kid":"x","kty":"EC","nested":{"d":"AQ"}}]}"#,
        ] { #expect(rules(text) == ["jwks jwk.private"], "\(text)") }
    }

    @Test("each abuse is refused by its rule")
    func abuses() throws {
        let small = WebKey.json([
            "kty": "RSA", "kid": "r", "n": Base64URL.encode([0x81] + [UInt8](repeating: 0x35, count: 127)),
            "e": "AQAB",
        ])
        let vast = WebKey.json([
            "kty": "RSA", "kid": "r", "n": Base64URL.encode([0x81] + [UInt8](repeating: 0x35, count: 1_100)),
            "e": "AQAB",
        ])
        let key = WebKey.ec(p256, kid: "e")
        let cases: [(String, [String])] = [
            ("", ["jwks jwks.form"]), ("{}", ["jwks jwks.form"]), ("[]", ["jwks jwks.form"]),
            ("not json", ["jwks jwks.form"]), (WebKey.set([]), ["jwks jwks.count"]),
            (WebKey.set(Array(repeating: key, count: 17)), ["jwks jwks.count"]),
            (WebKey.set([key, key]), ["jwks.keys[1] jwk.kid"]),
            (WebKey.set([key, WebKey.ec(p256, kid: "other")]), ["jwks.keys[1] jwk.same"]),
            (WebKey.set([WebKey.ec(p256, kid: "")]), ["jwks.keys[0] jwk.kid"]),
            (WebKey.set([WebKey.ec(p256, kid: "a b")]), ["jwks.keys[0] jwk.kid"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["kty": "oct"])]), ["jwks.keys[0] jwk.kty"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["crv": "P-384"])]), ["jwks.keys[0] jwk.crv"]),
            (WebKey.set([WebKey.ed(ed25519, kid: "o", more: ["crv": "X25519"])]), ["jwks.keys[0] jwk.crv"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["alg": "none"])]), ["jwks.keys[0] jwk.alg"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["alg": "HS512"])]), ["jwks.keys[0] jwk.alg"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["use": "enc"])]), ["jwks.keys[0] jwk.use"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["key_ops": "sign"])]), ["jwks.keys[0] jwk.use"]),
            (WebKey.set([WebKey.ec(p256, kid: "e", more: ["x": "AQ=="])]), ["jwks.keys[0] jwk.member"]),
            (
                WebKey.set([
                    WebKey.ec(p256, kid: "e", more: ["x": Base64URL.encode([UInt8](repeating: 1, count: 32))])
                ]),
                ["jwks.keys[0] jwk.member"]
            ),
            (
                WebKey.set([
                    WebKey.ed(
                        ed25519, kid: "o", more: ["x": Base64URL.encode([UInt8](repeating: 0, count: 32))])
                ]),
                ["jwks.keys[0] jwk.member"]
            ),
            (WebKey.set([small]), ["jwks.keys[0] jwk.size"]), (WebKey.set([vast]), ["jwks.keys[0] jwk.size"]),
            (WebKey.set(["1", key]), ["jwks.keys[0] jwk.kid"]),
            (
                WebKey.set([WebKey.ec(p256, kid: "", more: ["alg": "none"]), small]),
                [
                    "jwks.keys[0] jwk.kid", "jwks.keys[1] jwk.size",
                ]
            ),
        ]
        for (text, expected) in cases { #expect(rules(text) == expected, "\(text.prefix(200))") }
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        for exponent in ["AQ", "Aw", "AAEAAQ", "AQAA"] {
            let text = WebKey.set([WebKey.rsa(rsa, kid: "r", more: ["e": exponent])])
            #expect(rules(text) == ["jwks.keys[0] jwk.member"], "\(exponent)")
        }
    }

    @Test("networks in CIDR notation")
    func networks() throws {
        for text in [
            "10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/32", "::1/128", "::/0", "fe80::/10",
        ] {
            #expect(Network(text) != nil, "\(text)")
        }
        for text in [
            "", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "010.0.0.0/8", "10.0.0/8", "2001:db8::1/32",
            "::/129",
            "1::2::3/128", "10.0.0.0/-1", "10.0.0.0/8/8", "x/8", "12345::/16",
        ] { #expect(Network(text) == nil, "\(text)") }
        let office = try #require(Network("10.20.16.0/20"))
        func contains(_ network: Network, _ text: String) throws -> Bool {
            network.contains(try #require(IPAddress(text)))
        }
        #expect(try contains(office, "10.20.31.255") && contains(office, "::ffff:10.20.16.1"))
        #expect(try !contains(office, "10.20.32.0") && !contains(office, "::1"))
        let six = try #require(Network("2001:db8::/33"))
        #expect(try contains(six, "2001:db8:7fff::1%eth0") && !contains(six, "2001:db8:8000::1"))
    }
}
