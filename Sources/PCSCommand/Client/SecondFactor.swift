import Crypto
package import Foundation

/// One-time codes by time (RFC 6238), for tests and for a first set-up without a telephone: HMAC-SHA-1, six digits,
/// steps of 30 seconds.
package struct SecondFactor: Sendable {
    package static let stepSeconds: Int64 = 30
    private let secret: [UInt8]

    /// - Parameter base32: the secret as the host shows it; spaces, small letters and padding are taken too.
    /// - Throws: `CommandError` when it is no base 32 (RFC 4648) of at least 80 bits.
    package init(base32: String) throws {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for character in base32.uppercased().utf8 where character != 0x20 && character != 0x3D {
            guard let value = alphabet.firstIndex(of: character) else {
                throw CommandError(.data, "the secret of a second factor is base 32: A to Z and 2 to 7")
            }
            buffer = (buffer << 5 | UInt32(value)) & 0xFFFF
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(buffer >> bits & 0xFF))
            }
        }
        guard bytes.count >= 10 else {
            throw CommandError(.data, "the secret of a second factor has 80 bits or more")
        }
        secret = bytes
    }

    package static func step(at time: Date) -> Int64 { Int64(time.timeIntervalSince1970) / stepSeconds }

    /// HOTP (RFC 4226, 5.3) of one step.
    package func code(step: Int64) -> String {
        let counter = withUnsafeBytes(of: UInt64(bitPattern: step).bigEndian) { Array($0) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[mac.count - 1] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - text.count) + text
    }
}

/// A file with the secret of a second factor, and in its second line the last step whose code was given out: a host
/// takes each code once.
package struct SecondFactorFile: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// Keeps a secret, mode 0600.
    package func keep(_ secret: String) throws { try PrivateFile.write(secret + "\n", to: path) }

    /// A code that was not given out before: of this step or the next, which the host takes as well; waits when both
    /// were.
    package func nextCode() async throws -> String {
        let lines = try PrivateFile.read(path).split(separator: "\n").map(String.init)
        guard let secret = lines.first else { throw CommandError(.data, "\(path) holds no secret") }
        let factor = try SecondFactor(base32: secret)
        let last = lines.count > 1 ? Int64(lines[1]) ?? 0 : 0
        var step = max(last + 1, SecondFactor.step(at: Date()))
        while SecondFactor.step(at: Date()) < step - 1 { try await Task.sleep(for: .milliseconds(200)) }
        step = max(step, SecondFactor.step(at: Date()))
        try PrivateFile.write("\(secret)\n\(step)\n", to: path)
        return factor.code(step: step)
    }
}
