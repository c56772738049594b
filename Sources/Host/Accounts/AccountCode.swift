import Crypto
import PluginAPI

/// A code that proves that a message reached its person: an invitation, a password reset, a new second factor.
/// 192 random bits; on disk is only its hash, which needs no salt at that length.
struct AccountCode: Sendable {
    enum Purpose: String, Sendable {
        case invitation
        case reset
        case secondFactor = "second_factor"
    }

    let text: String

    static func random() -> AccountCode {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<24).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return AccountCode(text: "pcsc_" + Base64URL.encode(bytes))
    }

    var hash: String { AccountCode.hash(of: text) }

    static func hash(of text: String) -> String { SHA256.hash(data: Array(text.utf8)).hexadecimal }
}

/// A code as kept.
struct StoredCode: Sendable {
    let accountID: String
    let purpose: AccountCode.Purpose
    let usableFrom: Instant
    let expiresAt: Instant
    let isUsed: Bool
    let isRevoked: Bool

    static func find(_ text: String, in reader: any Reader) throws -> StoredCode? {
        try reader.first(AccountTables.code, [.text(AccountCode.hash(of: text))]) { row in
            AccountCode.Purpose(rawValue: row.text(1)).map { purpose in
                StoredCode(
                    accountID: row.text(0), purpose: purpose, usableFrom: row.instant(2),
                    expiresAt: row.instant(3), isUsed: !row.isNull(4), isRevoked: !row.isNull(5))
            }
        } ?? nil
    }

    /// Why the code does not serve now, for the audit; `nil` = it serves.
    func obstacle(to wanted: AccountCode.Purpose, at now: Instant) -> String? {
        if purpose != wanted { return "the code is for another purpose" }
        if isUsed { return "the code was used before" }
        if isRevoked { return "a later code took its place" }
        if now < usableFrom { return "the code is not usable yet" }
        if now >= expiresAt { return "the code has expired" }
        return nil
    }
}
