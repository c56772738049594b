import HostContract
package import PluginAPI

/// A caller's wish to have a request done once.
package struct IdempotencyClaim: Hashable, Sendable {
    /// The client or person that the key belongs to: keys of different callers never meet.
    package var subject: String
    package var method: String
    package var key: String
    /// SHA-256 of the request as sent.
    package var requestHash: [UInt8]

    package init(subject: String, method: String, key: String, requestHash: [UInt8]) {
        self.subject = subject
        self.method = method
        self.key = key
        self.requestHash = requestHash
    }
}

/// What a request was answered when its key was used first.
package struct StoredReply: Hashable, Sendable {
    package var reply: [UInt8]
    package var recordedAt: Instant
}

/// The keys of one database.
enum Idempotency {
    /// Keys are kept at least this long: a caller may send again for a week.
    static let keptDays: Int64 = 7

    /// `nil` when the key was never used. Throws `IDEMPOTENCY_KEY_REUSED` when it was, for another request.
    static func find(_ claim: IdempotencyClaim, in reader: any Reader) throws -> StoredReply? {
        let found = try reader.first(select, [.text(claim.key), .text(claim.subject), .text(claim.method)]) {
            row in
            (hash: row.blob(0), reply: StoredReply(reply: row.blob(1), recordedAt: row.instant(2)))
        }
        guard let found else { return nil }
        guard found.hash == claim.requestHash else { throw Failure(HostReasons.idempotencyKeyReused) }
        return found.reply
    }

    static func keep(_ claim: IdempotencyClaim, reply: [UInt8], at: Instant, in sql: any SQLTransaction)
        throws
    {
        try sql.run(
            insert,
            [
                .text(claim.key), .text(claim.subject), .text(claim.method), .blob(claim.requestHash),
                .blob(reply),
                .instant(at),
            ])
    }

    private static let select = Statement(
        """
        SELECT request_hash, reply, recorded_at FROM pcs_idempotency
        WHERE idempotency_key = ?1 AND subject = ?2 AND method = ?3
        """)
    private static let insert = Statement(
        """
        INSERT INTO pcs_idempotency (idempotency_key, subject, method, request_hash, reply, recorded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    /// Claims are numbered in the order of time, so the oldest are found without an index on the time.
    static let purge = Statement(
        """
        DELETE FROM pcs_idempotency WHERE recorded_at < ?1
        AND claim IN (SELECT claim FROM pcs_idempotency ORDER BY claim LIMIT ?2)
        """)
}

extension HostStore {
    /// What the request was answered when the key was used first; `nil` when it never was. A point read.
    /// - Throws: `IDEMPOTENCY_KEY_REUSED` when the key was used for another request.
    package func storedReply(for claim: IdempotencyClaim) throws -> StoredReply? {
        try read { try Idempotency.find(claim, in: $0) }
    }

    /// Removes keys older than seven days, in steps that hold the writer only shortly. For the scheduler,
    /// once a day. Audit rows and events are never removed.
    /// - Returns: how many.
    package func purgeIdempotencyKeys(step: Int = 1_000) async throws -> Int {
        let limit = clock.now.adding(milliseconds: -Idempotency.keptDays * 86_400_000)
        var removed = 0
        while true {
            let count = try await database.write {
                try $0.run(Idempotency.purge, [.instant(limit), .integer(step)])
            }
            removed += count
            if count < step { return removed }
        }
    }
}
