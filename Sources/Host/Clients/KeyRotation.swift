import HostContract
import PluginAPI

/// Puts a set of keys in the place of a client's present ones: new ones are added, the others retire after the overlap.
struct KeyRotation: Sendable {
    let client: String
    let set: JSONWebKeySet
    let overlapHours: Int32
    let author: String
    let reason: String

    private struct Held: Sendable {
        let id: String
        let isRevoked: Bool
        let fingerprint: String
    }

    func run(in transaction: any Transaction) throws {
        let held = try transaction.all(ClientTables.keys, [.text(client)]) { row in
            Held(id: row.text(0), isRevoked: !row.isNull(2), fingerprint: row.text(4))
        }
        for (index, new) in set.keys.enumerated() { try add(new, at: index, held, in: transaction) }
        let names = Set(set.keys.map(\.id))
        for old in held where !old.isRevoked && !names.contains(old.id) {
            try retire(old.id, in: transaction)
        }
    }

    /// A key of the set that the client has already stays; its name never comes to mean another key.
    private func add(
        _ new: JSONWebKeySet.Key, at index: Int, _ held: [Held], in transaction: any Transaction
    ) throws {
        let fingerprint = new.key.fingerprint
        if let known = held.first(where: { $0.id == new.id }) {
            guard known.fingerprint == fingerprint else {
                throw refusal(index, "jwk.kid", "The client has, or had, another key of this name.")
            }
            guard !known.isRevoked else { throw refusal(index, "jwk.revoked", "This key was revoked.") }
            try transaction.run(ClientTables.keep, [.text(client), .text(new.id)])
            return
        }
        if try transaction.first(IdentityTables.keyByFingerprint, [.text(fingerprint)], { $0.text(0) }) != nil
        {
            throw refusal(
                index, "key.fingerprint", "This key is, or was, registered: a key proves one subject, once.")
        }
        try transaction.run(
            IdentityTables.insertKey,
            [
                .text(client), .text(new.id), .text(new.key.algorithm), .text(new.key.pem),
                .text(fingerprint),
                .instant(transaction.now), .text(author),
            ])
        transaction.audit(
            AuditNote(
                object: "subject/\(client)",
                detail: "key \(new.id) registered: \(new.key.algorithm), SHA-256 \(fingerprint): \(reason)"))
    }

    private func retire(_ keyID: String, in transaction: any Transaction) throws {
        guard overlapHours > 0 else {
            try transaction.run(
                IdentityTables.revokeKey,
                [.text(client), .text(keyID), .instant(transaction.now), .text(author), .text(reason)])
            transaction.audit(
                AuditNote(object: "subject/\(client)", detail: "key \(keyID) revoked: \(reason)"))
            return
        }
        let end = transaction.now.adding(milliseconds: Int64(overlapHours) * 3_600_000)
        try transaction.run(
            ClientTables.retire, [.text(client), .text(keyID), .instant(end), .text(reason)])
        transaction.audit(
            AuditNote(
                object: "subject/\(client)",
                detail: "key \(keyID) retires in \(overlapHours) hours: \(reason)"))
    }

    private func refusal(_ index: Int, _ rule: String, _ message: String) -> Failure {
        Failure(
            HostReasons.alreadyExists, message,
            violations: [Violation(field: "jwks.keys[\(index)]", rule: rule, message: message)])
    }
}
