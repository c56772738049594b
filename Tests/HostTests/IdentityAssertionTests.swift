import Crypto
import CryptoExtras
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// Signs assertions in every way that a test wants, right and wrong.
struct AssertionMaker {
    enum Signer {
        case rsa(_RSA.Signing.PrivateKey), p256(P256.Signing.PrivateKey), ed25519(
            Curve25519.Signing.PrivateKey)
        case hmac512(key: [UInt8]), nothing
    }
    var signer: Signer
    var header: [String: String]
    var claims: [String: String]

    /// A good assertion; values are JSON.
    init(_ signer: Signer, algorithm: String, subject: String, keyID: String, audience: String, now: Instant)
    {
        let seconds = now.microsecondsSince1970 / 1_000_000
        self.signer = signer
        header = ["alg": "\"\(algorithm)\"", "kid": "\"\(keyID)\"", "typ": "\"JWT\""]
        claims = [
            "iss": "\"\(subject)\"", "sub": "\"\(subject)\"", "aud": "\"\(audience)\"",
            "exp": "\(seconds + 120)",
            "jti": "\"\(UUID().uuidString)\"",
        ]
    }

    func compact() throws -> String {
        func json(_ fields: [String: String]) -> [UInt8] {
            Array(
                ("{"
                    + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(
                        separator: ",") + "}").utf8)
        }
        let signed = Base64URL.encode(json(header)) + "." + Base64URL.encode(json(claims))
        let bytes = Array(signed.utf8)
        let signature: [UInt8] =
            switch signer {
            case .rsa(let key):
                Array(
                    try key.signature(for: SHA512.hash(data: bytes), padding: .insecurePKCS1v1_5)
                        .rawRepresentation)
            case .p256(let key): Array(try key.signature(for: bytes).rawRepresentation)
            case .ed25519(let key): Array(try key.signature(for: bytes))
            case .hmac512(let key):
                Array(HMAC<SHA512>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
            case .nothing: []
            }
        return signed + "." + Base64URL.encode(signature)
    }
}

@Suite("Assertions and access tokens")
struct IdentityAssertionTests {
    private let rsa: _RSA.Signing.PrivateKey
    private let p256 = P256.Signing.PrivateKey()
    private let ed25519 = Curve25519.Signing.PrivateKey()

    init() throws { rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048) }

    /// A host with a client that has a key of each kind.
    private func withClient(
        _ body: (TestHost, Pcs_Host_V1_IdentityServiceClient, Setting) async throws -> Void
    ) async throws {
        try await TestHost.with { host in
            let identity = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            _ = try await identity.createClient(
                .with {
                    $0.clientID = "gp-system"
                    $0.name = "A system"
                    $0.purpose = "tests of identity"
                    $0.owner = "the team"
                    $0.scopes = ["pcs.host.v1.*"]
                })
            let keys = [
                ("rsa-1", rsa.publicKey.pemRepresentation), ("p256-1", p256.publicKey.pemRepresentation),
                ("ed-1", ed25519.publicKey.pemRepresentation),
            ]
            for (name, pem) in keys {
                _ = try await identity.registerKey(
                    .with {
                        $0.subjectID = "gp-system"
                        $0.keyID = name
                        $0.publicKeyPem = pem
                    })
            }
            try await body(host, identity, Setting(audience: host.settings.audience, clock: host.clock))
        }
    }

    struct Setting {
        let audience: String
        let clock: ManualClock
    }

    private func maker(_ algorithm: String, _ setting: Setting, subject: String = "gp-system")
        -> AssertionMaker
    {
        let (signer, key): (AssertionMaker.Signer, String) =
            switch algorithm {
            case "RS512": (.rsa(rsa), "rsa-1")
            case "ES256": (.p256(p256), "p256-1")
            default: (.ed25519(ed25519), "ed-1")
            }
        return AssertionMaker(
            signer, algorithm: algorithm, subject: subject, keyID: key, audience: setting.audience,
            now: setting.clock.now)
    }

    private func issue(_ identity: Pcs_Host_V1_IdentityServiceClient, _ maker: AssertionMaker) async
        -> Failure?
    {
        await failure {
            let assertion = try maker.compact()
            return try await identity.issueToken(.with { $0.clientAssertion = assertion })
        }
    }

    @Test(
        "an assertion by each kind of key is exchanged for a token of ten minutes",
        arguments: ["RS512", "ES256", "EdDSA"])
    func accepted(_ algorithm: String) async throws {
        try await withClient { host, identity, setting in
            let assertion = try maker(algorithm, setting).compact()
            let token = try await identity.issueToken(.with { $0.clientAssertion = assertion })
            #expect(token.expiresInSeconds == 600)
            let registry = try host.process.identity()
            let principal = try registry.authenticate(accessToken: token.accessToken)
            #expect(
                principal.subjectID == "gp-system" && principal.kind == .client
                    && principal.authentication == "token")
            setting.clock.advance(milliseconds: 599_000)
            _ = try registry.authenticate(accessToken: token.accessToken)
            setting.clock.advance(milliseconds: 1_000)
            let ended = await failure { try registry.authenticate(accessToken: token.accessToken) }
            #expect(ended?.reason == HostReasons.tokenExpired)
            let unknown = await failure { try registry.authenticate(accessToken: token.accessToken + "x") }
            #expect(unknown?.reason == HostReasons.unauthenticated)
        }
    }

    /// What is done to a good assertion, and the cause that the audit must name.
    private func spoilt(_ setting: Setting) -> [(String, AssertionMaker, AssertionRefusal)] {
        let now = setting.clock.now.microsecondsSince1970 / 1_000_000
        func spoil(_ algorithm: String = "ES256", _ change: (inout AssertionMaker) -> Void) -> AssertionMaker
        {
            var maker = maker(algorithm, setting)
            change(&maker)
            return maker
        }
        let publicKey = Array(rsa.publicKey.pemRepresentation.utf8)
        return [
            ("exp 301 s ahead", spoil { $0.claims["exp"] = "\(now + 301)" }, .tooFarAhead),
            ("exp 31 s ago", spoil { $0.claims["exp"] = "\(now - 31)" }, .expired),
            ("exp absurd", spoil { $0.claims["exp"] = "1e300" }, .tooFarAhead),
            ("exp absent", spoil { $0.claims["exp"] = nil }, .malformed),
            ("exp a string", spoil { $0.claims["exp"] = "\"\(now + 10)\"" }, .malformed),
            ("nbf 31 s ahead", spoil { $0.claims["nbf"] = "\(now + 31)" }, .notYetValid),
            ("iat 31 s ahead", spoil { $0.claims["iat"] = "\(now + 31)" }, .notYetValid),
            ("other audience", spoil { $0.claims["aud"] = "\"\(setting.audience)/\"" }, .audience),
            ("two audiences", spoil { $0.claims["aud"] = "[\"\(setting.audience)\",\"x\"]" }, .audience),
            ("iss is not sub", spoil { $0.claims["iss"] = "\"other\"" }, .issuer),
            ("no jti", spoil { $0.claims["jti"] = nil }, .identifier),
            ("empty jti", spoil { $0.claims["jti"] = "\"\"" }, .identifier),
            ("unknown kid", spoil { $0.header["kid"] = "\"p256-2\"" }, .unknownKey),
            ("no kid", spoil { $0.header["kid"] = nil }, .keyNameMissing),
            ("typ", spoil { $0.header["typ"] = "\"JOSE\"" }, .type),
            ("no typ", spoil { $0.header["typ"] = nil }, .type),
            ("crit", spoil { $0.header["crit"] = "[\"exp\"]" }, .criticalExtension),
            (
                "unknown subject",
                spoil {
                    $0.claims["sub"] = "\"nobody\""
                    $0.claims["iss"] = "\"nobody\""
                }, .unknownSubject
            ),
            (
                "alg none",
                spoil {
                    $0.header["alg"] = "\"none\""
                    $0.signer = .nothing
                }, .algorithm
            ),
            (
                "HS512 with our public key",
                spoil("RS512") {
                    $0.header["alg"] = "\"HS512\""
                    $0.signer = .hmac512(key: publicKey)
                }, .algorithm
            ),
            ("alg of another kind of key", spoil("RS512") { $0.header["alg"] = "\"ES256\"" }, .algorithm),
            ("signed by another key", spoil { $0.signer = .p256(P256.Signing.PrivateKey()) }, .signature),
            ("signed by the subject's other key", spoil { $0.signer = .ed25519(ed25519) }, .signature),
            ("no signature", spoil { $0.signer = .nothing }, .signature),
        ]
    }

    @Test("every spoilt assertion gets the same answer; the audit alone tells why (section 16, example 13)")
    func refused() async throws {
        try await withClient { host, identity, setting in
            let cases = spoilt(setting)
            for (name, maker, _) in cases {
                let refusal = await issue(identity, maker)
                #expect(refusal?.reason == HostReasons.assertionRefused, "\(name)")
                #expect(refusal?.message == HostReasons.assertionRefused.summary, "\(name)")
                #expect(refusal?.violations.isEmpty == true, "\(name)")
            }
            let details = try host.process.store().auditRows(from: 0, limit: 10_000)
                .map(\.note.detail).filter { $0.hasPrefix("assertion of") }
            for (index, (name, _, cause)) in cases.enumerated() {
                #expect(details[index].contains(cause.rawValue), "\(name): \(details[index])")
            }
        }
    }

    @Test("the limits themselves pass: exp 300 s ahead, exp 29 s ago, a list of one audience")
    func limits() async throws {
        try await withClient { _, identity, setting in
            let now = setting.clock.now.microsecondsSince1970 / 1_000_000
            for (claim, value) in [
                ("exp", "\(now + 300)"), ("exp", "\(now - 29)"), ("aud", "[\"\(setting.audience)\"]"),
                ("nbf", "\(now + 30)"),
            ] {
                var good = maker("ES256", setting)
                good.claims[claim] = value
                #expect(await issue(identity, good) == nil, "\(claim) \(value)")
            }
        }
    }

    @Test("the same jti twice is refused, also at once, also after a restart")
    func replay() async throws {
        try await withClient { host, identity, setting in
            let first = maker("ES256", setting)
            #expect(await issue(identity, first) == nil)
            #expect(await issue(identity, first)?.reason == HostReasons.assertionRefused)
            var other = maker("EdDSA", setting)
            other.claims["jti"] = first.claims["jti"]
            #expect(await issue(identity, other)?.reason == HostReasons.assertionRefused)

            let burst = maker("ES256", setting)
            let passed = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 { group.addTask { await issue(identity, burst) == nil } }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(passed == 1)

            try await host.restart()
            let after = Pcs_Host_V1_IdentityServiceClient(try await host.transport())
            #expect(await issue(after, first)?.reason == HostReasons.assertionRefused)
            #expect(await issue(after, maker("ES256", setting)) == nil)
            setting.clock.advance(milliseconds: 600_000)
            let forgotten = try await host.process.identity().purgeExpired()
            #expect(forgotten >= 1)
        }
    }

    @Test(
        "texts that are no compact JWS are refused alike",
        arguments: [
            "", "a", "a.b", "a.b.c", "..", "e30.e30.", "e30.e30.AA==", "eyJhbGciOiJFUzI1NiJ9.e30.A",
            "\u{1F600}.b.c",
        ])
    func malformed(_ text: String) async throws {
        #expect(ClientAssertion(text) == nil)
    }

    @Test("Base64url has one text for one value")
    func base64URL() {
        var generator = RegisterRandom(seed: 3)
        for count in 0..<80 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text.utf8) == bytes)
            let foundation = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing(
                "/", with: "_"
            ).replacing("=", with: "")
            #expect(text == foundation)
        }
        for text in ["A", "AB", "AAB", "A=", "+A", "A A="] {
            #expect(Base64URL.decode(text.utf8) == nil, "\(text)")
        }
    }

    @Test(
        "an unknown subject takes as long to refuse as a known one", arguments: ["RS512", "ES256", "EdDSA"])
    func timing(_ algorithm: String) throws {
        let now = Instant(microsecondsSince1970: 1_780_000_000_000_000)
        let setting = Setting(audience: "pcs", clock: ManualClock(now))
        // A signature that is a number below every modulus, so that no key can turn it away before reckoning.
        var parts = try maker(algorithm, setting).compact().split(separator: ".").map(String.init)
        var signature = try #require(Base64URL.decode(parts[2].utf8))
        signature[0] = 1
        parts[2] = Base64URL.encode(signature)
        let assertion = try #require(ClientAssertion(parts.joined(separator: ".")))
        var known = Subject(
            id: "gp-system", kind: .client, name: "", isActive: true, scopes: [], certificateURI: nil)
        known.keys = [
            "rsa-1": .rsa(rsa.publicKey), "p256-1": .p256(p256.publicKey),
            "ed-1": .ed25519(ed25519.publicKey),
        ]
        // Taken in turns, and the quickest of each: other tests run beside this one.
        let clock = ContinuousClock()
        func once(_ subject: Subject?) -> Duration {
            clock.measure {
                _ = AssertionCheck.refusal(
                    of: assertion, subject: subject, audience: "pcs", seconds: 1_780_000_000)
            }
        }
        var quickest: (known: Duration, unknown: Duration) = (.seconds(60), .seconds(60))
        for _ in 0..<200 {
            quickest.known = min(quickest.known, once(known))
            quickest.unknown = min(quickest.unknown, once(nil))
        }
        let ratio = quickest.known / quickest.unknown
        #expect((0.5...2).contains(ratio), "known / unknown = \(ratio)")
    }
}
