import Crypto
import PluginAPI

/// Name of an access token: the first half of its SHA-256. Public, not a secret; shown as 32 hexadecimal digits.
package struct TokenID: Hashable, Sendable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From its description.
    init?(_ text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    package var description: String { TokenID.hexadecimal(high) + TokenID.hexadecimal(low) }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The access tokens that are alive, by hash. They are kept nowhere else: a restart ends them all.
struct AccessTokens: Sendable {
    /// Ten minutes (identity-and-organisations.md 11).
    static let lifeMilliseconds: Int64 = 600_000
    /// Live tokens of one subject. Beyond it an assertion is refused: somebody asks without ever using.
    static let perSubject = 1_000

    struct Record: Sendable {
        let subjectID: String
        let keyID: String
        let kind: Subject.Kind
        let expiresAt: Instant
        /// Second half of the hash.
        let rest: TokenID
        var isRevoked = false
    }

    /// SHA-256 of a token, in halves.
    struct Digest: Sendable {
        let id: TokenID
        let rest: TokenID

        init(_ token: String) {
            var hash = SHA256()
            var token = token
            token.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
            let words = hash.finalize().withUnsafeBytes { bytes in
                (0..<4).map {
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
                }
            }
            id = TokenID(high: words[0], low: words[1])
            rest = TokenID(high: words[2], low: words[3])
        }
    }

    private var records: [TokenID: Record] = [:]
    private var liveOfSubject: [String: Int] = [:]

    /// A new token's text: 256 random bits with a prefix by which leaked ones are found.
    static func makeText() -> String {
        var generator = SystemRandomNumberGenerator()
        return "pcst_"
            + Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    mutating func insert(_ digest: Digest, subject: Subject, keyID: String, now: Instant) -> Bool {
        guard liveOfSubject[subject.id, default: 0] < AccessTokens.perSubject else {
            purge(now: now)
            guard liveOfSubject[subject.id, default: 0] < AccessTokens.perSubject else { return false }
            return insert(digest, subject: subject, keyID: keyID, now: now)
        }
        records[digest.id] = Record(
            subjectID: subject.id, keyID: keyID, kind: subject.kind,
            expiresAt: now.adding(milliseconds: AccessTokens.lifeMilliseconds), rest: digest.rest)
        liveOfSubject[subject.id, default: 0] += 1
        return true
    }

    func record(_ id: TokenID) -> Record? { records[id] }

    /// Ends one token; it is remembered as revoked until it would have expired.
    mutating func revoke(_ id: TokenID) -> Record? {
        guard let record = records[id], !record.isRevoked else { return nil }
        records[id]?.isRevoked = true
        return record
    }

    /// Ends those that `shouldEnd` says; returns whether there were any.
    mutating func revokeAll(where shouldEnd: (Record) -> Bool) -> Bool {
        var found = false
        for (id, record) in records where !record.isRevoked && shouldEnd(record) {
            records[id]?.isRevoked = true
            found = true
        }
        return found
    }

    /// Forgets tokens a while after their end: until then their holders are told that they expired.
    @discardableResult
    mutating func purge(now: Instant) -> Int {
        let before = records.count
        records = records.filter {
            $0.value.expiresAt.adding(milliseconds: AccessTokens.lifeMilliseconds) > now
        }
        liveOfSubject.removeAll(keepingCapacity: true)
        for record in records.values where !record.isRevoked && record.expiresAt > now {
            liveOfSubject[record.subjectID, default: 0] += 1
        }
        return before - records.count
    }
}
