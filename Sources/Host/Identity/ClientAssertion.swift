#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A client assertion (RFC 7523) taken apart: a compact JWS whose signature nobody has looked at yet.
struct ClientAssertion: Sendable {
    let algorithm: String
    let keyID: String
    let type: String
    let claims: Claims
    let signedBytes: [UInt8]
    let signature: [UInt8]
    let hasCriticalExtensions: Bool

    struct Claims: Sendable {
        let issuer: String
        let subject: String
        let audience: String
        let expiresAt: Double
        let issuedAt: Double?
        let notBefore: Double?
        let identifier: String
    }

    /// `nil` when it has not the form, or lacks what every assertion must have.
    init?(_ compact: String) {
        let parts = compact.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard compact.utf8.count <= 16_384, parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let payloadBytes = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2])
        else { return nil }
        let decoder = JSONDecoder()
        guard let header = try? decoder.decode(Header.self, from: Data(headerBytes)),
            let payload = try? decoder.decode(Payload.self, from: Data(payloadBytes)),
            payload.exp.isFinite, payload.iat?.isFinite ?? true, payload.nbf?.isFinite ?? true
        else { return nil }
        algorithm = header.alg
        keyID = header.kid ?? ""
        type = header.typ ?? ""
        hasCriticalExtensions = header.crit != nil
        claims = Claims(
            issuer: payload.iss, subject: payload.sub, audience: payload.aud.single ?? "",
            expiresAt: payload.exp,
            issuedAt: payload.iat, notBefore: payload.nbf, identifier: payload.jti ?? "")
        signedBytes = Array(compact.utf8.prefix(parts[0].count + 1 + parts[1].count))
        self.signature = signature
    }

    private struct Header: Decodable {
        var alg: String
        var kid: String?
        var typ: String?
        var crit: [String]?
    }

    private struct Payload: Decodable {
        var iss: String
        var sub: String
        var aud: Audience
        var exp: Double
        var iat: Double?
        var nbf: Double?
        var jti: String?
    }

    /// A string, or a list that must have exactly one.
    private struct Audience: Decodable {
        var single: String?
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                single = text
            } else {
                let list = try container.decode([String].self)
                single = list.count == 1 ? list.first : nil
            }
        }
    }
}

/// Base64url without padding (RFC 4648 section 5), strict: one text for one value.
enum Base64URL {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [Int8] = {
        var values = [Int8](repeating: -1, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = Int8(value) }
        return values
    }()

    static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                result.append(alphabet[Int(buffer >> UInt32(bits)) & 63])
            }
        }
        if bits > 0 { result.append(alphabet[Int(buffer << UInt32(6 - bits)) & 63]) }
        return String(decoding: result, as: UTF8.self)
    }

    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(text.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in text {
            let value = values[Int(byte)]
            guard value >= 0 else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
        }
        // Left-over bits must be zero, else several texts would mean the same bytes.
        guard buffer & ((1 << bits) - 1) == 0 else { return nil }
        return result
    }
}
