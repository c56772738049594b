import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A public key whose kind fixes the algorithm: what the header of an assertion says is only compared with it.
enum VerificationKey: Sendable {
    case rsa(_RSA.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)

    /// Why a text is no key that can be registered, in words for the person who sent it.
    struct Problem: Error { let message: String }

    /// Largest RSA key: beyond it a signature costs the host more than it proves.
    static let maximumRSABits = 8_192

    /// - Parameter pem: one block of SubjectPublicKeyInfo.
    init(pem: String) throws(Problem) {
        let text = pem.replacing("\r\n", with: "\n")
        if text.contains("PRIVATE KEY") {
            throw Problem(
                message:
                    "This is a private key. It is known to others now: make a new pair, send the public key.")
        }
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        guard text.utf8.count <= 4_096, lines.first == "-----BEGIN PUBLIC KEY-----",
            lines.last == "-----END PUBLIC KEY-----", lines.count >= 3,
            lines.filter({ $0.hasPrefix("-----") }).count == 2
        else { throw Problem(message: "One PEM block 'PUBLIC KEY' (SubjectPublicKeyInfo) is required.") }
        if let key = try? P256.Signing.PublicKey(pemRepresentation: text) {
            self = .p256(key)
        } else if let key = try? Curve25519.Signing.PublicKey(pemRepresentation: text) {
            self = .ed25519(key)
        } else if let key = try? _RSA.Signing.PublicKey(pemRepresentation: text) {
            guard key.keySizeInBits <= VerificationKey.maximumRSABits else {
                throw Problem(message: "RSA keys have at most \(VerificationKey.maximumRSABits) bits.")
            }
            self = .rsa(key)
        } else {
            throw Problem(message: "The key must be RSA of at least 2048 bits, P-256 or Ed25519.")
        }
    }

    /// Name in the header of a JWS.
    var algorithm: String {
        switch self {
        case .rsa: "RS512"
        case .p256: "ES256"
        case .ed25519: "EdDSA"
        }
    }

    /// The key as kept: the same bytes however it was wrapped when sent.
    var pem: String {
        switch self {
        case .rsa(let key): key.pemRepresentation
        case .p256(let key): key.pemRepresentation
        case .ed25519(let key): key.pemRepresentation
        }
    }

    /// SHA-256 of the key itself: the same key cannot prove two subjects.
    var fingerprint: String {
        let der: Data =
            switch self {
            case .rsa(let key): key.derRepresentation
            case .p256(let key): key.derRepresentation
            case .ed25519(let key): key.derRepresentation
            }
        return SHA256.hash(data: der).hexadecimal
    }

    func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        switch self {
        case .rsa(let key):
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA512.hash(data: message),
                padding: .insecurePKCS1v1_5)
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else {
                return false
            }
            return key.isValidSignature(signature, for: SHA256.hash(data: message))
        case .ed25519(let key):
            return key.isValidSignature(signature, for: message)
        }
    }
}

/// Keys of nobody, whose private halves were never kept. Assertions of unknown subjects are verified against them, so
/// that the answer takes as long as for a known subject.
enum DecoyKeys {
    static func key(for algorithm: String) -> VerificationKey? {
        switch algorithm {
        case "RS512": rsa
        case "ES256": p256
        default: ed25519
        }
    }

    private static let rsa = try? VerificationKey(
        pem: """
            -----BEGIN PUBLIC KEY-----
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqQt0us2SbLfEp7LGXfj7
            hINC5H4zDIJipdyNYPi0SAvzzws2gAusfdC3uLM2avXtprwK3uCIqsk+FfnQ4lbU
            tVt++rJVdzmbB3srnrxIBrbfPb3h5VngsuFtpR573rw4STI8QgZSOojU0PjCs90I
            XKZx3tkKjPU+szk7BMp6u3zpNS+h0aN7EGzzL4EDvMt3xVpZDfWrVQDHX2KAvSjj
            lHvdCFk5Sko3vXBpN1SA6L1rPuw9x58m6QGyGDcfQVBD3sVI5kGr4tR0XuIJUQmn
            eOUY3l6Xp4q8q/Y/X7Q++42BgC/658t7EhwLUjcJ88fJyxih87xnBjAsbfWpIOoL
            /QIDAQAB
            -----END PUBLIC KEY-----
            """)
    private static let p256 = try? VerificationKey(
        pem: """
            -----BEGIN PUBLIC KEY-----
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEw+QGuFULOGQ548ryGHk1XzdOU0/o
            NqhB+x5dcvnpiYWuF/o+el/1hx1wtadz5IrHlFU2otU0f9iWaqmERO/Pgw==
            -----END PUBLIC KEY-----
            """)
    private static let ed25519 = try? VerificationKey(
        pem: """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAOuLS/ZR2NQ6fNJnn40kK06yJ+wTfd2AfG/JMAkTvcqE=
            -----END PUBLIC KEY-----
            """)
}
