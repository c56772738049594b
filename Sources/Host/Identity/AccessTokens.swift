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

/// A person's session, opened with password and second factor (identity-and-organisations.md 10). Its token is one of
/// the access tokens.
struct PersonSession: Hashable, Sendable {
    /// The organisation acted for; `nil` until one is chosen.
    let organisation: ODSCode?
    /// Authenticator assurance level of the proof: 2, or 3 with hardware.
    let assurance: Int
    /// After so long without a call it ends.
    let idleMilliseconds: Int64
}

/// The access tokens that are alive, by hash. They are kept nowhere else: a restart ends them all.
struct AccessTokens: Sendable {
    /// Ten minutes (identity-and-organisations.md 11).
    static let lifeMilliseconds: Int64 = 600_000
    /// Live tokens of one subject. Beyond it an assertion is refused: somebody asks without ever using.
    static let perSubject = 1_000
    /// Live sessions of one person. Another one ends the oldest.
    static let sessionsPerPerson = 20

    struct Record: Sendable {
        let subjectID: String
        /// The key that signed the assertion; empty for a session.
        let keyID: String
        let kind: Subject.Kind
        let expiresAt: Instant
        /// Second half of the hash.
        let rest: TokenID
        /// When its holder last proved themselves in full.
        let provedAt: Instant
        var session: PersonSession?
        var lastUsedAt: Instant
        var isRevoked = false

        /// Whether it holds by the clock.
        func isAlive(at now: Instant) -> Bool {
            guard !isRevoked, expiresAt > now else { return false }
            guard let session else { return true }
            return lastUsedAt.adding(milliseconds: session.idleMilliseconds) > now
        }

        /// Whether what it was issued for still stands: the key, or the session.
        func isVouched(by subject: Subject) -> Bool { session != nil || subject.keys[keyID] != nil }
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
    private var sessionsOf: [String: Set<TokenID>] = [:]

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
            expiresAt: now.adding(milliseconds: AccessTokens.lifeMilliseconds), rest: digest.rest,
            provedAt: now, session: nil, lastUsedAt: now)
        liveOfSubject[subject.id, default: 0] += 1
        return true
    }

    /// Keeps a session's token.
    /// - Returns: the oldest session of the person, when there were too many: it has ended.
    mutating func insert(
        _ digest: Digest, session: PersonSession, subjectID: String, provedAt: Instant, expiresAt: Instant,
        now: Instant
    ) -> TokenID? {
        let open = sessions(of: subjectID, at: now)
        var ended: TokenID?
        if open.count >= AccessTokens.sessionsPerPerson,
            let oldest = open.min(by: { $0.value.lastUsedAt < $1.value.lastUsedAt })?.key
        {
            records[oldest]?.isRevoked = true
            ended = oldest
        }
        records[digest.id] = Record(
            subjectID: subjectID, keyID: "", kind: .person, expiresAt: expiresAt, rest: digest.rest,
            provedAt: provedAt, session: session, lastUsedAt: now)
        sessionsOf[subjectID, default: []].insert(digest.id)
        return ended
    }

    /// Open sessions of a person.
    func sessions(of subjectID: String, at now: Instant) -> [TokenID: Record] {
        var open: [TokenID: Record] = [:]
        for id in sessionsOf[subjectID] ?? [] {
            if let record = records[id], record.isAlive(at: now) { open[id] = record }
        }
        return open
    }

    mutating func touch(_ id: TokenID, at now: Instant) { records[id]?.lastUsedAt = now }

    /// Ends the sessions whose time is over; their subjects.
    mutating func endOverdue(at now: Instant) -> Set<String> {
        var subjects: Set<String> = []
        for (id, record) in records
        where record.session != nil && !record.isRevoked && !record.isAlive(at: now) {
            records[id]?.isRevoked = true
            subjects.insert(record.subjectID)
        }
        return subjects
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
        sessionsOf.removeAll(keepingCapacity: true)
        for (id, record) in records where !record.isRevoked && record.expiresAt > now {
            if record.session == nil {
                liveOfSubject[record.subjectID, default: 0] += 1
            } else {
                sessionsOf[record.subjectID, default: []].insert(id)
            }
        }
        return before - records.count
    }
}
