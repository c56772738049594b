import Crypto
import PluginAPI

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One-time codes by time (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, as every authenticator app has them.
enum TimeBasedCode {
    static let stepSeconds: Int64 = 30
    /// Steps before and after the present one whose codes are taken: clocks differ, and typing takes time.
    static let tolerance: Int64 = 1
    static let secretBytes = 20

    static func step(at now: Instant) -> Int64 {
        let seconds = now.microsecondsSince1970 / 1_000_000
        return seconds / stepSeconds
    }

    /// HOTP (RFC 4226, 5.3) of one step.
    static func code(secret: [UInt8], step: Int64, digits: Int = 6) -> String {
        var counter = UInt64(bitPattern: step).bigEndian
        let message = withUnsafeBytes(of: &counter) { Array($0) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: message, using: SymmetricKey(data: secret)))
        let offset = Int(mac[mac.count - 1] & 15)
        let number =
            UInt32(mac[offset] & 0x7F) << 24 | UInt32(mac[offset + 1]) << 16 | UInt32(mac[offset + 2]) << 8
            | UInt32(mac[offset + 3])
        var modulus: UInt32 = 1
        for _ in 0..<digits { modulus *= 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The step whose code this is, among those that are taken now. All of them are computed in any case.
    static func step(of code: String, secret: [UInt8], at now: Instant) -> Int64? {
        let present = step(at: now)
        var found: Int64?
        for step in (present - tolerance)...(present + tolerance)
        where isEqual(Array(self.code(secret: secret, step: step).utf8), Array(code.utf8)) {
            found = step
        }
        return found
    }

    /// Compares without telling by time how much is equal.
    static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }

    static func makeSecret() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Base 32 (RFC 4648) without padding, as authenticator apps take it.
    static func base32(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            buffer = (buffer << 8 | UInt32(byte)) & 0xFFFF
            bits += 8
            while bits >= 5 {
                bits -= 5
                result.append(alphabet[Int(buffer >> bits & 31)])
            }
        }
        if bits > 0 { result.append(alphabet[Int(buffer << (5 - bits) & 31)]) }
        return String(decoding: result, as: UTF8.self)
    }

    /// What an authenticator app scans.
    static func uri(secret: [UInt8], email: String) -> String {
        let label = email.utf8.map { byte -> String in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                || [0x2D, 0x2E, 0x5F, 0x40].contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        return
            "otpauth://totp/PCS:\(label)?secret=\(base32(secret))&issuer=PCS&algorithm=SHA1&digits=6&period=30"
    }
}
